# SPDX-License-Identifier: BSD-2-Clause
"""SELinux around jobs that another program contains: their label, and what it
stops there through all the other layers. For the boot of selinux.py."""
import os

import runners
import selinux
from lib import done, result


def typed(label):
    return ":warren_job_t:s0:c" in label


def alone(name, text):
    """What a job may do through all the other layers, and not with this one."""
    act = "head -c 1 /dev/full >/dev/null"
    with runners.contained("selinux: " + name, name, text, require=()) as node:
        if node is None:
            return
        selinux.enforce("0")
        free = node.act(act)[1]
        selinux.enforce("1")
        said, held, s = node.act(act)
        result("selinux: %s: it alone keeps a job from what it may not open" % name,
               free.get("outcome") == ["exited", 0] and "lsm" not in free.get("layers", []) and
               held.get("outcome") == ["exited", 1] and "lsm" in held.get("layers", []), "%s %s %s" % (free, held, s))


def contained():
    # a device that each job has, and nothing but its label to keep it from it
    os.setxattr("/dev/full", "security.selinux", b"system_u:object_r:fixed_disk_device_t:s0\0")
    for name, text in runners.tools():
        runners.labelled("selinux", name, text, typed)
        alone(name, text)
    runners.of_docker("selinux", typed, alone)


selinux.main([contained])
done()
