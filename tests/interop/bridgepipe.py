# SPDX-License-Identifier: BSD-2-Clause
"""A bridge process of bridge/ and the commands that it is told."""

import json
import os
import signal
import subprocess

from lib import Failure, check


def same(got, want, what):
    check(got == want, f"{what}: {got!r}, not {want!r}")


class Refused(Failure):
    pass


class Bridge:
    def __init__(self, build):
        self.path = os.path.join(build, "tests", "interop", "bridge", "bridge")
        self.proc = subprocess.Popen([self.path], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, start_new_session=True)
        check(self.proc.stdout.readline() == b"READY\n", "the bridge says READY first")
        self.n = 0

    def line(self, raw):
        """Answer to one line, whatever it is."""
        self.proc.stdin.write(raw + b"\n")
        self.proc.stdin.flush()
        answer = self.proc.stdout.readline()
        check(answer.endswith(b"\n"), f"the bridge answers {raw[:60]!r}: {answer!r}")
        return json.loads(answer)

    def __call__(self, command, **params):
        self.n += 1
        request = {"id": f"req-{self.n}", "command": command, "params": params}
        answer = self.line(json.dumps(request).encode())
        check(answer["id"] == request["id"], f"{command}: its id comes back")
        if not answer["success"]:
            raise Refused(f"{command}: {answer['error']}")
        return answer["result"]

    def refuses(self, command, word="", **params):
        try:
            result = self(command, **params)
        except Refused as e:
            check(word in str(e), f"{command} {params}: {e} says {word}")
            return
        raise Failure(f"{command} {params} is refused; it said {result}")

    def end(self):
        self.stop()

    def stop(self):
        """End of input is the end, soon."""
        self.proc.stdin.close()
        try:
            check(self.proc.wait(5) == 0, "the bridge ends well at the end of its input")
        except subprocess.TimeoutExpired:
            os.killpg(self.proc.pid, signal.SIGKILL)
            self.proc.wait()
            raise Failure("the bridge goes on after the end of its input")
        finally:
            self.proc.stdout.close()
