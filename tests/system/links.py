# SPDX-License-Identifier: BSD-2-Clause
"""config and storage as configuration managers make them, links to where the
files are: followed, or refused in the same words by --check and the start."""
import os
import shutil
import sys

from lib import BASE, USER, Node, done, result

build = sys.argv[1]


def run(mode, user):
    name = mode + " links"
    node = Node(build, "links-" + mode, user)
    store, disk = os.path.join(node.top, "store"), os.path.join(node.top, "disk")
    try:
        for d in (store, disk):
            os.mkdir(d, 0o755)
            if user is not None:
                os.chown(d, user, user)
        shutil.move(os.path.join(node.dir, "config"), store)
        os.symlink(os.path.join(store, "config"), os.path.join(node.dir, "config"))
        os.symlink("../disk", os.path.join(node.dir, "storage"))
        rc, said = node.run("--check")
        result(name + ": no mistake", rc == 0 and "no mistakes" in said, said)
        ready = node.start().ready(["transport"])
        rc, _ = node.stop()
        owner = BASE + 1 if os.geteuid() == 0 and user is None else os.stat(store).st_uid
        result(name + ": the node runs on them", ready and rc == 0 and
               os.stat(os.path.join(disk, "transport_identity")).st_uid == owner and
               os.path.islink(os.path.join(node.dir, "storage")) and
               os.path.islink(os.path.join(node.dir, "config")), node.said())
        if user is None and os.geteuid() == 0:
            os.chmod(store, 0o777)
            ill(node, name + ": others can write there", 'config: is a link that root '
                'does not follow: on its way "store" can be written by other users')
            os.chmod(store, 0o755)
            os.chown(disk, USER, USER)
            ill(node, name + ": somebody else's", 'storage: is a link that root '
                'does not follow: on its way "disk" belongs to another user')
        os.unlink(os.path.join(store, "config"))
        ill(node, name + ": to nothing", "config: is a link that leads nowhere")
    finally:
        node.remove()


def ill(node, name, words):
    rc, said = node.run("--check")
    start, log = node.run()
    result(name, rc == 2 and start == 2 and words in said and words in log,
           "%s %s %s %s" % (rc, said, start, log))


if os.geteuid() == 0:
    run("root", None)
    run("user", USER)
else:
    run("user", None)
done()
