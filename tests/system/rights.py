# SPDX-License-Identifier: BSD-2-Clause
"""Each running program has the rights of THREATS.md 1 and no more; each that
is killed comes back; the folder's owner, a taken name and bad files end the
start as they must."""
import json
import os
import re
import signal
import stat
import subprocess
import sys

from lib import (ALL as LESS, BASE, NUMBERS, USER, Node, Status, done, result, skip,
                 until)

build = sys.argv[1]
# nobody listens there: it runs, and that is all that is asked of it here
GATEWAY = "trust_graph: klp://gw.test/graph.json\nklp: {gateways: [\"https://gw.invalid/klp\"]}\n"
ALL = LESS + ["egress"]
sanitized = "WARREN_SANITIZED 1" in open(os.path.join(build, "config.h")).read()

# Descriptors a program may hold: by what /proc/PID/fd says.
HARMLESS = re.compile(r"^(/dev/null|socket:\[|pipe:\[|anon_inode:|/memfd:)")


def namespace(pid, kind):
    return os.readlink("/proc/%d/ns/%s" % (pid, kind))


def check_status(mode, name, pid):
    s = Status(pid)
    n = mode + " " + name
    if mode == "root":
        want = str(BASE + NUMBERS[name])
        result(n + " number", s["Uid"].split() == [want] * 4 and
               s["Gid"].split() == [want] * 4, s["Uid"] + " / " + s["Gid"])
        result(n + " no supplementary groups", s["Groups"] == "", s["Groups"])
    zero = "0" * 16
    sets = ["CapInh", "CapPrm", "CapEff", "CapAmb"]
    if mode == "root":
        sets.append("CapBnd")
    result(n + " no capability", all(s[c] == zero for c in sets),
           str({c: s[c] for c in sets}))
    result(n + " no_new_privs", s["NoNewPrivs"] == "1", s["NoNewPrivs"])
    if sanitized:
        skip(n + " filter", "a build with sanitizers has none")
    else:
        result(n + " filter", s["Seccomp"] == "2", s["Seccomp"])
    result(n + " umask", s["Umask"] == "0077", s["Umask"])


def check_core(mode, name, pid):
    with open("/proc/%d/limits" % pid) as f:
        core = [w for w in f if w.startswith("Max core file size")][0].split()
    result("%s %s core limit" % (mode, name), core[4] in ("0", "1") and
           core[5] in ("0", "1"), " ".join(core))


def check_dumpable(mode, name, pid):
    # what is not dumpable belongs to root in /proc, whoever runs it
    st = os.stat("/proc/%d/fd" % pid)
    result("%s %s not dumpable" % (mode, name),
           st.st_uid == 0, "owner %d" % st.st_uid)


def check_session(mode, name, pid):
    result("%s %s own session" % (mode, name), os.getsid(pid) == pid,
           str(os.getsid(pid)))


def check_namespaces(mode, name, pid, parent):
    for kind in ("ipc", "mnt") if name == "egress" else ("net", "ipc", "mnt"):
        differs = namespace(pid, kind) != namespace(parent, kind)
        result("%s %s own %s namespace" % (mode, name, kind), differs,
               namespace(pid, kind))


def check_root(mode, name, pid, node):
    if name == "jail":
        return  # its own: it builds containers from there
    root = "/proc/%d/root" % pid
    seen = sorted(os.listdir(root))
    result("%s %s its folder is its root" % (mode, name),
           "proc" not in seen and "etc" not in seen, str(seen))


def check_fds(mode, name, pid, node):
    allowed = {"transport": ["storage"], "node": ["warren/node",
               "warren/images"], "trust": ["warren/trust", "klp"],
               "audit": ["warren/trail"], "keys": [], "egress": [],
               "jail": ["warren/images", "warren/stage"]}[name]
    bad = []
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            to = os.readlink("/proc/%d/fd/%s" % (pid, fd))
            mode_bits = os.stat("/proc/%d/fd/%s" % (pid, fd)).st_mode
        except OSError:
            continue
        if HARMLESS.match(to) or fd == "2":
            continue
        if mode == "root" and name != "jail" and to.startswith("/"):
            # seen from its own root, or a detached mount
            if stat.S_ISDIR(mode_bits) or stat.S_ISREG(mode_bits):
                continue
        inside = any(to == os.path.join(node.dir, a) or
                     to.startswith(os.path.join(node.dir, a) + "/")
                     for a in allowed)
        if not inside and "cgroup" not in to and "warren-" not in to and \
                not (name == "jail" and re.match(r"^(/|\w+:\[)", to)):
            bad.append(fd + " -> " + to)
    result("%s %s descriptors" % (mode, name), not bad, str(bad))


def slots_of(jail):
    with open("/proc/%d/task/%d/children" % (jail, jail)) as f:
        return f.read().split()


def settled(pids):
    """Ready is said before the last right is given up."""
    return slots_of(pids["jail"]) and (sanitized or all(
        Status(p)["Seccomp"] == "2" for p in pids.values()))


def check_slots(mode, jail):
    """Its control socket, hand, the group of its steps, the pairs on which its
    job's first process gives it its process namespace and who prepares a root
    the mounts of it, that root, and on v1 its own job's groups: what joins
    them, and what says that they are empty."""
    slots = slots_of(jail)
    result("%s slots are there" % mode, slots != [], str(slots))
    bad = []
    for pid in slots:
        to = [os.readlink("/proc/%s/fd/%s" % (pid, fd))
              for fd in os.listdir("/proc/%s/fd" % pid) if int(fd) > 2]
        left = [t for t in to if not re.match(
            r"^/memfd:|^mnt:\[|^socket:\[|.*/jobs/step-\d+$|.*/jobs/slot-\d+(/tasks|"
            r"/memory\.usage_in_bytes|/memory\.force_empty)?$", t)]
        numbers = {m for t in to for m in re.findall(r"/jobs/(?:step|slot)-(\d+)", t)}
        rest = [t for t in to if "/jobs/slot-" not in t]
        if left or len(numbers) > 1 or len(rest) > 8 or len(to) > 8 + 8:
            bad.append("%s: %s" % (pid, to))
    result("%s slots' descriptors" % mode, not bad, str(bad))


def check_environment(mode, name, pid):
    with open("/proc/%d/environ" % pid, "rb") as f:
        env = f.read()
    result("%s %s empty environment" % (mode, name), env.strip(b"\0") == b"",
           repr(env[:80]))


def check_class(mode, node, pids):
    """Transport alone is in a real-time class, or status says why not."""
    def said():
        argv = [os.path.join(build, "warren"), "status", "--json", "--config", node.dir]
        return json.loads(subprocess.run(argv, capture_output=True).stdout or "{}")
    until(lambda: said().get("realtime") or "no_realtime" in said(), "a class, or why not")
    real = said().get("realtime")
    prompt = [n for n in ALL if os.sched_getscheduler(pids[n]) & ~os.SCHED_RESET_ON_FORK != os.SCHED_OTHER]
    result("%s class of the relay" % mode, prompt == (["transport"] if real else []), "%s, status says %s" % (prompt, real))


def check_ranks(mode, node, pids):
    """When memory runs out the relay is the last of the house to go."""
    def rank(pid):
        with open("/proc/%d/oom_score_adj" % pid) as f:
            return int(f.read())
    relay = max(rank(pids["transport"]), rank(node.process.pid))
    others = [rank(pids[n]) for n in ALL if n != "transport"]
    result("%s rank of the relay" % mode, relay <= 0 and relay < min(others),
           "%d, and the others %s" % (relay, others))


def check_all(mode, node, pids):
    am_root = os.geteuid() == 0
    check_ranks(mode, node, pids)
    check_class(mode, node, pids)
    for name in ALL:
        pid = pids[name]
        check_status(mode, name, pid)
        check_core(mode, name, pid)
        check_session(mode, name, pid)
        if am_root:
            check_dumpable(mode, name, pid)
            check_fds(mode, name, pid, node)
            check_environment(mode, name, pid)
        if am_root and name == "jail":
            check_slots(mode, pid)
        if mode == "root":
            check_namespaces(mode, name, pid, node.process.pid)
            check_root(mode, name, pid, node)


def check_files(node):
    for sub, number in (("storage", 1), ("warren/node", 2),
                        ("warren/trust", 3), ("warren/trail", 6),
                        ("warren/keys", 0)):
        st = os.stat(os.path.join(node.dir, sub))
        want = BASE + number if number else 0
        result("root owner of " + sub, st.st_uid == want and
               stat.S_IMODE(st.st_mode) == 0o700,
               "%d %o" % (st.st_uid, st.st_mode))
    for sub in ("storage/transport_identity", "warren/keys/mesh",
                "warren/keys/audit", "warren/run/mesh.sock",
                "warren/run/node.sock"):
        st = os.stat(os.path.join(node.dir, sub))
        result("root mode of " + sub, stat.S_IMODE(st.st_mode) == 0o600,
               "%o" % st.st_mode)


def check_restart(mode, node):
    """A program that is killed comes back, the others stay."""
    for name in ALL:
        before = node.ready(ALL)
        if before is None:
            result("%s %s restart" % (mode, name), False, "not all are up")
            return
        count = node.readies(name)
        os.kill(before[name], signal.SIGKILL)
        back = until(
            lambda: node.readies(name) > count and
            node.pids().get(name) not in (None, before[name]),
            name + " is ready again")
        after = node.pids()
        others = [n for n in ALL if n != name and after.get(n) != before[n]]
        result("%s %s killed and back" % (mode, name), back and not others,
               "others fell: %s" % others if back else "it did not come back")


def check_stop(mode, node):
    pids = node.pids()
    rc, took = node.stop()
    result(mode + " SIGTERM ends with 0 within 5 s", rc == 0 and took < 5,
           "status %s after %.1f s" % (rc, took))
    left = [n for n, p in pids.items() if os.path.exists("/proc/%d" % p)]
    result(mode + " no program is left", not left, str(left))


def running(mode, user):
    node = Node(build, "rights-" + mode, user)
    try:
        if not node.with_compute(GATEWAY):
            result(mode + " first start says the key", False, node.said())
            return
        result(mode + " first start says the key", True)
        node.start()
        pids = node.ready(ALL)
        if pids is None:
            result(mode + " every program is ready", False,
                   node.said()[-2000:])
            return
        result(mode + " every program is ready", True)
        until(lambda: settled(pids), "every filter and jail's slots")
        check_all(mode, node, pids)
        if mode == "root":
            check_files(node)
        check_restart(mode, node)
        check_stop(mode, node)
    finally:
        node.remove()


def parent_dies():
    """When the parent is killed, each program ends by itself."""
    node = Node(build, "rights-orphans", None)
    try:
        node.with_compute(GATEWAY)
        node.start()
        pids = node.ready(ALL) or {}
        node.process.kill()
        node.process.wait()
        gone = until(lambda: not any(
            os.path.exists("/proc/%d" % p) for p in pids.values()),
            "the end of every program")
        result("the parent killed, the programs end", len(pids) == len(ALL)
               and gone, str(pids))
        node.start()  # it removes what the dead one left
        node.ready(ALL)
    finally:
        node.remove()


def own_group():
    """Our v2 group's directory, or None."""
    path = None
    with open("/proc/self/cgroup") as f:
        for line in f:
            if line.startswith("0::"):
                path = line.strip()[3:]
    with open("/proc/self/mountinfo") as f:
        for line in f:
            left, _, right = line.partition(" - ")
            if right.startswith("cgroup2 ") and path is not None:
                return left.split()[4] + path.rstrip("/")
    return None


def groups():
    """A job's group dies with the jail, and what an earlier daemon left
    dies at the start."""
    node = Node(build, "rights-groups")
    own = own_group()
    try:
        node.with_compute()
        node.start()
        if node.ready(LESS) is None:
            result("groups: start", False, node.said()[-800:])
            return
        with open("/proc/%d/cgroup" % node.pids()["transport"]) as f:
            mine = [w.strip().split("/")[-2:] for w in f
                    if w.startswith("0::")]
        if not own or not mine or mine[0][-1] != "relay":
            skip("groups", "no v2 group of ours here")
            return
        top = os.path.join(own, mine[0][0])
        result("groups: work is in house/", str(node.pids()["node"]) in
               open(os.path.join(top, "house/cgroup.procs")).read())
        st = os.stat(os.path.join(top, "jobs/cgroup.procs"))
        result("groups: jobs/ is node's", st.st_uid == BASE + 2 and
               os.stat(os.path.join(top, "jobs")).st_uid == BASE + 2,
               str(st.st_uid))
        job = subprocess.Popen(["sleep", "60"])
        os.mkdir(os.path.join(top, "jobs/test"))
        with open(os.path.join(top, "jobs/test/cgroup.procs"), "w") as f:
            f.write(str(job.pid))
        os.kill(node.pids()["jail"], signal.SIGKILL)
        result("groups: jobs die with the jail", until(
            lambda: job.poll() is not None, "the end of the job"))
        node.stop()
        result("groups: gone with the daemon", not os.path.exists(top))
        os.makedirs(os.path.join(top, "jobs/left"))
        job = subprocess.Popen(["sleep", "60"])
        with open(os.path.join(top, "jobs/left/cgroup.procs"), "w") as f:
            f.write(str(job.pid))
        node.start()
        result("groups: what was left dies at the start", until(
            lambda: job.poll() is not None, "the end of what was left"))
    finally:
        node.remove()


def relay_groups(node, transport):
    """Groups come with the first program beside the relay."""
    def group(pid):
        with open("/proc/%d/cgroup" % pid) as f:
            return {w.strip().rpartition("/")[2] for w in f if "/warren-" in w}

    def beside():
        with open("/proc/%d/task/%d/children" % ((node.process.pid,) * 2)) as f:
            return set(map(int, f.read().split())) - {transport}
    own = group(os.getpid())
    result("relay only: no group is made", group(transport) == own, str(group(transport)))
    with open(os.path.join(node.dir, "config")) as f:
        config = f.read()
    node.write("config", config + "[[beside]]\ntype = PipeInterface\nenabled = yes\ncommand = cat\n")
    node.process.send_signal(signal.SIGHUP)
    result("relay only: a program begins", until(beside, "a program beside transport"), node.said()[-400:])
    if own_group() is None or not until(lambda: "relay" in group(transport), "transport in relay/", 10):
        skip("relay only: groups", "none can be made here")
        return
    result("relay only: the program is in house/", until(
        lambda: any("house" in group(pid) for pid in beside()), "a program in house/"))


def relay_only():
    node = Node(build, "rights-relay")
    try:
        node.start()
        pids = node.ready(["transport"])
        result("relay only: transport alone runs",
               pids is not None and list(pids) == ["transport"], str(pids))
        relay_groups(node, pids["transport"])
        second = Node(build, "rights-second")
        second.write("config", open(os.path.join(node.dir, "config")).read())
        rc, text = second.run()
        result("instance name taken: exit 1, named", rc == 1 and
               "rights-relay" in text and "taken" in text, text)
        second.remove()
        rc, text = node.run()
        result("folder in use: exit 1", rc == 1 and "another warrend" in text,
               text)
    finally:
        node.remove()


def owner():
    node = Node(build, "rights-owner")
    try:
        os.chown(node.dir, USER, USER)
        rc, text = node.run()
        result("folder of another user: exit 2, both remedies", rc == 2 and
               "chown" in text and "as that user" in text, text)
        os.chown(node.dir, 0, 0)
        os.chmod(node.dir, 0o777)
        rc, text = node.run()
        result("folder that others can write: exit 2", rc == 2, text)
        rc, text = node.run("--check")
        result("--check says so too", rc == 2 and "can be written by other "
               "users" in text, text)
        os.chmod(node.dir, 0o700)
        os.chmod(os.path.join(node.dir, "config"), 0o666)
        rc, text = node.run()
        result("config that others can write: exit 2", rc == 2, text)
        os.chmod(os.path.join(node.dir, "config"), 0o600)
        os.chmod(node.top, 0o777)
        rc, text = node.run()
        result("parent folder that others can write: exit 2", rc == 2, text)
        os.chmod(node.top, 0o755)
        other = os.path.join(node.top, "other.yaml")
        with open(other, "w") as f:
            f.write("name: x\n")
        os.chown(other, USER, USER)
        os.symlink(other, os.path.join(node.dir, "node.yaml"))
        rc, text = node.run()
        result("node.yaml as a link to somebody's file, as root: refused",
               rc == 2 and '"other.yaml" belongs to another user' in text,
               text)
    finally:
        node.remove()


def mistakes():
    node = Node(build, "rights-files")
    try:
        node.write("node.yaml", "auth_required: true\n"
                   "acept_computation_requests: true\n")
        rc, text = node.run()
        result("node.yaml: file, line, column, hint", rc == 2 and
               "node.yaml:2:1: " in text and
               "accept_computation_requests" in text, text)
        rc, text = node.run("--check")
        result("--check says the same", rc == 2 and "node.yaml:2:1:" in text,
               text)
        node.write("node.yaml", "accept_computation_requests: true\n"
                   "mesh_identity: pubkey:ecc-secp256k1:0279be667ef9dcbbac55a0"
                   "6295ce870b07029bfcdb2dce28d959f2815b16f81798\n")
        rc, text = node.run()
        result("mesh_identity without its key: exit 2", rc == 2 and
               "warren/keys/mesh" in text, text)
        node.write("config", "[reticulum]\nenable_transport = perhaps\n")
        os.unlink(os.path.join(node.dir, "node.yaml"))
        rc, text = node.run()
        result("config: file and line", rc == 2 and "config:2:" in text, text)
        os.unlink(os.path.join(node.dir, "config"))
        rc, text = node.run("--check")
        result("no config is no mistake", rc == 0 and
               not os.path.exists(os.path.join(node.dir, "config")), text)
    finally:
        node.remove()


def hangup():
    node = Node(build, "rights-hup")
    try:
        node.start()
        node.ready(["transport"])
        node.write("node.yaml", "nonsense: 1\n")
        node.process.send_signal(signal.SIGHUP)
        result("SIGHUP refuses a bad file whole", until(
            lambda: "nothing was changed" in node.said(), "its refusal"),
            node.said())
        node.write("node.yaml", "name: x\n")
        node.process.send_signal(signal.SIGHUP)
        result("SIGHUP says what waits for a start", until(
            lambda: "read again" in node.said() and
            "next start" in node.said(), "what waits"), node.said())
        result("and the relay runs on", node.process.poll() is None)
    finally:
        node.remove()


if os.geteuid() == 0:
    running("root", None)
    running("user", USER)
    owner()
    groups()
else:
    skip("rights as root", "not started as root")
    running("user", None)
parent_dies()
relay_only()
mistakes()
hangup()
done()
