/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_RUNNER_ENTER_H
#define WARREN_SANDBOX_RUNNER_ENTER_H

#include "sandbox/jail/kind.h"
#include "sandbox/runner/terms.h"

/*
 * Pid 1 of a job whose container another program builds. It has built the root
 * with jail's own hands, and starts the tool as root of a user namespace of its
 * own inside the slot's: what the slot's base and the job's root are mounted
 * from is locked to it. The tool is in the job's groups and in this pid
 * namespace: with us ends all that it has made, and its own process cannot be
 * stuck longer than the job's clock.
 */
struct enter_tool {
	const struct terms_tool *terms;
	int tool;  /* the program's file */
	int inner; /* the sealed memfd of warren-inner */
};
/* Once, before slots are made; must stay. */
void enter_with(const struct enter_tool *);
/* For struct jail_kind. */
void enter_job(const struct init_env *, const struct init_job *)
    __attribute__((noreturn));
void enter_trial(const struct init_env *, const struct init_trial *)
    __attribute__((noreturn));

#endif
