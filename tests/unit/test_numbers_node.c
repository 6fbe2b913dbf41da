/* SPDX-License-Identifier: BSD-2-Clause */
/* What a node tells of its jobs and budgets for /metrics. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "node/work/numbers.h"
#include "node/work/peers.h"
#include "tests/unit/nodekit.h"

static void
ask(uint32_t seq)
{
	const struct msg_N_NUMBER *m;

	w.nnumbers = 0;
	numbers_tell(&w.n, seq, 12345);
	assert_true(w.nnumbers > 0 && w.nnumbers < NELEM(w.numbers));
	for (unsigned i = 0; i < w.nnumbers; i++) {
		m = &w.numbers[i];
		assert_int_equal(m->seq, seq);
		assert_true(m->family < NUMBER_FAMILIES);
		/* the end is the end */
		assert_int_equal(m->family == NUMBER_END,
		    i == w.nnumbers - 1);
		for (unsigned k = 0; k < i; k++)
			assert_false(w.numbers[k].family == m->family &&
			    strcmp(w.numbers[k].label, m->label) == 0);
	}
}

/* -1: it is not told. */
static int64_t
of(enum number_family family, const char *label)
{
	for (unsigned i = 0; i < w.nnumbers; i++)
		if (w.numbers[i].family == family &&
		    strcmp(w.numbers[i].label, label) == 0)
			return (int64_t)w.numbers[i].value;
	return -1;
}

static void
test_jobs(void **state)
{
	struct id32 id[3];

	(void)state;
	ask(1);
	assert_int_equal(of(NUMBER_JOBS, "running"), 0);
	assert_int_equal(of(NUMBER_ADMITTED, ""), 0);
	assert_int_equal(of(NUMBER_SPOOL, ""), 12345);
	assert_int_equal(of(NUMBER_DISK_FREE, ""), w.disk_free);
	w.run_ms = 0;
	for (uint8_t i = 0; i < 3; i++)
		(void)submit(1, 0x41, (uint8_t)(i + 1), NULL, &id[i]);
	world_run(&w, 100);
	ask(2);
	assert_int_equal(of(NUMBER_JOBS, "running"), 2);
	assert_int_equal(of(NUMBER_JOBS, "queued"), 1);
	assert_int_equal(of(NUMBER_JOBS, "done"), 0);
	assert_int_equal(of(NUMBER_SLOTS, ""), 2);
	assert_int_equal(of(NUMBER_READY, ""), 1);
	assert_int_equal(of(NUMBER_ADMITTED, ""), 3);
	assert_int_equal(of(NUMBER_REQUESTS, ""), w.n.count.requests);
	(void)about(1, PATH_CANCEL, &id[2]);
	world_run(&w, 100);
	ask(3);
	assert_int_equal(of(NUMBER_JOBS, "queued"), 0);
	assert_int_equal(of(NUMBER_JOBS, "cancelled"), 1);
	assert_int_equal(of(NUMBER_READY, ""), 0);
}

static void
test_refused(void **state)
{
	struct id32 id;

	(void)state;
	ask(1);
	assert_int_equal(of(NUMBER_REFUSED, "not_accepting"), -1);
	w.n.policy.accept = false;
	for (uint8_t i = 1; i < 3; i++)
		refused(submit(1, 0x41, i, NULL, &id), "not_accepting", 1);
	w.n.policy.accept = true;
	world_link(&w, 3, 0);
	refused(submit(3, 0x41, 3, NULL, &id), "not_identified", 2);
	ask(2);
	assert_int_equal(of(NUMBER_REFUSED, "not_accepting"), 2);
	assert_int_equal(of(NUMBER_REFUSED, "not_identified"), 1);
	/* after it was taken: jail cannot start it */
	w.fail_code = "volume";
	assert_int_equal(submit(1, 0x41, 4, NULL, &id)->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id, "refused", "volume: because");
	ask(3);
	assert_int_equal(of(NUMBER_REFUSED, "volume"), 1);
	assert_int_equal(of(NUMBER_JOBS, "refused"), 1);
}

static void
test_budgets(void **state)
{
	struct id32 id;
	struct peer *p;
	struct owner *o;

	(void)state;
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	ask(1);
	assert_int_equal(of(NUMBER_USED_UP, "bytes"), 0);
	assert_int_equal(of(NUMBER_USED_UP, "requests"), 0);
	assert_int_equal(of(NUMBER_USED_UP, "jobs_per_hour"), 0);
	assert_int_equal(of(NUMBER_USED_UP, "cpu_seconds_per_day"), 0);
	assert_int_equal(of(NUMBER_BUSY, "bytes"), -1);
	p = peer_next(&w.n, NULL);
	bucket_take(&p->bytes, p->bytes.cap + 1, w.n.now);
	o = owner_next(&w.n, NULL);
	bucket_take(&o->quota.cpu, o->quota.cpu.cap + 1, w.n.now);
	ask(2);
	assert_int_equal(of(NUMBER_USED_UP, "bytes"), 1);
	assert_int_equal(of(NUMBER_USED_UP, "cpu_seconds_per_day"), 1);
	assert_int_equal(submit(1, 0x41, 2, NULL, &id)->status, ST_BUSY);
	ask(3);
	assert_int_equal(of(NUMBER_BUSY, "bytes"), 1);
}

/* There are never more codes than there is room for. */
static void
test_codes(void **state)
{
	struct code_counts c = {0};
	char code[64];

	(void)state;
	for (unsigned i = 0; i < 3 * NUMBERS_CODES; i++) {
		(void)snprintf(code, sizeof(code), "code_%u", i);
		numbers_count(&c, code);
		numbers_count(&c, code);
	}
	assert_int_equal(c.n, NUMBERS_CODES);
	assert_string_equal(c.of[0].code, "code_0");
	assert_int_equal(c.of[0].times, 2);
	assert_string_equal(c.of[NUMBERS_CODES - 1].code, "other");
	assert_int_equal(c.of[NUMBERS_CODES - 1].times,
	    2 * (2 * NUMBERS_CODES + 1));
	/* one that is too long is cut, and counted once */
	memset(&c, 0, sizeof(c));
	for (unsigned i = 0; i < 2; i++)
		numbers_count(&c, "a_code_that_is_longer_than_a_label_may_be");
	assert_int_equal(c.n, 1);
	assert_int_equal(c.of[0].times, 2);
}

#define IN_WORLD(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {IN_WORLD(test_jobs),
	    IN_WORLD(test_refused), IN_WORLD(test_budgets),
	    cmocka_unit_test(test_codes)};

	return cmocka_run_group_tests_name("numbers_node", tests, NULL, NULL);
}
