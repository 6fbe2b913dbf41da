/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/forecast.h"

#include <stdlib.h>

#include "common/util.h"
#include "node/proto/slice.h"
#include "node/work/play.h"

#define LINK_REQUEST 86
#define LINK_PROOF 118
#define HOP_S 6 /* reticulum-endpoint.md 6: of each hop, of the first once more */
#define MTU 500
/* compute.md 3.2, 3.4: what stands around a slice in its request, its answer,
 * and what the request and the answer have of themselves */
#define PUT_AROUND 125
#define GET_AROUND 130
#define ANSWER_AROUND 60
/* Slices alike, then all others are taken for such: what the first ones leave on
 * the link, windows and proofs that crossed, makes the next ones differ. */
#define STEADY 5u
#define SETTLES 2u /* of them, that do not count */
#define RUN_MOST 4000u /* packets of one course, then the rest as well */

#define SLOTS_IDLE 7.5  /* that one waits on the average that sent little */
#define SLOTS_FIRST 15.0 /* at most */
/* of what hops like the first would take, that they are taken for such */
#define ALIKE_LEAST 0.7
#define ALIKE_MOST 1.5
#define LOSS_MOST 500u  /* beyond that a link does not live */

/*
 * So many courses that the average stands within some hundredths, at the cost
 * of a millisecond or two. What is short depends the most on chance.
 */
#define PACKETS 40000u
#define RUNS_LEAST 8u
#define RUNS_MOST 2000u

struct task {
	bool transfer;
	uint64_t come, go; /* of one request: its bytes, its answer's */
};

static void
medium_of(struct play_medium *m, const struct forecast_path *p)
{
	unsigned hops = MAX_OF(p->hops, (uint8_t)1);
	double d, wait, rest;

	*m = (struct play_medium){.byte_s = 8.0 / (double)p->bitrate,
	    .listen_s = p->listen_us / 1e6, .slot_s = p->slot_us / 1e6,
	    .packet_s = (p->frame_us - MIN_OF(p->frame_us, p->listen_us)) /
		1e6,
	    .frame = p->frame, .duplex = p->duplex,
	    .loss = MIN_OF(p->loss_permille, LOSS_MOST) / 1000.0};
	d = play_air(m, LINK_REQUEST) + play_air(m, LINK_PROOF);
	wait = 2 * (m->listen_s + SLOTS_IDLE * m->slot_s);
	m->rtt_s[0] = m->rtt_s[1] = p->rtt_us > 0 ? p->rtt_us / 1e6 : d + wait;
	/*
	 * Where nothing else is on the way, what is longer is what was lost; of
	 * lines in a row likewise, when something is.
	 */
	if (p->asker_rtt_us > 0)
		m->rtt_s[0] = p->asker_rtt_us / 1e6;
	else if (p->direct)
		m->rtt_s[0] = MIN_OF(m->rtt_s[0], d + wait);
	else if (p->duplex && hops > 1 && m->loss > 0)
		m->rtt_s[0] = MIN_OF(m->rtt_s[0], hops * d + wait);
	m->link_s = (hops + 1) * HOP_S + MTU * m->byte_s;
	/* one that waits has waited for longer, as likely as not */
	wait = 2 * (m->listen_s + SLOTS_FIRST * m->slot_s);
	rest = p->direct ? 0 : MAX_OF(MIN_OF(m->rtt_s[0], m->rtt_s[1]) - d -
	    wait, 0.0);
	/* lines, where those behind explain it; else it is way alone */
	if (p->duplex && hops > 1 && rest > ALIKE_LEAST * (hops - 1) * d &&
	    rest < ALIKE_MOST * (hops - 1) * d) {
		m->far = hops - 1;
		rest = MAX_OF(rest - m->far * d, 0.0);
	}
	m->way_s = rest / 2;
}

static int64_t
to_us(double s)
{
	return !(s <= 9e12) ? INT64_MAX : (int64_t)(s * 1e6 + 0.5);
}

static bool
chance(const struct play_medium *m)
{
	return m->loss > 0 || m->slot_s > 0;
}

/* Slices that adapt to the link. *more: s of those that are not played. */
static double
slices_s(struct play *p, uint64_t bytes, uint32_t *slice, bool come,
    double *more)
{
	const uint64_t all = bytes;
	const bool dice = chance(&p->m);
	double sum = 0, s, alike = 0;
	unsigned n = 0;

	while (bytes > 0) {
		uint32_t k = (uint32_t)MIN_OF(bytes, (uint64_t)*slice);
		uint32_t was = *slice;

		s = come ? play_request(p, k + PUT_AROUND, ANSWER_AROUND) :
		    play_request(p, GET_AROUND, k + ANSWER_AROUND);
		sum += s;
		bytes -= k;
		*slice = slice_after(*slice, k, to_us(s), SLICE_MOST);
		n = *slice == was ? n + 1 : 0;
		alike = n > SETTLES ? alike + s : 0;
		if (dice && n >= STEADY && bytes / k > 0) {
			*more += (double)(bytes / k) * alike /
			    (n - SETTLES);
			bytes %= k;
		} else if (p->packets > RUN_MOST) {
			*more += (double)bytes * sum / (double)(all - bytes);
			break;
		}
	}
	return sum;
}

static double
course_s(struct play *p, const struct task *t, double *more)
{
	uint32_t slice = slice_first(to_us(p->m.rtt_s[0]));

	if (!t->transfer)
		return play_request(p, (uint32_t)t->come, (uint32_t)t->go);
	return slices_s(p, t->come, &slice, true, more) +
	    slices_s(p, t->go, &slice, false, more);
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct forecast
foresee(const struct forecast_path *path, const struct task *t)
{
	double s[RUNS_MOST], sum = 0, more = 0, mean, most;
	struct play_medium m;
	struct play p;
	uint64_t packets = 0;
	unsigned n = 0;

	if (path->bitrate == 0)
		return (struct forecast){0};
	medium_of(&m, path);
	do {
		play_begin(&p, &m, n);
		s[n] = course_s(&p, t, &more);
		sum += s[n++];
		packets += p.packets;
	} while (chance(&m) && n < RUNS_MOST &&
	    (n < RUNS_LEAST || packets < PACKETS));
	mean = (sum + more) / n;
	qsort(s, n, sizeof(s[0]), by_size);
	/* of what goes on for long the rest is as it is on the average */
	most = s[(n - 1) * 9 / 10] + more / n;
	return (struct forecast){to_us(mean), to_us(MAX_OF(most, mean))};
}

struct forecast
forecast_request(const struct forecast_path *p, uint32_t request,
    uint32_t response)
{
	return foresee(p, &(struct task){false, request, response});
}

struct forecast
forecast(const struct forecast_path *p, uint64_t come, uint64_t go)
{
	return foresee(p, &(struct task){true, come, go});
}

uint32_t
forecast_s(int64_t us)
{
	return us / 1000000 >= UINT32_MAX ? UINT32_MAX :
	    (uint32_t)(us / 1000000 + (us % 1000000 != 0));
}
