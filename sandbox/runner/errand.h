/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_RUNNER_ERRAND_H
#define WARREN_SANDBOX_RUNNER_ERRAND_H

#include <stdatomic.h>

#include "sandbox/runner/envoy.h"

/*
 * What the envoy has its children do with the daemon (errand.c), and what
 * is asked of it (errand_ask.c) for its image (errand_image.c).
 */
#define ERRAND_CONTENT (1u << 18) /* ours: of an answer; 64 containers: 60 KB */
#define ERRAND_AGAIN_MS 200	  /* ours: until it is asked to remove again */
#define ERRAND_LOOK_MS 1000	  /* ours: is its job still there? */

/* For which slot; its job is jail's word. */
struct errand_of {
	struct envoy_ask ask;
	uint32_t slot;
	struct id32 job;
	const atomic_uint *turn; /* jail's: not as it was, that job is over */
	unsigned was;
};

/* What is asked, and the daemon's last answer. */
struct errand_talk {
	const struct envoy *k;
	int until;	    /* given up when the other end of this is gone; -1 */
	uint32_t answer_ms; /* of one request */
	char head[DOCKER_TEXT];
	char content[ERRAND_CONTENT];
	unsigned status;
	int err; /* of talk(), when there is no answer */
	bool asked; /* it may have heard of that all the same */
	char why[DOCKER_WHY];
};

/* n: of t->head, 0 does not fit. false: no answer, and why. */
bool errand_ask(struct errand_talk *, size_t n, const void *body, size_t nbody);
/* Was it done? false: why, beginning with what. */
bool errand_done(struct errand_talk *, const char *what);

/* The image that holds warren-inner, of this node's name. */
bool errand_image_put(struct errand_talk *);
/* Before a trial: the one before, and those of nodes that are gone. */
bool errand_image_sweep(struct errand_talk *);
/* As the last thing of all: the image, when its containers are gone. */
void farewell(const struct envoy *);

/* One container, until its job has ended. */
void errand(const struct envoy *, const struct errand_of *, int reply)
    __attribute__((noreturn));

#endif
