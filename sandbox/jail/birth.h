/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_BIRTH_H
#define WARREN_SANDBOX_JAIL_BIRTH_H

#include <stdbool.h>
#include <sys/types.h>

#include "sandbox/jail/init.h"

/*
 * How a slot's children come to be. v2 clones a child into the job's group; on
 * v1 a child is where its maker is, and joins the job's groups itself before
 * it does anything else. So nobody but the job is ever in a group that it
 * fills.
 *
 * It joins by `tasks`: one thread that moves itself (Linux 5.5) takes no lock
 * on all forks of the machine, and waits no grace period for it, as a whole
 * process does (cgroup.procs); nor does who makes or removes a group behind it.
 */
struct order {
	bool is_job; /* else a step */
	bool charged; /* to the job, by all of its groups */
	struct init_job job;
	struct init_step step;
	int trees[PLAN_VOLUMES_ALL]; /* of a job */
	int group; /* v2 directory, -1: none */
};

/* What a child must not have: closed in it before it reads anything. */
struct estate {
	int ctl, step_group;
	int dirs[3];                  /* the job's v1 groups */
	/* ... opened as root; the last is of blkio, which all jobs share */
	int tasks[JOB_TASKS], usage, reclaim;
	int namespaces; /* where a job says in which pid namespace it is */
	int members;    /* where a root that is prepared comes */
	bool passes;    /* a job sends its tasks on (kind.h, afar) */
};

/* As clone3: 0 in the child, which is jail's. -1 with errno. */
pid_t birth(int group, int *pidfd);
/* The same in no pid namespace of its own: it will enter a job's. */
pid_t birth_beside(int group, int *pidfd);
/* The same in the slot's mounts: it will enter a root that is prepared. */
pid_t birth_within(int group, int *pidfd);
/*
 * The child's first steps: into the job's v1 groups if it is charged, the job's
 * rank when memory runs out, nothing of the estate. 0, or -1 with errno: it is
 * not in its groups.
 */
int born(const struct estate *, bool charged);
/*
 * Its v1 groups, n of them, are the next job's as well: nothing is in them, and
 * no more than the next one's limit makes room for. "", or why not.
 */
const char *estate_clean(const struct estate *, unsigned n);
/* No process of the job is left in its groups, v2's group or n of v1; waits. */
bool estate_quiet(const struct estate *, unsigned n, int group);
/* In the child; does not return. */
void order_run(const struct estate *, const struct init_env *,
    const struct order *) __attribute__((noreturn));

#endif
