# SPDX-License-Identifier: BSD-2-Clause
"""A hostile warren-transport among the real programs: what THREATS.md 1 says
that it cannot do, it tries, and fails."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from lib import ALL, Node, done, result, skip, until

build = sys.argv[1]
hostile = os.path.join(build, "tests/escape/transport_hostile")
if not os.path.exists(hostile):
    hostile = os.path.join(build, "transport_hostile")


def house():
    """The programs of the build, one of them replaced."""
    top = tempfile.mkdtemp(prefix="warren-standin.")
    os.chmod(top, 0o755)
    for name in os.listdir(build):
        path = os.path.join(build, name)
        if name.startswith("warren") and os.path.isfile(path):
            shutil.copy(path, top)
    shutil.copy(hostile, os.path.join(top, "warren-transport"))
    return top


def said(node, what):
    return [w for w in node.said().splitlines() if what in w]


def run():
    top = house()
    node = Node(top, "standin")
    try:
        if not node.with_compute():
            result("hostile transport: start", False, node.said()[-800:])
            return
        node.start()
        pids = node.ready(ALL)
        result("hostile transport: the house starts", pids is not None,
               node.said()[-800:])
        line = until(lambda: said(node, "hostile: dials"), "its dials")
        result("hostile transport: nothing is dialled that is not configured",
               line and "opened 0" in line[0] and "refused 12" in line[0],
               str(line))
        line = until(lambda: said(node, "hostile: requests"), "its requests")
        p = subprocess.run([os.path.join(top, "warren"), "jobs", "--here",
                            "--json", "--config", node.dir],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        jobs = [json.loads(w) for w in p.stdout.decode().splitlines() if w]
        result("hostile transport: no job is submitted by its word", line and
               p.returncode == 0 and not any("job" in j for j in jobs),
               str(jobs) + p.stderr.decode())
        result("hostile transport: what breaks the table ends its channel",
               until(lambda: said(node, "breaks the message table"),
                     "the broken table"), node.said()[-800:])
        result("hostile transport: keys complete no binding of its",
               not os.path.exists(os.path.join(node.dir,
                                               "warren/keys/binding")))
        after = node.pids()
        result("hostile transport: its neighbours live on",
               all(after.get(n) == pids[n] for n in ALL if n != "transport"),
               "%s %s" % (pids, after))
    finally:
        node.remove()
        shutil.rmtree(top, ignore_errors=True)


if "STANDIN_LONG" not in os.environ:
    # node gives keys and transport ten seconds for a binding
    skip("hostile transport", "it waits ten seconds for a binding: ./check long")
elif os.path.exists(hostile):
    run()
else:
    result("hostile transport", False, "it is not built")
done()
