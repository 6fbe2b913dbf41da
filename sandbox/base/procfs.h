/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_PROCFS_H
#define WARREN_SANDBOX_BASE_PROCFS_H

/*
 * A /proc of the pid namespace that we are in, as jobs have it: processes
 * alone, and of those the ones that one may trace. A detached mount for
 * the caller to attach and close; -1 with errno: no right in the namespace's
 * user namespace, or no whole /proc to be seen where we are.
 */
int procfs_make(void);

#endif
