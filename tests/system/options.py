# SPDX-License-Identifier: BSD-2-Clause
"""rnsd's own options, so that its unit file goes on with another program."""
import os
import sys

from lib import Node, done, result, until

build = sys.argv[1]

node = Node(build, "options")
try:
    for option, words in (("--version", "warrend "), ("--exampleconfig",
                          "[[Default Interface]]"), ("--help", "--service")):
        rc, said = node.run(option)
        result("options: " + option, rc == 0 and words in said, said)
    rc, said = node.run("--servce")
    result("options: one that there is not", rc == 2 and "--service" in said,
           said)
    path = os.path.join(node.dir, "logfile")

    def log():
        try:
            with open(path) as f:
                return f.read()
        except OSError:
            return ""
    node.start("-v", "-s", "-i", "-q", "-q", "-q")
    up = until(lambda: " transport: ready" in log() and "ready:" in log(),
               "ready")
    result("options: -s logs to a file, by the level of config", up and
           "info transport: ready" in log() and
           node.said().count("\n") == 2 and "logged to logfile" in node.said()
           and os.stat(path).st_mode & 0o777 == 0o600, node.said() + log())
    result("options: -i is said to have no effect",
           "-i: there is no interactive shell" in node.said(), node.said())
    rc, seconds = node.stop()
    result("options: ends in order, and says so there", rc == 0 and
           "ended" in log(), log())
    os.unlink(path)
    os.symlink("/dev/null", path)
    rc, said = node.run("-s")
    result("options: no link in place of the log file", rc == 1 and
           "logfile" in said, said)
finally:
    node.remove()
done()
