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

/* Beyond that a link does not live. */
static double
loss_of(const struct forecast_path *p)
{
	return MIN_OF(p->loss_permille, 500u) / 1000.0;
}

static double
air(const struct forecast_path *p, double bytes)
{
	return bytes * 8.0 / (double)p->bitrate + p->frame_us / 1e6;
}

/* An encrypted packet of so many bytes of payload. */
static double
packet(const struct forecast_path *p, uint64_t payload)
{
	return air(p, (double)(HEADER + TOKEN +
	    (payload / BLOCK + 1) * BLOCK));
}

/* One way, what is not the medium's: other hops, devices, distance. */
static double
way(const struct forecast_path *p)
{
	double d = p->rtt_us / 1e6 - air(p, LINK_REQUEST) - air(p, LINK_PROOF);

	return d > 0 ? d / 2 : 0;
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
one_round(const struct forecast_path *p, struct rounds *r, double parts,
    double part_bytes, bool update, double *got)
{
	double loss = loss_of(p), kept = 1 - loss;
	double whole = kept * power(kept, parts), lost, asked, s, wait = 0;

	asked = packet(p, PART_REQUEST + (uint64_t)(HASH * parts));
	s = asked + 2 * way(p) + parts * air(p, HEADER + part_bytes);
	*got = parts * kept * kept;
	if (update)
		s += packet(p, UPDATE + HASH * HASHES);
	if (loss > 0) {
		double eifr = r->rate > 0 ? r->rate * 8 :
		    (double)p->bitrate / 2;

		lost = parts * loss / (1 - power(kept, parts));
		/* nobody sends parts when the request is lost */
		wait = loss * (2 * parts * PART * 8 / eifr + RETRY_S -
		    (s - asked)) +
		    (kept - whole) * (2 * lost * PART * 8 / eifr + RETRY_S);
		/* silence begins with the last that came */
		wait -= loss * air(p, HEADER + part_bytes);
	}
	/* it is measured of rounds that were whole */
	r->rate = parts * (part_bytes + HEADER) / s;
	round_done(r, whole);
	return s + wait;
}

static double
segment_s(const struct forecast_path *p, uint64_t content)
{
	uint64_t stream = TOKEN + ((content + 4) / BLOCK + 1) * BLOCK;
	double parts = (double)((stream + PART - 1) / PART), had = 0, got;
	double known = MIN_OF(parts, HASHES);
	double size = (double)stream / parts, s, n, odds;
	struct rounds r = {.window = WINDOW, .most = WINDOW_MAX, .least = 2};
	bool update;

	s = packet(p, ADVERTISED + HASH * (uint64_t)known) + way(p);
	s += loss_of(p) * (6 * p->rtt_us / 1e6 + 1);
	while (had < parts - 0.01) {
		n = MIN_OF(MIN_OF(r.window, parts - had), known - had + 0.0);
		update = known < parts && known - had < r.window;
		/* less than one is what may be left to ask for again */
		odds = update || parts - had >= 1 ? 1 : parts - had;
		s += odds * one_round(p, &r, MAX_OF(n, update ? 0.0 : 1.0),
		    size, update, &got);
		had += odds * got;
		if (update)
			known = MIN_OF(parts, known + HASHES);
	}
	/* what comes next does not wait for the proof to arrive */
	return s + air(p, PROOF);
}

/* A payload one way: in one packet, or as a resource. */
static double
moved_s(const struct forecast_path *p, uint64_t payload)
{
	uint64_t whole = payload / SEGMENT, rest = payload % SEGMENT;
	double s = 0;

	if (payload <= MDU)
		return packet(p, payload) + way(p);
	if (whole > 0)
		s += (double)whole * segment_s(p, SEGMENT);
	return rest > 0 ? s + segment_s(p, rest) : s;
}

static double
request_s(const struct forecast_path *p, uint64_t request, uint64_t response)
{
	double loss = loss_of(p);
	double again = AGAIN_S > 8 * p->rtt_us / 1e6 ? AGAIN_S :
	    8 * p->rtt_us / 1e6;
	unsigned small = (request <= MDU) + (response <= MDU);

	/* nobody sees to a packet on its way: the whole is asked again */
	return moved_s(p, request) + moved_s(p, response) +
	    (1 - power(1 - loss, small)) * again;
}

/* Slices that adapt to the link, as a submitter's do. */
static double
slices_s(const struct forecast_path *p, uint64_t bytes, uint64_t *slice,
    bool come)
{
	double sum = 0, s;
	uint64_t n, was;

	while (bytes > 0) {
		n = MIN_OF(bytes, *slice);
		s = come ? request_s(p, n + PUT_AROUND, ANSWER_AROUND) :
		    request_s(p, GET_AROUND, n + ANSWER_AROUND);
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
	return s > 9e12 ? INT64_MAX : (int64_t)(s * 1e6 + 0.5);
}

int64_t
forecast_request_us(const struct forecast_path *p, uint64_t request,
    uint64_t response)
{
	return p->bitrate == 0 ? 0 : to_us(request_s(p, request, response));
}

int64_t
forecast_us(const struct forecast_path *p, uint64_t come, uint64_t go)
{
	uint64_t slice = SLICE_FIRST;
	double s;

	if (p->bitrate == 0)
		return 0;
	s = slices_s(p, come, &slice, true);
	return to_us(s + slices_s(p, go, &slice, false));
}

uint32_t
forecast_s(const struct forecast_path *p, uint64_t come, uint64_t go)
{
	int64_t us = forecast_us(p, come, go);

	return us / 1000000 >= UINT32_MAX ? UINT32_MAX :
	    (uint32_t)(us / 1000000 + (us % 1000000 != 0));
}
