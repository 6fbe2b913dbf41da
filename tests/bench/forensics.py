# SPDX-License-Identifier: BSD-2-Clause
"""How long a job of 256 MiB stands still for a bundle, and a process of the
same program for gdb's gcore. The program itself says how long it did not run."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "system"), os.path.join(HERE, "..")]
MIB = "256"
MORE = ("levels:\n  2: {memory: 700MB, cpu: 1}\nlimits: {memory: 1GB, cpu: 2}\n"
        "forensics: {per_hour: 60, most: 400MB}\n")


def longest(text, seen):
    """The longest gap behind the first `seen` lines, and how many there are."""
    lines = [x for x in text.splitlines() if x.startswith("gap ")]
    return max([float(x.split()[1]) for x in lines[seen:]] or [0.0]), len(lines)


def ours(build, victim, n):
    from lib import until
    from libjob import Burrow
    node = Burrow(build, "bench", more=MORE)
    out = []
    try:
        if not node.up():
            return out, str(node.problem)
        path = node.job_file("exec /in/victim gaps " + MIB,
                             limits={"memory": "400MB", "cpu": 1, "time": "300s"},
                             volumes=[("in", "/in", "ro")])
        shutil.copy(victim, os.path.join(os.path.dirname(path), "in/victim"))
        s = node.submit(path, timeout="300s")
        s.reached("running")

        def log():
            return node.warren("logs", s.id(), "--here")[1]
        until(lambda: "ready" in log(), "a job that is ready")
        for _ in range(n):
            _, seen = longest(log(), 0)
            rc, _, err = node.warren("forensics", s.id(), seconds=120)
            if rc != 0:
                return out, err
            out.append(longest(log(), seen)[0])
        node.warren("cancel", s.id())
        return out, ""
    finally:
        node.stop()
        node.remove()


def gcore(victim, n, work):
    out = []
    with open(os.path.join(work, "log"), "w+") as log:
        p = subprocess.Popen([victim, "gaps", MIB], stdout=log)
        try:
            def text():
                with open(log.name) as f:
                    return f.read()
            while "ready" not in text():
                pass
            for _ in range(n):
                _, seen = longest(text(), 0)
                subprocess.run(["gcore", "-o", os.path.join(work, "core"), str(p.pid)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
                out.append(longest(text(), seen)[0])
        finally:
            p.kill()
            p.wait()
    return out


def pauses(build, n):
    """(ours, gcore's): milliseconds; and what went wrong, "": nothing."""
    work = tempfile.mkdtemp(prefix="warren-bench.")
    victim = os.path.join(work, "victim")
    os.chmod(work, 0o755)
    try:
        subprocess.run(["gcc", "-O1", "-g", "-static", "-o", victim,
                        os.path.join(HERE, "..", "system", "victim.c"), "-lpthread"], check=True)
        mine, why = ours(build, victim, n)
        other = gcore(victim, n, work) if shutil.which("gcore") else []
        return mine, other, why
    finally:
        shutil.rmtree(work, ignore_errors=True)
