# SPDX-License-Identifier: BSD-2-Clause
"""What a node says of a job behind it: its trail, a receipt."""
import glob
import json
import os


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


def receipt(node, s):
    rc, out, err = node.warren("receipt", "verify", s.folder, "--identity",
                               node.person, "--json")
    try:
        return json.loads(out)
    except ValueError:
        return {"failed": "%s %s" % (rc, err)}
