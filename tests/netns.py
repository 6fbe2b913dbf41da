# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces that a test makes, with cables between them; they end with
the test."""
import subprocess

from waiting import PATIENCE_S, until


class Net:
    """A machine of its own, as far as networks go."""

    def __init__(self):
        self.proc = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"])
        until(self._there, "a network namespace", PATIENCE_S)
        # a link-local address is there at once, without looking for its twin
        self.run("sh", "-c", "for i in all default; do echo 0 >/proc/sys/net/ipv6/conf/$i/accept_dad; done")
        self.run("ip", "link", "set", "lo", "up")

    def _there(self):
        with open("/proc/%d/comm" % self.proc.pid) as f:
            return f.read().strip() == "sleep"

    def inside(self, *argv):
        """The command as it runs in there."""
        return ["nsenter", "--target", str(self.proc.pid), "--net", "--", *argv]

    def run(self, *argv):
        return subprocess.run(self.inside(*argv), check=True, capture_output=True, text=True).stdout

    def wrapper(self, path, program):
        """A file that is that program, in there."""
        with open(path, "w") as f:
            f.write('#!/bin/sh\nexec %s "$@"\n' % " ".join(self.inside(program)))
        subprocess.run(["chmod", "755", path], check=True)
        return path

    def stop(self):
        self.proc.kill()
        self.proc.wait()


def possible():
    """Whether this user may make them."""
    return subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode == 0


def cable(a, device_a, b, device_b):
    """Between two of them, up at both ends, with addresses."""
    a.run("ip", "link", "add", device_a, "type", "veth", "peer", "name", device_b, "netns", str(b.proc.pid))
    a.run("ip", "link", "set", device_a, "up")
    b.run("ip", "link", "set", device_b, "up")
    until(lambda: link_local(a, device_a) and link_local(b, device_b), "link-local addresses")


def link_local(net, device):
    """The link-local address of a device, when it may be used; None."""
    words = net.run("ip", "-6", "-o", "addr", "show", "dev", device, "scope", "link").split()
    return words[3].split("/")[0] if "inet6" in words and "tentative" not in words else None
