/* SPDX-License-Identifier: BSD-2-Clause */
/* How much may be sent in any window, whatever is wanted, across restarts too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "common/wire.h"
#include "tests/unit/airqkit.h"
#include "transport/modem/airbook.h"

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

/*
 * A device that does not say when a packet has left, on a channel that others
 * use, one in ten of whom it cannot understand: what it really sends.
 */
#define TICK 10000 /* us */
static void
silent_device(uint64_t seed, const struct airq_conf *c, unsigned use)
{
	static struct airq_packet given[SENT_MAX];
	size_t first = 0, n = 0, foreign = 0;
	struct airtime medium = slow;
	struct airq *q = make(c);
	int64_t until = 0;
	struct mono now = at(1);

	medium.frame_us = 350000;
	medium.silent_us = AIRTIME_SILENT_US;
	airq_medium(q, &medium);
	sent_count = 0;
	for (unsigned i = 0; i < 300000; i++, now.us += TICK) {
		if (foreign != 0 && now.us >= until) {
			if (chance(&seed, 10) != 0)
				airq_heard(q, RNS_KIND_RELAY, foreign, now);
			foreign = 0;
		}
		if (chance(&seed, 30) == 0)
			(void)put(q, (enum rns_kind)chance(&seed, RNS_KINDS),
			    (unsigned)chance(&seed, 4), (uint8_t)i,
			    20 + chance(&seed, 480), now);
		while (airq_next(q, &given[n], now)) {
			assert_true(++n < SENT_MAX);
			(void)airq_sent(q, now); /* it takes one more */
		}
		if (now.us < until || chance(&seed, 8) != 0)
			continue;
		if (chance(&seed, 100) < use) {
			foreign = 20 + chance(&seed, 480);
			until = now.us + airtime_us(&medium, foreign);
		} else if (first < n) {
			until = now.us + given[first].air_us;
			sent[sent_count++] = (struct sent){now.us, until,
			    given[first++].kind};
		}
	}
	airq_free(q);
}

static void
silent_on_a_busy_channel(void **state)
{
	static const struct airq_conf rows[] = {
	    {.duty = 10000, .window_us = 120 * SECOND, .jobs = 50},
	    {.duty = 20000, .window_us = 600 * SECOND, .announces = 25},
	    {.duty = 5000, .window_us = 1200 * SECOND},
	};

	(void)state;
	for (unsigned i = 0; i < 4 * NELEM(rows); i++) {
		const struct airq_conf *c = &rows[i % NELEM(rows)];
		int64_t limit = c->window_us * c->duty / AIRQ_DUTY_ALL, most;

		silent_device(i, c, i / 3 * 20);
		most = most_of_any(c->window_us, ~0u);
		if (most > limit)
			fail_msg("row %u: %lld of %lld", i, (long long)most,
			    (long long)limit);
		assert_true(most * 10 > limit * 7);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_window_is_above),
	    cmocka_unit_test(silent_on_a_busy_channel),
	    cmocka_unit_test(bursts_at_the_edge),
	    cmocka_unit_test(priority_under_a_limit),
	    cmocka_unit_test(share_behind_others),
	    cmocka_unit_test(across_a_restart),
	    cmocka_unit_test(other_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
