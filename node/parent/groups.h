/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_GROUPS_H
#define WARREN_NODE_PARENT_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cgdetect.h"
#include "node/parent/iolimit.h"

/* Control groups: made, limited, joined, removed. */
struct parent;

enum group { GROUP_RELAY, GROUP_HOUSE, GROUP_DOG, GROUP_JOBS, GROUP_COUNT };
#define GROUP_HIERARCHIES (1 + CG_CONTROLLERS) /* v2, then v1 each */

/* Descriptors are open until groups_remove(). */
struct groups {
	struct cg_place place;
	char name[24]; /* "warren-<8 hex>" */
	bool made; /* or tried to */
	bool on[GROUP_HIERARCHIES];
	int dir[GROUP_HIERARCHIES][GROUP_COUNT]; /* -1 */
	int top[GROUP_HIERARCHIES];		 /* warren-<8 hex> */
	uint32_t handed; /* controllers that the own group hands down for us */
	uint32_t v2_layers, v1_layers;		 /* bits of sandbox/plan/plan.h */
	bool devices; /* jobs/ has a filter of devices */
	struct iolimit io;
};
/*
 * Makes them in p->groups, also over what an earlier daemon left; says what is
 * missing and leaves those descriptors -1.
 */
void groups_make(struct parent *);
/*
 * The same where something runs beside the relay, jobs or a program of its
 * config, or lives since an earlier daemon, and there are none yet. A relay
 * alone has none: to enter one takes the kernel 10 ms and more, and nobody is
 * there to be held back.
 */
void groups_need(struct parent *);
/*
 * Moves the calling process into that group of each hierarchy. For the child
 * between fork and exec: no allocation, no log. false: it is not in all.
 */
bool groups_join(const struct groups *, enum group);
/* Sets what node.yaml says of them, again when it has changed. */
void groups_limits(struct parent *);
/*
 * What the jobs have used of cpu time and hold of memory (0: not known).
 * false: their cpu time is not counted here.
 */
bool groups_jobs_use(const struct groups *, uint64_t *cpu_us,
    uint64_t *memory);
/* Whatever a jail that ended has left. */
void groups_kill_jobs(const struct groups *);
/* At the end; what is not empty stays. */
void groups_remove(struct groups *);

#endif
