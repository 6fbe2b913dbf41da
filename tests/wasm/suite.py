# SPDX-License-Identifier: BSD-2-Clause
"""suite.py PROGRAM FOLDER: the public test suite of WASI (preview 1), by
tests/wasm/suite, with its files as folders and in memory.

FOLDER holds the suite's made tests (wasi-testsuite, branch
prod/testsuite-base). What of it is known not to hold is named below."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

program, top = sys.argv[1:3]
# Of the engine's own WASI, as its authors' list of expectations says, or of ours.
KNOWN = {}


def spec(path):
    try:
        with open(path[:-5] + ".json") as f:
            return json.load(f)
    except OSError:
        return {}


def one(path, way):
    s = spec(path)
    root = s.get("root") or (s.get("dirs") or [None])[0]
    with tempfile.TemporaryDirectory(prefix="warren-wasi-") as tmp:
        folder = os.path.join(tmp, "root")
        if root and os.path.isdir(os.path.join(os.path.dirname(path), root)):
            shutil.copytree(os.path.join(os.path.dirname(path), root), folder)
        else:
            os.mkdir(folder)
        p = subprocess.run(
            [program, path, folder, way if root else "none",
             *s.get("args", []),
             *["--env=%s=%s" % kv for kv in s.get("env", {}).items()]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=60)
    want = s.get("exit_code", 0)
    out = s.get("stdout")
    ok = p.returncode == want and (
        out is None or p.stdout.decode(errors="replace") == out)
    return ok, "%s %s" % (p.returncode,
                          (p.stdout + p.stderr).decode(errors="replace")[-300:])


bad = 0
count = {"folders": 0, "memory": 0}
for folder, _, names in sorted(os.walk(top)):
    if not folder.endswith("wasm32-wasip1"):
        continue
    for name in sorted(n for n in names if n.endswith(".wasm")):
        for way in ("folders", "memory"):
            ok, why = one(os.path.join(folder, name), way)
            known = KNOWN.get((way, name[:-5]))
            if ok:
                count[way] += 1
            elif known:
                print("skip wasi %s: %s: %s" % (way, name[:-5], known))
            else:
                bad += 1
                print("not ok wasi %s: %s: %s" % (
                    way, name[:-5], " ".join(why.split())))
bad += not all(count.values())
print("%s wasi: %d tests with folders, %d with files in memory" % (
    "not ok" if bad else "ok", count["folders"], count["memory"]))
sys.exit(bad > 0)
