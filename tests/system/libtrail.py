# SPDX-License-Identifier: BSD-2-Clause
"""What a node says of a job behind it: its trail, a receipt."""
import glob
import json
import os
import socket

from lib import until


def trail(node, job=None):
    """Events of the trail, of one job or all."""
    out = []
    for name in sorted(glob.glob(os.path.join(node.dir, "warren/trail/*.jsonl"))):
        with open(name) as f:
            for line in f:
                e = json.loads(line).get("e", {})
                klp = e.get("unmapped", {}).get("klp", {})
                if job is None or klp.get("job") == job:
                    out.append((klp.get("kind"), klp.get("code"),
                                e.get("message", ""), klp))
    return out


def senders(node):
    """Of each life of each program that numbers its events: the numbers that
    stand in the trail, those that it says are lost, in their order."""
    out = {}
    for kind, _, _, klp in trail(node):
        if "sender" not in klp:
            continue
        name, run, last = klp["sender"].split(":")
        written, lost = out.setdefault((name, run), ([], []))
        if kind == "events_lost":
            lost += range(klp["b"], klp["b"] + klp["a"])
            assert lost[-1] == int(last), klp
        else:
            written.append(int(last))
    return out


def counts(node):
    """What node itself has counted in this life."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.path.join(node.dir, "warren/run/node.sock"))
        s.sendall(b'{"verb":"status"}\n')
        return json.loads(s.makefile().readline())["counts"]


def sent(node):
    """How many events that it has sent."""
    return counts(node)["events"]


def receipt(node, s):
    rc, out, err = node.warren("receipt", "verify", s.folder, "--identity",
                               node.person, "--json")
    try:
        return json.loads(out)
    except ValueError:
        return {"failed": "%s %s" % (rc, err)}


def each_once(node):
    """Every number that a program has given is in the trail once, or is said
    there to be lost; the last is that of the event which node sent last. Of a
    node that has not fallen: whether it is so, and what senders() has."""
    def settled():
        return [w + l for (name, _), (w, l) in senders(node).items()
                if name == "node"]
    until(lambda: settled() and max(settled()[0]) == sent(node),
          "node's last event", 20)
    all_of = senders(node)
    return (len(settled()) == 1 and
            {n for n, _ in all_of} >= {"node", "keys", "parent"} and
            all(sorted(w + l) == list(range(1, len(w + l) + 1)) and
                w == sorted(w) for w, l in all_of.values())), all_of
