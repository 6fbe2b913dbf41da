/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_CELL_ASK_H
#define WARREN_SANDBOX_JAIL_CELL_ASK_H

#include <signal.h>

#include "sandbox/jail/cell.h"

/* Questions about a cell, which change little of it. */

/* What was asked for last may run, as far as is known. */
bool cell_may_run(const struct cell *);
/* In it is the job itself, or what is needed for its start. */
bool cell_of_job(const struct cell *);
/* Why a step came to nothing, when it could not say so itself. */
const char *cell_step_end(const struct cell *, const siginfo_t *);
/* So many milliseconds from now. */
struct mono cell_after_ms(uint64_t ms);
/* Its clock goes on where it stood. */
void cell_thaw(struct cell *);
/*
 * Has its command started without the kernel's policy, though plan or node want
 * it? Then why it failed is set, and it is to be killed.
 */
bool cell_lost_policy(const struct jail *, struct cell *);
/*
 * A job runs whose slot's process fell between making it and giving us its
 * descriptor: nothing but our own end ends it. At once when no other job runs,
 * else when somebody wants its end, or its time is over.
 */
void cell_orphan(const struct jail *, const struct cell *, bool must);

#endif
