/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_SCRATCH_H
#define WARREN_NODE_CLI_SCRATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <rns/hash.h>

#include "common/ipc.h"
#include "node/host/cgroup.h"

/*
 * A jail of this command's own, beside the daemon or without one: this plays
 * its parent and its node, in a folder and in control groups that go with it.
 * Its one image has warren-probe as bin/probe.
 */
#define SCRATCH_MEMORY (64u << 20)
#define SCRATCH_PIDS 64
#define SCRATCH_OUTPUT (1u << 20)
#define SCRATCH_SAID 65536

struct scratch {
	pid_t pid;
	bool root;
	uint32_t base;
	char folder[64];
	struct id32 image;
	struct ipc *parent, *node;
	struct cgroup_dirs dirs;
	uint32_t cg_v2, cg_v1;  /* layers that groups of ours give */
	char group[40];         /* warren-doctor-PID */
	char places[4][600];    /* where it is; "" */
	struct msg_J_POSTURE posture;
	char why[300];          /* after a -1 */
};

/* 0, or -1 and why; stop in both cases. */
int scratch_start(struct scratch *);
void scratch_stop(struct scratch *);

struct scratch_end {
	bool started;
	char code[33], why[257]; /* when it was not */
	uint32_t layers;         /* that it had */
	uint8_t how;             /* enum exit_how */
	int32_t status;
	uint64_t oom_kills;
	char said[SCRATCH_SAID + 1]; /* standard output */
};
/* `probe WORD` as a job, to its end. 0, or -1 and why. */
int scratch_run(struct scratch *, const char *word, const char *const *env,
    struct scratch_end *);

#endif
