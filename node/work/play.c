/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/play.h"

#include <math.h>
#include <string.h>

#include "common/util.h"

#define MDU 431u /* bytes that a link's packet takes, reticulum-endpoint.md 6 */

/* Who asks: compute.md 3, transport/client/attach_request.c. */
#define AGAIN_S 2.0
#define AGAIN_RTTS 8.0
#define TRIES 16u
/* what it asks for in place of a request that has arrived, and its answer */
#define ASK 125u
#define ASK_ANSWER 60u
#define LINK_RTTS 3.0 /* another link: a path is known, it identifies */
/* attach_link.c: when one that failed is tried again; a path asked for again */
#define STEP_S 1.0
#define STEP_MOST_S 32.0
#define PATH_AGAIN_S 15.0

#define PACKETS_MOST 20000u /* then this course has no end */

/* ---- who asks, who answers ---- */

static void
copy(struct play *p)
{
	p->copies++;
	p->answer_wait = p->wait;
	p->again = p->now + p->wait;
	p->wait *= 2;
	if (p->packet)
		play_send(p, 0, (struct play_packet){.kind = PLAY_REQUEST,
		    .of = p->serial, .len = play_sealed(p->request)});
	else
		play_offer(p, 0, p->request);
}

static void
arrive(struct play *p, unsigned to, const struct play_packet *k)
{
	if (k->kind == PLAY_REQUEST && k->of == p->serial) {
		play_answer(p);
	} else if (k->kind == PLAY_RESPONSE) {
		if (k->of != p->serial)
			return;
		p->done = true;
		play_answered(p);
	} else if (k->kind != PLAY_REQUEST) {
		play_resource_in(p, to, k);
	}
}

/* When who asks does something. */
static double
asks_at(const struct play *p)
{
	double at = MIN_OF(p->until, p->answer_by);

	if (p->packet && !p->alive && p->copies < TRIES)
		at = MIN_OF(at, p->again);
	return p->failed >= p->copies ? p->now : at;
}

/* A question and its answer come through. */
static bool
there_and_back(struct play *p)
{
	return p->packets++ >= PACKETS_MOST ||
	    play_random(p) < (1 - p->m.loss) * (1 - p->m.loss);
}

/* Nothing was heard for long: another link, on which all begins anew. */
static void
link_again(struct play *p)
{
	p->now = MAX_OF(p->now, MAX_OF(p->line[0].free_at,
	    p->line[1].free_at)) + LINK_RTTS * p->m.rtt_s[0];
	/* what made the old one seem slow is not lost again, or is */
	if (play_random(p) >= p->m.loss)
		p->m.rtt_s[1] = p->m.rtt_s[0];
	for (double step = STEP_S; !there_and_back(p); step *= 2) {
		p->now += p->m.link_s;
		/* the path is asked for meanwhile, and again */
		if (there_and_back(p))
			p->now += MIN_OF(step, STEP_MOST_S);
		else
			do
				p->now += PATH_AGAIN_S;
			while (!there_and_back(p));
	}
	p->nfar = p->nqueued = 0;
	play_channel_reset(p);
	play_resource_reset(p);
}

/* It goes on behind the medium, in the order of its coming out there. */
static void
go_far(struct play *p, unsigned to, const struct play_packet *k)
{
	double at = p->now + p->m.way_s, s = play_air(&p->m, k->len);
	unsigned i = p->nfar;

	if (p->m.far > 0) {
		p->far_free[to] = MAX_OF(p->now, p->far_free[to]) + s;
		at = p->far_free[to] + (p->m.far - 1) * s + p->m.way_s;
	}
	if (i == PLAY_FAR)
		return; /* a relay's queue has an end too */
	for (p->nfar++; i > 0 && p->far[i - 1].at > at; i--)
		p->far[i] = p->far[i - 1];
	p->far[i].at = at;
	p->far[i].to = to;
	p->far[i].p = *k;
}

static void
one_moment(struct play *p, double at)
{
	struct play_packet k;
	unsigned to;

	p->now = at;
	if (p->nfar > 0 && p->far[0].at <= at) {
		k = p->far[0].p;
		to = p->far[0].to;
		p->nfar--;
		memmove(p->far, p->far + 1, p->nfar * sizeof(p->far[0]));
		arrive(p, to, &k);
	} else if (play_channel_at(p) <= at) {
		if (!play_turn(p, &to, &k))
			return;
		if (p->m.way_s > 0 || p->m.far > 0)
			go_far(p, to, &k);
		else
			arrive(p, to, &k);
	} else {
		for (unsigned i = 0; i < 2; i++) {
			if (p->tx[i].state != PLAY_OFF && p->tx[i].timer <= at)
				play_tx_timer(p, i);
			if (p->rx[i].on && p->rx[i].timer <= at)
				play_rx_timer(p, i);
		}
	}
}

static double
next_moment(const struct play *p)
{
	double at = play_channel_at(p);

	if (p->nfar > 0)
		at = MIN_OF(at, p->far[0].at);
	for (unsigned i = 0; i < 2; i++) {
		if (p->tx[i].state != PLAY_OFF)
			at = MIN_OF(at, p->tx[i].timer);
		if (p->rx[i].on)
			at = MIN_OF(at, p->rx[i].timer);
	}
	return at;
}

/* true: answered; false: it has arrived unanswered, or the link broke. */
static bool
ask(struct play *p, uint32_t request, uint32_t response)
{
	p->serial++;
	p->request = request;
	p->response = response;
	p->packet = request <= MDU;
	p->copies = p->failed = 0;
	p->alive = p->done = p->delivered = false;
	p->answer_by = INFINITY;
	p->wait = MAX_OF(AGAIN_S, AGAIN_RTTS * p->m.rtt_s[0]);
	play_alive(p, false);
	copy(p);
	while (!p->done && p->packets < PACKETS_MOST) {
		double at = next_moment(p), asks = asks_at(p);

		if (at < asks) {
			one_moment(p, at);
			continue;
		}
		p->now = asks;
		if (p->now >= p->until) {
			link_again(p);
			return false;
		}
		if (p->now >= p->answer_by) {
			p->delivered = true;
			return false;
		}
		copy(p);
	}
	return true;
}

double
play_request(struct play *p, uint32_t request, uint32_t response)
{
	double from = p->now;

	request = MIN_OF(request, PLAY_PAYLOAD);
	response = MIN_OF(response, PLAY_PAYLOAD);
	/* what waits for the channel is before what only begins now */
	while (play_channel_at(p) <= p->now && p->packets < PACKETS_MOST)
		one_moment(p, p->now);
	while (!ask(p, request, response))
		if (p->delivered && ask(p, ASK, ASK_ANSWER))
			break;
	return p->now - from;
}

void
play_begin(struct play *p, const struct play_medium *m, uint64_t seed)
{
	memset(p, 0, sizeof(*p));
	p->m = *m;
	p->rng = seed;
	play_channel_reset(p);
	play_resource_reset(p);
}
