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
 * as root: a process beside jail, that takes nothing of a job but which slot it
 * is in, and no process of a slot, nor node, ever has a connection to that
 * daemon. It makes a container by a fixed text (docker.h), waits at a socket of
 * that container's own for warren-inner to come, and hands this connection to
 * the job's first process; when that one is gone it removes the container.
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
 * What a job's first process asks, with one end of a socket pair that it has
 * made itself: its answer's, and the proof of its slot.
 */
struct envoy_ask {
	bool trial; /* a container for nobody; the daemon is made ready first */
	bool grouped; /* in a v2 group, whose cgroup.procs is wanted */
	uint32_t slot;
	struct id32 job;
};
#define ENVOY_ASK 38
void envoy_ask_write(uint8_t out[ENVOY_ASK], const struct envoy_ask *);
bool envoy_ask_read(struct envoy_ask *, const uint8_t *, size_t n,
    uint32_t slots);

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
 * As root: start it. The socket where it is asked, for slots; ends the program
 * where that fails. Descriptors stay the caller's. One that falls is started
 * again; it ends when nobody is left that could ask.
 */
int envoy_start(const struct envoy_setup *);

/* envoy_errand.c: one container, in a process of its own. */
struct envoy {
	struct envoy_place place;
	struct envoy_setup setup;
	pid_t keeper; /* who starts the one that forks errands again */
};
void envoy_errand(const struct envoy *, const struct envoy_ask *, int reply)
    __attribute__((noreturn));

#endif
