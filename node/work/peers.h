/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_PEERS_H
#define WARREN_NODE_WORK_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/mono.h>

#include "common/fp.h"
#include "common/ipc_msg.h"
#include "common/util.h"
#include "node/proto/proto.h"
#include "node/work/admit.h"
#include "node/work/penalty.h"
#include "node/work/quota.h"

struct job;
struct node;

#define NODE_PEERS_MAX 1024   /* ours: of which one without links goes */
#define NODE_CALLERS_MAX 1024 /* ours: links at a time */
#define NODE_OWNERS_MAX 4096  /* ours: whose budgets are remembered */
#define NODE_IDLE_CALLERS 64  /* compute.md 6 */
#define NODE_IDLE_S 60	      /* ... */
#define NODE_VERDICT_S 60     /* ours: one without an end is good so long */
#define NODE_HOLD_MS 60000u   /* ours: a link is held so long at most */
#define NODE_FOLLOW_MS 1000u  /* ours: a follow tries again */
#define NODE_FOLLOW_MIN 1024  /* ours: ... when so much may go */

/* What trust said last of a peer. */
struct verdict {
	bool known;
	uint32_t gen; /* of node.verdict_gen when it came */
	enum verdict_status status;
	int level; /* pins of this node included */
	struct fp fp;
	uint8_t key_kind, key_len;
	bool bip340, live_needed, pinned;
	bool lowered; /* from 0 or more, by a penalty */
	uint8_t jobs; /* of enum verdict_jobs */
	uint8_t key[33];
	uint32_t valid_until;
	char why[128];
};

enum peer_count {
	PEER_BYTES_IN,
	PEER_BYTES_OUT,
	PEER_REQUESTS,
	PEER_DELAYED,
	PEER_REFUSED,
	PEER_BLOBS_BAD,
	PEER_COUNTS
};

/* A Reticulum identity. It stays when its links close, while there is room. */
struct peer {
	RB_ENTRY(peer) node;
	struct hash16 rns_hash;
	uint8_t rns_public[64];
	struct verdict v;
	uint64_t ask_qid;   /* a V_ASK that is out; 0 */
	uint32_t asked_gen; /* node.verdict_gen at that time */
	struct mono asked;  /* when that was */
	bool has_sent;	    /* sent: the last b that trust has judged good */
	uint8_t sent[BINDING_LEN];
	uint32_t sent_life; /* n->trust_life that was asked last */
	struct bucket bytes, requests;
	bool raised; /* from a stranger's budget to its own */
	unsigned links;
	struct mono seen;
	uint64_t count[PEER_COUNTS]; /* since it was first seen */
	/* when it was last said to be slowed, its clock to be off; 0 */
	struct mono said, said_clock;
	/* ... blocked in the trail, at which level, and how often since */
	struct mono said_blocked;
	int blocked_level;
	uint64_t blocked;
};

/* A log that is sent as it grows, from offset o on; the last of its stream. */
struct follow {
	bool on, had; /* now; once on this link */
	struct id32 job;
	uint64_t asked, o;
};

/* Where the answer to a letter's request goes (mail.c). */
struct slip {
	bool came;
	uint8_t *p; /* NULL: there was no memory for it */
	size_t len;
};

/* A link to this node, from T_LINK to T_CLOSED; or somebody's letter. */
struct caller {
	RB_ENTRY(caller) node;
	TAILQ_ENTRY(caller) idle; /* not identified, nothing asked */
	struct hash16 id;
	struct peer *peer; /* NULL: not identified */
	bool is_idle;
	struct mono created;
	struct forecast_path path;
	struct bucket requests; /* while not identified */
	unsigned parked; /* its requests that wait (park.h) */
	struct mono held_until; /* N_HOLD that is out */
	/* the nonce that a live proof has to answer, and if one has */
	bool live_asked, live_done;
	uint8_t live_n[32];
	/* the one challenge of a link, answered again when it is repeated */
	enum { CHAL_NONE, CHAL_ASKED, CHAL_DONE } chal;
	uint8_t chal_n[32], chal_s[64], chal_m[32];
	uint64_t chal_qid;
	struct follow follow[2]; /* of stdout, of stderr */
	struct slip *slip; /* a letter, which transport knows nothing of */
};

struct owner {
	RB_ENTRY(owner) node;
	struct fp fp;
	struct quota quota;
	struct penalty penalty;
	uint64_t logs;	     /* of his jobs: spool.c, until then */
	struct mono logs_at;
};

RB_HEAD(peers, peer);
RB_HEAD(callers, caller);
RB_HEAD(owners, owner);
TAILQ_HEAD(idle_callers, caller);

/* ---- callers: the links that are open ---- */

/* NULL: no such link, or it is closed. Valid until peers_closed(). */
struct caller *caller_find(struct node *, const struct hash16 *id);
/*
 * T_LINK: one more; over a bound it, or the oldest silent one, is closed. Of
 * one that is known: more is known of its way.
 */
void peers_link(struct node *, const struct msg_T_LINK *);
/*
 * T_IDENTIFIED: who is behind a link, once. His verdict is asked for before it
 * is needed; whom a pin keeps out is out at once.
 */
void peers_identified(struct node *, const struct msg_T_IDENTIFIED *);
/* It has asked or said who it is: not closed any more for its silence. */
void caller_spoke(struct node *, struct caller *);
/*
 * A letter of this identity asks as a link of its would, until peers_closed().
 * NULL: it is kept out, or there is no room.
 */
struct caller *peers_letter(struct node *, const struct hash16 *id,
    const uint8_t rns_public[64], struct slip *);
/* A link has ended (T_CLOSED): frees it, and what it asked and still waits. */
void peers_closed(struct node *, const struct hash16 *id);
/* Transport fell: all of them have. */
void peers_gone(struct node *);
/* Closes those that have been silent for too long; when to call again. */
struct mono peers_tick(struct node *);

/* ---- peers: the identities behind them, with what trust said ---- */

/* NULL: not known. Valid until peer_get() makes room, if it has no link. */
struct peer *peer_find(struct node *, const struct hash16 *rns_hash);
/* All of them, beginning with NULL. */
struct peer *peer_next(struct node *, struct peer *);
/*
 * The same, made when it is not there; need not be linked (a job's owner).
 * May free the unlinked peer that was seen longest ago. NULL: out of memory,
 * or NODE_PEERS_MAX with links.
 */
struct peer *peer_get(struct node *, const struct hash16 *rns_hash,
    const uint8_t rns_public[64]);
/* Does it say that the key or the identity is revoked, or suspended? */
bool verdict_listed(const struct verdict *);
/* Is there a verdict that still holds? */
bool peer_verdict_fresh(const struct node *, const struct peer *);
/* Is b (may be NULL) another than the last that trust has judged good? */
bool peer_binding_new(const struct peer *, const uint8_t *b);
/* Trust has: remember it. */
void peer_binding_good(struct peer *, const uint8_t b[BINDING_LEN]);
/* Is there a V_ASK of it whose answer is still to be expected? */
bool peer_asked(struct node *, struct peer *);
/* Sends V_ASK, with b or NULL. The qid of the V_VERDICT that will come. */
uint64_t peer_ask(struct node *, struct peer *, const uint8_t *b);
/*
 * What trust says of a peer is its verdict now, unless it only judged the b
 * that was sent (VERDICT_BAD_BINDING). NULL: of nobody here. The requests and
 * the jobs that depend on it are the caller's, then peer_enforce().
 */
struct peer *peer_judged(struct node *, const struct msg_V_VERDICT *);
/* Who may not be linked is not: his links are closed, the peer stays. */
void peer_enforce(struct node *, struct peer *);
/* The same, for that level. */
void peer_refuse(struct node *, struct peer *, int level);
/*
 * V_CHANGED: no verdict is fresh any more, and those of linked peers are asked
 * for. Jobs that wait see it when the node schedules, at the turn's end.
 */
void peers_changed(struct node *);
/* Trust is a new one: what was asked is not answered, so ask again. */
void peers_unasked(struct node *);
/*
 * The job has broken its contract: its owner gets points (penalty.h), and the
 * verdicts on him are asked for anew, which is when they count.
 */
void peers_broke(struct node *, struct job *, uint32_t points);
/* This level, lowered by the points of who it is, if no pin says who he is. */
int peer_lowered(struct node *, const struct peer *, int level,
    uint32_t *points /* may be NULL */);
/* Something happened with it that is counted. */
void peer_counted(struct node *, struct peer *, enum peer_count);
/* As admission looks at it; caller and peer may be NULL. It points into the peer. */
struct admit_peer peer_admit(const struct node *, const struct caller *,
    const struct peer *);

/* ---- owners: the fingerprints that jobs and blobs belong to ---- */

/*
 * NULL: no memory, or NODE_OWNERS_MAX with budgets in use. Any other call may
 * free it.
 */
struct owner *owner_get(struct node *, const struct fp *fp);
/* NULL: nothing is remembered of it. */
struct owner *owner_known(struct node *, const struct fp *fp);
/* All of them, beginning with NULL. */
struct owner *owner_next(struct node *, struct owner *);

/* ---- budgets (compute.md 6) ---- */

/* A budget that is used up, as compute.md 3 tells it: literals and numbers. */
struct used_up {
	const char *code; /* "bytes" or "requests" */
	const char *of;	  /* whose it is */
	uint64_t limit, left;
	uint32_t s, full_s; /* until the next request may come; until full */
};
/* Charge what came. false: the peer has to wait (busy), and for what. */
bool peer_charge_request(struct node *, struct caller *, size_t len,
    struct used_up *);
/* Charge what goes; holds the link when its budget is used up. */
void peer_charge(struct node *, struct caller *, uint64_t bytes);
/* Bytes of a follow that may go now; 0: ask again in *wait_ms. */
uint64_t peer_follow_room(struct node *, const struct hash16 *link,
    uint32_t *wait_ms);

/* At the end, when no link is left: frees peers and owners. */
void peers_clear(struct node *);

#endif
