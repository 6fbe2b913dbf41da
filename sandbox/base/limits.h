/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_LIMITS_H
#define WARREN_SANDBOX_BASE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Resource limits of a job or a step; only ever lowered (a host's hard limit
 * may be lower still, and raising it is refused). 0 or -1.
 */
struct job_limits {
	uint32_t pids;
	uint64_t fsize;
	uint64_t data; /* 0: no bound; without a memory group it is the job's */
};
int limits_apply(const struct job_limits *);

/*
 * Ours, of warren-hand: it runs alone, and its memory is bounded because
 * strangers choose what it reads. A step packs or unpacks one volume; an
 * import holds the names of an image's million files and a decompressor's
 * window besides.
 */
#define HAND_PIDS 8
#define HAND_DATA_STEP (512ull << 20)
#define HAND_DATA_IMPORT (1ull << 30)
/*
 * What a step gets beside the job's limits when the job has ended: a packer
 * holds the names of a full volume, 65,536 of the longest, before it writes.
 */
#define HAND_ROOM (48ull << 20)

#endif
