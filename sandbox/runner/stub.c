/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/stub.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/libc.h"
#include "common/util.h"
#include "sandbox/base/procfs.h"
#include "sandbox/base/sys.h"
#include "sandbox/runner/terms.h"

#define JOB "/job"

/* With all that is mounted beneath. */
static int
show(const char *from, const char *at)
{
	_cleanup_fd_ int tree = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE |
	    OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	return tree < 0 ? -1 : move_mount(tree, "", AT_FDCWD, at,
	    MOVE_MOUNT_F_EMPTY_PATH);
}

int
stub_make(const char **what)
{
	static const char *const dirs[] = {TERMS_STUB, TERMS_STUB JOB,
	    TERMS_STUB "/dev", TERMS_STUB "/etc", TERMS_STUB "/proc",
	    TERMS_STUB "/run", TERMS_STUB "/sys"};

	*what = "the tool's root";
	for (size_t i = 0; i < NELEM(dirs); i++)
		if (mkdir(dirs[i], 0755) < 0)
			return -1;
	return show(TERMS_ROOT, TERMS_STUB JOB);
}

int
stub_leave(const char **what)
{
	_cleanup_fd_ int proc = procfs_make();

	*what = "the job's /proc";
	if (proc < 0)
		return -1;
	*what = "the job's root";
	/* what another namespace has mounted is locked; our own copy is not */
	if (show(JOB, JOB) < 0 || move_mount(proc, "", AT_FDCWD, JOB "/proc",
	    MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -1;
	*what = "pivot_root";
	if (chdir(JOB) < 0 || sys_pivot_root(".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

int
stub_proc(const char **what)
{
	_cleanup_fd_ int proc = procfs_make();

	*what = "the job's /proc";
	return proc < 0 ? -1 : move_mount(proc, "", AT_FDCWD, "/proc",
	    MOVE_MOUNT_F_EMPTY_PATH);
}
