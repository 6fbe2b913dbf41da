/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose turn it is on a slow interface, and when; under virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/airqkit.h"
#include "common/util.h"

#define AIRQ_SAME_PEER 64 /* numbers of interfaces that share a share */

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
		airq_heard(q, k, 50, at(0));
		airq_heard(q, k, 50, at(0));
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
	    cmocka_unit_test(counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
