/* SPDX-License-Identifier: BSD-2-Clause */
/* How much is lost on a link, as its ends find out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/table/loss.h"
#include "tests/unit/link_pair.h"

#define MS INT64_C(1000)

static const struct mono start = {77 * MONO_SECOND};

/* Little that was seen moves little; much is believed. */
static void
test_grows(void **state)
{
	struct loss l = {0};

	(void)state;
	assert_int_equal(loss_permille(&l, NULL, start), 0);
	loss_count(&l, 1, 2, 1, start);
	assert_in_range(loss_permille(&l, NULL, start), 40, 70);
	for (unsigned i = 0; i < 50; i++)
		loss_count(&l, 1, 10, 1, start);
	assert_in_range(loss_permille(&l, NULL, start), 95, 100);
	loss_count(&l, 1, 0, 5, start); /* nothing was waited for */
	assert_in_range(loss_permille(&l, NULL, start), 95, 100);
	loss_count(&l, 1, UINT32_MAX, UINT32_MAX, start);
	assert_true(loss_permille(&l, NULL, start) < 1000);
}

/* It stays within its bounds, and the newest thousand decides. */
static void
test_turns(void **state)
{
	struct loss l = {0};

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		loss_count(&l, 1, 10, 0, start);
	assert_int_equal(loss_permille(&l, NULL, start), 0);
	assert_true(l.of <= LOSS_MOST * LOSS_UNIT);
	for (unsigned i = 0; i < 300; i++)
		loss_count(&l, 1, 10, 3, start);
	assert_in_range(loss_permille(&l, NULL, start), 255, 300);
}

/* What was seen long ago fades; a clock that stands, or goes back, is fine. */
static void
test_fades(void **state)
{
	struct mono now = start;
	struct loss l = {0};
	uint32_t before;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		loss_count(&l, 1, 10, 2, now);
	before = loss_permille(&l, NULL, now);
	assert_in_range(before, 180, 190);
	now = mono_add(now, LOSS_HALF_US - 1);
	assert_int_equal(loss_permille(&l, NULL, now), before);
	for (unsigned i = 0; i < 12; i++) {
		now = mono_add(now, LOSS_HALF_US);
		assert_true(loss_permille(&l, NULL, now) <= before);
		before = loss_permille(&l, NULL, now);
	}
	assert_in_range(before, 0, 3);
	now = mono_add(now, 100 * LOSS_HALF_US);
	assert_int_equal(loss_permille(&l, NULL, now), 0);
	loss_count(&l, 1, 100, 100, now); /* it begins anew */
	assert_in_range(loss_permille(&l, NULL, now), 850, 870);
	assert_in_range(loss_permille(&l, NULL, start), 850, 870);
}

/* A link is taken for what its interface is, until it has shown itself. */
static void
test_before(void **state)
{
	struct loss whole = {0}, l = {0};

	(void)state;
	loss_count(&whole, 1, 400, 40, start);
	assert_in_range(loss_permille(&l, &whole, start), 95, 100);
	loss_count(&l, 1, 32, 0, start);
	assert_in_range(loss_permille(&l, &whole, start), 45, 52);
	for (unsigned i = 0; i < 10; i++)
		loss_count(&l, 1, 100, 0, start);
	assert_in_range(loss_permille(&l, &whole, start), 0, 10);
}

/* Packets of several frames: what is told is the loss of a frame. */
static void
test_frames(void **state)
{
	static const unsigned frames[] = {1, 2, 3, 4};

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		for (unsigned p = 50; p <= 300; p += 50) {
			double whole = 1;
			struct loss l = {0};
			unsigned lost;

			for (unsigned k = 0; k < frames[i]; k++)
				whole *= 1 - p / 1000.0;
			lost = (unsigned)(1000 * (1 - whole) + 0.5);
			for (unsigned k = 0; k < 100; k++)
				loss_count(&l, frames[i], 1000, lost, start);
			assert_in_range(loss_permille(&l, NULL, start),
			    p * 96 / 100 - 8, p * 104 / 100);
		}
	/* no packet has so many, or none */
	struct loss l = {0};

	loss_count(&l, 0, 16, 16, start);
	loss_count(&l, UINT32_MAX, UINT32_MAX, UINT32_MAX, start);
	assert_true(l.of <= LOSS_MOST * LOSS_UNIT && l.lost <= l.of);
}

/* ---- on a wire that loses ---- */

struct loser {
	uint64_t seed;
	unsigned permille, of, lost;
};

static bool
loses(void *arg, int from, const uint8_t *raw, size_t n)
{
	struct loser *w = arg;

	(void)from;
	(void)raw;
	(void)n;
	w->seed = w->seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	w->of++;
	if ((w->seed >> 33) % 1000 >= w->permille)
		return true;
	w->lost++;
	return false;
}

static uint32_t
seen(struct pair *p, int node)
{
	struct rns_link_info info;
	struct rns_if_stats s;

	assert_true(rns_link_get(p->n[node].r, &p->link, &info));
	assert_int_equal(rns_if_stats(p->n[node].r, PAIR_IF, &s), RNS_OK);
	/* there is one link on it */
	assert_in_range(info.loss_permille + 20, s.loss_permille,
	    s.loss_permille + 40);
	return info.loss_permille;
}

/* Many transfers, in which both ends find out what the wire does. */
static void
transfers(struct pair *p, size_t bytes, unsigned times)
{
	uint8_t *data = pair_filler(bytes, 5);
	struct rns_cmd c = pair_cmd(p, RNS_CMD_RESOURCE_SEND);

	c.resource.data = data;
	c.resource.len = bytes;
	for (unsigned i = 0; i < times; i++) {
		c.resource.tag = i;
		assert_int_equal(pair_submit(p, 0, &c), RNS_OK);
		assert_non_null(pair_until(p, 0, RNS_EV_SENT,
		    10000 * MONO_SECOND));
		pair_forget(p);
	}
	free(data);
}

static void
test_wire(void **state)
{
	static const unsigned losses[] = {0, 20, 50, 100};
	static const size_t sizes[] = {1000, 4000, 60000};

	(void)state;
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
			struct loser w = {.seed = 1 + k};
			unsigned truth;
			struct pair p;

			pair_new(&p, &(struct pair_opts){.delay_us = 30 * MS,
			    .resources = RNS_ACCEPT_ALL});
			p.tap = loses;
			p.tap_arg = &w;
			pair_up(&p);
			w.permille = losses[i];
			transfers(&p, sizes[k], (unsigned)(240000 / sizes[k]));
			truth = w.lost * 1000 / w.of;
			for (int node = 0; node < 2; node++) {
				uint32_t s = seen(&p, node);

				print_message("# %zu bytes: lost %u, seen %u "
				    "of thousand by %s\n", sizes[k], truth, s,
				    node == 0 ? "who sends" : "who receives");
				if (losses[i] == 0)
					assert_int_equal(s, 0);
				else
					assert_in_range(s, truth * 3 / 4 - 5,
					    truth * 5 / 4 + 5);
			}
			pair_free(&p);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_grows),
	    cmocka_unit_test(test_turns),
	    cmocka_unit_test(test_fades),
	    cmocka_unit_test(test_before),
	    cmocka_unit_test(test_frames),
	    cmocka_unit_test(test_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
