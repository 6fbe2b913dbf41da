/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_WASM_VOLUMES_H
#define WARREN_SANDBOX_WASM_VOLUMES_H

#include <sys/types.h>

#include "sandbox/plan/plan.h"
#include "sandbox/wasm/memfs.h"
#include "sandbox/wasm/run.h"

/*
 * The volumes of a module whose files are emulated (compute.md 4.1): the
 * folders that jail has bound are packed into trees before its first
 * instruction. After it a process that has never seen the module, and reads
 * nothing but archives in the strict form of compute.md 2.2, empties the
 * folders that were written and unpacks the trees there: whoever takes over
 * the runner meanwhile holds no folder and may open none.
 */
struct volumes {
	struct memfs *fs[PLAN_VOLUMES_ALL];
	int archive[PLAN_VOLUMES_ALL]; /* file of a writable one; -1 */
	uint32_t n;
	int keeper; /* socket; -1: nothing is written */
};

/* Before the last filter. false: why says it. */
bool volumes_load(struct volumes *, const struct run *,
    char why[ENGINE_WHY]);
/* What the module has left, whichever way it ended. false: why. */
bool volumes_save(struct volumes *, char why[ENGINE_WHY]);

#endif
