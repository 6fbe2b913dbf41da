/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_COMMAND_H
#define WARREN_SANDBOX_BASE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/base/basefilter.h"
#include "sandbox/base/landlock.h"
#include "sandbox/base/places.h"
#include "sandbox/plan/lsm.h"
#include "sandbox/plan/plan.h"

/*
 * A job's command, in the root that is its: what a process of ours gives up
 * before it becomes one of a stranger. The same in jail's own container and in
 * that of another program (sandbox/runner/).
 */
#define COMMAND_PATHS (1 + PLACES_ALL + PLAN_RULES_MAX + 1)

struct command {
	const struct plan *plan;
	const struct plan_args *args;
	int out, err;         /* become 1 and 2 */
	int code, words;      /* of a module, for its runner; else not looked at */
	bool root;            /* the house was started by root */
	uint64_t file_max;    /* of the host, for all slots */
	uint32_t slots;
	bool no_memory_group; /* then RLIMIT_DATA stands in, as an rlimit */
	int landlock_abi;     /* 0: none */
	const struct filter *job, *seal;
	struct filter own;    /* of the plan */
	/* what the kernel's policy is to know it by; NULL: nothing */
	enum lsm_kind lsm;
	const char *label, *proc; /* ... and where /proc is */
	struct landlock_path paths[COMMAND_PATHS];
	unsigned npaths;
	/* shared with the child until it has become the command */
	volatile const char *failed; /* what could not be done */
#define COMMAND_LABEL "label"
	volatile int error;
	volatile bool unstarted; /* there was nothing to become */
};

/* What it may do where: plan, args and the places found of them. */
void command_paths(struct command *, const struct place *);
/*
 * In a child that shares our memory (vfork): becomes the command, or ends
 * with failed and error set. What the command itself lacks is said on its
 * standard error, and its exit code is a shell's.
 */
void command_run(struct command *) __attribute__((noreturn));

#endif
