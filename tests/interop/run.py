#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run the interop tests: every test_*.py beside this file.

  run.py --build DIR --python PY --python-old PY [--long] [--lanes N] [WORD...]
  run.py --list [--long] [WORD...]     the names of those, and nothing is run

PY: Python of a virtual environment with rns==1.5.7, and with 1.4.2. A test
runs when its name has one of the words. Prints "ok NAME", "not ok NAME" or
"skip NAME: reason" for each, and "N passed, N failed, N skipped" last.

A module has TESTS, a list of (name, function of a lib.Context); a function
that raises lib.Failure or anything else fails, one that returns a string is
skipped for that reason. With --long those of its LONG run in place of them.
With --lanes N so many modules run side by side, each in a process of its own:
they wait for most of their time. The longest ones are cut in two.
"""

import argparse
import glob
import importlib
import os
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import lib  # noqa: E402


# what takes longest begins first, so that no lane is left with it at the end,
# and every other row of it runs in another lane
FIRST = ["test_jobs", "test_submit", "test_engine"]


def modules():
    names = sorted(os.path.basename(p)[:-3] for p in glob.glob(os.path.join(HERE, "test_*.py")))
    return sorted(names, key=lambda n: FIRST.index(n) if n in FIRST else len(FIRST))


def in_lanes(lanes):
    """Each module by a process of its own; its output when it has ended. 1 when one has failed."""
    argv = [sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--lanes", "1", "--module"]
    parts = [[n, "--half", h] for n in FIRST for h in "01"] + [[n] for n in modules() if n not in FIRST]

    def one(part):
        return subprocess.run([*argv, *part], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    bad = 0
    with ThreadPoolExecutor(lanes) as pool:
        for done in as_completed([pool.submit(one, part) for part in parts]):
            print(done.result().stdout, end="", flush=True)
            bad |= done.result().returncode != 0
    return int(bad)


def of(module, args):
    return getattr(module, "LONG", []) if args.long else module.TESTS


def named(name, args):
    return not args.words or any(w in name for w in args.words)


def listed(args):
    """1: there is none."""
    names = [name for m in modules() for name, _ in of(importlib.import_module(m), args) if named(name, args)]
    print("\n".join(names))
    return int(not names)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", default=os.path.join(HERE, "..", "..", "build"))
    p.add_argument("--python", default=sys.executable)
    p.add_argument("--python-old")
    p.add_argument("--long", action="store_true")
    p.add_argument("--lanes", type=int, default=1)
    p.add_argument("--module")
    p.add_argument("--half", type=int)
    p.add_argument("-v", "--verbose", action="store_true")
    p.add_argument("--list", action="store_true")
    p.add_argument("words", nargs="*")
    args = p.parse_args()
    if args.list:
        return listed(args)
    if args.lanes > 1:
        return in_lanes(args.lanes)
    args.build = os.path.abspath(args.build)
    args.python = os.path.abspath(args.python)
    args.python_old = os.path.abspath(args.python_old or args.python)
    scratch = tempfile.TemporaryDirectory(prefix="warren-interop-")
    os.chdir(scratch.name)  # what a test leaves where it stands shall not be the clone
    passed = failed = skipped = 0
    for module in [args.module] if args.module else modules():
        module = importlib.import_module(module)
        rows = of(module, args)
        for name, test in rows if args.half is None else rows[args.half::2]:
            if not named(name, args):
                continue
            ctx = lib.Context(args)
            started = time.time()
            try:
                reason = test(ctx)
            except Exception as e:
                failed += 1
                ctx.close(True)
                print(f"not ok {name}\n#   {e}", flush=True)
                if not isinstance(e, lib.Failure):
                    traceback.print_exc()
                continue
            ctx.close(False)
            if reason:
                skipped += 1
                print(f"skip {name}: {reason}", flush=True)
            else:
                passed += 1
                print(f"ok {name}", flush=True)
                print(f"#   {time.time() - started:.1f} s", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
