/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/work/lend.h"
#include "node/work/ready.h"
#include "tests/unit/nodekit.h"

/* The world begins at 08:00 UTC on a Friday. */
static void
lends(uint16_t from, uint16_t to, enum when_running running)
{
	w.policy.when = w.n.policy.when = (struct when_conf){.set = true,
	    .days = WHEN_ALL_DAYS, .nhours = 1,
	    .hours = {{(uint16_t)(from * 60), (uint16_t)(to * 60)}},
	    .running = running};
	lend_again(&w.n);
}

static struct msg_FACTS facts = {.mains = true, .jobs_known = true,
    .memory_free = UINT64_C(1) << 40};

/* As the parent says it, each ten seconds. */
static void
run(int64_t s)
{
	for (; s > 0; s -= LEND_LOOK_S) {
		lend_facts(&w.n, &facts);
		world_run(&w, MIN_OF(s, INT64_C(10)) * 1000);
	}
}

static void
describe(struct proto_describe *d)
{
	struct proto_req q = {.path = PATH_DESCRIBE};

	assert_true(proto_get_describe(d, world_call(&w, 1, &q)));
}

static void
long_time(struct manifest *m)
{
	m->limit[LIMIT_TIME] = 60000;
	m->deadline += 86400;
}

static void
again(struct manifest *m)
{
	long_time(m);
	m->retries = 2;
}

static void
test_hours(void **state)
{
	struct proto_submitted s;
	struct proto_describe d;
	struct proto_ans *a;
	struct id32 id, late;

	(void)state;
	describe(&d);
	assert_true(d.accepting);
	lends(10, 12, WHEN_FINISH);
	w.run_ms = 20000;
	run(30);
	assert_false(node_accepting(&w.n));
	assert_false(w.last_accepting);
	describe(&d);
	assert_false(d.accepting);
	assert_non_null(memmem(d.why.p, d.why.n, "begin at 10:00", 14));
	/* taken all the same, and told how long it waits */
	a = submit(1, 0x41, 1, long_time, &id);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_submitted(&s, a));
	assert_in_range(s.wait_s, 7100, 7200);
	state_is(&id, "queued", "when");
	/* but not when it would be too late */
	refused(submit(1, 0x41, 2, NULL, &late), "airtime", 11);
	run(7200);
	assert_int_equal(w.starts, 1);
	run(30);
	state_is(&id, "done", NULL);
	assert_true(w.last_accepting);
	/* one that runs when the hours end runs on, no other begins */
	lends(8, 11, WHEN_FINISH);
	w.run_ms = 50000;
	while (w.n.unix_now % 86400 < 11 * 3600 - 30)
		run(10);
	assert_int_equal(submit(1, 0x41, 3, long_time, &id)->status, ST_OK);
	run(40);
	assert_false(w.n.lends);
	state_is(&id, "running", NULL);
	assert_int_equal(submit(1, 0x41, 4, long_time, &late)->status, ST_OK);
	run(60);
	state_is(&id, "done", NULL);
	state_is(&late, "queued", "when");
	assert_int_equal(w.starts, 2);
	/* the operator thinks better of it */
	w.n.policy.when.set = false;
	lend_again(&w.n);
	run(60);
	state_is(&late, "done", NULL);
	assert_int_equal(w.n.jobs.edges + w.n.count.edges, 0);
}

/* Others need the machine; it comes back when they did not for a minute. */
static void
test_measured(void **state)
{
	struct id32 id;

	(void)state;
	lends(0, 0, WHEN_FINISH);
	w.n.policy.when.load_milli = 1000;
	assert_false(w.n.facts.known);
	world_run(&w, 100);
	assert_false(w.n.lends); /* nothing was measured yet */
	run(70);
	assert_true(w.n.lends);
	facts.busy_milli = 2500;
	facts.jobs_milli = 1400;
	run(10);
	assert_false(w.n.lends);
	assert_non_null(strstr(w.n.lent.why, "1.10 cores"));
	assert_int_equal(submit(1, 0x41, 1, long_time, &id)->status, ST_OK);
	facts.jobs_milli = 1600;
	run(50);
	assert_false(w.n.lends);
	run(20);
	assert_true(w.n.lends);
	state_is(&id, "done", NULL);
	/* where jobs are not measured, what they were granted is theirs */
	facts.jobs_known = false;
	facts.busy_milli = 1400;
	w.run_ms = 0;
	run(10);
	assert_false(w.n.lends);
	run(10);
	facts.busy_milli = 0;
	run(70);
	assert_int_equal(submit(1, 0x41, 2, long_time, &id)->status, ST_OK);
	facts.busy_milli = 1400;
	run(10);
	assert_true(w.n.lends);
	/* nobody measures any more */
	world_run(&w, (LEND_STALE_S + LEND_LOOK_S) * 1000);
	assert_false(w.n.lends);
	memset(&facts, 0, sizeof(facts));
	facts.mains = facts.jobs_known = true;
	facts.memory_free = UINT64_C(1) << 40;
}

static void
test_freeze(void **state)
{
	struct id32 id;

	(void)state;
	run(10);
	w.run_ms = 40000;
	assert_int_equal(submit(1, 0x41, 1, long_time, &id)->status, ST_OK);
	run(30);
	lends(10, 12, WHEN_FREEZE);
	run(3600);
	state_is(&id, "running", NULL);
	assert_true(w.frozen && w.jail_frozen);
	assert_int_equal(w.events_seen[EVK_JOB_FROZEN], 1);
	run(3600);
	/* an hour and more of standing still is not its time */
	state_is(&id, "done", NULL);
	assert_int_equal(status(&id).outcome.kind, OUT_EXITED);
	assert_in_range(status(&id).wall_ms, 39000, 41000);
	assert_false(w.frozen || w.jail_frozen);
	assert_int_equal(w.events_seen[EVK_JOB_FROZEN], 2);
	/* its deadline is what it was, and a kill reaches it */
	lends(8, 8, WHEN_FREEZE);
	run(10);
	w.run_ms = 0;
	assert_int_equal(submit(1, 0x41, 2, long_time, &id)->status, ST_OK);
	run(10);
	lends(23, 0, WHEN_FREEZE);
	run(10);
	assert_true(w.frozen);
	assert_int_equal(about(1, PATH_CANCEL, &id)->status, ST_OK);
	run(10);
	killed_by(&id, "cancelled");
	assert_false(w.frozen);
	assert_int_equal(w.running, 0);
}

static void
test_cannot_freeze(void **state)
{
	struct id32 id;

	(void)state;
	w.cannot_freeze = true;
	w.run_ms = 40000;
	assert_int_equal(submit(1, 0x41, 1, long_time, &id)->status, ST_OK);
	run(10);
	lends(10, 12, WHEN_FREEZE);
	run(60);
	state_is(&id, "done", NULL);
	assert_false(w.jail_frozen);
}

/* Node falls while a job stands still: it goes on, and stands still again. */
static void
test_restart(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 40000;
	assert_int_equal(submit(1, 0x41, 1, long_time, &id)->status, ST_OK);
	run(10);
	lends(10, 12, WHEN_FREEZE);
	run(20);
	assert_true(w.frozen);
	world_restart(&w);
	world_up(&w, 2);
	assert_false(w.frozen || w.jail_frozen);
	run(20);
	assert_true(w.frozen && w.jail_frozen);
}

static void
test_give_back(void **state)
{
	struct id32 id, once;

	(void)state;
	w.run_ms = 40000;
	assert_int_equal(submit(1, 0x41, 1, again, &id)->status, ST_OK);
	assert_int_equal(submit(1, 0x41, 2, long_time, &once)->status, ST_OK);
	run(10);
	assert_int_equal(w.running, 2);
	lends(10, 12, WHEN_GIVE_BACK);
	run(10);
	/* nothing of them is left; who allowed it waits again, counted */
	assert_int_equal(w.running, 0);
	state_is(&id, "queued", "when");
	assert_int_equal(status(&id).attempts, 1);
	state_is(&once, "lost", "given back: the machine is lent no more");
	run(7200);
	run(60);
	state_is(&id, "done", NULL);
	assert_int_equal(status(&id).outcome.kind, OUT_EXITED);
	assert_int_equal(status(&id).attempts, 2);
	assert_int_equal(w.n.jobs.edges + w.n.count.edges, 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {T(test_hours), T(test_measured),
	    T(test_freeze), T(test_cannot_freeze), T(test_restart),
	    T(test_give_back)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
