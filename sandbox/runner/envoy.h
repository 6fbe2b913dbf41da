/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_RUNNER_ENVOY_H
#define WARREN_SANDBOX_RUNNER_ENVOY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/runner.h"
#include "common/wire.h"
#include "sandbox/runner/docker.h"
#include "sandbox/runner/inner.h"

/*
 * Who speaks to Docker's daemon, which whoever speaks to it can make do anything
 * as root: a process beside jail, and no process of a slot, nor node, ever has a
 * connection to that daemon. It makes a container by a fixed text (docker.h),
 * waits at a socket of that container's own for warren-inner to come, and hands
 * this connection to the job's first process; when that one is gone it removes
 * the container.
 *
 * It has a line to each slot: whose container is asked for is seen from where
 * the question comes, and which job the slot has is jail's word, so nothing that
 * is said in a slot can concern another's. A line that says what no job does is
 * cut, and its slot takes no further job.
 *
 * A child of its own for each container: a daemon that is slow or silent holds
 * up nobody else.
 */
#define ENVOY_UID 13	     /* + base: ARCHITECTURE.md 12.5 */
#define ENVOY_ANSWER_MS 30000 /* ours: of the daemon, to one request */
#define ENVOY_COMES_MS 60000  /* ... of warren-inner, until it is there */
#define ENVOY_REMOVE_MS 60000 /* ... until it is given up to remove one */
#define ENVOY_ALONE_MS 3000   /* ... when the node itself has ended */

/* The parent's words to it, in a memfd: of what, where, and of which node. */
#define ENVOY_PATH 256
struct envoy_place {
	char socket[ENVOY_PATH]; /* the daemon's, absolute */
	char meet[ENVOY_PATH];	  /* folder for sockets of ours, absolute */
	char node[DOCKER_NODE];
};
/* Three lines. false: no room, or malformed. */
bool envoy_place_write(char *out, size_t cap, const struct envoy_place *);
bool envoy_place_read(struct envoy_place *, const char *text, size_t n);

/*
 * What a job's first process asks by its slot's line, with one end of a socket
 * pair that it has made itself, for the answer.
 */
struct envoy_ask {
	/* a container for nobody, before any job; makes the daemon ready first */
	bool trial;
	bool grouped; /* in a v2 group, whose cgroup.procs is wanted */
};
#define ENVOY_ASK 2
void envoy_ask_write(uint8_t out[ENVOY_ASK], const struct envoy_ask *);
bool envoy_ask_read(struct envoy_ask *, const uint8_t *, size_t n);

/*
 * The answer: the connection to warren-inner, then the group's cgroup.procs if
 * it was wanted; or why not.
 */
struct envoy_answer {
	bool ok;
	uint16_t version[RUNNER_PARTS]; /* of a trial */
	uint64_t ns[INNER_NS];		/* the machine's own */
	char why[DOCKER_WHY];
};
#define ENVOY_ANSWER_MAX 512
size_t envoy_answer_write(uint8_t out[ENVOY_ANSWER_MAX],
    const struct envoy_answer *);
bool envoy_answer_read(struct envoy_answer *, const uint8_t *, size_t n);

struct envoy_setup {
	int place; /* memfd of a struct envoy_place */
	int inner; /* memfd of warren-inner */
	int jobs;  /* v2 directory jobs/, or -1 */
	uint32_t slots, base;
};
/*
 * As root: start it, with a line for each slot, number 1 first; ends the program
 * where that fails. Descriptors stay the caller's. One that falls is started
 * again; it ends when nobody is left that could ask.
 */
void envoy_start(const struct envoy_setup *, int lines[]);
/* In jail: what the slot's line means from here on; no more jobs come. */
void envoy_begins(uint32_t slot, const struct id32 *job);
/* Containers that it asked for until here go, whoever keeps them. */
void envoy_ends(uint32_t slot);
void envoy_over(void);

/* errand.h: one container, in a process of its own. */
struct envoy {
	struct envoy_place place;
	struct envoy_setup setup;
	pid_t keeper; /* who starts the one that forks errands again */
};

#endif
