/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/forecast.h"

#include <stdbool.h>

#include "common/util.h"

/* Sizes in bytes, reticulum-endpoint.md 1.2, 3.1, 6 and 8. */
#define HEADER 19
#define TOKEN 48       /* of a link's encryption, besides the padding */
#define BLOCK 16
#define MDU 431        /* of a link's packet */
#define PART 464       /* of a resource, MTU 500 */
#define SEGMENT 1048575u
#define PROOF 83       /* of a resource, with its header */
#define LINK_REQUEST 86
#define LINK_PROOF 118
#define ADVERTISED 127 /* of an advertisement, besides the hashes */
#define HASHES 74      /* of an advertisement, of an update */
#define HASH 4
#define PART_REQUEST 33
#define UPDATE 39      /* besides the hashes */
#define WINDOW 4
#define WINDOW_MAX 10
#define WINDOW_SLOW 4
#define WINDOW_FAST 75
#define RATE_SLOW 250.0  /* bytes/s */
#define RATE_FAST 6250.0
#define FAST_ROUNDS 4
#define SLOW_ROUNDS 2
#define RETRY_S 0.25
#define AGAIN_S 2.0    /* who has no answer asks again: compute.md 3 */
/* compute.md 3.2, 3.4: what stands around a slice in its request, its answer */
#define PUT_AROUND 95
#define GET_AROUND 100
#define ANSWER_AROUND 40
/* How a submitter cuts (node/cli/submitter.c). */
#define SLICE_FIRST 32768u
#define SLICE_LEAST 2048u
#define SLICE_MOST 262144u
#define SLICE_S 8.0

/*
 * A radio that listens before it sends: for how long, in slots, goes by what
 * it has sent of the last USED_S itself.
 */
#define USED_S 15.0
#define SLOTS 60.0       /* that it waits when it did nothing but send */
#define SLOTS_LEAST 7.5
#define SLOTS_MOST 52.5
#define SLOTS_FIRST 15.0 /* most that one waits that has sent little */
#define USED_BEFORE 0.25 /* who begins a transfer has just asked for it */

struct course {
	const struct forecast_path *p;
	double used; /* share of its time that who sends the bulk has sent */
};

/* Beyond that a link does not live. */
static double
loss_of(struct course *c)
{
	return MIN_OF(c->p->loss_permille, 500u) / 1000.0;
}

static double
air(struct course *c, double bytes)
{
	return bytes * 8.0 / (double)c->p->bitrate + (c->p->frame_us +
	    SLOTS_LEAST * c->p->slot_us) / 1e6;
}

/* So many parts, one after the other, of who has hardly a pause. */
static double
parts_air(struct course *c, double parts, double bytes)
{
	double one = bytes * 8.0 / (double)c->p->bitrate, sum = 0, s, wait;

	if (c->p->slot_us == 0)
		return parts * air(c, bytes);
	for (; parts > 0; parts--) {
		wait = MIN_OF(MAX_OF(SLOTS * c->used, SLOTS_LEAST),
		    SLOTS_MOST) * c->p->slot_us / 1e6;
		s = one + c->p->frame_us / 1e6 + wait;
		c->used += (one - c->used * s) / MAX_OF(USED_S, s);
		sum += s * MIN_OF(parts, 1.0);
	}
	return sum;
}

/* An encrypted packet of so many bytes of payload. */
static double
packet(struct course *c, uint64_t payload)
{
	return air(c, (double)(HEADER + TOKEN +
	    (payload / BLOCK + 1) * BLOCK));
}

/* One way, what is not the medium's: other hops, devices, distance. */
static double
way(struct course *c)
{
	double d = c->p->rtt_us / 1e6 - air(c, LINK_REQUEST) -
	    air(c, LINK_PROOF);

	/* one that waits has waited for longer, as likely as not */
	d -= 2 * (SLOTS_FIRST - SLOTS_LEAST) * c->p->slot_us / 1e6;

	return d > 0 && !c->p->direct ? d / 2 : 0;
}

static double
power(double x, double n)
{
	double y = 1;

	for (; n >= 1; n--)
		y *= x;
	return y;
}

/* What the receiver has found out of how fast it goes. */
struct rounds {
	double window, most, least, rate;
	unsigned fast, slow;
};

static void
round_done(struct rounds *r, double complete)
{
	/* grown by those that were whole, cut by those that were not */
	if (r->window < r->most)
		r->window += complete;
	if (r->window - r->least > 3)
		r->least += complete;
	r->window = MAX_OF(r->window - (1 - complete), r->least);
	if (r->rate > RATE_FAST && r->fast < FAST_ROUNDS &&
	    ++r->fast == FAST_ROUNDS)
		r->most = WINDOW_FAST;
	if (r->fast == 0 && r->rate < RATE_SLOW && r->slow < SLOW_ROUNDS &&
	    ++r->slow == SLOW_ROUNDS)
		r->most = WINDOW_SLOW;
}

/*
 * One round: the request, its parts, and what is waited for when the request
 * or one of them is lost. *got: parts that came.
 */
static double
one_round(struct course *c, struct rounds *r, double parts,
    double part_bytes, bool update, double *got)
{
	double loss = loss_of(c), kept = 1 - loss;
	double whole = kept * power(kept, parts), lost, asked, s, wait = 0;

	asked = packet(c, PART_REQUEST + (uint64_t)(HASH * parts));
	c->used -= c->used * MIN_OF((asked + 2 * way(c)) / USED_S, 1.0);
	s = asked + 2 * way(c) + parts_air(c, parts, HEADER + part_bytes);
	*got = parts * kept * kept;
	if (update)
		s += packet(c, UPDATE + HASH * HASHES);
	if (loss > 0) {
		double eifr = r->rate > 0 ? r->rate * 8 :
		    (double)c->p->bitrate / 2;

		/* of a round that is not whole; one of hashes alone has none */
		lost = parts < 1 ? parts :
		    parts * loss / (1 - power(kept, parts));
		/* nobody sends parts when the request is lost */
		wait = loss * (2 * parts * PART * 8 / eifr + RETRY_S -
		    (s - asked)) +
		    (kept - whole) * (2 * lost * PART * 8 / eifr + RETRY_S);
		/* silence begins with the last that came */
		wait -= loss * air(c, HEADER + part_bytes);
	}
	/* it is measured of rounds that were whole */
	r->rate = parts * (part_bytes + HEADER) / s;
	round_done(r, whole);
	return s + wait;
}

static double
segment_s(struct course *c, uint64_t content)
{
	uint64_t stream = TOKEN + ((content + 4) / BLOCK + 1) * BLOCK;
	double parts = (double)((stream + PART - 1) / PART), had = 0, got;
	double known = MIN_OF(parts, HASHES);
	double size = (double)stream / parts, s, n, odds;
	struct rounds r = {.window = WINDOW, .most = WINDOW_MAX, .least = 2};
	bool update;

	s = packet(c, ADVERTISED + HASH * (uint64_t)known) + way(c);
	s += loss_of(c) * (6 * c->p->rtt_us / 1e6 + 1);
	while (had < parts - 0.01) {
		n = MIN_OF(MIN_OF(r.window, parts - had), known - had + 0.0);
		update = known < parts && known - had < r.window;
		/* less than one is what may be left to ask for again */
		odds = update || parts - had >= 1 ? 1 : parts - had;
		s += odds * one_round(c, &r, MAX_OF(n, update ? 0.0 : 1.0),
		    size, update, &got);
		had += odds * got;
		if (update)
			known = MIN_OF(parts, known + HASHES);
	}
	/* what comes next does not wait for the proof to arrive */
	return s + air(c, PROOF);
}

/* A payload one way: in one packet, or as a resource. */
static double
moved_s(struct course *c, uint64_t payload)
{
	uint64_t whole = payload / SEGMENT, rest = payload % SEGMENT;
	double s = 0;

	if (payload <= MDU)
		return packet(c, payload) + way(c);
	if (whole > 0)
		s += (double)whole * segment_s(c, SEGMENT);
	return rest > 0 ? s + segment_s(c, rest) : s;
}

static double
request_s(struct course *c, uint64_t request, uint64_t response)
{
	double loss = loss_of(c);
	double again = AGAIN_S > 8 * c->p->rtt_us / 1e6 ? AGAIN_S :
	    8 * c->p->rtt_us / 1e6;
	unsigned small = (request <= MDU) + (response <= MDU);

	/* nobody sees to a packet on its way: the whole is asked again */
	return moved_s(c, request) + moved_s(c, response) +
	    (1 - power(1 - loss, small)) * again;
}

/* Slices that adapt to the link, as a submitter's do. */
static double
slices_s(struct course *c, uint64_t bytes, uint64_t *slice,
    bool come)
{
	double sum = 0, s;
	uint64_t n, was;

	while (bytes > 0) {
		n = MIN_OF(bytes, *slice);
		s = come ? request_s(c, n + PUT_AROUND, ANSWER_AROUND) :
		    request_s(c, GET_AROUND, n + ANSWER_AROUND);
		was = *slice;
		if (s > SLICE_S && n >= SLICE_LEAST)
			*slice = MAX_OF(n / 2, SLICE_LEAST);
		else if (s < SLICE_S / 4)
			*slice = MIN_OF(2 * *slice, SLICE_MOST);
		if (*slice == was && bytes / n > 1) {
			sum += (double)(bytes / n) * s;
			bytes %= n;
			continue;
		}
		sum += s;
		bytes -= n;
	}
	return sum;
}

static int64_t
to_us(double s)
{
	return !(s <= 9e12) ? INT64_MAX : (int64_t)(s * 1e6 + 0.5);
}

int64_t
forecast_request_us(const struct forecast_path *p, uint64_t request,
    uint64_t response)
{
	struct course c = {p, USED_BEFORE};

	return p->bitrate == 0 ? 0 : to_us(request_s(&c, request, response));
}

int64_t
forecast_us(const struct forecast_path *p, uint64_t come, uint64_t go)
{
	struct course c = {p, USED_BEFORE};
	uint64_t slice = SLICE_FIRST;
	double s;

	if (p->bitrate == 0)
		return 0;
	s = slices_s(&c, come, &slice, true);
	c.used = USED_BEFORE; /* the other one sends */
	return to_us(s + slices_s(&c, go, &slice, false));
}

uint32_t
forecast_s(const struct forecast_path *p, uint64_t come, uint64_t go)
{
	int64_t us = forecast_us(p, come, go);

	return us / 1000000 >= UINT32_MAX ? UINT32_MAX :
	    (uint32_t)(us / 1000000 + (us % 1000000 != 0));
}
