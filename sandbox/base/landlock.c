/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/landlock.h"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/pattern.h"
#include "sandbox/base/sys.h"

/* Newer than Debian 12's header */
#define FS_TRUNCATE (1ull << 14)   /* ABI 3 */
#define FS_IOCTL_DEV (1ull << 15)  /* ABI 5 */
#define FS_REFER (1ull << 13)      /* ABI 2 */
#define FS_ABI1 ((1ull << 13) - 1)
#define LOOK_MAX 16384 /* ours: names that the patterns of a job look at */
#define NET_ALL 3ull               /* ABI 4: bind, connect of TCP */
#define SCOPE_ALL 3ull             /* ABI 6: abstract unix sockets, signals */

#define FS_READ                                                                \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |           \
	    LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_FILE                                                                \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |           \
	    LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

int
landlock_abi(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return v < 0 ? 0 : (int)v;
}

static uint64_t
fs_rights(int abi)
{
	uint64_t fs = FS_ABI1;

	if (abi >= 2)
		fs |= FS_REFER;
	if (abi >= 3)
		fs |= FS_TRUNCATE;
	if (abi >= 5)
		fs |= FS_IOCTL_DEV;
	return fs;
}

static uint64_t
rights_of(uint64_t fs, int may)
{
	/* whatever there is but devices */
	const uint64_t all = fs & ~(uint64_t)(LANDLOCK_ACCESS_FS_MAKE_CHAR |
	    LANDLOCK_ACCESS_FS_MAKE_BLOCK);
	const uint64_t look = LANDLOCK_ACCESS_FS_READ_FILE |
	    LANDLOCK_ACCESS_FS_READ_DIR;
	const uint64_t change = all & ~(uint64_t)FS_READ;
	uint64_t r = 0;

	if ((may & (LANDLOCK_MAY_READ | LANDLOCK_MAY_NODES)) != 0)
		r = FS_READ;
	if ((may & LANDLOCK_MAY_NODES) != 0)
		r |= FS_FILE;
	if ((may & LANDLOCK_MAY_WRITE) != 0)
		r = all;
	if ((may & LANDLOCK_NOT_READ) != 0)
		r &= ~look;
	if ((may & LANDLOCK_NOT_WRITE) != 0)
		r &= ~change;
	if ((may & LANDLOCK_NOT_EXEC) != 0)
		r &= ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE;
	if ((may & LANDLOCK_READ) != 0)
		r |= look;
	if ((may & LANDLOCK_WRITE) != 0)
		r |= change;
	if ((may & LANDLOCK_EXEC) != 0)
		r |= LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE;
	return r & fs;
}

static int
add_fd(int set, uint64_t fs, int may, int fd)
{
	struct landlock_path_beneath_attr rule;
	struct stat st;

	memset(&rule, 0, sizeof(rule));
	rule.parent_fd = fd;
	rule.allowed_access = rights_of(fs, may);
	if (fstat(fd, &st) < 0)
		return -1;
	if (S_ISDIR(st.st_mode) && (may & LANDLOCK_FILE) != 0)
		return 0;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_FILE;
	if (rule.allowed_access == 0)
		return 0;
	return (int)syscall(SYS_landlock_add_rule, set,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* Where nothing is that the pattern means, nothing is allowed. */
static bool
is_nothing(void)
{
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
	    errno == EACCES;
}

struct walk {
	int set, may;
	uint64_t fs;
	unsigned left; /* names that may be looked at still */
};

static int walk(struct walk *, int dir, const char *rest);

/* What is called so in the folder; links lead elsewhere. */
static int
walk_name(struct walk *w, int dir, const char *name, const char *rest)
{
	_cleanup_fd_ int fd = openat(dir, name, O_PATH | O_CLOEXEC |
	    O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return is_nothing() ? 0 : -1;
	if (fstat(fd, &st) < 0)
		return -1;
	return S_ISLNK(st.st_mode) ? 0 : walk(w, fd, rest);
}

static int
walk_all(struct walk *w, DIR *d, const char *rest, size_t n)
{
	struct dirent *de;

	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (w->left == 0) {
			errno = E2BIG;
			return -1;
		}
		w->left--;
		if (pattern_name(rest, n, de->d_name, strlen(de->d_name),
			false) &&
		    walk_name(w, dirfd(d), de->d_name, rest + n) < 0)
			return -1;
	}
	return 0;
}

/* As deep as the pattern has names, which its length bounds. */
static int
walk(struct walk *w, int dir, const char *rest)
{
	char name[NAME_MAX + 1];
	size_t n;
	DIR *d;
	int fd, r;

	while (*rest == '/')
		rest++;
	if (*rest == '\0')
		return add_fd(w->set, w->fs, w->may, dir);
	n = strcspn(rest, "/");
	if (memchr(rest, '*', n) == NULL) {
		if (n > NAME_MAX)
			return 0;
		memcpy(name, rest, n);
		name[n] = '\0';
		return walk_name(w, dir, name, rest + n);
	}
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return is_nothing() ? 0 : -1;
	if ((d = dir_take(fd)) == NULL)
		return -1;
	r = walk_all(w, d, rest, n);
	(void)closedir(d);
	return r;
}

static int
add_path(struct walk *w, const struct landlock_path *p)
{
	bool pattern = (p->may & LANDLOCK_PATTERN) != 0;
	_cleanup_fd_ int fd = open(pattern ? "/" : p->path, O_PATH | O_CLOEXEC |
	    O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : -1;
	w->may = p->may;
	return pattern ? walk(w, fd, p->path) : add_fd(w->set, w->fs, p->may,
	    fd);
}

int
landlock_read_only(int abi, const int *dirs, unsigned n)
{
	struct ruleset_attr attr = {.fs = fs_rights(abi), .net = NET_ALL};
	struct landlock_path_beneath_attr rule;
	size_t size = (abi >= 4 ? 2 : 1) * sizeof(uint64_t);
	_cleanup_fd_ int set = -1;

	set = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (set < 0)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		memset(&rule, 0, sizeof(rule));
		rule.parent_fd = dirs[i];
		rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
		    LANDLOCK_ACCESS_FS_READ_DIR;
		if (syscall(SYS_landlock_add_rule, set,
		    LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
			return -1;
	}
	return (int)syscall(SYS_landlock_restrict_self, set, 0);
}

int
landlock_apply(int abi, const struct landlock_path *paths, unsigned n)
{
	struct ruleset_attr attr = {.fs = fs_rights(abi)};
	size_t size = sizeof(attr.fs);
	_cleanup_fd_ int set = -1;
	struct walk w;

	if (abi >= 4) {
		attr.net = NET_ALL;
		size = 2 * sizeof(uint64_t);
	}
	if (abi >= 6) {
		attr.scoped = SCOPE_ALL;
		size = 3 * sizeof(uint64_t);
	}
	set = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (set < 0)
		return -1;
	w = (struct walk){.set = set, .fs = attr.fs, .left = LOOK_MAX};
	for (unsigned i = 0; i < n; i++)
		if (add_path(&w, &paths[i]) < 0)
			return -1;
	return (int)syscall(SYS_landlock_restrict_self, set, 0);
}
