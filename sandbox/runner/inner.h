/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_RUNNER_INNER_H
#define WARREN_SANDBOX_RUNNER_INNER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/runner.h"
#include "common/wire.h"
#include "sandbox/base/places.h"
#include "sandbox/plan/lsm.h"
#include "sandbox/plan/plan.h"

/*
 * warren-inner: the first process of a container that another program has
 * built. It looks at what it is in, adds what every job gets (rlimits, no
 * capability, no_new_privs, Landlock, filters), starts the command and reaps;
 * a job that it finds less contained than asked for is not started.
 *
 * Its descriptors, all of pid 1 of the job's namespaces:
 */
enum inner_fd {
	INNER_SELF = 3, /* the sealed memfd that is executed */
	INNER_MSG = 4,	/* struct inner */
	INNER_ARGS = 5, /* plan_args */
	INNER_FILTER = 6, /* of the plan */
	INNER_BASE = 7, /* job filter, the seal, what a slot has */
	INNER_OUT = 8,
	INNER_ERR = 9,
	INNER_REPORT = 10,
};
#define INNER_MAX (1u << 15)

/* The namespaces that must not be ours any more: user, pid, mnt, ... */
#define INNER_NS 6
extern const char *const inner_ns_names[INNER_NS];

struct inner {
	bool trial; /* of nobody: say what is there, and end */
	bool stub; /* the root is the tool's (stub.h) */
	bool proc; /* /proc is, and shows the machine's files */
	bool root, no_memory_group, grouped;
	uint8_t landlock_abi;
	uint16_t version[RUNNER_PARTS]; /* of the tool, for the trial's word */
	uint32_t slots, required;
	uint64_t file_max;
	/* the kernel's policy that a command is put under; LSM_NONE, "": none */
	uint8_t lsm; /* enum lsm_kind */
	char label[LSM_LABEL_MAX];
	uint64_t ns[INNER_NS]; /* inodes of pid 1's */
	/* ... of the machine, where that is who makes the container; else 0 */
	uint64_t outer[INNER_NS];
	/* instructions in INNER_BASE; nnever: 0 where it is inherited */
	uint32_t njob, nseal, nnever;
	struct plan plan;
	uint32_t nplaces;
	struct place places[PLACES_ALL];
};
void inner_encode(struct wr *, const struct inner *);
/* false: malformed. */
bool inner_decode(struct rd, struct inner *);

/*
 * The layers that are there, of what was found: whose bits are asked of the
 * container, and those that warren-inner gives itself. Pure.
 */
struct inner_seen {
	uint64_t ns[INNER_NS];
	bool read_only; /* the root */
	bool time, core; /* made by warren-inner (arrive.h) */
	bool label; /* of a trial: a command could have it */
};
uint32_t inner_layers(const struct inner *, const struct inner_seen *);

#endif
