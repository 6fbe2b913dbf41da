/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_ATTR_H
#define WARREN_SANDBOX_BASE_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sandbox/plan/lsm.h"

/*
 * Labels of processes, as the kernel's policy says and takes them: files below
 * PROC/PID/attr, where proc is the folder of a proc file system.
 */

/* The process's label, without what is behind it; -1 with errno. */
int attr_current(enum lsm_kind, const char *proc, pid_t, char *out,
    size_t cap);
/*
 * What the calling process becomes by its next execve(): asked for, and read
 * back. 0, or -1 with errno (EBADMSG: it reads differently; EOPNOTSUPP: it is a
 * profile of AppArmor that only warns).
 */
int attr_exec(enum lsm_kind, const char *proc, const char *label);
/*
 * Is a process under this label, and is that enforced? 1, 0, or -1 with errno:
 * it cannot be read.
 */
int attr_is(enum lsm_kind, const char *proc, pid_t, const char *label);
/* attr_exec() in a child of its own, which ends. 0, or -1 with errno. */
int attr_try(enum lsm_kind, const char *proc, const char *label);

#endif
