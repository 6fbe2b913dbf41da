/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_PEERS_H
#define WARREN_NODE_WORK_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/mono.h>

#include "common/ipc_msg.h"
#include "common/util.h"
#include "node/proto/proto.h"
#include "node/work/admit.h"
#include "node/work/quota.h"

struct node;

#define NODE_PEERS_MAX 1024
#define NODE_CALLERS_MAX 1024
#define NODE_OWNERS_MAX 4096 /* ours: whose budgets are remembered */
#define NODE_IDLE_CALLERS 64  /* compute.md 6 */
#define NODE_IDLE_S 60	    /* ... */

struct verdict {
	bool known;
	uint32_t gen; /* of node.verdict_gen when it came */
	enum verdict_status status;
	int level; /* pins of this node included */
	uint8_t fp[FP_LEN];
	uint8_t key_kind, key_len;
	bool bip340, live_needed;
	uint8_t key[33];
	uint32_t valid_until;
	char why[128];
};

struct peer {
	RB_ENTRY(peer) node;
	uint8_t rns_hash[16], rns_public[64];
	struct verdict v;
	uint64_t ask_qid;   /* a V_ASK that is out; 0 */
	bool has_sent;	    /* sent: the last b that trust has judged good */
	uint8_t sent[PROTO_BINDING_LEN];
	struct bucket bytes, requests;
	bool raised; /* from a stranger's budget to its own */
	unsigned links;
	struct mono seen;
	uint64_t n_bytes, n_requests, n_delayed, n_refused;
};

/* A log that is sent as it grows, from offset o on. */
struct follow {
	bool on;
	uint8_t job[32];
	uint64_t o;
};

struct caller {
	RB_ENTRY(caller) node;
	TAILQ_ENTRY(caller) idle; /* not identified, nothing asked */
	uint8_t id[16];
	struct peer *peer; /* NULL: not identified */
	bool is_idle;
	struct mono created;
	uint64_t bitrate;
	uint32_t rtt_us;
	struct bucket requests; /* while not identified */
	unsigned parked;
	struct mono held_until; /* N_HOLD that is out */
	bool live_asked, live_done;
	uint8_t live_n[32];
	/* the one challenge of a link, answered again when it is repeated */
	enum { CHAL_NONE, CHAL_ASKED, CHAL_DONE } chal;
	uint8_t chal_n[32], chal_s[64], chal_m[32];
	uint64_t chal_qid;
	struct follow follow[2]; /* of stdout, of stderr */
};

struct owner {
	RB_ENTRY(owner) node;
	uint8_t fp[FP_LEN];
	struct quota quota;
};

RB_HEAD(peers, peer);
RB_HEAD(callers, caller);
RB_HEAD(owners, owner);
TAILQ_HEAD(idle_callers, caller);

struct caller *caller_find(struct node *, const uint8_t id[16]);
/* It has asked or said who it is: not closed any more for its silence. */
void caller_spoke(struct node *, struct caller *);
void peers_link(struct node *, const struct msg_T_LINK *);
void peers_identified(struct node *, const struct msg_T_IDENTIFIED *);
void peers_closed(struct node *, const uint8_t id[16]);
void peers_gone(struct node *); /* transport fell: no links */
struct mono peers_tick(struct node *);
struct peer *peer_find(struct node *, const uint8_t rns_hash[16]);
/* All of them, beginning with NULL. */
struct peer *peer_next(struct node *, struct peer *);
/* A peer that is not linked (a job's owner); NULL: out of memory. */
struct peer *peer_get(struct node *, const uint8_t rns_hash[16],
    const uint8_t rns_public[64]);
bool peer_verdict_fresh(const struct node *, const struct peer *);
/* Is b (may be NULL) another than the last that trust has judged good? */
bool peer_binding_new(const struct peer *, const uint8_t *b);
void peer_binding_good(struct peer *, const uint8_t b[PROTO_BINDING_LEN]);
/* V_ASK; b may be NULL. The qid. */
uint64_t peer_ask(struct node *, struct peer *, const uint8_t *b);
/*
 * What trust says of a peer is its verdict now, unless it only judged the b
 * that was sent (VERDICT_BAD_BINDING). NULL: of nobody here. The requests and
 * the jobs that depend on it are the caller's, then peer_enforce().
 */
struct peer *peers_verdict(struct node *, const struct msg_V_VERDICT *);
/* Who may not be linked is not: his links are closed, the peer stays. */
void peer_enforce(struct node *, struct peer *);
/*
 * V_CHANGED: no verdict is fresh any more, and those of linked peers are asked
 * for. Jobs that wait see it when the node schedules, at the turn's end.
 */
void peers_changed(struct node *);
struct admit_peer peer_admit(const struct node *, const struct caller *,
    const struct peer *);
/*
 * NULL: no memory, or NODE_OWNERS_MAX with budgets in use. Any other call may
 * free it.
 */
struct owner *owner_get(struct node *, const uint8_t fp[FP_LEN]);
void peers_clear(struct node *);
/* Trust is a new one: what was asked is not answered. */
void peers_unasked(struct node *);
/*
 * Charge what came; 0: go on, else seconds that the peer has to wait (busy).
 */
uint32_t peer_charge_request(struct node *, struct caller *, size_t len);
/* Charge what goes; holds the link when its budget is used up. */
void peer_charge(struct node *, struct caller *, uint64_t bytes);
/* Bytes of a follow that may go now; 0: *wait_ms. */
uint64_t peer_follow_room(struct node *, const uint8_t link[16],
    uint32_t *wait_ms);

#endif
