/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/procfs.h"

#include <sys/mount.h>

#include "common/cleanup.h"
#include "common/libc.h"
#include "sandbox/base/sys.h"

int
procfs_make(void)
{
	_cleanup_fd_ int fs = fsopen("proc", FSOPEN_CLOEXEC);

	/* 2, which older kernels have, makes an exception of the host's group 0 */
	if (fs < 0 ||
	    (fsconfig(fs, FSCONFIG_SET_STRING, "hidepid", "4", 0) < 0 &&
	    fsconfig(fs, FSCONFIG_SET_STRING, "hidepid", "2", 0) < 0) ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "subset", "pid", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID |
	    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}
