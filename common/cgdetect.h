/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_CGDETECT_H
#define WARREN_COMMON_CGDETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where this process stands in the control groups, per controller v2 or v1
 * (ARCHITECTURE.md 12.17, THREATS.md 4). Pure: the texts of /proc/self/cgroup
 * and /proc/self/mountinfo in, paths out. Whether v2 gives a controller is
 * asked of cgroup.controllers by the caller.
 */
#define CG_PATH_MAX 512

enum cg_controller { CG_MEMORY, CG_CPU, CG_PIDS, CG_CONTROLLERS };
const char *cg_name(enum cg_controller); /* "memory", "cpu", "pids" */

struct cg_place {
	bool v2; /* a v2 mount holds our group */
	char v2_path[CG_PATH_MAX];
	bool v1[CG_CONTROLLERS];
	char v1_path[CG_CONTROLLERS][CG_PATH_MAX];
	bool blkio; /* of version 1, where io of version 2 is not to be had */
	char blkio_path[CG_PATH_MAX];
};

/* A hierarchy whose mount does not show our group counts as absent. */
void cgdetect(struct cg_place *, const char *self_cgroup,
    const char *self_mountinfo);
/* The controller's own group of version 1 has this as the end of its path. */
bool cg_ends(const char *self_cgroup, const char *controller,
    const char *end);
/* A disk as io.max has it, "254:0", and its line there; 0: no limit. */
#define CG_DISK_MAX 24
void cg_io_line(char out[96], const char *disk, uint64_t rd, uint64_t wr);
/* Is the word in a space-separated list such as cgroup.controllers? */
bool cg_listed(const char *list, const char *word);

#endif
