/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_CGROUP_H
#define WARREN_NODE_HOST_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/cgdetect.h"
#include "common/ipc_msg.h"

/*
 * Node's view of groups (ARCHITECTURE.md 12.17, THREATS.md 4). For each
 * controller v2 or v1, as the parent gave it: the job has a leaf of its own
 * beneath the v2 directory jobs/, and on v1 the group slot-K of its slot, made
 * by jail, which is never removed. All calls take microseconds and never wait
 * for a process.
 */
struct cgroup_dirs {
	int v2;                 /* jobs/, or -1 */
	int memory, cpu, pids;  /* v1 jobs/ of a controller, or -1 */
	char disk[CG_DISK_MAX]; /* that io.max of a leaf is of; "": none */
};

struct cgroup_limits {
	uint64_t memory; /* bytes */
	uint32_t cpu_milli;
	uint32_t pids;
	uint64_t io_read, io_write; /* bytes a second; 0: none */
};

struct cgroup_usage {
	uint64_t cpu_us;
	uint64_t memory_peak; /* bytes; 0: not known */
	uint64_t oom_kills;   /* processes that the limit killed */
	uint64_t pids_hit;    /* forks that the limit refused */
};

struct cgroup_job {
	const struct cgroup_dirs *dirs;
	char name[40];
	uint32_t slot;
	int fd;      /* the v2 leaf, or -1 */
	int v1[3];   /* slot-K of memory, cpu, pids, or -1 */
	struct cgroup_limits limits;
	uint64_t memory_left; /* v1: in the group before the job */
	/* a slot's counters run on: what they were at the start */
	uint64_t cpu_before, oom_before, pids_before;
};

/*
 * Make the job's groups and set its limits, before J_RUN. 0, or -1 with errno
 * and *what failed (the file); nothing is left then. *layers: the bits memory,
 * cpu, pids (sandbox/plan/plan.h) that are set now.
 */
int cgroup_job_make(struct cgroup_job *, const struct cgroup_dirs *,
    const struct id32 *job, uint32_t slot, const struct cgroup_limits *,
    uint32_t *layers, const char **what);
/* Again after a restart: the groups are there. 0 or -1. */
int cgroup_job_find(struct cgroup_job *, const struct cgroup_dirs *,
    const struct id32 *job, uint32_t slot);
/* The v2 leaf's number, which no other group ever has; 0: there is none. */
uint64_t cgroup_job_id(const struct cgroup_job *);
/* A file that counts for the job, to read, for who watches it; -1: none. */
int cgroup_counter(const struct cgroup_job *, enum watch_file);
/* Best effort: what cannot be read is 0. */
void cgroup_usage(const struct cgroup_job *, struct cgroup_usage *);
/*
 * The job ends: so many bytes more than its limit, since a full tmpfs stays
 * charged, and as much processor as there is, since killed processes need some
 * to end. 0 or -1.
 */
int cgroup_job_ease(struct cgroup_job *, uint64_t bytes);
/* So much processor from now on. 0 or -1. */
int cgroup_slow(const struct cgroup_job *, uint32_t cpu_milli);
/* The job's processes stand still, or go on. -1: no v2 group. */
int cgroup_freeze(const struct cgroup_job *, bool on);
/* Every process of the job. 0; -1: no v2 group, then jail kills (J_KILL). */
int cgroup_kill(const struct cgroup_job *);
/* Remove the leaf after J_FORGOTTEN: 0, or -1 (EBUSY: ask again). Closes. */
int cgroup_job_remove(struct cgroup_job *);
/* Close without removing (the job goes on). */
void cgroup_job_close(struct cgroup_job *);

#endif
