/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_INIT_H
#define WARREN_SANDBOX_JAIL_INIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox/plan/lsm.h"
#include "sandbox/plan/plan.h"
#include "sandbox/plan/shape.h"
#include "sandbox/base/basefilter.h"
#include "sandbox/base/places.h"

/*
 * What runs in a job's namespaces before anything of a stranger does. Each is
 * the child of a clone with new pid and mount namespaces in the slot's user
 * namespace, and does not return. Descriptors are the child's own copies.
 */
struct init_job;
struct member;
struct init_env {
	uint32_t slot;
	bool root;            /* ids are to be taken, groups to be left */
	bool grouped;         /* cloned into a v2 group of its own */
	int landlock_abi;
	const struct filter *job_filter, *seal_filter, *snapshot_filter;
	const struct filter *never_filter; /* what a slot has, and a job with it */
	uint64_t file_max;    /* of the host, for all slots */
	uint32_t slots;
	const struct lsm *lsm; /* what jobs are labelled by */
	bool no_memory_group; /* then RLIMIT_DATA stands in, as an rlimit */
	/* pid 1 of a job (kind.h) */
	void (*job)(const struct init_env *, const struct init_job *)
	    __attribute__((noreturn));
};

/* v1's memory, cpu, pids, and blkio of jobs that are not where jail is. */
#define JOB_TASKS 4
/* Pid 1 of a job: builds, starts the command as its child, reaps. */
struct init_job {
	struct plan plan;
	int args, filter, out, err, report;
	int code; /* of a module; -1: a program */
	const int *tasks; /* JOB_TASKS of v1; -1: none, or closed (birth.h) */
	const int *trees; /* of the plan's volumes; -1: bound from the base */
	const struct member *member; /* whose root it takes; NULL: none */
};
void init_job(const struct init_env *, const struct init_job *)
    __attribute__((noreturn));

/*
 * What both kinds of pid 1 begin with (kind.h): ids, the plan read again, and
 * its root built; with outside, left at /new/root for another program, without
 * /proc. Ends the process where that fails.
 */
struct init_ready {
	struct plan_args args;
	struct place places[PLACES_ALL];
	struct filter filter;
};
void init_prepare(const struct init_env *, const struct init_job *,
    bool outside, struct init_ready *);

/* A step: builds, then becomes warren-hand. */
struct init_step {
	int step;        /* enum jail_step */
	uint8_t wasm;    /* of a compilation: enum wasm_flag */
	uint64_t fuel, data; /* ... and bytes of its memory */
	uint32_t cpu_s;      /* ... and processor time */
	int volume;
	int tree;        /* of the volume; -1: the slot's staging folder */
	int profile;     /* copy this profile volume; -1: no */
	int hand, in, out, report;
	uint64_t bytes;  /* most that it may write into one file */
	uint32_t members;/* most that it may fill in, and of how much content */
	uint64_t content;
	bool pack_all;   /* may read whatever modes the job left */
};
void init_step(const struct init_env *, const struct init_step *)
    __attribute__((noreturn));

/*
 * A snapshot of the job that is in the pid namespace ns: warren-hand among its
 * processes, which stand still then. We stay outside as its parent, since what
 * is in there ends with the job, and leave its end as ours.
 */
struct init_snapshot {
	uint8_t what; /* SNAPSHOT_MEMORY ... */
	uint64_t bytes;
	int ns, hand, in, out, report;
};
void init_snapshot(const struct init_env *, const struct init_snapshot *)
    __attribute__((noreturn));

/* For both: ids and death with jail, as everything in a slot begins. */
void init_take_ids(const struct init_env *, int report);
/*
 * Of a shape: where things lie in its image (places: PLACES_ALL), and what its
 * root is made of. hex: 65 bytes that stay. Ends the process where that fails.
 */
struct root_plan;
void init_root(const struct shape *, int report, const struct plan_args *,
    char *hex, struct place *places, struct root_plan *);
/* Build the root of a shape, and end; told is written the namespace to. */
struct init_member {
	struct shape shape;
	const uint8_t *targets; /* of volumes to come (plan_targets_parse) */
	uint32_t targets_len;
	uint32_t serial;
	int report, told;
};
void init_member(const struct init_env *, const struct init_member *)
    __attribute__((noreturn));
void init_fail(int report, const char *code, const char *what, int err)
    __attribute__((noreturn));

/*
 * What every job and step needs, for nobody: an empty root, then hand in it,
 * which has nothing to do. REPORT_HAND when all went well; REPORT_FAIL says
 * what did not, and its code is errno.
 */
struct init_trial {
	int hand, report;
};
void init_trial(const struct init_env *, const struct init_trial *)
    __attribute__((noreturn));

/* Where a slot's ro volume lies in the base; out has 40 bytes. */
#define STAGE_PATH_MAX 40
void stage_path(char *out, uint32_t slot, unsigned volume);

#endif
