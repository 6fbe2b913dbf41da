/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/play.h"

#include <math.h>

#include "common/util.h"

/*
 * What the others of a course that is played share: dice, the channel, and what
 * is noted for who asks.
 */
#define HEADER 19u /* bytes, reticulum-endpoint.md 1.2, 3.1 */
#define TOKEN 48u  /* of a link's encryption, besides the padding */
#define BLOCK 16u

/* A radio that listens first: of how much of the air it had, how many slots. */
#define USED_S 15.0
#define BANDS 4
#define PER_BAND 15

/* Who asks: compute.md 3, transport/client/attach_request.c. */
#define PATIENCE_S 60.0
#define PATIENCE_RTTS 60.0

/* splitmix64 */
double
play_random(struct play *p)
{
	uint64_t z;

	p->rng += UINT64_C(0x9e3779b97f4a7c15);
	z = p->rng;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

double
play_air(const struct play_medium *m, double len)
{
	return len * m->byte_s + m->packet_s;
}

uint16_t
play_sealed(uint32_t payload)
{
	return (uint16_t)(HEADER + TOKEN + (payload / BLOCK + 1) * BLOCK);
}

/* ---- the channel ---- */

static unsigned
band(const struct play *p, const struct play_end *e)
{
	double used = 0;

	for (unsigned i = 0; i < MIN_OF(e->nspan, PLAY_SPANS); i++)
		used += MAX_OF(e->span[i].to - MAX_OF(e->span[i].from,
		    p->now - USED_S), 0.0);
	return MIN_OF((unsigned)(used * BANDS / USED_S), BANDS - 1u);
}

static struct play_line *
line_of(struct play *p, unsigned end)
{
	return &p->line[p->m.duplex ? end : 0];
}

void
play_queue_up(struct play *p, unsigned end)
{
	const struct play_line *l = line_of(p, end);
	struct play_end *e = &p->end[end];

	if (e->n == 0 || (l->flying && l->of == end)) {
		e->since = INFINITY;
		return;
	}
	e->since = p->now;
	if (e->left < 0)
		e->left = p->m.slot_s > 0 ? p->m.slot_s * (band(p, e) *
		    PER_BAND + (unsigned)(play_random(p) * (PER_BAND + 1))) :
		    0;
}

void
play_send(struct play *p, unsigned end, struct play_packet k)
{
	struct play_end *e = &p->end[end];

	if (e->n == PLAY_QUEUE)
		return;
	e->q[(e->head + e->n++) % PLAY_QUEUE] = k;
	if (e->n == 1 && isinf(e->since))
		play_queue_up(p, end);
}

static double
goes_at(const struct play *p, unsigned end)
{
	const struct play_end *e = &p->end[end];

	return MAX_OF(e->since, p->line[p->m.duplex ? end : 0].free_at) +
	    p->m.listen_s + e->left;
}

static double
line_at(const struct play *p, unsigned i)
{
	const struct play_line *l = &p->line[i];

	if (l->flying)
		return l->free_at;
	return p->m.duplex ? goes_at(p, i) :
	    MIN_OF(goes_at(p, 0), goes_at(p, 1));
}

double
play_channel_at(const struct play *p)
{
	double at = line_at(p, 0);

	return p->m.duplex ? MIN_OF(at, line_at(p, 1)) : at;
}

static void
start(struct play *p, struct play_line *l, unsigned end)
{
	struct play_end *e = &p->end[end], *o = &p->end[1 - end];
	double s;

	/* slots do not run while the other one sends */
	if (!p->m.duplex && !isinf(o->since))
		o->left -= MIN_OF(o->left, MAX_OF(p->now - MAX_OF(o->since,
		    l->free_at) - p->m.listen_s, 0.0));
	l->flight = e->q[e->head];
	e->head = (e->head + 1) % PLAY_QUEUE;
	e->n--;
	e->left = -1;
	e->since = INFINITY;
	s = play_air(&p->m, l->flight.len);
	e->span[e->nspan % PLAY_SPANS].from = p->now;
	e->span[e->nspan++ % PLAY_SPANS].to = p->now + s;
	l->flying = l->arrives = true;
	l->of = end;
	l->free_at = p->now + s;
	p->air += s;
	p->packets++;
	for (unsigned left = l->flight.len;;) {
		if (p->m.loss > 0 && play_random(p) < p->m.loss)
			l->arrives = false;
		if (p->m.frame == 0 || left <= p->m.frame)
			break;
		left -= p->m.frame;
	}
}

bool
play_turn(struct play *p, unsigned *to, struct play_packet *out)
{
	unsigned i = p->m.duplex && line_at(p, 1) < line_at(p, 0) ? 1 : 0;
	struct play_line *l = &p->line[i];

	if (!l->flying) {
		start(p, l, p->m.duplex ? i :
		    goes_at(p, 0) <= goes_at(p, 1) ? 0 : 1);
		return false;
	}
	l->flying = false;
	*to = 1 - l->of;
	*out = l->flight;
	play_queue_up(p, l->of);
	return l->arrives;
}

void
play_channel_reset(struct play *p)
{
	for (unsigned i = 0; i < 2; i++) {
		p->line[i].flying = false;
		p->end[i].n = 0;
		p->end[i].left = -1;
		p->end[i].since = INFINITY;
	}
}

/* ---- who asks ---- */

void
play_alive(struct play *p, bool incoming)
{
	p->until = p->now + MAX_OF(PATIENCE_S, PATIENCE_RTTS * p->m.rtt_s[0]);
	p->alive |= incoming;
}

void
play_delivered(struct play *p)
{
	if (!p->alive)
		p->answer_by = p->now + p->answer_wait;
}

void
play_failed(struct play *p)
{
	p->failed++;
	p->alive = false;
}

bool
play_wanted(const struct play *p, uint32_t serial)
{
	return !p->done && serial == p->serial;
}

void
play_done(struct play *p, uint32_t serial)
{
	p->done |= serial == p->serial;
}
