/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_DOCTOR_ROWS_H
#define WARREN_NODE_CLI_DOCTOR_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/layers.h"
#include "sandbox/probe/baits.h"

/* What the attacks of `warren doctor` say of each layer. Pure. */
enum doctor_state {
	DOCTOR_HOLDS,
	DOCTOR_MISSING, /* this machine, or this place, does not give it */
	/* the node has it, where this command was started there is none */
	DOCTOR_NODE_HAS,
	DOCTOR_OPEN,	/* it is there, and an attack got through it */
	DOCTOR_UNUSED,	/* not a layer of this version */
};

enum doctor_outcome { DOCTOR_HELD, DOCTOR_THROUGH, DOCTOR_NOTHING_HERE,
	DOCTOR_NOT_RUN };

struct doctor_layer {
	unsigned attacks, through, skipped;
	char names[200]; /* of those that got through */
};

struct doctor {
	uint32_t posture;  /* layers that jail got here, after its trial */
	uint32_t required; /* by node.yaml; a job needs them all */
	uint32_t node;     /* layers that the running node states */
	bool has_node;
	bool modules; /* the node runs WebAssembly */
	struct doctor_layer layer[LAYER_COUNT];
	unsigned attacks, through, skipped;
};

/*
 * One attack, under the first layer that stops it. said: exit code (enum of
 * warren-probe) or signal. An attack on what is missing here proves nothing,
 * and is counted for those of its layers that are there.
 */
enum doctor_outcome doctor_outcome(const struct probe_row *, bool by_signal,
    int status, uint64_t oom_kills);
void doctor_count(struct doctor *, const struct probe_row *,
    enum doctor_outcome);
enum doctor_state doctor_state(const struct doctor *, unsigned layer);
/* "holds", "missing", ... */
const char *doctor_state_name(enum doctor_state);
/* How to get a layer that is missing, "" when jail's own words say it. */
const char *doctor_remedy(unsigned layer);
/* Required layers that are missing, here and in the node. */
/* How to have modules run, where they are not; else "". */
const char *doctor_modules(const struct doctor *);
uint32_t doctor_lacking(const struct doctor *);

#endif
