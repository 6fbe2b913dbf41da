/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_LIBC_H
#define WARREN_COMMON_LIBC_H

/*
 * What we use of glibc that musl has not, for builds with it. Included last: it
 * goes by what the C library said of itself.
 */
#ifndef __GLIBC__

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef int __rlimit_resource_t;

static inline int
fsopen(const char *kind, unsigned flags)
{
	return (int)syscall(SYS_fsopen, kind, flags);
}

static inline int
fsconfig(int fd, unsigned what, const char *key, const void *value, int aux)
{
	return (int)syscall(SYS_fsconfig, fd, what, key, value, aux);
}

static inline int
fsmount(int fd, unsigned flags, unsigned attr)
{
	return (int)syscall(SYS_fsmount, fd, flags, attr);
}

static inline int
open_tree(int at, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, at, path, flags);
}

static inline int
move_mount(int from, const char *path, int to, const char *name, unsigned flags)
{
	return (int)syscall(SYS_move_mount, from, path, to, name, flags);
}

static inline int
mount_setattr(int at, const char *path, unsigned flags, struct mount_attr *attr,
    size_t size)
{
	return (int)syscall(SYS_mount_setattr, at, path, flags, attr, size);
}

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2

static inline int
renameat2(int from, const char *a, int to, const char *b, unsigned flags)
{
	return (int)syscall(SYS_renameat2, from, a, to, b, flags);
}
#endif

/* musl gives back what is free by itself. */
static inline int
malloc_trim(size_t pad)
{
	(void)pad;
	return 0;
}

/* Those that end a process; NULL for others. */
static inline const char *
sigabbrev_np(int n)
{
	static const char *const names[] = {[SIGHUP] = "HUP", [SIGINT] = "INT",
	    [SIGQUIT] = "QUIT", [SIGILL] = "ILL", [SIGTRAP] = "TRAP",
	    [SIGABRT] = "ABRT", [SIGBUS] = "BUS", [SIGFPE] = "FPE",
	    [SIGKILL] = "KILL", [SIGUSR1] = "USR1", [SIGSEGV] = "SEGV",
	    [SIGUSR2] = "USR2", [SIGPIPE] = "PIPE", [SIGALRM] = "ALRM",
	    [SIGTERM] = "TERM", [SIGXCPU] = "XCPU", [SIGXFSZ] = "XFSZ",
	    [SIGSYS] = "SYS"};

	return n > 0 && (size_t)n < sizeof(names) / sizeof(*names) ? names[n]
								   : NULL;
}

/* scandir() takes a path, which this process's own links give. */
static inline int
scandirat(int at, const char *name, struct dirent ***out,
    int (*keep)(const struct dirent *),
    int (*order)(const struct dirent **, const struct dirent **))
{
	char path[40];
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n, error;

	if (fd < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = scandir(path, out, keep, order);
	error = errno;
	(void)close(fd);
	errno = error;
	return n;
}

#endif
#endif
