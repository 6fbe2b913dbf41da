# SPDX-License-Identifier: BSD-2-Clause
"""Images that a board's log vouches for: a profile that wants one runs no other,
and nothing at all once the log has shown two faces."""
import os
import shutil
import sys

from lib import done, result, until
from libruled import BOARD, Ruled

build = sys.argv[1]


class Board(Ruled):
    """Its root names the key of a log as well."""

    def text(self, name, value):
        if name == "root.json":
            value["roles"]["log"] = value["roles"]["root"]
        super().text(name, value)

    def anchor(self, log, *what):
        """The proofs of what a log has, put before the node."""
        proofs = self.at("proofs")
        rc, out, err = self.warren("audit", "anchor", "--log", self.at(log), "--origin", "log.test/board", "--proofs",
                                   proofs, "-k", self.at("key"), *what)
        target = os.path.join(self.dir, "klp/anchors")
        shutil.copytree(proofs, target, dirs_exist_ok=True)
        return rc == 0

    def agent(self, n):
        zero = "sha256:" + "0" * 64
        with open(self.at("agent.json"), "w") as f:
            f.write('{"_type":"klp.fingerprint","agent":"%s","contract":"%s","image":"%s","issued":%d,"manifest":"%s",'
                    '"version":1}' % (self.me["urn"], zero, zero, 1700000000 + n, zero))
        return self.at("agent.json")


def refused(node, what):
    s = node.submit(node.job_file("true"))
    rc, last = s.end()
    result("anchored: " + what, rc == 3 and last.get("code") == "anchor", "%s %s" % (rc, last))


def main():
    node = Board(build, "anchored", None)
    try:
        node.found()
        node.folder(os.path.join(node.dir, "profiles"))
        node.write("profiles/default.yaml", "anchor: require\n")
        if not node.up():
            result("anchored", False, "%s %s" % (node.problem, node.said()[-3000:]))
            return
        refused(node, "an image that no log has does not run")
        ok = node.anchor("log", "images")
        node.hup()
        ok = ok and until(lambda: "good=1 images=1" in node.said(), "the proof")
        s = node.submit(node.job_file("true"))
        s.process.wait()
        result("anchored: one that a log has does", ok and s.process.returncode == 0, "%s %s" % (s, node.said()[-1500:]))
        rc, last = s.end()
        result("anchored: its receipt says so", "anchored" in str(last), last)
        # another log under the same name and key, of the same size
        shutil.rmtree(node.at("proofs"))
        node.anchor("twin", node.agent(1))
        for end in ("tlog-proof", "json"):
            shutil.move(os.path.join(node.dir, "klp/anchors/0." + end), os.path.join(node.dir, "klp/anchors/1." + end))
        node.anchor("log", node.agent(2))  # back, and one more
        node.hup()
        ok = until(lambda: "two states that cannot both be true" in node.said(), "the fork")
        result("anchored: a log with two faces is found out", ok and '"equivocation"' in node.trail(), node.said()[-1500:])
        kept = [n for n in os.listdir(os.path.join(node.dir, "warren/trust/klp")) if n.startswith("equivocation-")]
        result("anchored: both are kept", len(kept) == 1, kept)
        refused(node, "and vouches for nothing any more")
    finally:
        node.remove()


main()
done()
