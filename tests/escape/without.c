/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-jail as it is built, linked so that one layer can be taken from it:
 * jail_without, for tests alone. The environment says which:
 *   LOST=LAYER   the step seems to work and does nothing
 *   FAILS=LAYER  the kernel refuses it
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/base/basefilter.h"
#include "sandbox/base/caps.h"
#include "sandbox/base/landlock.h"
#include "sandbox/base/limits.h"

int __real_landlock_abi(void);
int __wrap_landlock_abi(void);
int __real_landlock_apply(int, const struct landlock_path *, unsigned);
int __wrap_landlock_apply(int, const struct landlock_path *, unsigned);
int __real_filter_load(const struct filter *);
int __wrap_filter_load(const struct filter *);
int __real_caps_drop_all(void);
int __wrap_caps_drop_all(void);
void __real_caps_drop_bounding(uint64_t);
void __wrap_caps_drop_bounding(uint64_t);
int __real_no_new_privs(void);
int __wrap_no_new_privs(void);
int __real_limits_apply(const struct job_limits *);
int __wrap_limits_apply(const struct job_limits *);
int __real_unshare(int);
int __wrap_unshare(int);
int __real_prctl(int, ...);
int __wrap_prctl(int, ...);
long __real_syscall(long, ...);
long __wrap_syscall(long, ...);

static bool
said(const char *how, const char *layer)
{
	const char *v = getenv(how);

	return v != NULL && strcmp(v, layer) == 0;
}

static bool
lost(const char *layer)
{
	return said("LOST", layer);
}

/* Also answers: the kernel refuses. */
static bool
fails(const char *layer, int error)
{
	if (!said("FAILS", layer))
		return false;
	errno = error;
	return true;
}

int
__wrap_landlock_abi(void)
{
	return fails("landlock", ENOSYS) ? 0 : __real_landlock_abi();
}

int
__wrap_landlock_apply(int abi, const struct landlock_path *p, unsigned n)
{
	return lost("landlock") ? 0 : __real_landlock_apply(abi, p, n);
}

int
__wrap_filter_load(const struct filter *f)
{
	if (fails("seccomp", EINVAL))
		return -1;
	return lost("seccomp") ? 0 : __real_filter_load(f);
}

/* All that the slot has, through the exec of the command too. */
static int
keep_caps(void)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];

	if (__real_syscall(SYS_capget, &h, d) != 0)
		return -1;
	for (int i = 0; i < 2; i++)
		d[i].inheritable = d[i].permitted;
	if (__real_syscall(SYS_capset, &h, d) != 0)
		return -1;
	for (unsigned c = 0; c < 64; c++)
		if ((d[c / 32].permitted >> c % 32 & 1) != 0)
			(void)__real_prctl(PR_CAP_AMBIENT,
			    PR_CAP_AMBIENT_RAISE, c, 0, 0);
	return 0;
}

int
__wrap_caps_drop_all(void)
{
	if (fails("caps", EPERM))
		return -1;
	return lost("caps") ? keep_caps() : __real_caps_drop_all();
}

void
__wrap_caps_drop_bounding(uint64_t keep)
{
	if (!lost("caps"))
		__real_caps_drop_bounding(keep);
}

int
__wrap_no_new_privs(void)
{
	if (fails("no_new_privs", EINVAL))
		return -1;
	return lost("no_new_privs") ? 0 : __real_no_new_privs();
}

int
__wrap_limits_apply(const struct job_limits *l)
{
	if (fails("rlimits", EPERM))
		return -1;
	return lost("rlimits") ? 0 : __real_limits_apply(l);
}

int
__wrap_unshare(int flags)
{
	static const struct {
		const char *layer;
		int flag;
	} t[] = {{"user", CLONE_NEWUSER}, {"mount", CLONE_NEWNS},
	    {"net", CLONE_NEWNET}, {"ipc", CLONE_NEWIPC},
	    {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP},
	    {"time", CLONE_NEWTIME}};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		if ((flags & t[i].flag) == 0)
			continue;
		if (fails(t[i].layer, EPERM))
			return -1;
		if (lost(t[i].layer))
			flags &= ~t[i].flag;
	}
	return flags == 0 ? 0 : __real_unshare(flags);
}

int
__wrap_prctl(int op, ...)
{
	unsigned long a[4];
	va_list ap;

	va_start(ap, op);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (op == PR_SET_NO_NEW_PRIVS && lost("no_new_privs"))
		return 0;
	return __real_prctl(op, a[0], a[1], a[2], a[3]);
}

long
__wrap_syscall(long nr, ...)
{
	struct clone_args *c;
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (nr == SYS_clone3) {
		c = (struct clone_args *)a[0];
		if (fails("pid", ENOSPC))
			return -1;
		if (lost("pid"))
			c->flags &= ~(uint64_t)CLONE_NEWPID;
		if (lost("mount"))
			c->flags &= ~(uint64_t)CLONE_NEWNS;
	}
	return __real_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
