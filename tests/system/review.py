# SPDX-License-Identifier: BSD-2-Clause
"""Jobs that wait for somebody's word: the operator's on the node's machine, a
reviewer's over the mesh; both survive a restart and are in the trail."""
import json
import os
import sys
import time

from lib import USER, done, result, until
from libjob import Burrow

build = sys.argv[1]
TRUST = "{requires_review: true}"
BOARDS = ("  boards: {\"Core Board\": {authority: trust.kos, "
          "role: core-board}}\n")


def submit(node, **kw):
    """A held job's id, and its Submission."""
    s = node.submit(node.job_file("echo reviewed", trust=TRUST, **kw),
                    "--detach")
    s.end()
    return s.id(), s


def as_json(out):
    try:
        return json.loads(out.splitlines()[-1])
    except (ValueError, IndexError):
        return {"failed": out}


def trail(node, job):
    """(code, signer) of the approvals of a job that the trail has."""
    rc, out, _ = node.warren("audit", "tail", "-n", "2000", "--json")
    found = []
    for line in out.splitlines():
        klp = json.loads(line).get("e", {}).get("unmapped", {}).get("klp", {})
        if klp.get("kind") == "approval" and klp.get("job") == job:
            found.append(klp.get("peer"))
    return found if rc == 0 else [rc]


def explained(node, held):
    """What explain says of a job that waits, of one refused, of who asks."""
    rc, out, err = node.warren("explain", held[:12])
    result("explain: a held job waits for a reviewer", rc == 0 and
           "waits for a reviewer" in out and "operator  `warren approve`" in
           out, "%s %s %s" % (rc, out, err))
    s = node.submit(node.job_file("true", limits={"memory": "64GB"}),
                    "--detach")
    s.end()
    who = node.me["fp"]
    rc, out, err = node.warren("explain", who)
    result("explain: a peer, its budgets and what it was refused", rc == 0 and
           "key       " + who in out and "jobs an hour" in out and
           "refused: limits (step 9): memory: 64.0 GiB asked" in out,
           "%s %s %s" % (rc, out, err))
    rc, out, err = node.warren("explain", who[:12], "--json")
    refusals = [e for e in as_json(out).get("trail") or []
                if e.get("kind") == "job_refused"]
    result("explain: limit and value of a refusal", len(refusals) == 1 and
           refusals[0]["value"] == 64 << 30 and
           0 < refusals[0]["limit"] < 64 << 30, out + err)
    return refusals[0]["job"] if refusals else "none"


def operator(node):
    """A job that was refused, and so is in no ledger."""
    job, s = submit(node)
    refused = explained(node, job)
    rc, out, err = node.warren("jobs", "--held", "--json")
    result("review: the operator sees a held job",
           [j["id"] for j in as_json(out).get("jobs", [])] == [job], out + err)
    rc, out, err = node.warren("show", job)
    result("review: and what it would run",
           "echo reviewed" in out and "asked for by its manifest" in out, out)
    rc, out, err = node.warren("approve", job[:12], "--json")
    a = as_json(out)
    result("review: the operator's word lets it run", rc == 0 and
           a.get("id") == job and a.get("verdict") == "approve", out + err)
    ended = until(lambda: node.show(job).get("state") == "done", "its end")
    result("review: it ran", ended, node.show(job))
    fp = node.who["fp"]
    result("review: the trail has who approved it", trail(node, job) == [fp],
           trail(node, job))
    rc, out, err = node.warren("reject", job)
    result("review: a job that has ended cannot be rejected", rc == 1 and
           "does not wait" in err, "%s %s" % (rc, err))
    job, s = submit(node)
    rc, out, err = node.warren("reject", job)
    result("review: the operator's reject ends it", rc == 0 and
           "cancelled review" in out, "%s %s %s" % (rc, out, err))
    rc, out, err = node.warren("approve", "0123abcd")
    result("review: a job that is not here", rc == 1, err)
    return refused


def mesh(node, reviewer, nobody, refused):
    to = ["--to", node.who["destination"], "--timeout", "60s"]
    as_reviewer = to + ["--identity", reviewer]
    job, s = submit(node)
    rc, out, err = node.warren("jobs", "--held", "--json", *to, "--identity",
                               nobody)
    result("review: held jobs are for reviewers", rc == 3 and
           "job.review" in out + err, "%s %s %s" % (rc, out, err))
    rc, out, err = node.warren("jobs", "--held", "--json", *as_reviewer)
    jobs = as_json(out).get("jobs", [])
    result("review: a reviewer sees what the submitter has signed",
           [j["id"] for j in jobs] == [job] and
           "echo reviewed" in jobs[0]["manifest"]["command"],
           "%s %s" % (out, err))
    rc, out, err = node.warren("approve", job, *to, "--identity",
                               node.person)
    result("review: the submitter's own word does not count", rc == 3 and
           "own key" in err, "%s %s %s" % (rc, out, err))
    # restarted while it is held
    node.stop()
    rc, out, err = node.warren("explain", refused)
    result("explain: a refused job, of the trail alone", rc == 0 and
           "no node answers" in err and "refused: limits (step 9)" in out and
           "submitter Lower `memory`" in out, "%s %s %s" % (rc, out, err))
    node.up()
    rc, out, err = node.warren("approve", job[:10], *as_reviewer)
    result("review: after a restart a reviewer's word lets it run", rc == 0 and
           "approved: " in out and "echo reviewed" in out,
           "%s %s %s" % (rc, out, err))
    ended = until(lambda: node.show(job).get("state") == "done", "its end")
    result("review: it ran for the reviewer", ended, node.show(job))
    for verb in ("approve", "reject"):
        rc, out, err = node.warren(verb, job, *as_reviewer)
        result("review: it is too late to %s a job that has ended" % verb,
               rc == 1 and "does not wait" in err, "%s %s %s" % (rc, out, err))
    # before the job comes; kept over a restart
    rc, out, err = node.warren("approve", "ab" * 32, *as_reviewer)
    result("review: an approval may come first", rc == 0 and
           "kept until" in out, "%s %s %s" % (rc, out, err))
    rc, out, err = node.warren("reject", "abcd1234", *as_reviewer)
    result("review: the beginning of an id that is not held", rc == 1,
           "%s %s" % (rc, err))


def pin_root(node, identity, who):
    """klp/authorities/trust.kos.root.json: a board of these two."""
    now = int(time.time())
    fps = [w["fp"] for w in who]
    root = {"_type": "klp.root", "authority": "trust.kos", "version": 1,
            "issued": now - 60, "expires": now + 86400,
            "keys": {w["fp"]: {"key": w["key"], "scheme": "ecdsa"}
                     for w in who},
            "roles": {"root": {"keys": fps[:1], "threshold": 1},
                      "head": {"keys": fps[:1], "threshold": 1},
                      "core-board": {"keys": fps, "threshold": 2}},
            "documents": {}, "transports": []}
    path = os.path.join(node.work, "root.json")
    with open(path, "w") as f:
        json.dump(root, f)
    os.chmod(path, 0o644)
    rc, out, err = node.warren("klp", "sign", path, "--identity", identity,
                               config=False)
    folder = os.path.join(node.dir, "klp", "authorities")
    os.makedirs(folder)
    with open(os.path.join(folder, "trust.kos.root.json"), "w") as f:
        f.write(out)
    for d, _, names in os.walk(os.path.join(node.dir, "klp")):
        for n in [""] + names:
            if node.user is not None:
                os.chown(os.path.join(d, n), node.user, node.user)
    return rc == 0, "%s %s" % (out, err)


def board(node, reviewer, member):
    """A job that a board stands behind: two of its keys."""
    to = ["--to", node.who["destination"], "--timeout", "60s"]
    s = node.submit(node.job_file("echo approved",
                                  trust='{approved_by: "Core Board"}'),
                    "--detach")
    s.end()
    job = s.id()
    result("board: a job in its name is held",
           node.show(job).get("state") == "held", node.show(job))
    rc, out, err = node.warren("approve", job)
    result("board: the operator is not the board", rc == 0 and
           "held review" in out, "%s %s %s" % (rc, out, err))
    rc, out, err = node.warren("approve", job, *to, "--identity", reviewer)
    result("board: one of two is not enough", rc == 0 and
           "held review" in out, "%s %s %s" % (rc, out, err))
    rc, out, err = node.warren("approve", job, *to, "--identity", reviewer)
    result("board: nor is the same one twice", rc == 0 and
           "held review" in out, "%s %s %s" % (rc, out, err))
    rc, out, err = node.warren("show", job)
    result("board: the operator sees who has signed",
           "board     Core Board" in out and out.count("approved  by") == 2,
           out)
    # a member of level +1 sees no page of held jobs, and needs none
    rc, out, err = node.warren("approve", job, *to, "--identity", member)
    result("board: the second lets it run", rc == 0 and "approved: " in out,
           "%s %s %s" % (rc, out, err))
    ended = until(lambda: node.show(job).get("state") == "done", "its end")
    result("board: it ran", ended, node.show(job))
    result("board: the trail has all who have signed",
           len(trail(node, job)) == 3, trail(node, job))


def as_user(user):
    node = Burrow(build, "review", user)
    reviewer = os.path.join(node.top, "reviewer")
    nobody = os.path.join(node.top, "nobody")
    who = node._identity("--identity", reviewer)
    low = node._identity("--identity", nobody)
    try:
        with open(os.path.join(node.dir, "node.yaml")) as f:
            text = f.read()
        pin = "    - {id: \"%s\", level: %d}\n"
        node.write("node.yaml", text.replace(
            "  pins:\n", BOARDS + "  pins:\n" + pin % (who.get("urn"), 2) +
            pin % (low.get("urn"), 1), 1))
        signed, said = pin_root(node, reviewer, [who, low])
        result("board: its root is signed", signed, said)
        if not node.up():
            result("review: a node", False,
                   "%s %s" % (node.problem, node.said()[-1500:]))
            return
        mesh(node, reviewer, nobody, operator(node))
        board(node, reviewer, nobody)
    finally:
        node.stop()
        node.remove()


as_user(USER if os.geteuid() == 0 else None)
done()
