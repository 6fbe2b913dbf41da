/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PLAN_COMPILE_H
#define WARREN_SANDBOX_PLAN_COMPILE_H

#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/config/profile.h"
#include "sandbox/plan/record.h"
#include "sandbox/plan/plan.h"
#include "trust/doc/contract.h"
#include "trust/doc/manifest.h"

/*
 * Container profile and manifest, under limits that admission has granted, to
 * the plan that jail gets. Pure.
 */
struct compile_in {
	const struct manifest *m;
	const struct profile *profile;  /* NULL: none */
	const uint64_t *granted;        /* LIMIT_COUNT; 0: of the disk alone */
	const struct id32 *image;           /* digest, 32 bytes */
	const struct image_record *rec; /* of that image; empty: of a module */
	/* of a module: enum wasm_flag, and bytes of it or of its code */
	uint8_t wasm;
	uint64_t module;
	uint32_t slot;
	uint32_t required;   /* layers of node.yaml */
	uint32_t filter_len; /* instructions of the seccomp program */
	const struct contract *contract; /* in force; NULL: none */
};

struct compiled {
	struct plan plan;
	uint8_t *args; /* for a sealed memfd, plan.args_len bytes; free() */
};

/*
 * NULL: good; else the code of compute.md 4 ("image", "volume", "manifest",
 * "internal") and *why. Job volumes come first, in the manifest's order, then
 * those of the profile whose target does not collide with one of them. The
 * environment is the image's, then the manifest's in its place, and a PATH.
 */
const char *plan_compile(struct compiled *, const struct compile_in *,
    const char **why);

/*
 * The targets of that plan, in its order, which is all that an image can be at
 * odds with. out has PLAN_VOLUMES_ALL; how many.
 */
uint32_t plan_targets(const char **out, const struct manifest *,
    const struct profile *);

#endif
