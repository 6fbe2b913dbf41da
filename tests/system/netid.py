# SPDX-License-Identifier: BSD-2-Clause
"""The network identity: its file is made once, and one that is none ends the
start with its name."""
import os
import sys

from lib import USER, Node, done, result

build = sys.argv[1]
KEY = "network_identity = storage/identities/net\n"


def of(user, mode):
    node = Node(build, "netid-" + mode, user)
    path = os.path.join(node.dir, "storage/identities/net")
    try:
        with open(os.path.join(node.dir, "config")) as f:
            text = f.read()
        node.write("config", text.replace("[logging]", KEY + "[logging]"))
        made, well = [], True
        for _ in range(2):
            node.start()
            ready = node.ready(["transport"])
            rc, _ = node.stop()
            well = well and ready and rc == 0
            with open(path, "rb") as f:
                made.append(f.read())
        result(mode + " network identity: made once", well and
               len(made[0]) == 64 and made[1] == made[0] and
               os.stat(path).st_mode & 0o777 == 0o600, node.said()[-800:])
        with open(path, "wb") as f:
            f.write(b"short")
        rc, said = node.run()
        result(mode + " network identity: a file that is none",
               rc != 0 and "identities/net" in said, "%s %s" % (rc, said))
    finally:
        node.remove()


if os.geteuid() == 0:
    of(None, "root")
    of(USER, "user")
else:
    of(None, "user")
done()
