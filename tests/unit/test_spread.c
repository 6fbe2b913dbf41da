/* SPDX-License-Identifier: BSD-2-Clause */
/* When it is said what a node holds: Trickle, urgent frames, a share of air. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trust/doc/spread.h"

#define SECOND MONO_SECOND
#define MINUTE (60 * SECOND)

static const uint8_t frame[SPREAD_FRAME + 1] = {'K', 'D'};

static void
intervals_double(void **state)
{
	int64_t begin = 0, want = SPREAD_IMIN_S * SECOND;
	struct mono now = {0};
	struct spread s;

	(void)state;
	spread_begin(&s, now, 2048);
	for (int i = 0; i < SPREAD_DOUBLINGS + 4; i++) {
		/* in the second half */
		now = spread_next(&s);
		assert_in_range(now.us, begin + want / 2, begin + want - 1);
		assert_int_equal(spread_due(&s, (struct mono){now.us - 1}, 0),
		    SPREAD_NOTHING);
		assert_int_equal(spread_due(&s, now, 0), SPREAD_HEADS);
		assert_int_equal(spread_due(&s, now, 0), SPREAD_NOTHING);
		now = spread_next(&s);
		assert_int_equal(now.us, begin + want);
		assert_int_equal(spread_due(&s, now, (uint32_t)i * 999),
		    SPREAD_NOTHING);
		begin += want;
		if (i < SPREAD_DOUBLINGS)
			want *= 2;
	}
	assert_int_equal(want, SPREAD_IMIN_S * SECOND << SPREAD_DOUBLINGS);
}

static void
who_hears_it_is_silent(void **state)
{
	struct spread s;
	struct mono now = {0};

	(void)state;
	spread_begin(&s, now, 0);
	spread_same(&s);
	now = spread_next(&s);
	assert_int_equal(spread_due(&s, now, 0), SPREAD_NOTHING);
	now = spread_next(&s);
	assert_int_equal(spread_due(&s, now, 0), SPREAD_NOTHING);
	/* it counts for that interval alone */
	now = spread_next(&s);
	assert_int_equal(spread_due(&s, now, 0), SPREAD_HEADS);
}

static void
news_is_soon_said(void **state)
{
	struct spread s;
	struct mono now = {0}, next;

	(void)state;
	spread_begin(&s, now, 0);
	for (int i = 0; i < 12; i++)
		(void)spread_due(&s, now = spread_next(&s), 0);
	next = spread_next(&s);
	assert_true(mono_sub(next, now) > 10 * MINUTE);
	spread_news(&s, now, 4095);
	assert_true(mono_sub(spread_next(&s), now) < MINUTE);
	/* a flood of it changes nothing: the interval is the least there is */
	next = spread_next(&s);
	for (uint32_t i = 0; i < 1000; i++)
		spread_news(&s, mono_add(now, i), i);
	assert_int_equal(spread_next(&s).us, next.us);
}

static void
urgent_three_times(void **state)
{
	static const int64_t at[] = {0, 5 * MINUTE, 30 * MINUTE};
	const struct mono t0 = {7 * SECOND};
	struct spread s;
	unsigned n = 0;

	(void)state;
	spread_begin(&s, t0, 0);
	spread_urgent(&s, t0, frame, 146, true);
	assert_int_equal(spread_next(&s).us, t0.us);
	for (struct mono now = t0; mono_sub(now, t0) < 100 * MINUTE;
	     now = spread_next(&s)) {
		if (spread_due(&s, now, 0) != SPREAD_DELTA)
			continue;
		assert_true(n < 3);
		assert_int_equal(mono_sub(now, t0), at[n]);
		assert_int_equal(s.frame_len, 146);
		n++;
	}
	assert_int_equal(n, 3);
	/* a head is said once, and not before a delta has been three times */
	spread_urgent(&s, t0, frame, 185, false);
	assert_int_equal(spread_due(&s, t0, 0), SPREAD_HEAD);
	assert_int_equal(spread_due(&s, t0, 0), SPREAD_NOTHING);
	spread_urgent(&s, t0, frame, 146, true);
	spread_urgent(&s, t0, frame, 185, false);
	assert_int_equal(spread_due(&s, t0, 0), SPREAD_DELTA);
	/* a newer delta goes before an older one; none that is too long */
	spread_urgent(&s, t0, frame, 163, true);
	assert_int_equal(s.frame_len, 163);
	spread_urgent(&s, t0, frame, SPREAD_FRAME + 1, true);
	assert_int_equal(s.frame_len, 163);
}

/* What somebody takes he passes on once, and then he says heads, heard or not. */
static void
passed_on_once(void **state)
{
	const struct mono t0 = {7 * SECOND};
	struct spread s;
	struct mono now;

	(void)state;
	spread_begin(&s, t0, 0);
	spread_pass(&s, t0, frame, SPREAD_FRAME + 1);
	assert_int_equal(spread_due(&s, t0, 0), SPREAD_NOTHING);
	spread_pass(&s, t0, frame, 146);
	assert_int_equal(spread_next(&s).us, t0.us);
	assert_int_equal(spread_due(&s, t0, 0), SPREAD_PASS);
	assert_int_equal(s.frame_len, 146);
	assert_int_equal(spread_due(&s, t0, 0), SPREAD_NOTHING);
	spread_same(&s);
	now = spread_next(&s);
	assert_in_range(mono_sub(now, t0), 30 * SECOND, 60 * SECOND);
	assert_int_equal(spread_due(&s, now, 0), SPREAD_HEADS);
	/* those after it wait for a minute, and the newest of them goes */
	spread_pass(&s, now, frame, 147);
	spread_pass(&s, now, frame, 148);
	assert_int_equal(spread_due(&s, now, 0), SPREAD_NOTHING);
	now = mono_add(t0, SPREAD_PASS_S * SECOND);
	assert_int_equal(spread_due(&s, (struct mono){now.us - 1}, 0),
	    SPREAD_NOTHING);
	assert_int_equal(spread_due(&s, now, 0), SPREAD_PASS);
	assert_int_equal(s.frame_len, 148);
	/* a mirror's own is another thing */
	spread_urgent(&s, now, frame, 146, true);
	assert_int_equal(spread_due(&s, now, 0), SPREAD_DELTA);
}

static void
a_share_of_the_air(void **state)
{
	struct mono next = {0}, now = {SECOND};
	int64_t sent = 0;

	(void)state;
	assert_true(spread_afford(&next, now, SPREAD_SLOW, 350));
	assert_true(spread_afford(&next, now, 0, 350));
	assert_int_equal(next.us, 0);
	/* 2 % of 1,200 bit/s in a day, asked each second */
	for (int i = 0; i < 86400; i++, now.us += SECOND)
		if (spread_afford(&next, now, 1200, 350))
			sent += 350 * 8;
	assert_in_range(sent, 1200 * 86400 / 50 * 98 / 100,
	    1200 * 86400 / 50 + 2800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(intervals_double),
	    cmocka_unit_test(who_hears_it_is_silent),
	    cmocka_unit_test(news_is_soon_said),
	    cmocka_unit_test(urgent_three_times),
	    cmocka_unit_test(passed_on_once),
	    cmocka_unit_test(a_share_of_the_air),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
