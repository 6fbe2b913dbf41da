# SPDX-License-Identifier: BSD-2-Clause
"""AppArmor around jobs: what it stops with every other layer off, a node whose
jobs have their profiles, the hostile probes under it."""
import os
import shutil
import signal
import subprocess
import sys

from lib import done, result, skip, until
from libroot import PROFILE, Rooted

build = sys.argv[1]
here = os.path.dirname(os.path.abspath(__file__))
ALONE = build + "/tests/escape/lsm_alone"
PARSER = build + "/vm/tools/sbin/apparmor_parser"
SECURITY = "/sys/kernel/security"
PATIENCE = 240


def loaded():
    with open(SECURITY + "/apparmor/profiles") as f:
        return {w.split()[0] for w in f if w.split()[1] == "(enforce)"}


def parser(verb, text):
    return subprocess.run(["apparmor_parser", "-q", "-K", verb], input=text,
                          check=False).returncode


def alone():
    text = subprocess.run([ALONE, "text", "warren-test"],
                          stdout=subprocess.PIPE, check=True).stdout
    result("apparmor: the parser takes the text", parser("-r", text) == 0)
    r = subprocess.run([ALONE, "run", "apparmor", "warren-test"], check=False,
                       stdout=subprocess.PIPE)
    for line in r.stdout.decode().splitlines():
        ok, name = line.split(" alone: ", 1)
        result("apparmor alone: " + name, ok == "ok apparmor", line)
    return text


def probes():
    """Each attack as a job under its profile; a shell loads one for all."""
    folder = "/dev/shm/probes"
    os.mkdir(folder)
    for n in ("warren-jail", "warren-hand", "warren-probe",
              "tests/escape/test_probes"):
        shutil.copy(os.path.join(build, n), folder)
    shutil.copy(shutil.which("busybox"), folder)
    os.chmod(folder, 0o755)
    def at_the_top():
        """Where it may make groups with all controllers."""
        with open("/sys/fs/cgroup/cgroup.procs", "w") as f:
            f.write(str(os.getpid()))
    r = subprocess.run(["./test_probes", ".", "./busybox"], cwd=folder,
                       preexec_fn=at_the_top,
                       env={**os.environ, "WARREN_PROVED": "1",
                            "WARREN_LSM": "apparmor shapes warren-test"},
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       check=False)
    said = r.stdout.decode(errors="replace").splitlines()
    bad = [w for w in said if w.startswith("not ok ")]
    good = [w for w in said if w.startswith("ok ")]
    result("apparmor: %d hostile probes as jobs under it" % len(good),
           r.returncode == 0 and len(good) > 100 and not bad,
           str(bad or said[-5:]))


class Labelled(Rooted):
    def label(self, **kw):
        rc, last, s = self.run_job("cat /proc/self/attr/current", seconds=200,
                                   **kw)
        return self.output(s).strip(), last, s

    def end(self):
        """A stop of as long as it takes: this machine is slow, and what is
        killed leaves its profiles to its next start."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.stop()

    def again(self):
        if self.process is not None:
            self.end()
        return self.up(PATIENCE)


def shapes(node):
    prefix = next(n for n in loaded() if n.startswith("warren-") and
                  n.endswith("-tmp") and "test" not in n)[:-len("tmp")]
    result("apparmor: all shapes are loaded",
           sum(n.startswith(prefix) for n in loaded()) == 12, str(loaded()))
    rows = [("nothing to write", "tmp", {}),
            ("a volume to read", "tmp", {"volumes": [("a", "/in/a", "ro")]}),
            ("a volume to write", "beside",
             {"volumes": [("a", "/work", "rw")]}),
            ("a volume in the system", "own",
             {"volumes": [("a", "/usr/work", "rw")]})]
    for what, shape, more in rows:
        text, last, s = node.label(**more)
        result("apparmor: a job with %s is under %s" % (what, shape),
               text == "%s%s (enforce)" % (prefix, shape) and
               "lsm" in last.get("layers", []), "%r %s" % (text, s))
    rc, last, s = node.run_job(
        "echo a >/work/b && mkdir /work/c && mv /work/b /work/c/ && "
        "ln /work/c/b /work/d && cat /work/c/b && echo b >/tmp/x && "
        "printf '#!/bin/sh\\necho c\\n' >/work/run && "
        "chmod 755 /work/run && /work/run && rm /work/run && "
        "(sleep 100 & kill $!; wait; true) && "
        "dd if=/dev/zero bs=5 count=1 2>/dev/null | wc -c",
        volumes=[("a", "/work", "rw")], seconds=200)
    result("apparmor: a job works as without it",
           node.output(s) == "a\nc\n5\n" and
           last.get("outcome") == ["exited", 0], "%r %s" % (
               node.output(s), s))
    rc, last, s = node.run_job("no-such-program-here; exec no-such",
                               seconds=200)
    result("apparmor: a program that is not there",
           last.get("outcome") == ["exited", 127], str(s))
    label, good, last, said = node.writes()
    result("apparmor: a root that may be written to is under all, and is",
           label == prefix + "all (enforce)" and good and
           "lsm" in last.get("layers", []), "%r %s" % (label, said))
    out = node.warren(
        "run", "--to", node.who["destination"], "--config", node.dir,
        "--identity", node.person, "--out", node.work + "/out", "--wasm",
        os.path.join(here, "../wasm/acts.wasm"), "--", "exit", "42",
        config=False, seconds=200)
    result("apparmor: a module runs", out[0] == 42, str(out))
    status = node.status().get("node", {})
    result("apparmor: posture of the node",
           "lsm" in status.get("layers", ""), str(status))


def denied(node):
    """Seen by the job, through all the other layers: they let it pass."""
    rc, last, s = node.run_job("echo changeprofile unconfined "
                               ">/proc/self/attr/current", seconds=200)
    result("apparmor: a job keeps its label",
           last.get("outcome") not in (None, ["exited", 0]), str(s))


def again(node):
    """Others have taken the profiles away: a job is told so, and a reload
    brings them back."""
    mine = [n for n in loaded() if n.startswith("warren-") and
            "test" not in n]
    for name in mine:
        with open(SECURITY + "/apparmor/.remove", "w") as f:
            f.write(name)
    rc, last, s = node.run_job("echo no", seconds=200)
    result("apparmor: profiles that are gone are said",
           "posture" in str(s) and "warren reload" in str(s), str(s))
    node.process.send_signal(signal.SIGHUP)
    result("apparmor: a reload loads them again",
           until(lambda: set(mine) <= loaded(), "them", PATIENCE))
    text, last, s = node.label()
    result("apparmor: and jobs have them again",
           text.endswith("-tmp (enforce)") and "lsm" in last.get("layers", []),
           "%r %s" % (text, s))


def own_profile(node):
    name = "warren-test-tmp"
    node.profile("apparmor: %s\n" % name)
    if not node.again():
        result("apparmor: a profile of the operator's", False, node.said())
        return
    text, last, s = node.label()
    result("apparmor: a profile of the operator's", text ==
           name + " (enforce)" and "lsm" in last.get("layers", []),
           "%r %s" % (text, s))
    result("apparmor: those of the house are not loaded then",
           not any(n.startswith("warren-") and "test" not in n
                   for n in loaded()), str(loaded()))
    warns = "profile warren-test-warns flags=(complain) {\n  file,\n}\n"
    result("apparmor: one that only warns is loaded", parser("-r",
           warns.encode()) == 0)
    for text, why in (("apparmor: warren-test-warns\n", "only warns"),
                      ("apparmor: nobody-loaded-this\n", "is not loaded"),
                      ("apparmor: off\n", "is off")):
        node.profile(text)
        if not node.again():
            result("apparmor: " + text.strip(), False, node.said())
            return
        rc, last, s = node.run_job("cat /proc/self/attr/current", seconds=200)
        result("apparmor: %s: no claim, and required" % text.strip(),
               rc != 0 and last.get("outcome") is None, str(s))
        missing = node.status().get("node", {})
        result("apparmor: %s: by name" % text.strip(),
               "lsm" in str(missing.get("missing")) and
               why in str(missing.get("missing")), str(missing))


def product():
    node = Labelled(build, "lsm", None, more="require_layers: [lsm]\n")
    try:
        before = loaded()
        node.profile(PROFILE)
        if not node.up(PATIENCE):
            result("apparmor: start", False, "%s %s" % (
                node.problem, node.said()[-2500:]))
            return
        shapes(node)
        denied(node)
        again(node)
        node.end()
        result("apparmor: profiles are gone with the node",
               loaded() == before, str(loaded() - before))
        own_profile(node)
    finally:
        node.remove()


subprocess.run(["mount", "-t", "securityfs", "none", SECURITY], check=False)
if not os.path.exists(SECURITY + "/apparmor/profiles"):
    skip("apparmor", "this kernel has booted without it")
elif not os.path.exists(PARSER):
    skip("apparmor", "its parser could not be downloaded")
else:
    shutil.copy(PARSER, "/sbin/apparmor_parser")
    alone()
    product()
    probes()
done()
