# SPDX-License-Identifier: BSD-2-Clause
"""Interfaces while the node runs: a mistake keeps one off and no other, a
reload opens, closes and changes those that config has changed, and nobody who
is connected to another one notices."""
import json
import os
import signal
import subprocess
import sys

from lib import HERE, PATIENCE_S, USER, Node, connected, done, ended, lives, \
    result, until

sys.path.insert(0, os.path.dirname(HERE))
from nets import client, free_port, server  # noqa: E402

build = sys.argv[1]


def warren(node, *words):
    p = subprocess.run([os.path.join(build, "warren"), *words, "--config",
                        node.dir], preexec_fn=node._drop,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=PATIENCE_S)
    return (p.returncode, p.stdout.decode(errors="replace"),
            p.stderr.decode(errors="replace"))


def interfaces(node):
    """Section -> what status says of it; {} while nobody answers."""
    try:
        found = json.loads(warren(node, "status", "--json")[1])
    except ValueError:
        return {}
    return {i["section"]: i for i in found.get("interfaces_list", [])
            if "section" in i and "[Client on" not in i.get("name", "")}


def reload(node, config=None):
    """Exit status, and kind -> texts of what was said."""
    if config is not None:
        node.write("config", config)
    last = warren(node, "reload", "--json")
    try:
        said = json.loads(last[1])["said"]
    except (ValueError, KeyError):
        return last[0], {"failed": last[1] + last[2]}
    kinds = {}
    for o in said:
        kinds[o["kind"]] = kinds.get(o["kind"], "") + o["text"] + "\n"
    return last[0], kinds


def start(node, name, config):
    node.write("config", config)
    node.start()
    node.ready(["transport"])
    up = until(lambda: interfaces(node).get("Keep", {}).get("online"),
               "it listens")
    i = interfaces(node)
    result(name + ": a mistake keeps one off, and no other", up and
           i["Change"]["online"] and i["Bad"]["skipped"] == "off by a mistake"
           and "bitrate" in i["Bad"]["error"], "%s %s" % (i, node.said()))
    rc, out, err = warren(node, "check-config")
    line = config[:config.index("bitrate")].count("\n") + 1
    result(name + ": its place and remedy are said", rc == 2 and
           "config:%d:11: " % line in err and "whole number" in err and
           "config:%d:11: " % line in node.said() and
           "config:%d:11: " % line in i["Bad"]["error"], err)
    both = ["config:%d:11: " % line, "config:%d:16: " % (line + 1)]
    told = warren(node, "status")[1]
    result(name + ": a second one is said as well", all(
        p in text for p in both for text in (err, node.said(), told)) and
        [p in e for p, e in zip(both, i["Bad"]["errors"])] == [True, True],
        "%s %s" % (i["Bad"], told))
    # one that is off is looked at, and none of this is a mistake
    note = "config:%d:1: " % (config[:config.index("COM9")].count("\n") + 1)
    result(name + ": what would keep one off that is off is a note",
           any("note: " in text and note in text for text in
               err.splitlines()) and "2 mistakes" in err and
           i["Idle"]["skipped"] == "off" and "error" not in i["Idle"],
           "%s %s" % (i["Idle"], err))


def changes(node, name, head, ports, keep):
    """Bad goes, New comes before all others, Change changes."""
    other = connected(ports["change"])
    tail = server("Keep", ports["keep"]) + client("Dial", ports["keep"])
    config = (head + server("New", ports["new"]) + "# as it was\n" + tail +
              server("Change", ports["change"], "gravity = 2\n"))
    rc, said = reload(node, config)
    changed = said.get("changed", "")
    result(name + ": what came of it is said", rc == 0 and all(
        w in changed for w in ('"New" is there now', '"Dial" is there now',
                               '"Change" has changed')) and
           '"Keep"' not in changed and "waits" not in said,
           "%s %s" % (rc, said))
    result(name + ": a connection through one that changed ends",
           ended(other))
    up = until(lambda: all(interfaces(node).get(n, {}).get("online") for n in
                           ("New", "Dial", "Keep", "Change")), "all are up")
    i = interfaces(node)
    result(name + ": all are up, and the mistake is gone", up and
           "Bad" not in i, "%s %s" % (i, node.said()))
    for port in ports.values():
        s = connected(port)
        result(name + ": port open", s is not None, str(ports))
        if s is not None:
            s.close()
    result(name + ": another connection lives", lives(keep))
    rc, said = reload(node, head + tail)
    gone = until(lambda: connected(ports["new"]) is None, "it is closed")
    result(name + ": one that was removed is closed", rc == 0 and gone and
           '"New" is closed' in said.get("changed", "") and
           "New" not in interfaces(node), str(said))
    result(name + ": and still the other lives", lives(keep))
    return head + tail


def refused(node, name, head, good, ports, keep):
    """One mistake, and nothing is other."""
    before = sorted(interfaces(node))
    for bad in (good + server("Port", 0), good + "[[Dial]]\nenabled = yes\n",
                "[reticulum\n" + good, good + server("New", ports["new"]) +
                "announce_cap = much\n"):
        rc, said = reload(node, bad)
        result(name + ": a mistake refuses it whole", rc == 2 and
               "nothing was changed" in said.get("mistake", "") and
               "config:" in said["mistake"] and
               sorted(interfaces(node)) == before and
               connected(ports["new"]) is None and lives(keep), str(said))
    waits = good.replace(head, head.replace(
        "[reticulum]\n", "[reticulum]\nenable_transport = yes\n"))
    for _ in range(2):
        rc, said = reload(node, waits)
        result(name + ": what waits for a start is named", rc == 0 and
               "enable_transport of [reticulum] takes effect at the next "
               "start" in said.get("waits", "") and "changed" not in said and
               lives(keep), str(said))


def fallen(node, name, good, ports, keep):
    """A transport that starts anew has the interfaces of the last reload."""
    node.write("config", good + server("New", ports["new"]))
    node.process.send_signal(signal.SIGHUP)
    result(name + ": SIGHUP does the same", until(
        lambda: connected(ports["new"]), "New listens") and lives(keep))
    before = node.readies("transport")
    os.kill(node.pids()["transport"], signal.SIGKILL)
    until(lambda: node.readies("transport") > before, "transport again")
    up = until(lambda: all(interfaces(node).get(n, {}).get("online") for n in
                           ("New", "Dial", "Keep")), "all are up again")
    result(name + ": a transport that fell has them again", up,
           "%s %s" % (interfaces(node), node.said()[-2000:]))
    rc, said = reload(node)
    result(name + ": and parent and transport agree", rc == 0 and
           "changed" not in said, str(said))


def run(mode, user):
    name = mode + " interfaces"
    ports = {n: free_port() for n in ("keep", "change", "new")}
    node = Node(build, "interfaces-" + mode, user)
    keep = None
    try:
        with open(os.path.join(node.dir, "config")) as f:
            head = f.read()
        start(node, name, head + server("Keep", ports["keep"]) +
              server("Bad", 1, "bitrate = fast\nannounce_cap = x\n") +
              "[[Idle]]\ntype = KISSInterface\nenabled = no\n"
              "port = COM9\n" +
              server("Change", ports["change"]))
        keep = connected(ports["keep"])
        rc, said = reload(node)
        result(name + ": what has a mistake is not read again", rc == 2 and
               "nothing was changed" in said.get("mistake", ""), str(said))
        good = changes(node, name, head, ports, keep)
        refused(node, name, head, good, ports, keep)
        fallen(node, name, good, ports, keep)
        rc, seconds = node.stop()
        result(name + ": ends in order", rc == 0, "%s %s" % (rc, seconds))
    finally:
        if keep is not None:
            keep.close()
        node.remove()


if os.geteuid() == 0:
    run("root", None)
    run("user", USER)
else:
    run("user", None)
done()
