/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/answer.h"

#include <string.h>

#include "common/log.h"
#include "node/work/node.h"
#include "node/work/peers.h"

void
answer_begin(struct answer *a, struct node *n, struct caller *l,
    const uint8_t request[16])
{
	a->n = n;
	a->l = l;
	memcpy(a->request, request, 16);
	a->w = wr_make(n->answer, NODE_ANSWER_MAX);
}

void
answer_send(struct answer *a)
{
	struct msg_N_REPLY m = {0};

	if (!wr_ok(&a->w)) {
		log_errx("serve", "an answer does not fit");
		return;
	}
	memcpy(m.link, a->l->id, 16);
	memcpy(m.request, a->request, 16);
	m.len = (uint32_t)a->w.len;
	a->n->host.send(a->n->host.ctx, IPC_N_REPLY, &m, a->w.buf, a->w.len);
	peer_charge(a->n, a->l, a->w.len);
}

void
answer_status(struct node *n, struct caller *l, const uint8_t request[16],
    enum proto_status status, const struct proto_meta *meta)
{
	struct answer a;

	answer_begin(&a, n, l, request);
	proto_ans_put(&a.w, status, meta);
	answer_send(&a);
}

void
answer_busy(struct node *n, struct caller *l, const uint8_t request[16],
    uint32_t s)
{
	struct proto_meta m = {.has_s = true, .s = MAX_OF(s, 1u)};

	answer_status(n, l, request, ST_BUSY, &m);
}

void
answer_refusal(struct node *n, struct caller *l, const uint8_t request[16],
    const struct refusal *r)
{
	struct proto_meta m = {.code = pstr_of(r->code), .has_step = true,
	    .step = r->step, .has_limit = r->has_limit, .limit = r->limit,
	    .has_value = r->has_limit, .value = r->value,
	    .value_text = pstr_of(r->which), .has_s = r->s > 0, .s = r->s};

	if (r->why[0] != '\0')
		m.why = pstr_of(r->why);
	if (r->live) {
		if (!l->live_asked)
			n->host.random(n->host.ctx, l->live_n, 32);
		l->live_asked = true;
		m.n = l->live_n;
	}
	n->count.refused++;
	if (l->peer != NULL)
		l->peer->n_refused++;
	answer_status(n, l, request, ST_REFUSED, &m);
}
