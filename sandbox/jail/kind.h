/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_KIND_H
#define WARREN_SANDBOX_JAIL_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/program.h"
#include "common/runner.h"
#include "sandbox/jail/init.h"

#define KIND_TRIAL_MS 10000 /* ours: of what asks no daemon */

/*
 * What contains the jobs of a program that speaks the J_ messages: jail by
 * itself (native.c), or another program in its slots (sandbox/runner/). Slots,
 * groups, volumes, steps, clocks and ends are jail's in both; what differs is
 * what becomes of pid 1 of a job's namespaces.
 */
struct jail_kind {
	/*
	 * named descriptors beyond jail's (jail.h); jobs: that of v2, or -1.
	 * NULL: none
	 */
	void (*take)(struct jail_kind *, struct process *, int jobs);
	void (*job)(const struct init_env *, const struct init_job *)
	    __attribute__((noreturn));
	/* A sandbox for nobody: REPORT_HAND or REPORT_TOOL, or REPORT_FAIL. */
	void (*trial)(const struct init_env *, const struct init_trial *)
	    __attribute__((noreturn));
	int keep[2];      /* what take() took, for the slots; -1 */
	/*
	 * Of a daemon (runner/envoy.h); NULL: none. In jail: before a slot's
	 * process is made, which gets keep[] as it is then; before anything of a
	 * job is there; before an end in order.
	 */
	void (*slot)(struct jail_kind *, uint32_t number);
	void (*begins)(uint32_t slot, const struct id32 *job);
	void (*ends)(uint32_t slot); /* ... and when nothing of it is left */
	void (*over)(void);
	bool warm;        /* a slot prepares its next job's root (member.h) */
	/* a job's other processes are no children of the slot's: they end soon
	 * behind pid 1 (cell_linger.h), and what they would inherit is not
	 * theirs */
	bool afar;
	uint32_t apart;   /* ... which layers that is */
	bool tools;       /* the machine's programs are in the base */
	uint32_t userns;  /* user namespaces inside a slot's */
	uint32_t pids;    /* of its own processes, beside a job's */
	uint64_t memory;
	uint64_t start_ms; /* until it must have started a job; 0: no such bound */
	uint64_t trial_ms; /* until its trial must have an end */
	uint8_t number;   /* enum runner */
	/* found by the trial: what it gives, what the tool says it is */
	uint32_t layers;
	uint16_t version[RUNNER_PARTS];
};

/* main() of both; does not return. */
int jail_main(struct jail_kind *, int argc, char *argv[]);

#endif
