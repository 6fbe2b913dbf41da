/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_BRIDGE_INT_H
#define WARREN_TRANSPORT_ENGINE_BRIDGE_INT_H

#include "transport/engine/bridge.h"
#include "transport/engine/engine.h"

/* Inside of the bridge: bridge.c has the links and requests, follow.c streams. */
#define BRIDGE_STREAMS 2  /* stdout 1, stderr 2 (compute.md 3.5) */
#define BRIDGE_REPLIES 16 /* ours: answers on their way on one link */
#define BRIDGE_REPLY_MAX (16u << 20) /* ours: bytes of an answer */
#define FOLLOW_BUF 8192   /* ours: between the pipe and the channel */

struct follow {
	struct bridge_link *l;
	int fd; /* -1: none */
	uint16_t stream;
	bool eof;     /* of the pipe */
	bool waiting; /* the channel's window is full */
	ev_io rd;
	uint8_t *buf;
	size_t from, to;
};

/* An answer that became a resource: librns reads its bytes until SENT. */
struct reply {
	TAILQ_ENTRY(reply) entry;
	uint64_t tag;
	uint8_t *copy;       /* of malloc, or NULL */
	const uint8_t *map;  /* of memfd_map, or NULL */
	size_t len;
};
TAILQ_HEAD(reply_list, reply);

/* A link to klp.node. */
struct bridge_link {
	RB_ENTRY(bridge_link) node;
	struct bridge *b;
	uint8_t id[RNS_HASH];
	bool identified;
	uint8_t identity[RNS_KEY], identity_hash[RNS_HASH];
	struct follow follow[BRIDGE_STREAMS];
	struct reply_list replies;
	unsigned nreplies;
};
RB_HEAD(bridge_link_tree, bridge_link);

struct bridge {
	struct engine *e;
	uint8_t dest[RNS_HASH];
	struct bridge_link_tree links;
	unsigned nlinks;
	bool announced; /* node asked for it: there is something to say */
	ev_timer late;  /* announces on interfaces that came up since */
	uint64_t next_tag;
	uint64_t requests;
	uint64_t dropped; /* requests that node could not be given */
};

/* NULL: node is not there. */
struct ipc *bridge_node(const struct bridge *);
struct bridge_link *bridge_find(struct bridge *, const uint8_t id[RNS_HASH]);

/* ---- follow.c ---- */

void follow_init(struct bridge_link *);
/* N_FOLLOW; takes fd. */
void follow_start(struct bridge_link *, uint16_t stream, int fd);
/* CHANNEL_READY */
void follow_ready(struct bridge_link *);
void follow_stop_all(struct bridge_link *);

#endif
