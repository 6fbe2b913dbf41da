/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose turn it is on a slow interface, and when; under virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/modem/airbook.h"
#include "transport/modem/airq.h"
#include "common/util.h"
#include "common/wire.h"

#define SECOND MONO_SECOND
#define AIRQ_SAME_PEER 64 /* numbers of interfaces that share a share */
/* 1,000 bit/s: a byte is 8 ms */
static const struct airtime slow = {.how = AIRTIME_BITS, .paced = true,
    .bitrate = 1000};

static struct mono
at(double s)
{
	return (struct mono){(int64_t)(s * 1e6)};
}

static bool
put(struct airq *q, enum rns_kind kind, unsigned from, uint8_t dest,
    size_t len, struct mono now)
{
	static uint8_t bytes[2048];
	const struct hash16 d = {{0, 0, 0, dest}};
	const struct rns_tx tx = {.ifid = 1, .from = from, .data = bytes,
	    .len = len, .kind = kind, .dest = &d};

	bytes[0] = dest;
	bytes[1] = (uint8_t)from;
	return airq_put(q, &tx, now);
}

static struct airq *
make(const struct airq_conf *c)
{
	struct airq *q = airq_new(c);

	assert_non_null(q);
	airq_medium(q, &slow);
	return q;
}

/* Lets time pass until one goes; false: none will. */
static bool
next(struct airq *q, struct airq_packet *p, struct mono *now)
{
	for (unsigned i = 0; i < 10; i++) {
		struct mono due = airq_due(q, *now);

		if (due.us == INT64_MAX)
			return false;
		if (due.us > now->us)
			*now = due;
		if (airq_next(q, p, *now))
			return true;
	}
	fail_msg("due() says when, and next() has nothing");
	return false;
}

/* ---- the order of classes ---- */

static void
classes_in_order(void **state)
{
	static const enum rns_kind order[] = {RNS_KIND_CONTROL, RNS_KIND_NEAR,
	    RNS_KIND_FAR, RNS_KIND_RELAY, RNS_KIND_RELAY, RNS_KIND_JOBS};
	struct airq *q = make(&(struct airq_conf){.announce_cap = 20});
	struct mono now = at(100);
	struct airq_packet p;

	(void)state;
	for (size_t i = NELEM(order); i-- > 0;)
		assert_true(put(q, order[i], 1, 1, 100, now));
	for (size_t i = 0; i < NELEM(order); i++) {
		assert_true(next(q, &p, &now));
		assert_int_equal(p.kind, order[i]);
		assert_int_equal(p.len, 100);
		assert_int_equal(p.air_us, 800000);
	}
	assert_int_equal(airq_due(q, now).us, INT64_MAX);
	assert_false(airq_next(q, &p, now));
	/* one after the other, as long as each lasts */
	assert_in_range(now.us, at(103.9).us, at(104).us);
	airq_free(q);
}

/* It fills, and room is there again as packets go: of one way, in order. */
static void
first_in_first_out(void **state)
{
	struct airq *q = airq_new(&(struct airq_conf){0});
	uint8_t in = 0, out = 0;
	size_t waiting = 0, bytes, n = 0;
	struct airq_packet p;

	(void)state;
	assert_int_equal(airq_due(q, at(1)).us, MONO_NEVER.us);
	for (unsigned turn = 0; turn < 500; turn++) {
		/* put() writes dest as the first byte, from as the second */
		while (put(q, RNS_KIND_RELAY, in, 1, 140 + turn % 360, at(1))) {
			in = (uint8_t)(in + AIRQ_SAME_PEER);
			waiting += 140 + turn % 360;
			n++;
		}
		assert_int_equal(airq_waiting(q), waiting);
		assert_int_equal(airq_due(q, at(1)).us, at(1).us);
		for (unsigned i = 0; i <= turn % 9 && n > 0; i++, n--) {
			assert_true(airq_next(q, &p, at(1)));
			assert_int_equal(p.data[1], out);
			out = (uint8_t)(out + AIRQ_SAME_PEER);
			waiting -= p.len;
		}
	}
	assert_int_equal(airq_clear(q, &bytes), n);
	assert_int_equal(bytes, waiting);
	assert_int_equal(airq_waiting(q), 0);
	airq_free(q);
}

/* What is not known to be slow is not held up, nor is what may be sent now. */
static void
no_medium(void **state)
{
	struct airq *q = airq_new(&(struct airq_conf){0});
	struct airq_packet p;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		assert_true(put(q, RNS_KIND_RELAY, 1, 1, 500, at(1)));
	for (unsigned i = 0; i < 10; i++)
		assert_true(airq_next(q, &p, at(1)));
	airq_free(q);
}

/* A device that is not paced is given what it takes. */
static void
not_paced(void **state)
{
	struct airtime medium = slow;
	struct airq *q = make(&(struct airq_conf){0});
	struct airq_packet p;

	(void)state;
	medium.paced = false;
	airq_medium(q, &medium);
	for (unsigned i = 0; i < 3; i++)
		assert_true(put(q, RNS_KIND_RELAY, 1, 1, 500, at(1)));
	for (unsigned i = 0; i < 3; i++) {
		assert_true(airq_next(q, &p, at(1)));
		assert_int_equal(p.air_us, 4 * SECOND);
	}
	/* but where a duty cycle is kept */
	assert_int_equal(airq_limit(q, &(struct airq_conf){.duty = 50000,
	    .window_us = 1000 * SECOND}), 0);
	assert_true(put(q, RNS_KIND_RELAY, 1, 1, 500, at(1)));
	assert_false(airq_next(q, &p, at(1)));
	assert_true(airq_next(q, &p, at(13)));
	airq_free(q);
}

static void
channel_busy(void **state)
{
	struct airq *q = make(&(struct airq_conf){0});
	struct airq_packet p;

	(void)state;
	assert_true(put(q, RNS_KIND_RELAY, 1, 1, 100, at(10)));
	assert_true(put(q, RNS_KIND_RELAY, 1, 1, 100, at(10)));
	assert_true(airq_next(q, &p, at(10)));
	assert_false(airq_next(q, &p, at(10.5)));
	assert_in_range(airq_due(q, at(10)).us, at(10.7).us, at(10.8).us);
	airq_sent(q, at(17)); /* others were on the channel */
	assert_true(airq_next(q, &p, at(17)));
	airq_sent(q, at(17)); /* it has a memory: that changes nothing */
	assert_true(put(q, RNS_KIND_RELAY, 1, 1, 100, at(17)));
	assert_false(airq_next(q, &p, at(17)));
	assert_true(airq_next(q, &p, at(17.8)));
	airq_free(q);
}

/* ---- shares ---- */

static void
far_announces_keep_their_share(void **state)
{
	struct airq *q = make(&(struct airq_conf){.announce_cap = 20,
	    .age_us = 10000 * SECOND});
	int64_t air = 0, last = 0;
	struct mono now = at(50);
	struct airq_packet p;
	struct airq_view v;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_true(put(q, RNS_KIND_FAR, 1, (uint8_t)i, 200, now));
	for (unsigned i = 0; i < 100; i++) {
		assert_true(next(q, &p, &now));
		/* 1.6 s of each 80 */
		if (i > 0)
			assert_true(now.us - last >= 80 * SECOND);
		last = now.us;
		air += p.air_us;
		airq_view(q, &v, now);
		if (i < 99) {
			assert_int_equal(v.of[RNS_KIND_FAR].why, AIRQ_PACE);
			assert_true(v.of[RNS_KIND_FAR].at.us >=
			    now.us + 79 * SECOND);
		}
		/* it does not hold up what is not an announce */
		assert_true(put(q, RNS_KIND_JOBS, 0, 1, 100, now));
		assert_true(next(q, &p, &now));
		assert_int_equal(p.kind, RNS_KIND_JOBS);
	}
	assert_int_equal(air, 100 * 1600000);
	airq_free(q);
}

/* All classes send as much as they can: who gets what. */
static void
no_class_starves(void **state)
{
	struct airq *q = make(&(struct airq_conf){.announce_cap = 1000,
	    .bytes = 2000});
	int64_t air[RNS_KINDS] = {0};
	struct mono now = at(1);
	size_t bytes;
	struct airq_packet p;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		for (unsigned k = 0; k < RNS_KINDS; k++)
			while (put(q, k, 1, 1, 200, now))
				;
		assert_true(next(q, &p, &now));
		air[p.kind] += p.air_us;
	}
	/* announces two tenths each, the rest by halves, jobs what is left */
	assert_true(air[RNS_KIND_NEAR] * 7 > now.us);
	assert_true(air[RNS_KIND_FAR] * 7 > now.us);
	assert_true(air[RNS_KIND_NEAR] * 5 <= now.us);
	assert_true(air[RNS_KIND_RELAY] * 4 > now.us);
	assert_true(air[RNS_KIND_CONTROL] * 4 > now.us);
	assert_int_equal(air[RNS_KIND_JOBS], 0);
	/* and jobs all of it as soon as nobody wants it */
	(void)airq_clear(q, &bytes);
	assert_true(put(q, RNS_KIND_JOBS, 1, 1, 200, now));
	assert_true(next(q, &p, &now));
	assert_int_equal(p.kind, RNS_KIND_JOBS);
	airq_free(q);
}

/* Ten times as much from one, in ten times as large packets. */
static void
peers_are_equal(void **state)
{
	struct airq *q = make(&(struct airq_conf){.bytes = 8000,
	    .age_us = 1000 * SECOND});
	uint64_t got[2] = {0}, links[2] = {0};
	struct mono now = at(1);
	struct airq_packet p;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		for (unsigned n = 0; n < 10; n++) {
			(void)put(q, RNS_KIND_RELAY, 1, 1, 400, now);
			/* of whom each link is one half */
			if (n < 6)
				(void)put(q, RNS_KIND_RELAY, 2, n == 0 ? 8 : 9,
				    n == 0 ? 100 : 300, now);
		}
		assert_true(next(q, &p, &now));
		got[p.data[1] - 1] += p.len;
		if (p.data[1] == 2)
			links[p.data[0] - 8] += p.len;
	}
	assert_true(got[0] * 100 > got[1] * 95 && got[1] * 100 > got[0] * 95);
	assert_true(links[0] * 100 > links[1] * 90 &&
	    links[1] * 100 > links[0] * 90);
	airq_free(q);
}

/* One that comes now and then waits for one packet, not for a queue. */
static void
light_peer_is_prompt(void **state)
{
	struct airq *q = make(&(struct airq_conf){.age_us = 1000 * SECOND});
	struct mono now = at(1), asked;
	struct airq_packet p;

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		while (put(q, RNS_KIND_RELAY, 1, 1, 500, now))
			;
		if (i % 10 == 9) {
			assert_true(put(q, RNS_KIND_RELAY, 2, 2, 80, now));
			asked = now;
			do
				assert_true(next(q, &p, &now));
			while (p.data[1] != 2);
			assert_true(mono_sub(now, asked) <= 2 * 4 * SECOND);
		} else {
			assert_true(next(q, &p, &now));
		}
	}
	airq_free(q);
}

/* ---- what is dropped ---- */

static uint64_t
drops(const struct airq *q, enum rns_kind kind, enum airq_drop why,
    struct mono now)
{
	struct airq_view v;

	airq_view(q, &v, now);
	return v.of[kind].drops[why];
}

static void
full(void **state)
{
	struct airq *q = make(&(struct airq_conf){.bytes = 1000});
	struct mono now = at(1);
	size_t bytes;
	struct airq_packet p;
	struct airq_view v;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		assert_true(put(q, RNS_KIND_RELAY, 1, (uint8_t)i, 100, now));
	assert_false(put(q, RNS_KIND_RELAY, 1, 3, 100, now));
	assert_int_equal(drops(q, RNS_KIND_RELAY, AIRQ_DROP_FULL, now), 1);
	/* another peer finds room, which the first one's last makes */
	assert_true(put(q, RNS_KIND_RELAY, 2, 20, 100, now));
	assert_int_equal(drops(q, RNS_KIND_RELAY, AIRQ_DROP_FULL, now), 2);
	/* and classes have each their own */
	assert_true(put(q, RNS_KIND_JOBS, 2, 20, 1000, now));
	assert_false(put(q, RNS_KIND_JOBS, 2, 20, 1, now));
	assert_false(put(q, RNS_KIND_CONTROL, 2, 20, 1001, now));
	airq_view(q, &v, now);
	assert_int_equal(v.of[RNS_KIND_RELAY].packets, 10);
	assert_int_equal(v.of[RNS_KIND_RELAY].bytes, 1000);
	assert_int_equal(v.of[RNS_KIND_CONTROL].packets, 0);
	for (unsigned i = 0; i < 10; i++)
		assert_true(next(q, &p, &now));
	assert_int_equal(airq_waiting(q), 1000);
	assert_int_equal(airq_clear(q, &bytes), 1);
	assert_int_equal(bytes, 1000);
	assert_int_equal(drops(q, RNS_KIND_JOBS, AIRQ_DROP_GONE, now), 1);
	for (unsigned i = 0; i < AIRQ_PACKETS; i++)
		assert_true(put(q, RNS_KIND_RELAY, i, 1, 1, now));
	assert_false(put(q, RNS_KIND_RELAY, 1, 1, 1, now));
	airq_free(q);
}

static void
old(void **state)
{
	struct airq *q = make(&(struct airq_conf){.duty = 1000,
	    .window_us = 100 * SECOND, .age_us = 30 * SECOND});
	struct airq_packet p;

	(void)state;
	assert_true(put(q, RNS_KIND_RELAY, 1, 1, 125, at(1000)));
	assert_true(put(q, RNS_KIND_RELAY, 1, 1, 125, at(1000)));
	/* 1 s of 100 is all of it */
	assert_true(airq_next(q, &p, at(1000)));
	assert_int_equal(airq_due(q, at(1000)).us, at(1100).us);
	assert_false(airq_next(q, &p, at(1030)));
	assert_int_equal(drops(q, RNS_KIND_RELAY, AIRQ_DROP_OLD, at(1030)), 0);
	assert_false(airq_next(q, &p, at(1100)));
	assert_int_equal(drops(q, RNS_KIND_RELAY, AIRQ_DROP_OLD, at(1100)), 1);
	assert_int_equal(airq_due(q, at(1100)).us, INT64_MAX);
	/* what would never fit is told at once */
	assert_false(put(q, RNS_KIND_RELAY, 1, 1, 126, at(1100)));
	assert_int_equal(drops(q, RNS_KIND_RELAY, AIRQ_DROP_NEVER, at(1100)),
	    1);
	/* or when the radio has become slower */
	assert_true(put(q, RNS_KIND_RELAY, 1, 1, 125, at(1200)));
	airq_medium(q, &(struct airtime){.how = AIRTIME_BITS, .bitrate = 900});
	assert_false(airq_next(q, &p, at(1200)));
	assert_int_equal(drops(q, RNS_KIND_RELAY, AIRQ_DROP_NEVER, at(1200)),
	    2);
	airq_free(q);
}

/* ---- the duty cycle ---- */

#define SENT_MAX 20000
struct sent {
	int64_t begun, end;
	enum rns_kind kind;
};
static struct sent sent[SENT_MAX];
static size_t sent_count;

/*
 * The most of any window, counted anew and not as the book does it: a window
 * that has most ends where something ends.
 */
static int64_t
most_of_any(int64_t window_us, unsigned kinds)
{
	int64_t most = 0;

	for (size_t i = 0; i < sent_count; i++) {
		int64_t from = sent[i].end - window_us, sum = 0;

		for (size_t j = i + 1; j-- > 0 && sent[j].end > from;)
			if ((kinds >> sent[j].kind & 1) != 0)
				sum += sent[j].end - MAX_OF(sent[j].begun,
				    from);
		most = MAX_OF(most, sum);
	}
	return most;
}

static uint64_t
chance(uint64_t *s, uint64_t n)
{
	*s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*s >> 33) % n;
}

/* What is wanted, in bursts and pauses, on a channel that others use too. */
static void
busy_days(struct airq *q, uint64_t seed, unsigned steps, struct mono *now,
    bool feedback, bool beacons)
{
	struct airq_packet p;

	for (unsigned i = 0; i < steps; i++) {
		unsigned n = (unsigned)chance(&seed, 12);
		struct mono until = mono_add(*now,
		    (int64_t)chance(&seed, 20) * SECOND);

		for (unsigned k = 0; k < n; k++) {
			unsigned from = (unsigned)chance(&seed, 4);
			size_t len = 20 + chance(&seed, 480);

			(void)put(q, (enum rns_kind)chance(&seed, RNS_KINDS),
			    from, (uint8_t)k, len, *now);
		}
		while (airq_due(q, *now).us <= until.us) {
			int64_t late = feedback ?
			    (int64_t)chance(&seed, 2 * SECOND) : 0;
			int64_t begun;

			/* of the device's own, and it goes first */
			if (beacons && chance(&seed, 4) == 0) {
				*now = airq_beacon_at(q, 15, *now);
				airq_beacon(q, 15, *now);
				p = (struct airq_packet){.air_us = airtime_us(
				    airq_get_medium(q), 15)};
			} else {
				now->us = MAX_OF(now->us, airq_due(q, *now).us);
				if (!airq_next(q, &p, *now))
					continue;
			}
			begun = sent_count == 0 ? now->us : MAX_OF(now->us,
			    sent[sent_count - 1].end);
			begun += late;
			assert_true(sent_count < SENT_MAX);
			sent[sent_count++] = (struct sent){begun,
			    begun + p.air_us, p.kind};
			if (feedback) {
				*now = (struct mono){begun + p.air_us};
				airq_sent(q, *now);
			}
		}
		now->us = MAX_OF(now->us, until.us);
	}
}

static void
no_window_is_above(void **state)
{
	static const struct airq_conf rows[] = {
	    {.duty = 1000, .window_us = 3600 * SECOND, .announces = 25,
	     .jobs = 50, .announce_cap = 20},
	    {.duty = 10000, .window_us = 600 * SECOND, .announces = 10,
	     .jobs = 30, .announce_cap = 1000},
	    {.duty = 37000, .window_us = 61 * SECOND, .jobs = 10},
	    {.duty = 100, .window_us = 7200 * SECOND + 1, .age_us = INT64_MAX},
	};
	const unsigned announces = 1u << RNS_KIND_NEAR | 1u << RNS_KIND_FAR;
	const unsigned jobs = 1u << RNS_KIND_JOBS;

	(void)state;
	for (size_t i = 0; i < 6 * NELEM(rows); i++) {
		const struct airq_conf *c = &rows[i / 2 % NELEM(rows)];
		struct airq *q = make(c);
		struct mono now = at(1);
		int64_t limit = (int64_t)((double)c->window_us * c->duty / 1e5);
		int64_t most;

		sent_count = 0;
		busy_days(q, i, 3000, &now, i % 2 != 0, i % 3 == 0);
		most = most_of_any(c->window_us, ~0u);
		if (most > limit)
			fail_msg("row %zu: %lld of %lld", i, (long long)most,
			    (long long)limit);
		/* and it is made use of */
		assert_true(most * 10 > limit * 9);
		assert_true(sent_count > 8);
		if (c->announces != 0)
			assert_true(most_of_any(c->window_us, announces) * 100
			    <= limit * c->announces);
		if (c->jobs != 0)
			assert_true(most_of_any(c->window_us, jobs) * 100 <=
			    limit * c->jobs);
		airq_free(q);
	}
}

/* All that could be sent at once, then silence, over and over. */
static void
bursts_at_the_edge(void **state)
{
	struct airbook *b = calloc(1, sizeof(*b));
	const int64_t window = 100 * SECOND, limit = 10 * SECOND;
	struct mono now = at(5), t;

	(void)state;
	assert_non_null(b);
	airbook_init(b, window);
	sent_count = 0;
	for (unsigned i = 0; i < 5000; i++) {
		int64_t air = 1000 + (int64_t)(i * 7919u % 100000u);

		t = airbook_when(b, now, air, limit);
		assert_true(t.us < INT64_MAX);
		now = t;
		t = airbook_add(b, now, air);
		sent[sent_count++] = (struct sent){t.us - air, t.us, 0};
		now = t;
		assert_true(b->count <= AIRBOOK_ENTRIES);
	}
	assert_true(most_of_any(window, 1) <= limit);
	assert_true(most_of_any(window, 1) * 100 > limit * 97);
	assert_int_equal(airbook_when(b, now, limit + 1, limit).us, INT64_MAX);
	free(b);
}

static void
priority_under_a_limit(void **state)
{
	struct airq *q = make(&(struct airq_conf){.duty = 10000, .jobs = 50,
	    .window_us = 100 * SECOND, .age_us = 1000 * SECOND});
	struct mono now = at(1000);
	struct airq_packet p;
	struct airq_view v;
	struct airq_class c;
	const struct hash16 dest = {{0, 0, 0, 7}}, none = {{0, 0, 0, 99}};

	(void)state;
	/* jobs have 5 s of the 10: five of 1 s */
	for (unsigned i = 0; i < 8; i++)
		assert_true(put(q, RNS_KIND_JOBS, 0, 7, 125, now));
	for (unsigned i = 0; i < 5; i++)
		assert_true(next(q, &p, &now));
	airq_view(q, &v, mono_add(now, SECOND));
	assert_int_equal(v.of[RNS_KIND_JOBS].why, AIRQ_SHARE);
	assert_int_equal(v.of[RNS_KIND_JOBS].at.us, at(1100).us);
	assert_int_equal(v.used_us, 5 * SECOND - 20000);
	assert_int_equal(v.jobs_us, v.used_us);
	assert_int_equal(v.limit_us, 10 * SECOND);
	assert_int_equal(v.due.us, at(1100).us);
	/* the relay has the rest, at once */
	for (unsigned i = 0; i < 7; i++)
		assert_true(put(q, RNS_KIND_RELAY, 1, 9, 125, now));
	for (unsigned i = 0; i < 5; i++) {
		assert_true(next(q, &p, &now));
		assert_int_equal(p.kind, RNS_KIND_RELAY);
	}
	assert_true(now.us < at(1010).us);
	airq_view(q, &v, mono_add(now, SECOND));
	assert_int_equal(v.of[RNS_KIND_RELAY].why, AIRQ_DUTY);
	assert_int_equal(v.of[RNS_KIND_RELAY].at.us, at(1100).us);
	assert_int_equal(airq_about(q, &dest, &c, mono_add(now, SECOND)), 3);
	assert_int_equal(c.why, AIRQ_SHARE);
	assert_int_equal(airq_about(q, &none, &c, now), 0);
	/* at 1100 both may: the relay does */
	assert_true(next(q, &p, &now));
	assert_int_equal(p.kind, RNS_KIND_RELAY);
	airq_view(q, &v, now);
	assert_int_equal(v.of[RNS_KIND_JOBS].why, AIRQ_DUTY);
	airq_view(q, &v, at(3000));
	assert_int_equal(v.of[RNS_KIND_JOBS].why, AIRQ_TURN);
	assert_int_equal(v.of[RNS_KIND_RELAY].why, AIRQ_RADIO);
	assert_int_equal(v.of[RNS_KIND_RELAY].at.us, at(3000).us);
	airq_free(q);
}

/* What is handed over while the air is busy counts from when it is free. */
static void
share_behind_others(void **state)
{
	struct airq *q = make(&(struct airq_conf){.duty = 10000, .jobs = 50,
	    .window_us = 100 * SECOND, .age_us = 1000 * SECOND});
	struct mono now = at(1000);
	struct airq_packet p;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		assert_true(put(q, RNS_KIND_RELAY, 1, 9, 125, now));
		assert_true(put(q, RNS_KIND_JOBS, 0, 7, 125, now));
		assert_true(next(q, &p, &now));
		assert_true(next(q, &p, &now));
		assert_int_equal(p.kind, RNS_KIND_JOBS);
	}
	/* the first job was on the air from 1001 s on */
	assert_true(put(q, RNS_KIND_JOBS, 0, 7, 125, now));
	assert_true(next(q, &p, &now));
	assert_int_equal(now.us, at(1101).us);
	airq_free(q);
}

/* ---- a restart ---- */

static void
across_a_restart(void **state)
{
	static uint8_t saved[AIRQ_SAVED], bad[AIRQ_SAVED];
	const struct airq_conf c = {.duty = 10000, .window_us = 1000 * SECOND,
	    .jobs = 50, .announces = 25};
	const int64_t wall = INT64_C(1800000000) * SECOND;
	struct airq *q = make(&c);
	struct mono now = at(5000), due;
	struct airq_packet p;
	size_t len;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		assert_true(put(q, RNS_KIND_RELAY, 1, 1, 125, now));
		assert_true(next(q, &p, &now));
	}
	assert_true(put(q, RNS_KIND_RELAY, 1, 1, 125, now));
	due = airq_due(q, now);
	assert_true(mono_sub(due, now) > 900 * SECOND);
	len = airq_save(q, saved, wall, now);
	assert_true(len > 0);
	airq_free(q);

	/* 10 s later, by another clock */
	q = make(&c);
	assert_int_equal(airq_load(q, saved, len, wall + 10 * SECOND, 0,
	    at(3)), 0);
	assert_true(put(q, RNS_KIND_RELAY, 1, 1, 125, at(3)));
	assert_int_equal(airq_due(q, at(3)).us, due.us - now.us + at(3 - 10).us);
	airq_free(q);
	/* the clock went back: as if it were now */
	q = make(&c);
	assert_int_equal(airq_load(q, saved, len, wall - 3600 * SECOND, 0,
	    at(3)), 0);
	assert_true(put(q, RNS_KIND_RELAY, 1, 1, 125, at(3)));
	assert_true(airq_due(q, at(3)).us > at(900).us);
	airq_free(q);
	/* long ago; and what may have been sent since then */
	q = make(&c);
	assert_int_equal(airq_load(q, saved, len, wall + 2000 * SECOND,
	    99500000, at(3)), 0);
	assert_true(put(q, RNS_KIND_RELAY, 1, 1, 125, at(3)));
	assert_true(airq_due(q, at(3)).us > at(800).us);
	airq_free(q);
	/* every truncation, and what is no book: nothing for a window */
	for (size_t n = 0; n < len; n += n < 64 ? 1 : 97) {
		q = make(&c);
		assert_int_equal(airq_load(q, saved, n, wall, 0, at(3)), -1);
		assert_true(put(q, RNS_KIND_RELAY, 1, 1, 125, at(3)));
		assert_true(airq_due(q, at(3)).us > at(900).us);
		airq_free(q);
	}
	for (size_t n = 0; n < MIN_OF(len, (size_t)200); n++) {
		memcpy(bad, saved, len);
		bad[n] ^= 0x80;
		q = make(&c);
		(void)airq_load(q, bad, len, wall, 0, at(3));
		assert_true(put(q, RNS_KIND_RELAY, 1, 1, 125, at(3)));
		assert_true(airq_due(q, at(3)).us > at(800).us);
		airq_free(q);
	}
	/* more than a window has, all of it ahead: what is written is taken */
	q = make(&c);
	memcpy(bad, "WAB1\0\0\0\2", 8);
	put_u64(bad + 8, (uint64_t)(wall + 10 * SECOND));
	put_u64(bad + 16, (uint64_t)c.window_us);
	memcpy(bad + 24, bad + 8, 16);
	memset(bad + 40, 0, 8);
	assert_int_equal(airq_load(q, bad, 48, wall, 0, at(3)), 0);
	len = airq_save(q, saved, wall, at(3));
	airq_free(q);
	q = make(&c);
	assert_int_equal(airq_load(q, saved, len, wall, 0, at(3)), 0);
	airq_free(q);
	/* where there is no limit nothing is kept */
	q = make(&(struct airq_conf){0});
	assert_int_equal(airq_save(q, saved, wall, at(3)), 0);
	assert_int_equal(airq_load(q, bad, len, wall, 0, at(3)), 0);
	airq_free(q);
}

/* A reload: what was sent stays sent. */
static void
other_limits(void **state)
{
	struct airq_conf c = {.duty = 10000, .window_us = 100 * SECOND};
	struct airq *q = make(&c);
	struct mono now = at(1000);
	struct airq_packet p;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		assert_true(put(q, RNS_KIND_RELAY, 1, 1, 125, now));
		assert_true(next(q, &p, &now));
	}
	now = mono_add(now, SECOND);
	assert_true(put(q, RNS_KIND_RELAY, 1, 1, 125, now));
	assert_true(airq_due(q, now).us > at(1090).us);
	c.duty = 0;
	assert_int_equal(airq_limit(q, &c), 0);
	assert_int_equal(airq_due(q, now).us, now.us);
	c.duty = 20000;
	assert_int_equal(airq_limit(q, &c), 0);
	assert_int_equal(airq_due(q, now).us, now.us);
	c.duty = 5000;
	assert_int_equal(airq_limit(q, &c), 0);
	assert_true(airq_due(q, now).us > at(1090).us);
	airq_free(q);
}

/* The ledger: each kind, each way, and what the device sent by itself. */
static void
counts(void **state)
{
	struct airq *q = make(&(struct airq_conf){0});
	struct mono now = at(1);
	struct airq_packet p;
	struct airq_view v;

	(void)state;
	for (unsigned k = 0; k < RNS_KINDS; k++) {
		assert_true(put(q, k, 1, 1, 100 + k, now));
		airq_heard(q, k, 50);
		airq_heard(q, k, 50);
		assert_string_not_equal(airq_kind_name(k), "");
	}
	while (next(q, &p, &now))
		;
	airq_beacon(q, 15, now);
	airq_view(q, &v, now);
	for (unsigned k = 0; k < RNS_KINDS; k++) {
		const struct airq_class *c = &v.of[k];
		unsigned more = k == RNS_KIND_CONTROL ? 1 : 0;

		assert_int_equal(c->tx.frames, 1 + more);
		assert_int_equal(c->tx.bytes, 100 + k + 15 * more);
		assert_int_equal(c->tx.air_us, (int64_t)c->tx.bytes * 8000);
		assert_int_equal(c->rx.frames, 2);
		assert_int_equal(c->rx.bytes, 100);
		assert_int_equal(c->rx.air_us, 800000);
		assert_int_equal(c->why, AIRQ_NOTHING);
	}
	for (unsigned w = AIRQ_RADIO; w <= AIRQ_SHARE; w++)
		assert_string_not_equal(airq_why_text(w), "");
	for (unsigned d = 0; d < AIRQ_DROPS; d++)
		assert_string_not_equal(airq_drop_name(d), "");
	airq_free(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(classes_in_order),
	    cmocka_unit_test(first_in_first_out),
	    cmocka_unit_test(no_medium),
	    cmocka_unit_test(not_paced),
	    cmocka_unit_test(channel_busy),
	    cmocka_unit_test(far_announces_keep_their_share),
	    cmocka_unit_test(no_class_starves),
	    cmocka_unit_test(peers_are_equal),
	    cmocka_unit_test(light_peer_is_prompt),
	    cmocka_unit_test(full),
	    cmocka_unit_test(old),
	    cmocka_unit_test(no_window_is_above),
	    cmocka_unit_test(bursts_at_the_edge),
	    cmocka_unit_test(priority_under_a_limit),
	    cmocka_unit_test(share_behind_others),
	    cmocka_unit_test(across_a_restart),
	    cmocka_unit_test(other_limits),
	    cmocka_unit_test(counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
