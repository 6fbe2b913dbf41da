# SPDX-License-Identifier: BSD-2-Clause
"""The attacks that `warren doctor` makes, under bubblewrap and nsjail as well:
the flags of their manuals for untrusted programs, no filter of system calls
(neither brings one), no control groups."""
import json
import os
import shutil
import subprocess
import tempfile

USER = 65534


def drop():
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)


def ours(build):
    """{name of a layer: attacks}, and how many got through; None: why."""
    p = subprocess.run([os.path.join(build, "warren"), "doctor", "--json", "--config", "/nonexistent"],
                       capture_output=True, text=True)
    try:
        seen = json.loads(p.stdout)
    except ValueError:
        return None, p.stderr.strip()
    return {"made": seen["attacks"], "through": seen["through"]}, None


def nsjail(build):
    """As tests/nsjail has it; a path, or why there is none."""
    p = subprocess.run([os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "nsjail"), build],
                       capture_output=True, text=True)
    return (p.stdout.strip(), None) if p.returncode == 0 else (None, (p.stderr.strip().splitlines() or ["?"])[-1])


def other(build, kind, program):
    """{"made", "through", "names", ...} of one sandbox, or None and why."""
    top = tempfile.mkdtemp(prefix="warren-attacks-")
    try:
        os.chmod(top, 0o755)
        root, out = os.path.join(top, "root"), os.path.join(top, "out")
        for d in ("bin", "in/ro", "in/rw", "tmp", "proc", "dev"):
            os.makedirs(os.path.join(root, d))
        os.mkdir(out)
        os.chmod(out, 0o777)
        for name in ("probe", "setid"):
            shutil.copy(os.path.join(build, "warren-probe"), os.path.join(root, "bin", name))
        os.chmod(os.path.join(root, "bin/setid"), 0o6755)
        shutil.copy(os.path.join(build, "tests/bench/attacks"), top)
        shared = os.path.join(top, "shared")
        os.mkdir(shared)
        os.chmod(shared, 0o777)
        if kind == "bubblewrap":
            command = [program, "--unshare-all", "--cap-drop", "ALL", "--new-session", "--die-with-parent",
                       "--ro-bind", root, "/", "--bind", out, "/in/rw", "--proc", "/proc", "--dev", "/dev",
                       "--tmpfs", "/tmp", "--chdir", "/"]
        else:
            command = [program, "-Mo", "-Q", "--chroot", root, "--bindmount", out + ":/in/rw",
                       "--tmpfsmount", "/tmp", "--keep_env", "--"]
        rows = subprocess.run([os.path.join(build, "warren-probe"), "list"], capture_output=True, text=True)
        p = subprocess.run([os.path.join(top, "attacks"), shared, *command], input=rows.stdout,
                           capture_output=True, text=True, preexec_fn=drop if os.geteuid() == 0 else None)
        rows = [w.split() for w in p.stdout.splitlines() if len(w.split()) == 3]
        made = [r for r in rows if r[2] in ("held", "through")]
        through = [r for r in made if r[2] == "through"]
        if len(made) * 2 < len(rows) or not rows:
            return None, "%s does not start here" % kind
        return {"made": len(made), "through": len(through), "doors": [r[0] for r in through if r[1] == "door"],
                "calls": [r[0] for r in through if r[1] == "call"],
                "bombs": [r[0] for r in through if r[1] == "bomb"],
                "rights": [r[0] for r in through if r[1] == "right"]}, None
    finally:
        shutil.rmtree(top, ignore_errors=True)


def measure(build):
    """Rows for the table: [(name, result or None, why)]."""
    rows = [("warren", *ours(build))]
    bwrap = shutil.which("bwrap")
    rows.append(("bubblewrap", *(other(build, "bubblewrap", bwrap) if bwrap else (None, "it is not installed"))))
    path, why = nsjail(build)
    rows.append(("nsjail", *(other(build, "nsjail", path) if path else (None, why))))
    return rows
