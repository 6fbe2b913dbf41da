/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/answer.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mpk.h"
#include "node/proto/proto_put.h"
#include "node/work/asked.h"
#include "node/work/numbers.h"
#include "node/work/peers.h"
#include "node/work/state.h"

struct wr
answer_begin(struct node *n, enum proto_status status,
    const struct proto_meta *meta)
{
	struct wr w = wr_make(n->answer, NODE_ANSWER_MAX);

	proto_ans_head(&w, status, meta);
	return w;
}

/* A letter asked: mail.c takes it from there at the end of the turn. */
static void
put_slip(struct node *n, struct slip *s, const struct wr *w)
{
	free(s->p);
	*s = (struct slip){.came = true, .len = w->len};
	if ((s->p = malloc(w->len + 1)) != NULL)
		memcpy(s->p, w->buf, w->len);
	n->mail.at = n->now;
}

void
answer_send(struct node *n, const struct asked *a, const struct wr *w)
{
	struct msg_N_REPLY m = {0};

	if (!wr_ok(w)) {
		log_errx("serve", "an answer does not fit");
		return;
	}
	m.link = a->caller->id;
	m.request = a->id;
	if (a->caller->slip != NULL)
		put_slip(n, a->caller->slip, w);
	else
		n->host.reply(n->host.ctx, &m, w->buf, w->len);
	peer_charge(n, a->caller, w->len);
}

void
answer_status(struct node *n, const struct asked *a, enum proto_status status,
    const struct proto_meta *meta)
{
	struct wr w = wr_make(n->answer, NODE_ANSWER_MAX);

	proto_ans_put(&w, status, meta);
	answer_send(n, a, &w);
}

void
answer_busy(struct node *n, const struct asked *a, const char *code,
    uint32_t s)
{
	struct proto_meta m = {.has_s = true, .s = MAX_OF(s, 1u),
	    .code = pstr_of(code)};

	numbers_count(&n->busy, code);
	answer_status(n, a, ST_BUSY, &m);
}

void
answer_used_up(struct node *n, const struct asked *a, const struct used_up *u)
{
	struct proto_meta m = {.has_s = true, .s = u->s,
	    .code = pstr_of(u->code), .of = pstr_of(u->of),
	    .has_limit = true, .limit = u->limit, .has_left = true,
	    .left = u->left, .has_full_s = true, .full_s = u->full_s};

	numbers_count(&n->busy, u->code);
	answer_status(n, a, ST_BUSY, &m);
}

void
answer_refusal(struct node *n, const struct asked *a, const struct refusal *r)
{
	struct proto_meta m = {.code = pstr_of(r->code), .has_step = true,
	    .step = r->step, .has_limit = r->has_limit, .limit = r->limit,
	    .has_value = r->has_limit, .value = r->value,
	    .value_text = pstr_of(r->which), .has_s = r->s > 0, .s = r->s,
	    .has_time = r->time != 0, .time = r->time};
	struct caller *c = a->caller;

	/* a value without a limit is a time */
	if (r->time != 0 && !r->has_limit)
		m.has_value = r->value != 0;
	if (r->why[0] != '\0')
		m.why = pstr_of(r->why);
	if (r->live) {
		if (!c->live_asked)
			n->host.random(n->host.ctx, c->live_n, 32);
		c->live_asked = true;
		m.n = c->live_n;
	}
	n->count.refused++;
	numbers_count(&n->refusals, r->code);
	if (c->peer != NULL)
		peer_counted(n, c->peer, PEER_REFUSED);
	answer_status(n, a, ST_REFUSED, &m);
}

uint8_t *
answer_slice(struct node *n)
{
	/* behind the place of status and meta; moved up to them when sent */
	return n->answer + (NODE_ANSWER_MAX - PROTO_SLICE);
}

void
answer_bytes(struct node *n, const struct asked *a,
    const struct proto_meta *meta, size_t len)
{
	struct wr w = answer_begin(n, ST_OK, meta);
	uint8_t *room;

	mpk_put_bin_head(&w, len);
	if ((room = wr_room(&w, len)) != NULL)
		memmove(room, answer_slice(n), len);
	answer_send(n, a, &w);
}
