/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/play.h"

#include <math.h>
#include <string.h>

#include "common/util.h"

/*
 * Resources of a course that is played: reticulum-endpoint.md 8 without its
 * bytes, as transport/core/link/resource.c and resource_tx.c do it.
 */
#define HEADER 19u
#define TOKEN 48u
#define BLOCK 16u
#define PART 464u        /* MTU 500 */
#define PROOF 83u        /* with its header */
#define QUERY 51u
#define ADVERTISED 127u  /* besides the hashes */
#define HASHES 74u       /* of an advertisement, of an update */
#define HASH 4u
#define PART_REQUEST 33u
#define UPDATE 39u       /* besides the hashes */
#define REFUSED 32u
#define MDU 431u
#define LINK_COST 204u   /* a link's request and its proof */

#define WINDOW 4u
#define WINDOW_LEAST 2u
#define WINDOW_MOST 10u
#define WINDOW_SLOW 4u
#define WINDOW_FAST 75u
#define FLEX 4u
#define RATE_SLOW 250.0  /* bytes/s */
#define RATE_FAST 6250.0
#define FAST_ROUNDS 4u
#define SLOW_ROUNDS 2u
#define RETRIES 16u
#define RETRIES_OFFER 4u
#define RETRIES_PROOF 3u
#define RTTS 6.0
#define RTTS_PROOF 3.0
#define OFFER_S 1.0
#define SENDER_S 10.0
#define ALL_RETRIES_S 68.0
#define RETRY_S 0.25
#define PER_RETRY_S 0.5
#define UPDATE_PARTS 3.5

/* ---- who sends ---- */

static void
tx_watch(struct play *p, unsigned end)
{
	struct play_tx *x = &p->tx[end];
	double rtt = x->rtt >= 0 ? x->rtt : p->m.rtt_s[end];

	x->timer = p->now + (x->state == PLAY_OFFERED ?
	    p->m.rtt_s[end] * RTTS + OFFER_S : x->state == PLAY_SENDING ?
	    rtt * RTTS * RETRIES + SENDER_S + ALL_RETRIES_S :
	    rtt * RTTS_PROOF + SENDER_S);
}

static void
tx_offer(struct play *p, unsigned end)
{
	struct play_tx *x = &p->tx[end];

	x->state = PLAY_OFFERED;
	x->offered = p->now;
	play_send(p, end, (struct play_packet){.kind = PLAY_ADVERTISED,
	    .of = x->id, .serial = x->serial, .to = (uint16_t)x->parts,
	    .len = play_sealed(ADVERTISED + HASH * MIN_OF(x->parts, HASHES))});
	tx_watch(p, end);
}

static void
tx_begin(struct play *p, unsigned end, uint32_t payload, uint32_t serial)
{
	struct play_tx *x = &p->tx[end];
	uint32_t stream = TOKEN + ((payload + 4) / BLOCK + 1) * BLOCK;

	x->parts = MIN_OF((stream + PART - 1) / PART, PLAY_PARTS);
	x->last = stream - (x->parts - 1) * PART;
	x->id = ++p->ids;
	x->serial = serial;
	x->sent = 0;
	x->retries = RETRIES_OFFER;
	x->rtt = -1;
	memset(x->once, 0, x->parts * sizeof(x->once[0]));
	tx_offer(p, end);
}

void
play_offer(struct play *p, unsigned end, uint32_t payload)
{
	/* who asks gives up what it asked for before */
	if (p->tx[end].state == PLAY_OFF || end == 0)
		tx_begin(p, end, payload, p->serial);
	else if (p->nqueued < PLAY_ANSWERS) {
		p->queued[p->nqueued].payload = payload;
		p->queued[p->nqueued++].serial = p->serial;
	}
}

static void
tx_end(struct play *p, unsigned end, bool whole)
{
	p->tx[end].state = PLAY_OFF;
	if (end == 0) {
		if (whole)
			play_delivered(p);
		else
			play_failed(p);
	} else if (p->nqueued > 0) {
		uint32_t next = p->queued[0].payload;
		uint32_t serial = p->queued[0].serial;

		p->nqueued--;
		memmove(p->queued, p->queued + 1,
		    p->nqueued * sizeof(p->queued[0]));
		tx_begin(p, end, next, serial);
	}
}

void
play_answered(struct play *p)
{
	if (p->tx[0].state == PLAY_UNPROVED)
		p->tx[0].state = PLAY_OFF;
}

static void
tx_part(struct play *p, unsigned end, uint32_t i)
{
	struct play_tx *x = &p->tx[end];

	play_send(p, end, (struct play_packet){.kind = PLAY_PART, .of = x->id,
	    .from = (uint16_t)i, .len = (uint16_t)(HEADER +
	    (i + 1 == x->parts ? x->last : PART))});
	x->sent += !x->once[i];
	x->once[i] = true;
}

/* The other end wants what it had not when it asked. */
static void
tx_asked(struct play *p, unsigned end, const struct play_packet *k)
{
	struct play_tx *x = &p->tx[end];
	const struct play_rx *other = &p->rx[1 - end];

	if (x->state == PLAY_OFF || x->id != k->of || other->id != k->of)
		return;
	if (x->rtt < 0)
		x->rtt = p->now - x->offered;
	if (x->state == PLAY_OFFERED)
		x->state = PLAY_SENDING;
	for (uint32_t i = k->from; i < k->to; i++)
		if (other->got[i] > k->at)
			tx_part(p, end, i);
	if (k->more)
		play_send(p, end, (struct play_packet){.kind = PLAY_UPDATE,
		    .of = x->id, .to = k->to, .len = play_sealed(UPDATE +
		    HASH * MIN_OF(HASHES, x->parts - k->to))});
	if (x->sent == x->parts && x->state == PLAY_SENDING) {
		x->state = PLAY_UNPROVED;
		x->retries = RETRIES_PROOF;
	}
	if (end == 0)
		play_alive(p, false);
	tx_watch(p, end);
}

void
play_tx_timer(struct play *p, unsigned end)
{
	struct play_tx *x = &p->tx[end];

	if (x->retries == 0 || x->state == PLAY_SENDING) {
		tx_end(p, end, false);
		return;
	}
	x->retries--;
	if (x->state == PLAY_OFFERED) {
		tx_offer(p, end);
		return;
	}
	play_send(p, end, (struct play_packet){.kind = PLAY_QUERY,
	    .of = x->id, .len = QUERY});
	tx_watch(p, end);
}

void
play_answer(struct play *p)
{
	if (p->response <= MDU)
		play_send(p, 1, (struct play_packet){.kind = PLAY_RESPONSE,
		    .of = p->serial, .len = play_sealed(p->response)});
	else
		play_offer(p, 1, p->response);
}

/* ---- who receives ---- */

static double
rx_eifr(const struct play *p, unsigned end)
{
	const struct play_rx *x = &p->rx[end];

	return x->rate > 0 ? x->rate * 8 : x->eifr_before > 0 ?
	    x->eifr_before : LINK_COST * 8 / MAX_OF(p->m.rtt_s[end], 1e-6);
}

static void
rx_watch(struct play *p, unsigned end)
{
	struct play_rx *x = &p->rx[end];
	double eifr = rx_eifr(p, end), s = RETRY_S + PER_RETRY_S *
	    (RETRIES - x->retries);

	if (!(x->first_rate > 0)) {
		s += x->factor * 3.0 * PART / eifr;
	} else {
		s += x->factor * (x->outstanding * 8.0 * PART / eifr);
		if (x->update || x->outstanding == 0)
			s += PART * 8.0 * UPDATE_PARTS / eifr;
	}
	x->timer = x->active + s;
}

static void
rx_ask(struct play *p, unsigned end)
{
	struct play_rx *x = &p->rx[end];
	uint32_t to = MIN_OF(x->next + x->window, x->parts);

	x->update = to > x->known;
	to = MIN_OF(to, x->known);
	x->outstanding = 0;
	for (uint32_t i = x->next; i < to; i++)
		x->outstanding += isinf(x->got[i]) != 0;
	x->answered = false;
	x->bytes = 0;
	x->asked = x->active = p->now;
	play_send(p, end, (struct play_packet){.kind = PLAY_ASKED,
	    .of = x->id, .at = p->now, .from = (uint16_t)x->next,
	    .to = (uint16_t)to, .more = x->update, .len = play_sealed(
	    PART_REQUEST + HASH * (x->outstanding + x->update))});
	if (end == 0)
		play_alive(p, true);
	rx_watch(p, end);
}

static void
rx_begin(struct play *p, unsigned end, const struct play_packet *k)
{
	struct play_rx *x = &p->rx[end];

	x->on = true;
	x->id = k->of;
	x->serial = k->serial;
	x->parts = k->to;
	x->known = MIN_OF(x->parts, HASHES);
	x->received = x->next = 0;
	x->window = x->window_before > 0 ? x->window_before : WINDOW;
	x->least = WINDOW_LEAST;
	x->most = WINDOW_MOST;
	x->fast = x->slow = 0;
	x->retries = RETRIES;
	x->factor = 4;
	x->rate = x->first_rate = 0;
	for (uint32_t i = 0; i < x->parts; i++)
		x->got[i] = INFINITY;
	rx_ask(p, end);
}

static void
rx_offered(struct play *p, unsigned end, const struct play_packet *k)
{
	struct play_rx *x = &p->rx[end];

	if (x->whole == k->of) {
		play_send(p, end, (struct play_packet){.kind = PLAY_PROOF,
		    .of = k->of, .len = PROOF});
		return;
	}
	if (x->on && x->id == k->of)
		return;
	if (end == 0 && !play_wanted(p, k->serial)) {
		play_send(p, end, (struct play_packet){.kind = PLAY_REFUSED,
		    .of = k->of, .len = play_sealed(REFUSED)});
		return;
	}
	if (end == 0)
		play_answered(p);
	rx_begin(p, end, k);
}

void
play_rx_timer(struct play *p, unsigned end)
{
	struct play_rx *x = &p->rx[end];

	if (x->retries == 0) {
		x->on = false;
		play_send(p, end, (struct play_packet){.kind = PLAY_REFUSED,
		    .of = x->id, .len = play_sealed(REFUSED)});
		if (end == 0)
			play_failed(p);
		return;
	}
	if (x->window > x->least) {
		x->window--;
		if (x->most > x->least) {
			x->most--;
			if (x->most > x->window + FLEX - 1)
				x->most--;
		}
	}
	x->retries--;
	rx_ask(p, end);
}

static void
rx_fast(struct play_rx *x, double rate)
{
	if (rate > RATE_FAST && x->fast < FAST_ROUNDS &&
	    ++x->fast == FAST_ROUNDS)
		x->most = WINDOW_FAST;
}

static void
rx_whole(struct play *p, unsigned end)
{
	struct play_rx *x = &p->rx[end];

	x->on = false;
	x->whole = x->id;
	x->window_before = x->window;
	x->eifr_before = rx_eifr(p, end);
	play_send(p, end, (struct play_packet){.kind = PLAY_PROOF,
	    .of = x->id, .len = PROOF});
	if (end == 0)
		play_done(p, x->serial);
	else
		play_answer(p);
}

static void
rx_round(struct play *p, unsigned end)
{
	struct play_rx *x = &p->rx[end];

	if (x->window < x->most) {
		x->window++;
		if (x->window - x->least > FLEX - 1)
			x->least++;
	}
	x->rate = x->bytes / MAX_OF(p->now - x->asked, 1e-6);
	rx_fast(x, x->rate);
	if (x->fast == 0 && x->rate < RATE_SLOW && x->slow < SLOW_ROUNDS &&
	    ++x->slow == SLOW_ROUNDS)
		x->most = WINDOW_SLOW;
	if (x->update)
		rx_watch(p, end);
	else
		rx_ask(p, end);
}

static void
rx_part(struct play *p, unsigned end, const struct play_packet *k)
{
	struct play_rx *x = &p->rx[end];

	if (!x->on || x->id != k->of || !isinf(x->got[k->from]))
		return;
	x->got[k->from] = p->now;
	x->received++;
	if (x->outstanding > 0)
		x->outstanding--;
	while (x->next < x->parts && !isinf(x->got[x->next]))
		x->next++;
	x->retries = RETRIES;
	x->active = p->now;
	x->bytes += k->len - HEADER;
	if (!x->answered) {
		x->answered = true;
		x->factor = 2;
		x->first_rate = (double)(k->len + play_sealed(PART_REQUEST +
		    HASH * x->outstanding)) / MAX_OF(p->now - x->asked, 1e-6);
		rx_fast(x, x->first_rate);
	}
	if (x->received == x->parts)
		rx_whole(p, end);
	else if (x->outstanding == 0)
		rx_round(p, end);
	else
		rx_watch(p, end);
}

static void
rx_update(struct play *p, unsigned end, const struct play_packet *k)
{
	struct play_rx *x = &p->rx[end];

	if (!x->on || x->id != k->of || !x->update)
		return;
	x->known = MIN_OF(MAX_OF(x->known, k->to + HASHES), x->parts);
	x->retries = RETRIES;
	rx_ask(p, end);
}

void
play_resource_in(struct play *p, unsigned end, const struct play_packet *k)
{
	struct play_tx *x = &p->tx[end];
	bool mine = x->state != PLAY_OFF && x->id == k->of;

	switch ((enum play_kind)k->kind) {
	case PLAY_ADVERTISED:
		rx_offered(p, end, k);
		break;
	case PLAY_ASKED:
		tx_asked(p, end, k);
		break;
	case PLAY_PART:
		rx_part(p, end, k);
		break;
	case PLAY_UPDATE:
		rx_update(p, end, k);
		break;
	case PLAY_PROOF:
		if (mine && x->sent == x->parts)
			tx_end(p, end, true);
		break;
	case PLAY_QUERY:
		if (p->rx[end].whole == k->of)
			play_send(p, end, (struct play_packet){
			    .kind = PLAY_PROOF, .of = k->of, .len = PROOF});
		break;
	case PLAY_REFUSED:
		if (mine)
			tx_end(p, end, false);
		break;
	case PLAY_REQUEST:
	case PLAY_RESPONSE:
		break;
	}
}

void
play_resource_reset(struct play *p)
{
	for (unsigned i = 0; i < 2; i++) {
		p->tx[i].state = PLAY_OFF;
		p->rx[i].on = false;
		p->rx[i].whole = 0;
		p->rx[i].window_before = 0;
		p->rx[i].eifr_before = 0;
	}
}
