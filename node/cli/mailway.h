/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_MAILWAY_H
#define WARREN_NODE_CLI_MAILWAY_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include <jansson.h>

#include "node/cli/person.h"
#include "transport/lxmf/post.h"

/*
 * How far a job is that goes by letter (--via-lxmf), where it is and what was
 * tried: written by the command that sends it or waits for its answer, at each
 * change, into letters/ID.way beside the person's keys; read by `explain`,
 * while that runs and afterwards.
 */
enum mailway_step {
	MAILWAY_SEEKS,	/* a path, or a link */
	MAILWAY_STAMPS,
	MAILWAY_SENDS,
	MAILWAY_WAITS,	/* until `next` */
	MAILWAY_HANDED, /* over; nobody waits for an answer here */
	MAILWAY_ASKS,	/* for its answer */
	MAILWAY_GIVEN_UP, /* `why`; the message may have arrived all the same */
	MAILWAY_STEPS
};

#define MAILWAY_WHY 160

struct mailway_tried {
	unsigned failed;
	char why[MAILWAY_WHY]; /* the last time */
};

struct mailway {
	enum mailway_step step;
	bool by_node; /* through via[to], else to its node itself */
	unsigned to, nvia;
	struct hash16 via[POST_NODES];
	int64_t since, at; /* unix seconds: begun; what is here was so */
	int64_t next;	   /* it is tried again, or asked for; 0: not said */
	char why[MAILWAY_WHY];
	struct mailway_tried direct, tried[POST_NODES];
	unsigned looks; /* for its answer */
	int64_t looked; /* the last of them ended; 0: none did */
};

/* w, which has its propagation nodes, goes on where an earlier command was. */
void mailway_resume(struct mailway *w, const struct mailway *old);
/* What the machine says of it now; begun: what was tried before it began. */
void mailway_from(struct mailway *, const struct mailway *begun,
    const struct post_where *, struct mono now, int64_t unix_now);
/* Best effort: a hint for another command. */
void mailway_put(const struct person *, const struct id32 *job,
    const struct mailway *);
/*
 * False: there is none, or it is damaged. It is gone when the answer is here or
 * the end of its job is known (person_letter_over()).
 */
bool mailway_get(const struct person *, const struct id32 *job,
    struct mailway *);
/* As kept. NULL: no memory. */
json_t *mailway_json(const struct mailway *);
/* Lines for people; dest: of its node. */
void mailway_print(const struct mailway *, const struct id32 *job,
    const struct hash16 *dest);

#endif
