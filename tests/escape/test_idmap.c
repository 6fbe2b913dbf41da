/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images whose files belong to the job: what a slot's process, with every
 * capability in its user namespace, can make of the id-mapped mount. Nothing.
 * test_idmap BUILD-FOLDER BUSYBOX
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/numbers.h"
#include "common/util.h"
#include "sandbox/base/idmap.h"
#include "tests/escape/setup.h"

#define OWNER (DRIVE_BASE + 256)
#define JOB (DRIVE_BASE + 257)

/* Exit codes of the child. */
enum { GOOD, BAD, SKIP };

static int
put(const char *path, uint32_t owner)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	if (fd == -1 || write(fd, "x", 1) != 1 ||
	    fchown(fd, owner, owner) == -1)
		return -1;
	return close(fd);
}

/* A base as jail has it, of a file system in memory. */
static bool
make_base(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	    mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", "/tmp", "tmpfs", 0, "size=1m,mode=0755") == 0 &&
	    mkdir("/tmp/images", 0755) == 0 && mkdir("/tmp/hold", 0755) == 0 &&
	    mkdir("/tmp/new", 0755) == 0 && mkdir("/tmp/proc", 0755) == 0 &&
	    put("/tmp/images/owned", OWNER) == 0 &&
	    put("/tmp/images/other", OWNER + 7) == 0 &&
	    mount("proc", "/tmp/proc", "proc", 0, NULL) == 0 &&
	    /* who is in a chroot makes no user namespace */
	    chdir("/tmp") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
	    umount2(".", MNT_DETACH) == 0 && chdir("/") == 0;
}

static bool
says(bool ok, const char *what)
{
	printf("%s images: %s (root)\n", ok ? "ok" : "not ok", what);
	return ok;
}

static bool
clears(uint64_t attr)
{
	struct mount_attr a = {.attr_clr = attr};

	return mount_setattr(AT_FDCWD, "/images", 0, &a, sizeof(a)) == 0;
}

static int
slot(void)
{
	struct stat owned, other;
	bool ok = true;

	if (!make_base())
		return BAD;
	if (idmap_images(OWNER, JOB) == -1) {
		printf("skip images (root): no id-mapped mount below an overlay "
		    "here: %s\n", strerror(errno));
		return SKIP;
	}
	ok = says(stat("/images/owned", &owned) == 0 && owned.st_uid == JOB &&
	    owned.st_gid == JOB, "what an import owns is the job's") && ok;
	ok = says(stat("/images/other", &other) == 0 && other.st_uid == 65534,
	    "what another owns is nobody's") && ok;
	/* the slot: the job's own id, all rights in a namespace of its */
	if (setresgid(JOB, JOB, JOB) == -1 || setresuid(JOB, JOB, JOB) == -1 ||
	    unshare(CLONE_NEWUSER) == -1 || unshare(CLONE_NEWNS) == -1)
		return BAD;
	ok = says(open("/images/owned", O_WRONLY) == -1 && errno == EROFS,
	    "its owner writes nothing") && ok;
	ok = says(chmod("/images/owned", 0777) == -1 && errno == EROFS,
	    "its owner changes no mode") && ok;
	ok = says(!clears(MOUNT_ATTR_RDONLY) && errno == EPERM,
	    "read-only cannot be cleared") && ok;
	ok = says(!clears(MOUNT_ATTR_NOSUID) && !clears(MOUNT_ATTR_NODEV),
	    "nosuid and nodev cannot be cleared") && ok;
	ok = says(mount("", "/images", NULL, MS_REMOUNT | MS_BIND, NULL) == -1,
	    "nor by a remount") && ok;
	ok = says(umount2("/images", MNT_DETACH) == -1,
	    "what is below cannot be uncovered") && ok;
	return ok ? GOOD : BAD;
}

int
main(void)
{
	int status = -1;
	pid_t pid;

	if (!numbers_usable(DRIVE_BASE)) {
		printf("skip images (%s): root of the machine alone makes "
		    "them\n", setup_who());
		return 0;
	}
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int rv = slot();

		(void)fflush(stdout);
		_exit(rv);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid ||
	    !WIFEXITED(status) || WEXITSTATUS(status) == BAD) {
		printf("not ok images (root): %d\n", status);
		return 1;
	}
	return 0;
}
