/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_ASKED_H
#define WARREN_NODE_WORK_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/mono.h>

#include "common/ipc_msg.h"
#include "common/util.h"
#include "node/proto/proto_req.h"

struct caller;
struct node;
struct refusal;

/*
 * What a request waits for. Each once and in this order: a stage is never
 * gone back to, so no request waits longer than three answers.
 */
enum asked_stage {
	ASKED_NEW,	 /* nothing yet */
	ASKED_VERDICT,	 /* V_VERDICT on who asks, and on the b he sent */
	ASKED_LIVE,	 /* V_LIVE_OK on the proof that came with it */
	ASKED_ENVELOPE,	 /* V_MANIFEST from its envelope */
	ASKED_CHALLENGE, /* K_CHALLENGED, and nothing before it */
	ASKED_SCOPE,	 /* V_VERDICT in another scope: job/review */
	ASKED_APPROVAL,	 /* V_APPROVED on the frame of job/approve */
	ASKED_REVIEWED,	 /* V_REVIEWED: what it comes to */
	ASKED_GIVEN,	 /* V_GIVEN: a document, and nothing before it */
	ASKED_JOB,	 /* what becomes of a job: hold.h, and nothing else */
};

/*
 * One request from T_REQUEST to N_REPLY. Its bytes are copied when it comes
 * and parsed there, once; req borrows from them. It moves whole: in the hands
 * of the function that answers it, or in the list of those that wait (park.h,
 * qid is not 0 then). The caller outlives it, since a link that closes takes
 * along what waits for it, and nothing that answers a request closes a link.
 */
struct asked {
	TAILQ_ENTRY(asked) entry;
	struct caller *caller;
	struct hash16 id; /* of the request, on its link */
	enum asked_stage stage;
	uint64_t qid;	   /* whose answer it waits for; 0: it does not */
	struct mono until; /* busy then */
	bool bad_binding;  /* the b that came with it does not hold */
	char why[128];	   /* ... as trust said it */
	struct id32 job;   /* ASKED_REVIEWED: what it is about */
	struct proto_req req;
	uint32_t took_ms; /* that its link needed for it; 0: one packet */
	size_t len;
	uint8_t data[];
};

/*
 * A request of this caller with a copy of its bytes, not parsed yet. NULL: out
 * of memory. asked_end() frees it.
 */
struct asked *asked_new(struct caller *, const struct msg_T_REQUEST *,
    const uint8_t *data, size_t len);

/*
 * It waits for the answer qid, which is asked for next. false: there is no
 * room, and it has been told to come again.
 */
bool asked_wait(struct node *, struct asked *, enum asked_stage, uint64_t qid);

/*
 * The b of a request does not hold: when that is for its time, the refusal
 * says which time, and ours.
 */
void asked_binding_time(const struct node *, const struct asked *,
    struct refusal *);

/* Behind each function that may have answered it: frees what does not wait. */
void asked_end(struct asked *);

/* Who has waited long enough is told: busy. When to call again. */
struct mono asked_tick(struct node *);

#endif
