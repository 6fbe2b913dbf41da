/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_PARK_H
#define WARREN_NODE_WORK_PARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/mono.h>

#include "node/work/asked.h"

/*
 * The requests that wait for another program, in the order in which their
 * time is over. They are in the list whole; nothing is copied.
 */
#define NODE_PARKED_MAX 256	      /* ours: of all links */
#define NODE_PARKED_LINK 8	      /* ours: of one */
#define NODE_PARKED_BYTES (16u << 20) /* ours: 63 of the largest */
#define NODE_ASK_S 20		      /* ours: then busy */

TAILQ_HEAD(parked_list, asked);

/*
 * The list takes it until the answer qid, which is not 0. false: one of the
 * bounds is reached, or the stage is not a later one (counted); it is still
 * the caller's.
 */
bool park_put(struct node *, struct asked *, enum asked_stage, uint64_t qid);

/*
 * The one that waits for this answer at this stage, the caller's again. NULL:
 * its link is closed, its time is over, or nobody asked.
 */
struct asked *park_take(struct node *, uint64_t qid, enum asked_stage);

/* One whose time is over, the caller's again; NULL: none until *next. */
struct asked *park_expired(struct node *, struct mono *next);

/* A link closes: what waits for it is freed, without an answer. */
void park_forget(struct node *, const struct caller *);

#endif
