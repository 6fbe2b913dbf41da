/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/challenge.h"

#include <string.h>

#include "node/proto/proto_put.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/park.h"
#include "node/work/peers.h"
#include "node/work/state.h"

static void
challenge_answer(struct node *n, const struct asked *a)
{
	const struct caller *l = a->caller;
	struct proto_challenge c = {n->binding, l->chal_s, l->chal_m};
	struct wr w = answer_begin(n, ST_OK, NULL);

	proto_put_challenge(&w, &c);
	answer_send(n, a, &w);
}

void
challenge_request(struct node *n, struct asked *a)
{
	struct refusal r = {.code = "binding",
	    .why = "one challenge for each link"};
	const uint8_t *nonce = a->req.nonce;
	struct msg_K_CHALLENGE m = {0};
	struct caller *l = a->caller;

	if (!n->has_binding || !n->up[PROGRAM_KEYS]) {
		answer_busy(n, a, "keys", NODE_BUSY_S);
		return;
	}
	if (l->chal != CHAL_NONE && memcmp(l->chal_n, nonce, 32) != 0) {
		answer_refusal(n, a, &r);
		return;
	}
	if (l->chal == CHAL_DONE) {
		challenge_answer(n, a);
		return;
	}
	if (l->chal == CHAL_ASKED) {
		answer_busy(n, a, "keys", 1);
		return;
	}
	m.qid = node_qid(n);
	m.link = l->id;
	memcpy(m.n, nonce, 32);
	if (l->peer != NULL)
		memcpy(m.initiator, l->peer->rns_public, 64);
	if (!asked_wait(n, a, ASKED_CHALLENGE, m.qid))
		return;
	memcpy(l->chal_n, nonce, 32);
	l->chal = CHAL_ASKED;
	l->chal_qid = m.qid;
	n->host.send_K_CHALLENGE(n->host.ctx, &m);
}

void
challenge_done(struct node *n, const struct msg_K_CHALLENGED *m)
{
	struct asked *a = park_take(n, m->qid, ASKED_CHALLENGE);
	struct refusal r = {.code = "binding"};
	struct caller *l;

	if (a == NULL)
		return;
	l = a->caller;
	if (l->chal_qid == m->qid && m->ok) {
		l->chal = CHAL_DONE;
		memcpy(l->chal_s, m->s, 64);
		memcpy(l->chal_m, m->m, 32);
		challenge_answer(n, a);
	} else if (l->chal_qid == m->qid) {
		l->chal = CHAL_NONE;
		answer_refusal(n, a, &r);
	}
	asked_end(a);
}
