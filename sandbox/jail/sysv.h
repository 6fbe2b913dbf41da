/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_SYSV_H
#define WARREN_SANDBOX_JAIL_SYSV_H

#include <stdbool.h>
#include <sys/types.h>

/* The ipc namespace that a process is in. */
struct sysv_home {
	bool known;
	dev_t dev;
	ino_t ino;
};

/* Now; needs /proc. */
void sysv_here(struct sysv_home *);
/*
 * Removes every SysV object of this ipc namespace: they outlive their
 * processes, and each is charged to the job's group. Only when it is another
 * than home, which is that of jail, or rootless of the operator: in that one,
 * or where it cannot be told, nothing is touched, and false comes back.
 */
bool sysv_drop(const struct sysv_home *home);

#endif
