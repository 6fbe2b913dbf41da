/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_PLACES_H
#define WARREN_SANDBOX_BASE_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/plan/plan.h"

/*
 * Where things are mounted in a root of an image. The image is a stranger's:
 * its folders may be links, files, or not there. What is found here is what a
 * job is admitted by and what its root is built by.
 */
enum place_fixed { PLACE_DEV, PLACE_TMP, PLACE_PROC, PLACE_FIXED };
#define PLACE_PATH_MAX 511
#define PLACES_ALL (PLACE_FIXED + PLAN_VOLUMES_ALL)
#define PLACES_WHY 200

struct place {
	/* from the root, without its slash; no component is a link */
	char path[PLACE_PATH_MAX + 1];
	bool in_tmp; /* beneath PLACE_TMP, where nothing is of the image */
};

/*
 * root: the image's folder, a descriptor (O_PATH will do). out has PLACES_ALL:
 * /dev, /tmp, /proc, then the targets. NULL; or the code of compute.md 4
 * ("image", "volume") that the job is refused by, and why, with the names of
 * the image escaped.
 */
const char *places_find(struct place *out, int root,
    const char *const *targets, uint32_t n, char why[PLACES_WHY]);

#endif
