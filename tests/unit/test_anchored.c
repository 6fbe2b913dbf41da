/* SPDX-License-Identifier: BSD-2-Clause */
/* Images that a log vouches for, as node and its profile have them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/layers.h"
#include "node/work/anchored.h"
#include "node/work/ready.h"
#include "node/work/watched.h"
#include "tests/unit/nodekit.h"

/* The image that every job here runs in, among so many others. */
static uint8_t logs = 1; /* that have it */

static void
vouched(bool for_it, size_t others)
{
	struct anchored *l = calloc(others + 1, sizeof(*l));
	struct id32 image = {0};
	struct manifest m;
	size_t n = 0;

	assert_non_null(l);
	manifest_init(&m);
	(void)snprintf(m.image, sizeof(m.image), "test:1");
	(void)w.n.host.image(w.n.host.ctx, &m, &image);
	for (size_t i = 0; i < others / 2; i++)
		l[n++] = (struct anchored){{{[31] = (uint8_t)i}}, 9};
	if (for_it)
		l[n++] = (struct anchored){image, logs};
	for (size_t i = n; i < others + for_it; i++, n++)
		memset(&l[n], 0xff, sizeof(*l));
	anchored_take(&w.n, l, n);
	watched_layers(&w.n);
	node_verdicts_void(&w.n);
}

static void
test_off(void **state)
{
	struct id32 id;

	(void)state;
	vouched(true, 4);
	w.run_ms = 50;
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	assert_int_equal(w.last_receipt.layers & LAYER_ANCHORED, 0);
}

/* It is told of each, and the receipt of the one says so. */
static void
test_record(void **state)
{
	struct id32 id;

	(void)state;
	w.n.policy.anchor = ANCHOR_RECORD;
	w.run_ms = 50;
	vouched(false, 4);
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	assert_int_equal(w.last_receipt.layers & LAYER_ANCHORED, 0);
	vouched(true, 4);
	assert_int_equal(submit(1, 0x41, 2, NULL, &id)->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	assert_int_equal(w.last_receipt.layers & LAYER_ANCHORED,
	    LAYER_ANCHORED);
}

static void
test_require(void **state)
{
	struct id32 id;

	(void)state;
	w.n.policy.anchor = ANCHOR_REQUIRE;
	w.run_ms = 50;
	/* until trust has spoken nothing starts */
	assert_false(node_accepting(&w.n));
	vouched(false, 40);
	assert_true(node_accepting(&w.n));
	refused(submit(1, 0x41, 1, NULL, &id), "anchor", 8);
	vouched(true, 40);
	assert_int_equal(submit(1, 0x41, 2, NULL, &id)->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	assert_int_equal(w.last_receipt.layers & LAYER_ANCHORED,
	    LAYER_ANCHORED);
}

/* Its log has forked while it waits: it does not start any more. */
static void
test_waits(void **state)
{
	struct id32 id[3];

	(void)state;
	w.n.policy.anchor = ANCHOR_REQUIRE;
	vouched(true, 0);
	w.run_ms = 500;
	w.n.slots = 1;
	for (uint8_t i = 0; i < 2; i++)
		assert_int_equal(submit(1, 0x41, (uint8_t)(i + 1), NULL,
		    &id[i])->status, ST_OK);
	world_run(&w, 100);
	state_is(&id[0], "running", NULL);
	state_is(&id[1], "queued", NULL);
	vouched(false, 0);
	world_run(&w, 2000);
	state_is(&id[0], "done", NULL);
	state_is(&id[1], "refused", NULL);
}

/* So many logs as the profile says, and no fewer. */
static void
test_logs(void **state)
{
	struct id32 id;

	(void)state;
	w.n.policy.anchor = ANCHOR_REQUIRE;
	w.n.policy.anchor_logs = 2;
	w.run_ms = 50;
	vouched(true, 4);
	refused(submit(1, 0x41, 1, NULL, &id), "anchor", 8);
	logs = 2;
	vouched(true, 4);
	assert_int_equal(submit(1, 0x41, 2, NULL, &id)->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	w.n.policy.anchor_logs = 3;
	refused(submit(1, 0x41, 3, NULL, &id), "anchor", 8);
	/* the same of what a receipt says */
	w.n.policy.anchor = ANCHOR_RECORD;
	assert_int_equal(submit(1, 0x41, 4, NULL, &id)->status, ST_OK);
	world_run(&w, 1000);
	assert_int_equal(w.last_receipt.layers & LAYER_ANCHORED, 0);
	logs = 1;
}

/* The same by a name of require_layers. */
static void
test_layer(void **state)
{
	struct id32 id;

	(void)state;
	w.n.policy.required |= LAYER_ANCHORED;
	assert_false(node_accepting(&w.n));
	vouched(false, 0);
	refused(submit(1, 0x41, 1, NULL, &id), "posture", 1);
	vouched(false, 2);
	refused(submit(1, 0x41, 2, NULL, &id), "anchor", 8);
	vouched(true, 2);
	w.run_ms = 50;
	assert_int_equal(submit(1, 0x41, 3, NULL, &id)->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	assert_int_equal(w.last_receipt.layers & LAYER_ANCHORED,
	    LAYER_ANCHORED);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_off), TEST(test_record), TEST(test_require),
	    TEST(test_waits), TEST(test_logs), TEST(test_layer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
