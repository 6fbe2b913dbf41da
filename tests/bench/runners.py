# SPDX-License-Identifier: BSD-2-Clause
"""The start of a job in each program that can contain jobs (sandbox/runner/), in
turns with that program alone, which runs the same /bin/true with the namespaces,
the read-only root and the dropped capabilities that it gives a job, and none of
Warren's volumes, limits, filters and reports. Each that is installed."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import attacks
import ends

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
import libdocker  # noqa: E402

PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAMS = {"bubblewrap": "bwrap", "nsjail": "nsjail", "crun": "crun", "runc": "runc", "podman": "podman"}


def bundle(folder, root):
    """A container of the OCI runtime specification, in a file."""
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump({"ociVersion": "1.0.2", "hostname": "burrow", "root": {"path": root, "readonly": True},
                   "process": {"user": {"uid": 0, "gid": 0}, "args": ["/bin/true"], "cwd": "/", "noNewPrivileges": True,
                               "capabilities": {}},
                   "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                              {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
                   "linux": {"namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount", "user")],
                             "uidMappings": [{"containerID": 0, "hostID": os.getuid(), "size": 1}],
                             "gidMappings": [{"containerID": 0, "hostID": os.getgid(), "size": 1}]}}, f)


def alone(name, program, folder, root):
    """The program's own words for it; None: it is not measured here."""
    state = os.path.join(folder, "state")
    if name == "bubblewrap":
        return [program, "--unshare-all", "--cap-drop", "ALL", "--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev",
                "--tmpfs", "/tmp", "/bin/true"]
    if name == "nsjail":
        return [program, "-Mo", "-Q", "--disable_rlimits", "--chroot", root, "--", "/bin/true"]
    if name == "crun":
        return [program, "--root", state, "--cgroup-manager=disabled", "run", "--no-new-keyring", "--bundle", folder, "bench"]
    if name == "runc":
        return [program, "--root", state, "--rootless", "true", "run", "--no-new-keyring", "--bundle", folder, "bench"]
    store = [x for k in ("root", "runroot", "tmpdir") for x in ("--" + k, os.path.join(state, k))]
    return [program, *store, "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none", "run",
            "--rm", "--rootfs", "--cgroups", "disabled", "--network", "none", "--ipc", "none", "--no-hosts",
            "--log-driver", "none", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges",
            "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", root, "/bin/true"]


# crun refuses a machine where some controllers of groups are v1 and some v2
HIDE = ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /sys/fs/cgroup && exec \"$@\"", "sh"]


WORKS_S = 60


def working(name, words):
    """The same words, or with what they need here; None: they run nowhere."""
    said = ""
    for more in ([], HIDE):
        try:  # as sandbox_start starts it: without a variable
            p = subprocess.run(more + words, capture_output=True, text=True, env={}, timeout=WORKS_S)
        except (OSError, subprocess.TimeoutExpired) as e:
            said = str(e)
            continue
        said = p.stderr.strip()
        if p.returncode == 0:
            if more:
                print("# runners: %s alone is started by a shell that hides the groups from it" % name, flush=True)
            return more + words
    print("# runners: %s alone: %s" % (name, said[-200:]), flush=True)
    return None


def daemon(build, rounds, idle_ms):
    """Docker: a job in its container beside `docker run` of an image that is there."""
    why = libdocker.missing()
    program = shutil.which("docker", path=PLACES + ":/usr/local/bin")
    if why is not None or program is None:
        print("# runners: docker: %s" % (why or "docker is not installed"), flush=True)
        return
    with libdocker.docker() as d:
        docker = [program, "-H", "unix://" + d.socket]
        archive = os.path.join(d.folder, "image.tar")
        root = os.path.join(d.folder, "root/bin")
        os.makedirs(root)
        shutil.copy(shutil.which("busybox", path=PLACES), os.path.join(root, "true"))
        subprocess.run(["tar", "-C", os.path.dirname(root), "-cf", archive, "."], check=False)
        subprocess.run(docker + ["import", archive, "bench"], stdout=subprocess.DEVNULL, check=False)
        words = working("docker", docker + ["run", "--rm", "--pull", "never", "--network", "none", "--ipc", "none", "--log-driver",
                                            "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
                                            "bench", "/bin/true"])
        if words is not None:
            env = dict(os.environ, WARREN_RUNNER="docker:" + d.socket)
            yield "docker", ends.starts(build, [str(rounds), str(idle_ms), *words], "docker", env)


def measure(build, rounds, idle_ms):
    """Of each: its name, and lists of ms (ends.starts())."""
    busybox = shutil.which("busybox", path=PLACES)
    if busybox is None:
        print("# runners: busybox is not installed", flush=True)
        return
    for name, word in PROGRAMS.items():
        program, why = attacks.nsjail(build) if name == "nsjail" else (shutil.which(word, path=PLACES), None)
        if program is None:
            print("# runners: %s: %s" % (name, why or "it is not installed"), flush=True)
            continue
        with tempfile.TemporaryDirectory(prefix="warren-bench.") as folder:
            root = os.path.join(folder, "root")
            for d in ("bin", "dev", "etc", "proc", "run", "sys", "tmp"):
                os.makedirs(os.path.join(root, d))
            shutil.copy(busybox, os.path.join(root, "bin/true"))
            # what podman lays over
            for f in ("etc/hostname", "run/.containerenv"):
                open(os.path.join(root, f), "w").close()
            bundle(folder, root)
            env = dict(os.environ, WARREN_RUNNER="%s:%s" % (name, program))
            words = working(name, alone(name, program, folder, root))
            if words is not None:
                yield name, ends.starts(build, [str(rounds), str(idle_ms), *words], name, env)
    yield from daemon(build, rounds, idle_ms)
