# SPDX-License-Identifier: BSD-2-Clause
"""A root that a job may write to: a file of its image is changed, moved and
removed, and so is a program. Where a job does not own what the image brought
(a store in tmpfs before Linux 6.3), the file is replaced instead."""
import os

from libjob import Burrow

# of a node whose container profile allows it
PROFILE = "read_only_fs: false\n"


class Rooted(Burrow):
    def _rootfs(self):
        root = super()._rootfs()
        os.mkdir(os.path.join(root, "etc"))
        for name in ("words", "gone"):
            with open(os.path.join(root, "etc", name), "w") as f:
                f.write("old\n")
        return root

    def profile(self, text):
        os.makedirs(os.path.join(self.dir, "profiles"), exist_ok=True)
        self.write("profiles/default.yaml", text)

    def writes(self):
        """Its label and its files; what it should have said of those."""
        rc, last, s = self.run_job(
            "cat /proc/self/attr/current; echo; if chmod u+w /etc/words 2>/dev/null; "
            "then echo new >>/etc/words; else cp /etc/words /etc/w && "
            "chmod u+w /etc/w && echo new >>/etc/w && "
            "mv -f /etc/w /etc/words; fi && "
            "mv /etc/words /etc/moved && cat /etc/moved && rm /etc/gone && "
            "rm /bin/yes && echo into >/bin/made && mkdir /fresh && "
            "ls /etc /bin/made && "
            "printf '#!/bin/sh\\necho runs\\n' >/bin/yes && "
            "chmod 755 /bin/yes && /bin/yes", read_only_fs="false",
            seconds=200)
        label, _, said = self.output(s).replace("\0", "").partition("\n")
        good = said.strip().split() == ["old", "new", "/bin/made", "/etc:",
                                        "moved", "runs"]
        return label, good, last, "%r %s" % (said, s)
