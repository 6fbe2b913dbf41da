/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_CLOCKS_H
#define WARREN_SANDBOX_JAIL_CLOCKS_H

/*
 * A time namespace for the children of this process, in which the monotonic
 * clock and that since boot begin now: how long the machine runs, and when the
 * job before ended, is not a job's to know. The time of day is the machine's.
 * Costs two calls and a file, some 20 us. 0, or -1 with errno: the kernel has
 * none, or we have no right to it. The file is /proc/self/timens_offsets of the
 * base, and ours alone for that moment (PR_SET_DUMPABLE): only while no job is
 * in the slot.
 */
int clocks_fresh(void);

#endif
