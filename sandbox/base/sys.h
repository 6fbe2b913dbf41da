/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_SYS_H
#define WARREN_SANDBOX_BASE_SYS_H

/* System calls that glibc 2.36 has no wrapper for, by their numbers. */
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

/* How a path beneath an open directory is resolved: never out of it. */
#define SYS_BENEATH                                                            \
	(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
/* ... nor into another mount. */
#define SYS_SAME_MOUNT (SYS_BENEATH | RESOLVE_NO_XDEV)

static inline int
sys_clone3(struct clone_args *a)
{
	return (int)syscall(SYS_clone3, a, sizeof(*a));
}

static inline int
sys_openat2(int dir, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {.flags = (uint64_t)flags, .resolve = resolve};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static inline int
sys_pidfd_send_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

static inline int
sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static inline int
sys_close_range(unsigned first, unsigned last)
{
	return (int)syscall(SYS_close_range, first, last, 0);
}

static inline int
sys_execveat(int fd, char *const argv[], char *const env[])
{
	return (int)syscall(SYS_execveat, fd, "", argv, env, AT_EMPTY_PATH);
}

#endif
