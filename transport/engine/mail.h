/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_MAIL_H
#define WARREN_TRANSPORT_ENGINE_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

#include "common/ipc.h"
#include "transport/lxmf/post.h"

struct engine;
struct mailroom;

/*
 * The lxmf.delivery of the node's identity (docs/spec/lxmf.md), with `lxmf` of
 * node.yaml: messages go to node whole, and what node answers goes out as
 * messages that are signed here. The machine is transport/lxmf/post.h; here it
 * gets the core's events, time, and the loop's idle time for stamps.
 */

/* text: lxmfset.h; NULL: out of memory, or the text does not read. */
struct mailroom *mailroom_new(struct engine *, const char *text, size_t len);
void mailroom_free(struct mailroom *); /* NULL is fine */
/* A changed node.yaml; an empty text: off. */
void mailroom_set(struct engine *, const char *text, size_t len);

/* Node is there, or another one: it says anew what is to go out. */
void mailroom_node(struct mailroom *);
void mailroom_taken(struct engine *, const struct msg_N_MAIL_TAKEN *);
void mailroom_send(struct engine *, const struct msg_N_MAIL *,
    struct ipc_in *);
/* true: the event was about it alone. */
bool mailroom_event(struct mailroom *, const struct rns_event *);
/* At the end of each turn of the loop. */
void mailroom_turn(struct mailroom *);

struct mailroom_counts {
	struct post_counts post;
	struct hash16 address;
	unsigned nnodes;
	struct hash16 nodes[POST_NODES];
	uint64_t looks; /* that have ended */
	int64_t looked_s; /* ago; -1: never */
	enum post_look look; /* how that ended */
	uint64_t lost; /* that node could not be handed */
};
void mailroom_counts(const struct mailroom *, struct mailroom_counts *);

#endif
