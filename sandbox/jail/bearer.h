/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_BEARER_H
#define WARREN_SANDBOX_JAIL_BEARER_H

#include <stdbool.h>
#include <sys/types.h>

#include "sandbox/jail/init.h"

/*
 * How a slot's children come to be. v2 clones a child into the job's group; on
 * v1 a child is where its maker is, and who joins may wait a grace period of
 * the kernel's (slot.c, enter_groups()). So a bearer joins the job's v1 groups before the job
 * comes, makes what is charged to the job, and ends with its start. The slot's
 * own process is never in a group that a job fills.
 */
struct order {
	bool is_job; /* else a step */
	struct init_job job;
	struct init_step step;
	int trees[PLAN_VOLUMES_ALL]; /* of a job */
	int group; /* v2 directory, -1: none */
};

struct bearer {
	const struct init_env *env;
	int sock; /* -1: there is none */
};

/* What a child must not have: closed in it before it reads anything. */
struct estate {
	int ctl, step_group;
	int dirs[3];                  /* the job's v1 groups */
	int procs[3], usage, reclaim; /* ... opened as root */
};

/*
 * As clone3: 0 in the child, which has the job's rank when memory runs out and
 * nothing of the estate; it is jail's child. -1 with errno.
 */
pid_t birth(const struct estate *, int group, int *pidfd);
/* In the child; does not return. */
void order_run(const struct init_env *, const struct order *)
    __attribute__((noreturn));

/* Make one. Its pidfd, for jail to reap; -1 with errno. */
int bearer_start(struct bearer *, const struct estate *);
/* Have it carry out the order: 0 and the child's *pidfd, or -1 with errno. */
int bearer_ask(struct bearer *, const struct order *, int *pidfd);
/* It ends; nothing happens when there is none. */
void bearer_end(struct bearer *);

#endif
