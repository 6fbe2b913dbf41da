# SPDX-License-Identifier: BSD-2-Clause
"""What a service manager is told (sd_notify): a socket of the test's own in
its place."""
import os
import shutil
import signal
import socket
import sys
import tempfile
import time

from lib import ALL, Node, done, quiet, result, until

build = sys.argv[1]
WATCHDOG_S = 0.4


class Manager:
    """NOTIFY_SOCKET: what came, a datagram each."""

    def __init__(self, abstract=False):
        self.folder = tempfile.mkdtemp(prefix="warren-notify.")
        os.chmod(self.folder, 0o755)
        path = os.path.join(self.folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + path if abstract else path)
        self.socket.setblocking(False)
        self.came = []
        os.environ["NOTIFY_SOCKET"] = ("@" if abstract else "") + path

    def lines(self):
        try:
            while True:
                self.came += self.socket.recv(4096).decode().split("\n")
        except BlockingIOError:
            return self.came

    def heard(self, line, times=1):
        return until(lambda: self.lines().count(line) >= times,
                     "%s, %d times" % (line, times))

    def forget(self):
        self.lines()
        self.came = []

    def remove(self):
        os.environ.pop("NOTIFY_SOCKET", None)
        self.socket.close()
        shutil.rmtree(self.folder)


def life(node, manager):
    """Ready, reload, the watchdog, the end."""
    os.environ["WATCHDOG_USEC"] = str(int(WATCHDOG_S * 1e6))
    node.start()
    del os.environ["WATCHDOG_USEC"]
    node.ready(["transport"])
    result("notify: READY=1, with what it does in STATUS",
           manager.heard("READY=1") and "STATUS=relays" in manager.lines(),
           manager.lines())
    result("notify: WATCHDOG=1 again and again",
           manager.heard("WATCHDOG=1", 4), manager.lines())

    manager.forget()
    before = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
    node.process.send_signal(signal.SIGHUP)
    good = manager.heard("RELOADING=1") and manager.heard("READY=1")
    said = manager.lines()
    at = [int(s.split("=")[1]) for s in said if s.startswith("MONOTONIC_USEC")]
    result("notify: RELOADING=1 with the time, then READY=1", good and
           len(at) == 1 and before <= at[0] <= before + 60e6 and
           said.index("RELOADING=1") < said.index("READY=1"), said)

    pid = node.pids()["transport"]
    os.kill(pid, signal.SIGSTOP)
    quiet(WATCHDOG_S / 2, "an answer that was on its way")
    manager.forget()
    quiet(2 * WATCHDOG_S, "that nothing comes")
    result("notify: no WATCHDOG=1 while transport hangs",
           "WATCHDOG=1" not in manager.lines(), manager.lines())
    os.kill(pid, signal.SIGCONT)
    result("notify: and again when it goes on", manager.heard("WATCHDOG=1"),
           manager.lines())

    manager.forget()
    os.kill(pid, signal.SIGKILL)
    result("notify: a program that falls is in STATUS, and that it is back",
           manager.heard("STATUS=does not relay; not ready: transport") and
           manager.heard("STATUS=relays"), manager.lines())
    result("notify: READY=1 is not said again for it",
           "READY=1" not in manager.lines(), manager.lines())
    rc, _ = node.stop()
    result("notify: STOPPING=1", rc == 0 and manager.heard("STOPPING=1"),
           manager.lines())


def of_another(node, manager):
    os.environ["WATCHDOG_USEC"] = str(int(WATCHDOG_S * 1e6))
    os.environ["WATCHDOG_PID"] = "1"
    node.start()
    ready = manager.heard("READY=1")
    result("notify: a node that does not relay says so",
           "STATUS=in the mesh" in manager.lines() and
           "STATUS=relays" not in manager.lines(), manager.lines())
    quiet(2 * WATCHDOG_S, "that nothing comes")
    result("notify: a watchdog of another process is left alone", ready and
           "WATCHDOG=1" not in manager.lines(), manager.lines())
    del os.environ["WATCHDOG_USEC"], os.environ["WATCHDOG_PID"]
    node.stop()


def compute(node, manager):
    """All programs, and not one before."""
    if not node.with_compute():
        result("notify: a compute node", False, node.said())
        return
    manager.forget()
    node.start()
    pids = node.ready(ALL)
    result("notify: READY=1 when all programs are", pids and
           manager.heard("READY=1") and
           "STATUS=relays, a compute node" in manager.lines() and
           manager.lines().index("STATUS=relays, a compute node") <
           manager.lines().index("READY=1"), manager.lines())
    node.stop()


for abstract in (False, True):
    manager = Manager(abstract)
    node = Node(build, "notify")
    try:
        if abstract:
            of_another(node, manager)
        else:
            with open(os.path.join(node.dir, "config")) as f:
                text = f.read().replace(
                    "[reticulum]", "[reticulum]\nenable_transport = yes")
            node.write("config", text)
            life(node, manager)
            compute(node, manager)
    finally:
        node.remove()
        manager.remove()
os.environ["NOTIFY_SOCKET"] = "/nowhere/notify"
node = Node(build, "notify")
try:
    node.start()
    result("notify: nobody there to be told is said, and no more",
           node.ready(["transport"]) and "cannot be told" in node.said(),
           node.said())
finally:
    node.remove()
done()
