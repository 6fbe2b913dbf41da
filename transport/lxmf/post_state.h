/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_LXMF_POST_STATE_H
#define WARREN_TRANSPORT_LXMF_POST_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/util.h"
#include "transport/lxmf/lxmf_node.h"
#include "transport/lxmf/post.h"

/*
 * What the files of the machine share. Lowest first:
 *
 *   post_state.c  letters and how they end
 *   post_in.c     what comes: packets, links, what was fetched
 *   post_node.c   the propagation node: storing, looking
 *   post_out.c    to the destination itself
 *   post.c        the contract
 */
#define POST_LINKS 32	/* ours: links of others at once */
#define POST_PENDING 64 /* ours: handed out, and no word of them yet */
#define POST_WANTED 16	/* ours: messages of one fetch */
#define POST_PATH_US (15 * MONO_SECOND) /* ours: a path is waited for */
/*
 * ours: ... to a destination for which the node can be asked, as long as stock
 * programs do; and a mesh that had no answer is not asked again so soon, but an
 * announce is heard: each question goes over all of it
 */
#define POST_SEARCH_US (7 * MONO_SECOND)
#define POST_SEARCH_AGAIN_US (10 * 60 * MONO_SECOND)
#define POST_LINK_US (60 * MONO_SECOND) /* ours: a link, and what it bears */
#define POST_AGAIN_US (10 * MONO_SECOND) /* ours: then twice as long, ... */
#define POST_AGAIN_MAX (10 * 60 * MONO_SECOND) /* ... but not longer */
#define POST_PACKET_MAX 431 /* stock programs take more as a resource */
#define POST_DIRECT_TRIES 2 /* ours: then the node is asked */

enum out_step {
	OUT_WAIT,  /* until `at` */
	OUT_PATH,  /* a path was asked for; until `at` */
	OUT_STAMP, /* of the message, for its destination */
	OUT_LINK,  /* opening one; until `at` */
	OUT_SENT,  /* a proof is awaited; until `at` */
	OUT_NODE,  /* for the node, which is not ready */
	OUT_NODE_STAMP,
	OUT_NODE_READY, /* sealed and stamped */
	OUT_NODE_SENT,	/* until `at` */
};

struct out {
	TAILQ_ENTRY(out) entry;
	uint64_t tag; /* the caller's */
	uint8_t *packed, *sealed;
	size_t len, sealed_len, cap; /* cap: of packed */
	struct hash16 dest;
	bool has_pub;
	uint8_t pub[RNS_KEY];
	enum post_way way;
	struct mono until, at;
	struct mono search_at; /* no path is asked for before */
	enum out_step step;
	unsigned tries, direct_tries;
	const char *why; /* of the last failure */
	struct post_tried direct;
	uint64_t cmd;	 /* tag of what runs */
	uint64_t proof;	 /* of the packet whose proof counts whenever it comes */
	/*
	 * late: the proof of a packet on its link was, which has six round
	 * trips; a resource has time.
	 */
	bool has_link, resource, late;
	struct hash16 link;
	unsigned sealed_cost; /* of its stamp, bits */
	struct stamp_search search;
	uint8_t wire_stamp[STAMP_LEN];
	uint8_t *wire; /* what goes to the node: must stay until SENT */
	size_t wire_len;
};
TAILQ_HEAD(outs, out);

enum node_step {
	NODE_IDLE,
	NODE_PATH, /* until `at` */
	NODE_LINK, /* until `at` */
	NODE_UP,
};

enum look_step {
	LOOK_NONE,
	LOOK_WANTED,
	LOOK_LIST,
	LOOK_GET,
	LOOK_WORD, /* the caller's, of what it got; until `at` */
	LOOK_DELETE,
};

struct pending {
	uint64_t handle; /* 0: free */
	enum post_by by;
	bool provable;
	struct hash16 dest; /* or link */
	struct id32 hash;   /* packet, or transient */
	bool word, kept;
};

struct incoming { /* a resource */
	bool used;
	struct hash16 link;
	struct id32 hash;
	uint8_t *buf;
	size_t len, size;
};

struct post {
	struct post_conf conf;
	struct post_io io;
	struct hash16 address;
	uint8_t pub[RNS_KEY];
	uint64_t next_tag, next_handle;
	struct outs outs;
	struct post_counts counts;
	/* the node */
	enum node_step node;
	struct mono node_at, node_again; /* not before */
	unsigned node_tries;
	unsigned in_use;   /* of conf.nodes */
	unsigned lost_row; /* nodes that could not be had, one after the other */
	struct post_tried tried[POST_NODES];
	uint64_t node_tag;
	bool node_has_link;
	struct hash16 node_link;
	uint32_t node_mdu;
	enum look_step look;
	unsigned look_node, look_nodes; /* which one now; those that are over */
	enum post_look look_how;
	struct mono look_at;
	uint64_t look_tag;
	unsigned looked, identifies;
	bool look_more;
	/* what comes; private ratchets, newest first */
	uint8_t (*keys)[RNS_RATCHET];
	size_t nkeys;
	struct hash16 links[POST_LINKS];
	unsigned nlinks;
	struct pending pending[POST_PENDING];
	struct incoming incoming[POST_INCOMING];
};

uint64_t post_tag(struct post *);
int post_do(struct post *, const struct rns_cmd *);
void post_path_request(struct post *, const struct hash16 *dest);
void post_link_close(struct post *, const struct hash16 *link);

/* The letter is over: told, and gone. */
void out_end(struct post *, struct out *, enum post_end, const char *why);
/* What runs for it ends; it is tried again later, or its time is over. */
void out_again(struct post *, struct out *, const char *why, struct mono now);
/* Whether n bytes go over a link of that MDU as a resource. */
bool out_by_resource(const struct out *, size_t n, uint32_t mdu);
/* Its link, if it has one of its own, is closed. */
void out_hang_up(struct post *, struct out *);

/* ---- post_in.c ---- */

/* One whole message; false: it is none, or there is no room. */
bool in_message(struct post *, const uint8_t *packed, size_t n,
    const struct pending *of);
bool in_event(struct post *, const struct rns_event *);
void in_taken(struct post *, struct pending *);
void in_free(struct post *);
struct pending *in_find(struct post *, uint64_t handle);

/* ---- post_node.c ---- */

/* A letter is for the node from here on. */
void node_take(struct post *, struct out *, struct mono now);
bool node_event(struct post *, const struct rns_event *, struct mono now);
void node_tick(struct post *, struct mono now);
/* A stamp of step OUT_NODE_STAMP was found. */
void node_stamped(struct post *, struct out *, struct mono now);
/* All that was fetched has the caller's word. */
void node_word(struct post *, struct mono now);
struct mono node_deadline(const struct post *);
void node_hang_up(struct post *);

/* ---- post_out.c ---- */

void out_begin(struct post *, struct out *, struct mono now);
bool out_event(struct post *, const struct rns_event *, struct mono now);
void out_stamped(struct post *, struct out *, struct mono now);
void out_tick(struct post *, struct out *, struct mono now);

#endif
