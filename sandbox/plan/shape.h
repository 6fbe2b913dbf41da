/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PLAN_SHAPE_H
#define WARREN_SANDBOX_PLAN_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/plan/plan.h"

/*
 * All that a job's root is made of before there is the job: what a root can be
 * prepared from (sandbox/jail/member.h), with the targets of its volumes, which
 * are folders there until the volumes themselves are attached. Whoever builds a
 * root reads these and not the plan, so that two plans of one shape have one
 * root. Pure.
 */
struct shape {
	struct id32 image; /* of a module: zeros, its root is empty */
	bool wasm, read_only, noexec;
	uint64_t tmp_bytes; /* as they are mounted, never 0 */
	uint32_t tmp_inodes;
};
void shape_of(struct shape *, const struct plan *);
bool shape_eq(const struct shape *, const struct shape *);

/*
 * Is the root of this plan complete without the job, but for what is attached
 * to it? One that can be written to is not: what is written has a place that is
 * made for the job, and an overlay takes that when it is mounted.
 */
bool shape_alone(const struct plan *);

#endif
