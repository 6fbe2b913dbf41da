/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "common/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/libc.h"

static int
by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

static int
close_between(unsigned from, unsigned to)
{
	if (from > to)
		return 0;
	return (int)syscall(SYS_close_range, from, to, 0);
}

int
priv_fds(const int *keep, size_t count)
{
	int sorted[PRIV_FDS_MAX];
	unsigned next = STDERR_FILENO + 1;

	if (count > sizeof(sorted) / sizeof(sorted[0])) {
		errno = E2BIG;
		return -1;
	}
	memcpy(sorted, keep, count * sizeof(*keep));
	qsort(sorted, count, sizeof(*sorted), by_number);
	for (size_t i = 0; i < count; i++) {
		if (sorted[i] < (int)next)
			continue;
		if (close_between(next, (unsigned)sorted[i] - 1) < 0)
			return -1;
		next = (unsigned)sorted[i] + 1;
	}
	return close_between(next, ~0u);
}

int
priv_limit(int which, uint64_t most)
{
	struct rlimit rl;
	rlim_t value = (rlim_t)most;

	if (getrlimit(which, &rl) < 0)
		return -1;
	if (rl.rlim_max != RLIM_INFINITY && rl.rlim_max < value)
		value = rl.rlim_max;
	rl.rlim_cur = rl.rlim_max = value;
	return setrlimit(which, &rl);
}

static int
no_dump_no_gain(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int
priv_session(unsigned nofile)
{
	(void)umask(077);
	if (setsid() < 0 && errno != EPERM) /* EPERM: leads one already */
		return -1;
	/* a kernel without keyrings has none to inherit */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 &&
	    errno != ENOSYS && errno != EPERM && errno != EDQUOT)
		return -1;
	if (priv_limit(RLIMIT_CORE, 1) < 0)
		return -1;
	if (nofile != 0 && priv_limit(RLIMIT_NOFILE, nofile) < 0)
		return -1;
	return no_dump_no_gain();
}

int
priv_namespaces(bool net)
{
	int flags = CLONE_NEWNS | CLONE_NEWIPC | (net ? CLONE_NEWNET : 0);

	if (unshare(flags) < 0)
		return -1;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int
empty_mount(void)
{
	_cleanup_fd_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "size", "4096", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "1", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0555", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
}

int
priv_detach(int *fd, enum priv_access access)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID |
		MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
		(access == PRIV_WRITE ? 0 : MOUNT_ATTR_RDONLY)};
	char link[40], path[4096];
	struct stat was, is;
	_cleanup_fd_ int mnt = -1;
	ssize_t n;

	/* only a mount of this namespace can be cloned: find it by its name */
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", *fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return -1;
	path[n] = '\0';
	mnt = open_tree(AT_FDCWD, path,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (mnt < 0 || fstat(*fd, &was) < 0 || fstat(mnt, &is) < 0)
		return -1;
	if (was.st_dev != is.st_dev || was.st_ino != is.st_ino) {
		errno = ESTALE; /* somebody moves folders while we start */
		return -1;
	}
	if (mount_setattr(mnt, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -1;
	return dup3(mnt, *fd, O_CLOEXEC) < 0 ? -1 : 0;
}

int
priv_root(int fd)
{
	_cleanup_fd_ int empty = fd < 0 ? empty_mount() : -1;
	int mnt = fd < 0 ? empty : fd;

	if (mnt < 0 ||
	    move_mount(mnt, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
	    fchdir(mnt) < 0)
		return -1;
	/* the root of an initramfs cannot be pivoted away: chroot is left */
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		if (umount2(".", MNT_DETACH) < 0)
			return -1;
	} else if (errno != EINVAL) {
		return -1;
	}
	if (chroot(".") < 0)
		return -1;
	return chdir("/");
}

/* Every one of the five sets; the bounding set needs the rights it takes. */
static int
drop_bounding(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EPERM)
			return -1;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -1;
	return 0;
}

static int
drop_caps(void)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	return (int)syscall(SYS_capset, &head, none);
}

int
priv_ids(uint32_t id)
{
	if (drop_bounding() < 0)
		return -1;
	if (id != 0) {
		if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 ||
		    setresuid(id, id, id) < 0)
			return -1;
	}
	if (drop_caps() < 0)
		return -1;
	/* a change of ids has reset dumpable to the system's default */
	return no_dump_no_gain();
}

/*
 * Landlock's numbers are the kernel's ABI; the headers of a distribution may
 * be older than its kernel. Rights by the ABI that brought them.
 */
#define LL_EXECUTE (1ull << 0)
#define LL_WRITE_FILE (1ull << 1)
#define LL_READ_FILE (1ull << 2)
#define LL_READ_DIR (1ull << 3)
#define LL_MAKE_CHAR (1ull << 6)
#define LL_MAKE_BLOCK (1ull << 11)
#define LL_ABI1 ((1ull << 13) - 1)
#define LL_REFER (1ull << 13)	  /* ABI 2 */
#define LL_TRUNCATE (1ull << 14)  /* ABI 3 */
#define LL_IOCTL_DEV (1ull << 15) /* ABI 5 */
#define LL_NET_BIND (1ull << 0)	  /* of TCP: ABI 4 */
#define LL_NET_CONNECT (1ull << 1)
#define LL_SCOPES 3ull		  /* abstract sockets, signals: ABI 6 */
#define LL_CREATE_VERSION 1u
#define LL_PATH_BENEATH 1

struct ll_attr {
	uint64_t fs, net, scoped;
};

struct ll_beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed)); /* the kernel's own layout */

static uint64_t
landlock_all(int abi)
{
	uint64_t all = LL_ABI1;

	if (abi >= 2)
		all |= LL_REFER;
	if (abi >= 3)
		all |= LL_TRUNCATE;
	if (abi >= 5)
		all |= LL_IOCTL_DEV;
	return all;
}

static uint64_t
landlock_rights(enum priv_access access)
{
	uint64_t read = LL_READ_FILE | LL_READ_DIR;

	switch (access) {
	case PRIV_WRITE:
		return ~(LL_EXECUTE | LL_MAKE_CHAR | LL_MAKE_BLOCK |
		    LL_IOCTL_DEV);
	case PRIV_EXECUTE:
		return read | LL_EXECUTE;
	case PRIV_WRITE_FILE:
		return LL_READ_FILE | LL_WRITE_FILE | LL_TRUNCATE |
		    LL_IOCTL_DEV;
	case PRIV_READ:
		break;
	}
	return read;
}

int
priv_landlock(const struct priv_dir *dirs, size_t count, bool connects,
    int *abi)
{
	struct ll_attr attr = {0};
	size_t size;
	_cleanup_fd_ int rules = -1;
	long v = syscall(
	    SYS_landlock_create_ruleset, NULL, 0, LL_CREATE_VERSION);

	*abi = v < 0 ? 0 : (int)v;
	if (v < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
	/* an attribute longer than the kernel knows is E2BIG */
	size = v >= 6 ? 24 : v >= 4 ? 16 : 8;
	attr.fs = landlock_all((int)v);
	attr.net = v < 4 ? 0 : connects ? LL_NET_BIND :
	    LL_NET_BIND | LL_NET_CONNECT;
	attr.scoped = v >= 6 ? LL_SCOPES : 0;
	rules = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (rules < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct ll_beneath b = {
		    attr.fs & landlock_rights(dirs[i].access), dirs[i].fd};

		if (syscall(SYS_landlock_add_rule, rules, LL_PATH_BENEATH, &b,
			0) < 0)
			return -1;
	}
	return (int)syscall(SYS_landlock_restrict_self, rules, 0);
}
