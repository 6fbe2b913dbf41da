/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What nodes announce of authorities (klp.md 4.3): a delta counts at once, what
 * lies between is asked for where it was heard, and what is said itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/clock.h"
#include "common/util.h"
#include "tests/unit/lawkit.h"
#include "trust/doc/delta.h"
#include "trust/doc/tlv.h"

#define OTHER "ffeeddccbbaa99887766554433221100"

static uint8_t frame[DELTA_BYTES];
static struct rev_entry entries[8] = {{.kind = REV_RNS, .id = {1, 0}}};

/* The delta from that version on; the list of version 1 has one entry. */
static size_t
delta_from(uint32_t from, unsigned signers)
{
	for (uint32_t i = 1; i <= from; i++)
		entries[i] = (struct rev_entry){.kind = REV_KEY, .reason = 1,
		    .id = {(uint8_t)(0xa0 - i)}};
	return delta(frame, sizeof(frame), from, entries, from + 1, signers);
}

static uint32_t heard_on; /* an interface of transport */

static bool
hear(const char *who, const struct app_data *a)
{
	struct msg_M_HEARD m = {.hops = 1, .ifid = heard_on};

	assert_true(hex_decode(HASH_BYTES(m.identity), who, 32));
	m.data_len = (uint16_t)app_data_build(m.data, sizeof(m.data), a);
	assert_true(m.data_len > 0);
	return law_heard(taker.l, &m);
}

static bool
hear_delta(const char *who, size_t len)
{
	struct app_data a = {.delta = frame, .delta_len = len};

	return hear(who, &a);
}

static struct app_data
version(uint32_t v)
{
	struct app_data a = {.nheads = 1, .heads = {{.version = v}}};
	struct law_authority *la = &taker.l->auth[0];

	memcpy(a.heads[0].atag, la->a.state.id.b, 8);
	return a;
}

static enum revocation
state_of(uint8_t first)
{
	const uint8_t id[32] = {first, [20] = 7};

	return revset_state(&taker.l->standing.revoked, REV_KEY, id);
}

static void
begin(void)
{
	struct msg_V_SPREAD m;

	publish(1, 1);
	(void)round_of();
	assert_int_equal(line(&taker).version, 1);
	(void)law_spread(taker.l, &m);
}

/* No link, no head, no list: the announce is all there is. */
static void
a_delta_counts_at_once(void **state)
{
	(void)state;
	begin();
	order[0] = '\0';
	assert_int_equal(state_of(0x9f), REV_NONE);
	assert_true(hear_delta(OTHER, delta_from(1, 1)));
	assert_int_equal(state_of(0x9f), REV_REVOKED);
	assert_int_equal(line(&taker).version, 2);
	/* heard again it is known */
	assert_false(hear_delta(OTHER, delta_from(1, 1)));
	assert_true(hear_delta(NODE, delta_from(2, 1)));
	assert_int_equal(line(&taker).version, 3);
	assert_string_equal(order, "");
	lawplace_again(&taker);
	assert_int_equal(line(&taker).version, 3);
	assert_int_equal(state_of(0x9f), REV_REVOKED);
}

/*
 * The clock was set since the last look: a delta of today is not of the future,
 * and one that is does not raise the least time there is.
 */
static void
the_clock_as_it_stands(void **state)
{
	uint32_t later = KIT_T0 + 86400;

	(void)state;
	begin();
	delta_issued = later;
	law_time(taker.l, KIT_T0);
	assert_false(hear_delta(OTHER, delta_from(1, 1)));
	assert_int_equal(line(&taker).version, 1);
	law_time(taker.l, later);
	assert_true(hear_delta(OTHER, delta_from(1, 1)));
	assert_int_equal(line(&taker).version, 2);
	assert_int_equal(taker.l->clock.floor, later);
	/* it was ahead, and is set back before the next look */
	delta_issued = later + 86400;
	law_time(taker.l, later);
	assert_false(hear_delta(OTHER, delta_from(2, 1)));
	assert_int_equal(taker.l->clock.floor, later);
}

static void
one_that_is_not_good(void **state)
{
	size_t len;

	(void)state;
	begin();
	/* of another key; then every byte changed, and cut */
	assert_false(hear_delta(OTHER, delta_from(1, 4)));
	len = delta_from(1, 1);
	for (size_t i = 0; i < len; i++) {
		if (i > DELTA_FRAME(1) && i <= DELTA_FRAME(1) + 4)
			continue; /* whose signature it is: a hint */
		taker.l->checks = 0;
		frame[i] ^= 0x10;
		(void)hear_delta(OTHER, len);
		frame[i] ^= 0x10;
		assert_false(hear_delta(OTHER, MAX_OF(i, (size_t)1)));
		assert_int_equal(line(&taker).version, 1);
	}
	/* a flood of them costs so many checks a second, and no more */
	taker.l->checks = 0;
	frame[len - 1] ^= 1;
	for (unsigned i = 0; i < 1000; i++)
		(void)hear_delta(OTHER, len);
	frame[len - 1] ^= 1;
	taker.l->checks_at = 0;
	assert_true(hear_delta(OTHER, len));
	assert_int_equal(line(&taker).version, 2);
}

static void
what_lies_between(void **state)
{
	(void)state;
	begin();
	publish_deltas(5);
	lawplace_again(&giver);
	go_on();
	/* he is a stranger, and is asked since he has what lacks here */
	order[0] = '\0';
	assert_false(hear_delta(OTHER, delta_from(5, 1)));
	go_on();
	assert_string_equal(order, "root:2 head:0 delta:1 delta:6 ");
	assert_int_equal(line(&taker).version, 6);
	assert_string_equal(line(&taker).from, SOURCE_RNS OTHER);
}

static void
news_is_asked_for(void **state)
{
	struct app_data a;

	(void)state;
	begin();
	publish(2, 3);
	a = version(2);
	order[0] = '\0';
	(void)hear(OTHER, &a);
	go_on();
	assert_memory_equal(order, "root:2 head:0 get+0 ", 20);
	assert_int_equal(line(&taker).version, 2);
	/* he says so again: not twice in a minute, whatever he claims */
	publish(3, 3);
	a = version(0xffffffff);
	order[0] = '\0';
	for (int i = 0; i < 100; i++) {
		(void)hear(OTHER, &a);
		go_on();
	}
	assert_string_equal(order, "");
	/* the mirror that is configured was asked a moment ago as well */
	(void)hear(NODE, &a);
	go_on();
	assert_string_equal(order, "");
	taker.l->auth[0].src->s[0].asked.us -= 61 * MONO_SECOND;
	(void)hear(NODE, &a);
	go_on();
	assert_memory_equal(order, "root:2 head:0 get+0 ", 20);
	assert_int_equal(line(&taker).version, 3);
	/* of an authority that nobody knows here it is nothing */
	a.heads[0].atag[0] ^= 1;
	order[0] = '\0';
	(void)hear("00000000000000000000000000000001", &a);
	go_on();
	assert_string_equal(order, "");
}

static void
how_often_it_is_said(void **state)
{
	struct spread *s = &taker.l->spread;
	struct app_data a;

	(void)state;
	begin();
	a = version(1);
	assert_int_equal(s->heard, 0);
	(void)hear(OTHER, &a);
	assert_int_equal(s->heard, 1);
	/* somebody is behind: it is soon said anew */
	s->interval = 3600 * MONO_SECOND;
	a = version(0);
	(void)hear(OTHER, &a);
	assert_int_equal(s->interval, SPREAD_IMIN_S * MONO_SECOND);
	assert_int_equal(s->heard, 0);
}

static void
what_is_said(void **state)
{
	struct msg_V_SPREAD m;
	struct law_authority *la = &taker.l->auth[0];

	(void)state;
	assert_false(law_spread(taker.l, &m)); /* it has nothing */
	publish(1, 1);
	(void)round_of();
	assert_true(law_spread_in(taker.l) <= 0.);
	assert_true(law_spread(taker.l, &m));
	assert_int_equal(m.say, SPREAD_NOTHING);
	assert_int_equal(m.heads_len, 12);
	assert_memory_equal(m.heads, la->a.state.id.b, 8);
	assert_int_equal(m.heads[11], 1);
	assert_true(law_spread_in(taker.l) > 20.);
	/* one that the root does not name passes it on, and not back */
	heard_on = 3;
	assert_true(hear_delta(OTHER, delta_from(1, 1)));
	assert_true(law_spread(taker.l, &m));
	assert_int_equal(m.say, SPREAD_PASS);
	assert_int_equal(m.not_if, 3);
	assert_int_equal(m.frame_len, DELTA_FRAME(1) + 1 + 68);
	assert_memory_equal(m.frame, frame, m.frame_len);
	assert_false(law_spread(taker.l, &m));
	/* ... and one that it does name says them */
	memset(taker.l->own.b, 9, 16);
	la->a.root.rns[0] = taker.l->own;
	la->a.root.nrns = 1;
	assert_true(hear_delta(OTHER, delta_from(2, 1)));
	assert_true(law_spread(taker.l, &m));
	assert_int_equal(m.say, SPREAD_DELTA);
	assert_int_equal(m.frame_len, DELTA_FRAME(1) + 1 + 68);
	assert_memory_equal(m.frame, frame, m.frame_len);
	assert_false(law_spread(taker.l, &m));
}

/* Any bytes: nothing of it counts, and nothing falls. */
static void
noise(void **state)
{
	struct app_data a;
	struct msg_M_HEARD m = {.hops = 1}, good;

	(void)state;
	begin();
	a = version(1);
	a.delta = frame;
	a.delta_len = delta_from(1, 4);
	good = m;
	good.data_len = (uint16_t)app_data_build(good.data,
	    sizeof(good.data), &a);
	for (size_t i = 0; i < good.data_len; i++) {
		m = good;
		m.data_len = (uint16_t)i;
		assert_false(law_heard(taker.l, &m));
		for (int bit = 0; bit < 8; bit++) {
			m = good;
			m.data[i] ^= (uint8_t)(1 << bit);
			assert_false(law_heard(taker.l, &m));
		}
	}
	for (int i = 0; i < 2000; i++) {
		m.data_len = (uint16_t)randombytes_uniform(sizeof(m.data));
		randombytes_buf(m.data, m.data_len);
		assert_false(law_heard(taker.l, &m));
	}
	assert_int_equal(line(&taker).version, 1);
}

int
main(void)
{
#define HEARD_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    HEARD_TEST(a_delta_counts_at_once),
	    HEARD_TEST(the_clock_as_it_stands),
	    HEARD_TEST(one_that_is_not_good),
	    HEARD_TEST(what_lies_between),
	    HEARD_TEST(news_is_asked_for),
	    HEARD_TEST(how_often_it_is_said),
	    HEARD_TEST(what_is_said),
	    HEARD_TEST(noise),
	};

	if (sodium_init() < 0 || !secp_init(NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
