/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/work/budgets.h"
#include "node/work/peers.h"
#include "tests/unit/nodekit.h"

static struct peer *
first(void)
{
	return peer_next(&w.n, NULL);
}

/* The node falls; what was kept is what it begins with. */
static void
again(uint8_t *kept, size_t len, int64_t away_s)
{
	world_restart(&w);
	w.now = mono_add(w.now, away_s * MONO_SECOND);
	w.wall_us += away_s * 1000000;
	node_time(&w.n, w.now, w.wall_us);
	assert_true(budgets_decode(&w.n, kept, len, &w.n.budgets_saved));
	world_up(&w, 2);
	world_link(&w, 1, 10000000);
	world_identify(&w, 1, 0x41);
	world_run(&w, 1);
}

static void
test_kept(void **state)
{
	struct id32 id;
	uint8_t *kept;
	uint64_t left, in;
	size_t len;

	(void)state;
	assert_false(w.n.budgets_changed);
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	assert_int_equal(about(1, PATH_STATUS, &id)->status, ST_OK);
	bucket_take(&first()->bytes, 2 * w.policy.bytes_per_minute, w.n.now);
	world_run(&w, BUDGETS_S * 1000);
	assert_true(budgets_due(&w.n));
	in = first()->count[PEER_BYTES_IN];
	assert_true(in > 0 && first()->count[PEER_BYTES_OUT] > 0);
	assert_int_equal(first()->count[PEER_REQUESTS], 2);
	left = bucket_left(&owner_get(&w.n, &first()->v.fp)->quota.jobs,
	    w.n.now);
	assert_int_equal(left, w.policy.jobs_per_hour - 1);
	kept = budgets_encode(&w.n, &len);
	assert_non_null(kept);
	assert_false(budgets_due(&w.n));
	again(kept, len, 0);
	assert_int_equal(first()->count[PEER_BYTES_IN], in);
	assert_int_equal(first()->count[PEER_REQUESTS], 2);
	/* still in debt, on a new link and with a new verdict */
	assert_int_equal(bucket_left(&first()->bytes, w.n.now), 0);
	assert_int_equal(about(1, PATH_STATUS, &id)->status, ST_BUSY);
	/* the job is in what was kept, and not counted twice */
	assert_int_equal(bucket_left(&owner_get(&w.n, &first()->v.fp)->
	    quota.jobs, w.n.now), left);
	/* while nobody counted, time went on */
	again(kept, len, 180);
	assert_true(bucket_left(&first()->bytes, w.n.now) > 0);
	assert_int_equal(about(1, PATH_STATUS, &id)->status, ST_OK);
	free(kept);
}

/* A day's bytes of images; a file of before they were counted is read too. */
static void
test_images(void **state)
{
	struct id32 id;
	struct bucket *b;
	uint8_t *kept;
	size_t len;

	(void)state;
	w.policy.image_bytes_per_day = w.n.policy.image_bytes_per_day = 10000;
	w.n.caps.image_bytes_per_day = 10000;
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	b = &owner_get(&w.n, &first()->v.fp)->quota.images;
	bucket_init(b, 10000, 86400, w.n.now);
	bucket_take(b, 9000, w.n.now);
	kept = budgets_encode(&w.n, &len);
	assert_non_null(kept);
	again(kept, len, 0);
	b = &owner_get(&w.n, &first()->v.fp)->quota.images;
	assert_in_range(bucket_left(b, w.n.now), 1000, 1010);
	/* there is one owner: without the last of its buckets */
	memmove(kept + len - 24, kept + len - 8, 8);
	kept[3] = '2';
	again(kept, len - 16, 0);
	b = &owner_get(&w.n, &first()->v.fp)->quota.images;
	assert_int_equal(bucket_left(b, w.n.now), 10000);
	free(kept);
}

/* A job behind what was kept is known from the ledger. */
static void
test_since(void **state)
{
	static uint8_t recs[2][JOB_RECORD_MAX];
	size_t lens[2], len, n = 0;
	struct id32 id;
	struct job *j;
	uint8_t *kept;
	struct fp fp;

	(void)state;
	w.run_ms = 0;
	world_fp(&fp, 0x41);
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	kept = budgets_encode(&w.n, &len);
	world_run(&w, 5000);
	assert_int_equal(submit(1, 0x41, 2, NULL, &id)->status, ST_OK);
	assert_true(w.n.budgets_changed);
	TAILQ_FOREACH(j, &w.n.jobs.live, link)
		lens[n] = job_encode(recs[n], JOB_RECORD_MAX, j), n++;
	assert_int_equal(n, 2);
	world_clear(&w);
	world_init(&w);
	w.wall_us += 6000000;
	node_time(&w.n, w.now, w.wall_us);
	assert_true(budgets_decode(&w.n, kept, len, &w.n.budgets_saved));
	assert_int_equal(w.n.budgets_saved, unix_now() - 6);
	while (n-- > 0) {
		j = job_decode(recs[n], lens[n]);
		assert_non_null(j);
		job_restore(&w.n.jobs, j);
	}
	node_restore(&w.n);
	assert_int_equal(bucket_left(&owner_get(&w.n, &fp)->quota.jobs,
	    w.n.now), w.policy.jobs_per_hour - 2);
	free(kept);
}

static void
test_cut(void **state)
{
	struct id32 id;
	uint8_t *kept, *copy;
	uint32_t saved = 0;
	size_t len;

	(void)state;
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	kept = budgets_encode(&w.n, &len);
	assert_non_null(kept);
	for (size_t n = 0; n < len; n++) {
		copy = malloc(n + 1);
		assert_non_null(copy);
		memcpy(copy, kept, n);
		assert_false(budgets_decode(&w.n, copy, n, &saved));
		free(copy);
	}
	assert_true(budgets_decode(&w.n, kept, len, &saved));
	/* more in a bucket than it holds, more peers than there can be */
	kept[20 + 16 + 64 + 1 + 8] = 0x7f;
	assert_false(budgets_decode(&w.n, kept, len, &saved));
	memset(kept + 12, 0xff, 4);
	assert_false(budgets_decode(&w.n, kept, len, &saved));
	free(kept);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {T(test_kept), T(test_images),
	    T(test_since), T(test_cut)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
