/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_GROUP_H
#define WARREN_SANDBOX_BASE_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/plan/plan.h"

/*
 * Groups as jail sees them: it opens by name beneath its own directories, and
 * says which limits are really there. The descriptors stay the caller's.
 */

/*
 * What a job's limits leave room for beside its own processes: pid 1 of its
 * namespace. Node sets the groups by this number and jail checks by it.
 */
#define GROUP_PIDS_INIT 1u
/*
 * ... and under the rlimit the slot's process, and so much that a group refuses
 * first, and counts it.
 */
#define GROUP_PIDS_SLACK 3u
/* ... and, in a v1 group, what the kernel may yet have to free of a job before */
#define GROUP_MEMORY_LEFT (48ull << 20)
#define GROUP_CPU_MILLI_LEAST 10u /* the kernel's least: 1 ms in 100 */

/* Open directories beneath which the groups of jobs are. */
struct group_dirs {
	/* of a runner's own processes, beside pid 1 */
	uint32_t pids_more;
	uint64_t memory_more;
	int jobs;  /* v2 directory jobs/, or -1 */
	int v1[3]; /* memory, cpu, pids: v1 directories, or -1 */
};

/*
 * The job's v2 group by its name beneath jobs/, as an O_PATH descriptor for
 * the caller to close. -1 with errno: there is none, or it may not be opened.
 */
int group_open(const struct group_dirs *, const char *name);
/* Is a group of this name left? "": no. */
bool group_left(const struct group_dirs *, const char *name);
/*
 * Bits of memory, cpu and pids (LAYER_*) whose limit is set and no larger than
 * the plan's; by the job's v2 group fd (-1: none) or the v1 groups of the
 * plan's slot. io: when the plan has bounds of its own, and v2's group has them.
 * What cannot be read counts as not set.
 */
uint32_t group_layers(const struct group_dirs *, const struct plan *, int fd);
/*
 * LAYER_IO, when the plan has bounds of its own that are not among these layers:
 * whatever bounds all jobs together, this one is not bounded as it asked.
 */
uint32_t group_unbound(const struct plan *, uint32_t layers);

#endif
