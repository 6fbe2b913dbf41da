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
	uint32_t files; /* open in one process; 0: the most that a job may */
	uint32_t cpu_s; /* processor time of each process; 0: no bound */
};
int limits_apply(const struct job_limits *);

/*
 * How many files each process of a job may have open, so that all its
 * processes together hold no more than its slot's part of a quarter of the
 * host's table (file_max, fs.file-max; 0: not known). Never below 256, and
 * without root never more than LIMITS_FILES_USER: the kernel counts what is
 * in flight between a user's processes in one sum, and a program of the house
 * that may have 1024 is refused at that (unix(7), ETOOMANYREFS).
 */
uint32_t limits_files(uint64_t file_max, uint32_t slots, uint32_t pids,
    bool root);
#define LIMITS_FILES_USER 512u
/* fs.file-max, or 0; opens beneath /proc. */
uint64_t limits_file_max(void);

/*
 * A slot's user namespace counts for itself what the kernel counts for a user:
 * no namespace of a job's own, and so much of inotify. Writes user.* of the
 * namespace we are in, as far as this kernel has them. 0, or -1: a user
 * namespace could be made.
 */
#define LIMITS_INOTIFY_INSTANCES 32u
#define LIMITS_INOTIFY_WATCHES 16384u
int limits_namespace(uint32_t userns);

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
