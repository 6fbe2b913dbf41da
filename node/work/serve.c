/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/serve.h"

#include <stdio.h>
#include <string.h>

#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/challenge.h"
#include "node/work/describe.h"
#include "node/work/documents.h"
#include "node/work/events.h"
#include "node/work/finish.h"
#include "node/work/handout.h"
#include "node/work/hold.h"
#include "node/work/park.h"
#include "node/work/peers.h"
#include "node/work/query.h"
#include "node/work/reload.h"
#include "node/work/review.h"
#include "node/work/revoke.h"
#include "node/work/slices.h"
#include "node/work/state.h"
#include "node/work/submit.h"
#include "node/work/turn.h"

/* After what is his already, and nothing that makes work. */
static bool
asks_own(enum proto_path path)
{
	return path != PATH_BLOB_HAVE && path != PATH_BLOB_PUT &&
	    path != PATH_REVIEW && path != PATH_APPROVE &&
	    path != PATH_IMAGE_PART && path != PATH_IMAGE_GET;
}

/* Paths that need a known fingerprint: ask for it when it is not here. */
static bool
known_peer(struct node *n, struct asked *a)
{
	struct refusal r = {.code = "not_identified"};
	struct peer *p = a->caller->peer;

	if (p == NULL) {
		answer_refusal(n, a, &r);
		return false;
	}
	if (!peer_verdict_fresh(n, p) && a->stage == ASKED_NEW &&
	    n->up[PROGRAM_TRUST]) {
		(void)asked_wait(n, a, ASKED_VERDICT, peer_ask(n, p, NULL));
		return false;
	}
	/* trust is away: what it said last holds */
	if (!p->v.known) {
		answer_busy(n, a, "trust", NODE_BUSY_S);
		return false;
	}
	if (p->v.status == VERDICT_OK && (p->v.level >= 0 ||
	    (p->v.lowered && p->v.level > -2 && asks_own(a->req.path))))
		return true;
	if (verdict_listed(&p->v)) {
		r.code = "revoked";
		r.which = "key";
	} else if (p->v.status == VERDICT_OK) {
		/* klp.md 3.8: -1, document requests only */
		r.code = "trust";
		(void)snprintf(r.why, sizeof(r.why), "level %d", p->v.level);
	} else {
		r.code = "binding";
		(void)snprintf(r.why, sizeof(r.why),
		    "no key is known for this identity: send b");
	}
	answer_refusal(n, a, &r);
	return false;
}

static void
dispatch(struct node *n, struct asked *a)
{
	switch (a->req.path) {
	case PATH_DESCRIBE:
		describe_request(n, a);
		return;
	case PATH_CHALLENGE:
		challenge_request(n, a);
		return;
	case PATH_SUBMIT:
		submit_request(n, a);
		return;
	default:
		break;
	}
	if (proto_of_documents(a->req.path)) {
		document_request(n, a);
		return;
	}
	/* whose identity is named needs no key that is known here */
	if (events_path(a->req.path) && events_named(n, a)) {
		events_request(n, a);
		return;
	}
	if (!known_peer(n, a))
		return;
	switch (a->req.path) {
	case PATH_EVENTS:
	case PATH_ALERT:
		events_request(n, a);
		break;
	case PATH_BLOB_HAVE:
		slice_have(n, a);
		break;
	case PATH_BLOB_PUT:
		slice_put(n, a);
		break;
	case PATH_BLOB_GET:
		slice_get(n, a);
		break;
	case PATH_IMAGE_PART:
	case PATH_IMAGE_GET:
		handout_request(n, a);
		break;
	case PATH_REVIEW:
	case PATH_APPROVE:
		review_request(n, a);
		break;
	default:
		query_request(n, a);
	}
}

/* What has come is read, once; what does not read is answered here. */
static bool
parse(struct node *n, struct asked *a, enum proto_path path)
{
	struct proto_meta meta = {0};
	const char *why;

	switch (proto_req_get(&a->req, path, a->data, a->len, &why,
	    &meta.max)) {
	case 0:
		return true;
	case PROTO_MUTE:
		n->count.mute++;
		break;
	case PROTO_LARGE:
		meta.has_max = true;
		answer_status(n, a, ST_TOO_LARGE, &meta);
		break;
	default:
		n->count.malformed++;
		meta.why = pstr_of(why);
		answer_status(n, a, ST_MALFORMED, &meta);
	}
	return false;
}

void
serve_request(struct node *n, const struct msg_T_REQUEST *m,
    const uint8_t *data, size_t len)
{
	struct asked early = {.caller = caller_find(n, &m->link)}, *a;
	enum proto_path path;
	struct used_up u;

	n->count.requests++;
	if (early.caller == NULL || !proto_path_find(&path, &m->path_hash)) {
		n->count.mute++;
		return;
	}
	/* no byte of it is looked at or kept before it is paid for */
	early.id = m->request;
	caller_spoke(n, early.caller);
	if (!peer_charge_request(n, early.caller, len, &u)) {
		answer_used_up(n, &early, &u);
		return;
	}
	if ((a = asked_new(early.caller, m, data, len)) == NULL) {
		answer_busy(n, &early, "load", NODE_BUSY_S);
		return;
	}
	/* nothing is promised that cannot be written down */
	if (parse(n, a, path)) {
		if (n->ledger_fails && path != PATH_DESCRIBE &&
		    path != PATH_CHALLENGE && path != PATH_SUBMIT &&
		    !proto_of_documents(path))
			answer_busy(n, a, "ledger", NODE_LEDGER_S);
		else
			dispatch(n, a);
	}
	asked_end(a);
}

void
serve_verdict(struct node *n, const struct msg_V_VERDICT *m)
{
	bool bad = m->status == VERDICT_BAD_BINDING;
	struct asked *a;
	struct peer *p;

	/* in another scope it is no verdict on his jobs */
	if (review_scope(n, m) || (p = peer_judged(n, m)) == NULL)
		return;
	if ((a = park_take(n, m->qid, ASKED_VERDICT)) != NULL) {
		/* one that he did not show now: it is asked for */
		if (bad && a->req.binding == NULL)
			p->has_sent = bad = false;
		a->bad_binding = bad;
		(void)snprintf(a->why, sizeof(a->why), "%.127s", m->why);
		if (m->status == VERDICT_OK && a->req.binding != NULL)
			peer_binding_good(p, a->req.binding);
		dispatch(n, a);
		asked_end(a);
	}
	/* the request may have made room for another peer */
	if (bad || (p = peer_find(n, &m->rns_hash)) == NULL)
		return;
	if (p->v.key_len > 0 && p->v.status != VERDICT_SUSPENDED)
		finish_owner(n, &p->v.fp, p->v.level,
		    p->v.status == VERDICT_REVOKED);
	reload_judged(n, p);
	turn_judged(n, &p->rns_hash);
	peer_enforce(n, p);
	if (p->v.level > -3)
		revoke_holes_check(n);
}

struct mono
serve_held(struct node *n)
{
	struct mono next;
	struct asked *a;

	while ((a = hold_due(n, &next)) != NULL) {
		if (a->req.path == PATH_SUBMIT)
			submit_repeat(n, a);
		else
			query_request(n, a);
		asked_end(a);
	}
	return next;
}
