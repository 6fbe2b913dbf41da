/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "node/work/levels.h"
#include "node/work/quota.h"
#include "common/util.h"

static struct mono
at(int64_t ms)
{
	return (struct mono){ms * 1000};
}

static void
test_bucket(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 600, 60, at(0));
	assert_int_equal(bucket_left(&b, at(0)), 600);
	bucket_take(&b, 600, at(0));
	assert_int_equal(bucket_wait(&b, 1, at(0)), 1);
	assert_int_equal(bucket_wait(&b, 600, at(0)), 60);
	assert_int_equal(bucket_left(&b, at(1000)), 10);
	/* overdrawn: what was accepted is charged, its owner waits */
	bucket_take(&b, 1200, at(1000));
	assert_int_equal(bucket_left(&b, at(1000)), 0);
	assert_int_equal(bucket_debt_ms(&b, at(1000)), 119000);
	assert_int_equal(bucket_wait(&b, 1, at(1000)), 120);
	assert_int_equal(bucket_wait(&b, 1, at(120000)), 1);
	assert_int_equal(bucket_debt_ms(&b, at(120000)), 0);
	/* never more than it holds, and a week of rest is no overflow */
	assert_int_equal(bucket_left(&b, at(INT64_C(604800000))), 600);
	bucket_return(&b, 10, at(INT64_C(604800000)));
	assert_int_equal(bucket_left(&b, at(INT64_C(604800000))), 600);
	/* time does not go backwards */
	bucket_take(&b, 600, at(INT64_C(604800000)));
	assert_int_equal(bucket_left(&b, at(0)), 0);
}

static void
test_bucket_edges(void **state)
{
	struct bucket b;

	(void)state;
	/* 0: no limit */
	bucket_init(&b, 0, 60, at(0));
	bucket_take(&b, UINT64_MAX, at(0));
	assert_int_equal(bucket_wait(&b, UINT64_MAX, at(0)), 0);
	assert_true(bucket_left(&b, at(0)) > 0);
	/* absurd amounts saturate */
	bucket_init(&b, UINT64_MAX, 86400, at(0));
	bucket_take(&b, UINT64_MAX, at(0));
	bucket_take(&b, UINT64_MAX, at(0));
	assert_int_equal(bucket_left(&b, at(0)), 0);
	assert_int_equal(bucket_wait(&b, 1, at(1)) > 0, true);
	/* many small steps give what one long one gives */
	bucket_init(&b, 7, 60, at(0));
	bucket_take(&b, 7, at(0));
	for (int64_t ms = 0; ms <= 60000; ms += 7)
		(void)bucket_left(&b, at(ms));
	assert_int_equal(bucket_left(&b, at(60000)), 7);
	/* a smaller setting cuts, a debt stays */
	bucket_init(&b, 100, 60, at(0));
	bucket_resize(&b, 10, at(0));
	assert_int_equal(bucket_left(&b, at(0)), 10);
	bucket_take(&b, 30, at(0));
	bucket_resize(&b, 100, at(0));
	assert_int_equal(bucket_left(&b, at(0)), 0);
	assert_int_equal(bucket_debt_ms(&b, at(0)), 12000);
}

static void
test_shares(void **state)
{
	(void)state;
	assert_int_equal(quota_unidentified_bytes(5u << 20), 64 * 1024);
	assert_int_equal(quota_unidentified_bytes(100000), 10000);
	assert_int_equal(quota_unidentified_bytes(0), 64 * 1024);
	assert_int_equal(quota_unidentified_bytes(5), 1);
	assert_int_equal(quota_peer_bytes(1000, 2), 1000);
	assert_int_equal(quota_peer_bytes(1000, 0), 100);
	assert_int_equal(quota_peer_bytes(1000, -1), 100);
	assert_int_equal(quota_peer_bytes(0, 0), 0);
}

static void
test_jobs(void **state)
{
	const struct quota_caps caps = {2, 3, 10, 1000, 0};
	struct quota_answer a;
	struct quota q;

	(void)state;
	quota_init(&q, &caps, at(0));
	assert_int_equal(quota_job(&q, &caps, 1, at(0)).kind, QUOTA_FITS);
	a = quota_job(&q, &caps, 2, at(0));
	assert_int_equal(a.kind, QUOTA_JOBS_QUEUED);
	assert_int_equal(a.limit, 2);
	assert_int_equal(a.value, 3);
	bucket_take(&q.jobs, 3, at(0));
	a = quota_job(&q, &caps, 0, at(0));
	assert_int_equal(a.kind, QUOTA_JOBS_PER_HOUR);
	assert_int_equal(a.s, 1200);
	assert_int_equal(quota_job(&q, &caps, 0, at(1200 * 1000)).kind,
	    QUOTA_FITS);
	bucket_take(&q.cpu, 15000, at(0));
	a = quota_job(&q, &caps, 0, at(1200 * 1000));
	assert_int_equal(a.kind, QUOTA_CPU);
	assert_true(a.s > 30000);
	assert_int_equal(quota_spool(&caps, 400, 600).kind, QUOTA_FITS);
	a = quota_spool(&caps, 400, 601);
	assert_int_equal(a.kind, QUOTA_SPOOL);
	assert_int_equal(a.limit, 1000);
	assert_int_equal(a.value, 1001);
	assert_int_equal(quota_spool(&caps, 2000, 0).kind, QUOTA_SPOOL);
	assert_int_equal(quota_spool(&caps, 0, UINT64_MAX).kind, QUOTA_SPOOL);
	assert_string_equal(quota_name(QUOTA_CPU), "cpu_seconds_per_day");
}

/* ---- levels ---- */

#define MIB (1024u * 1024)

static void
test_rows(void **state)
{
	struct policy p;
	struct limits row, got, asked = {{0}}, profile = {{0}};

	(void)state;
	policy_init(&p, 2, UINT64_C(4096) * MIB);
	assert_false(level_row(&row, &p, 0));
	assert_false(level_row(&row, &p, -3));
	assert_false(level_row(&row, &p, 4));
	assert_true(level_row(&row, &p, 1));
	assert_int_equal(row.v[LIMIT_MEMORY], 64 * MIB);
	assert_int_equal(row.v[LIMIT_CPU], 250);
	assert_int_equal(row.v[LIMIT_TIME], 60000);
	assert_int_equal(row.v[LIMIT_PIDS], 32);
	assert_int_equal(row.v[LIMIT_OUTPUT], 16 * MIB);
	assert_int_equal(row.v[LIMIT_LOG], 65536);
	assert_true(level_row(&row, &p, 2));
	assert_int_equal(row.v[LIMIT_MEMORY], 256 * MIB);
	assert_int_equal(row.v[LIMIT_TIME], 3600000);
	assert_true(level_row(&row, &p, 3));
	assert_int_equal(row.v[LIMIT_MEMORY], 2048u * MIB);
	assert_int_equal(row.v[LIMIT_CPU], 2000);
	assert_int_equal(row.v[LIMIT_PIDS], 256);
	assert_int_equal(row.v[LIMIT_LOG], 16 * MIB);
	/* the operator's ceiling always caps, also his own override */
	p.level[2].v[LIMIT_MEMORY] = 512 * MIB;
	p.ceiling.v[LIMIT_MEMORY] = 300 * MIB;
	p.ceiling.v[LIMIT_TIME] = 1000;
	assert_true(level_row(&row, &p, 2));
	assert_int_equal(row.v[LIMIT_MEMORY], 300 * MIB);
	assert_int_equal(row.v[LIMIT_TIME], 1000);
	/* the profile fills, cut to the row; what is asked stays */
	profile.v[LIMIT_MEMORY] = 400 * MIB;
	profile.v[LIMIT_CPU] = 100;
	asked.v[LIMIT_PIDS] = 5;
	level_grant(&got, &row, &asked, &profile);
	assert_int_equal(got.v[LIMIT_MEMORY], 300 * MIB);
	assert_int_equal(got.v[LIMIT_CPU], 100);
	assert_int_equal(got.v[LIMIT_PIDS], 5);
	assert_int_equal(got.v[LIMIT_OUTPUT], 64 * MIB);
	assert_int_equal(level_exceeds(&row, &asked), LIMIT_COUNT);
	asked.v[LIMIT_PIDS] = 65;
	assert_int_equal(level_exceeds(&row, &asked), LIMIT_PIDS);
	/* of the disk: without a ceiling none, and whatever is asked */
	asked.v[LIMIT_PIDS] = 5;
	assert_int_equal(got.v[LIMIT_IO_READ], 0);
	asked.v[LIMIT_IO_READ] = UINT64_C(1) << 40;
	profile.v[LIMIT_IO_WRITE] = MIB;
	assert_int_equal(level_exceeds(&row, &asked), LIMIT_COUNT);
	level_grant(&got, &row, &asked, &profile);
	assert_int_equal(got.v[LIMIT_IO_READ], UINT64_C(1) << 40);
	assert_int_equal(got.v[LIMIT_IO_WRITE], MIB);
	/* with one no more than that, and that where nothing is asked */
	p.ceiling.v[LIMIT_IO_READ] = 2 * MIB;
	p.ceiling.v[LIMIT_IO_WRITE] = 65536;
	assert_true(level_row(&row, &p, 2));
	assert_int_equal(level_exceeds(&row, &asked), LIMIT_IO_READ);
	asked.v[LIMIT_IO_READ] = 0;
	level_grant(&got, &row, &asked, &profile);
	assert_int_equal(got.v[LIMIT_IO_READ], 2 * MIB);
	assert_int_equal(got.v[LIMIT_IO_WRITE], 65536);
	p.level[2].v[LIMIT_IO_READ] = MIB;
	assert_true(level_row(&row, &p, 2));
	assert_int_equal(row.v[LIMIT_IO_READ], MIB);
	/* what bounds all of them is none of its own */
	got = level_own(&p, &got);
	assert_int_equal(got.v[LIMIT_IO_READ], 0);
	assert_int_equal(got.v[LIMIT_IO_WRITE], 0);
	got.v[LIMIT_IO_WRITE] = 65535;
	got = level_own(&p, &got);
	assert_int_equal(got.v[LIMIT_IO_WRITE], 65535);
	assert_int_equal(got.v[LIMIT_PIDS], 5);
	assert_int_equal(level_least(LIMIT_IO_READ, 0, 7), 7);
	assert_int_equal(level_least(LIMIT_IO_READ, 7, 0), 7);
	assert_int_equal(level_least(LIMIT_MEMORY, 7, 0), 0);
	assert_int_equal(level_granted(3, 1), 1);
	assert_int_equal(level_granted(1, 3), 1);
}

static void
test_pins(void **state)
{
	const struct policy_pin pins[] = {
	    {true, {{1, 2}}, -2}, {false, {{9}}, -1}, {false, {{9}}, -3}};
	const char *const boards[] = {"board"};
	struct hash16 rns = {{1, 2}};
	struct fp fp = {{9}};
	struct policy p;

	(void)state;
	policy_init(&p, 1, 1);
	p.pins = pins;
	p.npins = NELEM(pins);
	p.boards = boards;
	p.nboards = 1;
	assert_int_equal(policy_pinned(&p, &rns, NULL), -2);
	assert_int_equal(policy_pinned(&p, NULL, &fp), -3);
	assert_int_equal(policy_pinned(&p, &rns, &fp), -3);
	fp.b[31] = 1;
	rns.b[15] = 1;
	assert_int_equal(policy_pinned(&p, &rns, &fp), 1);
	assert_true(policy_board(&p, "board"));
	assert_false(policy_board(&p, "other"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bucket),
	    cmocka_unit_test(test_bucket_edges),
	    cmocka_unit_test(test_shares),
	    cmocka_unit_test(test_jobs),
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
