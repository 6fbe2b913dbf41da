/* SPDX-License-Identifier: BSD-2-Clause */
/* What a watchdog's verdicts do to jobs of a node, and what it sees of them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/layers.h"
#include "node/work/node.h"
#include "node/work/ready.h"
#include "node/work/throttle.h"
#include "node/work/watchdog.h"
#include "node/work/watched.h"
#include "tests/unit/nodekit.h"

#define MS INT64_C(1000)

static void
is_there(uint8_t there)
{
	watchdog_there(&w.n, &(struct msg_D_THERE){.there = there});
	world_run(&w, 10);
}

static void
act(const struct id32 *id, uint8_t action, uint32_t ttl)
{
	watchdog_act(&w.n, &(struct msg_D_ACT){.job = *id, .action = action,
	    .ttl_s = ttl, .reason = "x"});
	world_run(&w, 100);
}

static struct job *
begun(uint8_t nonce, struct id32 *id, uint32_t run_ms)
{
	w.run_ms = run_ms;
	assert_int_equal(submit(1, 0x41, nonce, NULL, id)->status, ST_OK);
	world_run(&w, 50);
	return job_find(&w.n.jobs, id);
}

static void
test_kill(void **state)
{
	struct id32 id;

	(void)state;
	(void)begun(1, &id, 60000);
	act(&id, DOG_KILL, 0);
	world_run(&w, 3000);
	killed_by(&id, "watchdog");
	/* nothing of a job that is over, or that is none of ours */
	act(&id, DOG_KILL, 0);
	id.b[0] ^= 1;
	act(&id, DOG_KILL, 0);
	assert_int_equal(w.n.dog_kills, 1);
}

static void
test_kills_of_an_hour(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	w.n.dog_hour = mono_add(w.n.now, 3600 * MONO_SECOND);
	w.n.dog_kills = WATCHDOG_KILLS_HOUR;
	j = begun(1, &id, 3500 * 1000);
	act(&id, DOG_KILL, 0);
	assert_int_equal(j->kill, 0);
	state_is(&id, "running", NULL);
	w.n.dog_hour = w.n.now;
	act(&id, DOG_KILL, 0);
	assert_int_equal(j->kill, KILL_WATCHDOG);
	assert_int_equal(w.n.dog_kills, 1);
}

static void
test_freeze(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	j = begun(1, &id, 60000);
	act(&id, DOG_FREEZE, 5);
	assert_true(j->frozen);
	/* lending does not let it go on, nor does a rule whose time is up */
	w.n.lend_at = w.n.now;
	watched_flag(&w.n, &(struct msg_W_FLAG){.job = id,
	    .does = WATCH_FREEZE, .rule = 63, .name = "x"});
	j->ruled_until = w.n.now;
	world_run(&w, 1000);
	assert_true(j->frozen);
	world_run(&w, 4000);
	assert_false(j->frozen);
	assert_int_equal(j->dog_until.us, 0);
	/* and no longer than ten minutes, whatever audit says */
	act(&id, DOG_FREEZE, UINT32_MAX);
	assert_true(j->frozen);
	world_run(&w, 599 * MS);
	assert_true(j->frozen);
	world_run(&w, 2 * MS);
	assert_false(j->frozen);
	/* a frozen one can still be killed */
	act(&id, DOG_FREEZE, 600);
	act(&id, DOG_KILL, 0);
	world_run(&w, 3000);
	killed_by(&id, "watchdog");
}

/* Where a machine cannot, the job goes on: a watchdog's word is no rule. */
static void
test_cannot(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	w.cannot_freeze = true;
	j = begun(1, &id, 2000);
	j->layers &= ~(uint32_t)LAYER_CPU;
	act(&id, DOG_FREEZE, 60);
	act(&id, DOG_THROTTLE, 60);
	assert_false(j->frozen);
	assert_int_equal(w.slowed_to, 0);
	assert_int_equal(j->kill, 0);
	world_run(&w, 3000);
	state_is(&id, "done", NULL);
}

static void
test_throttle(void **state)
{
	struct id32 id;
	uint64_t all;
	struct job *j;

	(void)state;
	j = begun(1, &id, 60000);
	all = j->limits.v[LIMIT_CPU];
	j->layers |= LAYER_CPU;
	act(&id, DOG_THROTTLE, 5);
	assert_int_equal(w.slowed_to, all / WATCHDOG_SLOW_PART);
	world_run(&w, 4 * MS);
	assert_int_equal(w.slowed_to, all / WATCHDOG_SLOW_PART);
	world_run(&w, 1 * MS);
	assert_int_equal(w.slowed_to, all);
	act(&id, DOG_THROTTLE, UINT32_MAX);
	assert_int_equal(mono_sub(j->dog_slow, w.n.now) / MONO_SECOND, 599);
	/* what its contract takes it does not give back */
	act(&id, DOG_THROTTLE, 1);
	j->slowed = true;
	world_run(&w, 2 * MS);
	assert_int_equal(w.slowed_to, all / THROTTLE_CPU_PART);
}

static void
test_flag(void **state)
{
	struct id32 id;
	struct job *j;
	uint64_t edges;

	(void)state;
	j = begun(1, &id, 60000);
	act(&id, DOG_FLAG, 0);
	assert_true(j->dog_flagged);
	edges = w.n.count.edges;
	/* what changes no job is not for node */
	act(&id, DOG_NOTE, 0);
	act(&id, DOG_PROPOSE, 0);
	act(&id, 200, 0);
	assert_int_equal(w.n.count.edges, edges + 3);
	assert_false(j->frozen);
	assert_int_equal(j->kill, 0);
	state_is(&id, "running", NULL);
}

static void
test_required(void **state)
{
	struct id32 id;

	(void)state;
	world_run(&w, 100);
	assert_true(node_accepting(&w.n));
	/* without `required` nobody misses it */
	is_there(DOG_ABSENT);
	assert_true(node_accepting(&w.n));
	w.n.policy.watchdog_required = true;
	assert_false(node_accepting(&w.n));
	assert_int_not_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	is_there(DOG_WAITED_FOR);
	assert_false(node_accepting(&w.n));
	is_there(DOG_PRESENT);
	assert_true(node_accepting(&w.n));
	/* one that fell has time to come again */
	is_there(DOG_WAITED_FOR);
	assert_true(node_accepting(&w.n));
	(void)begun(2, &id, 60000);
	is_there(DOG_ABSENT);
	assert_false(node_accepting(&w.n));
	/* what runs goes on */
	world_run(&w, 61000);
	state_is(&id, "done", NULL);
	is_there(DOG_PRESENT);
	watchdog_down(&w.n);
	assert_false(node_accepting(&w.n));
}

/* ---- what it sees ---- */

static uint64_t
seen_of(struct job *j, unsigned stream, uint64_t *first)
{
	uint64_t sum = 0, at, want = UINT64_MAX;
	uint32_t n;

	while ((n = watchdog_sample(&w.n, j, stream, &at)) > 0) {
		assert_true(n <= WATCHDOG_SAMPLE);
		if (want == UINT64_MAX)
			*first = at;
		else
			assert_int_equal(at, want);
		want = at + n;
		sum += n;
	}
	return sum;
}

static void
test_samples(void **state)
{
	struct id32 id;
	struct job *j;
	uint64_t at = 0;

	(void)state;
	j = begun(1, &id, 60000);
	j->log[0] = 1500;
	j->log[1] = 10;
	/* nobody is there */
	assert_int_equal(seen_of(j, 0, &at), 0);
	is_there(DOG_WAITED_FOR);
	assert_int_equal(seen_of(j, 0, &at), 0);
	is_there(DOG_PRESENT);
	assert_int_equal(seen_of(j, 0, &at), 1500);
	assert_int_equal(at, 0);
	assert_int_equal(seen_of(j, 1, &at), 10);
	assert_int_equal(seen_of(j, 0, &at), 0);
	/* a flood: its share of this second, then what is there later */
	j->log[0] += 1 << 20;
	assert_in_range(seen_of(j, 0, &at), WATCHDOG_LOG_JOB - 4096,
	    WATCHDOG_LOG_JOB);
	assert_int_equal(at, 1500);
	j->log[0] += 5000;
	world_run(&w, 1000);
	at = 0;
	assert_int_equal(seen_of(j, 0, &at), 5000);
	assert_int_equal(at, 1500 + (1 << 20));
	/* another attempt begins at nothing */
	j->log[0] = 7;
	world_run(&w, 1000);
	assert_int_equal(seen_of(j, 0, &at), 7);
	assert_int_equal(at, 0);
}

/* All together no more than 64 KiB a second, and none hides another. */
static void
test_samples_of_many(void **state)
{
	static struct job many[8];
	uint64_t sum = 0, at, n;

	(void)state;
	world_run(&w, 100);
	is_there(DOG_PRESENT);
	for (unsigned i = 0; i < 8; i++) {
		many[i].slot = i + 1;
		many[i].id.b[0] = (uint8_t)(i + 1);
		many[i].log[0] = 1 << 20;
		n = seen_of(&many[i], 0, &at);
		assert_true(n <= WATCHDOG_LOG_JOB);
		if (i < 4)
			assert_int_equal(n, WATCHDOG_LOG_JOB);
		sum += n;
	}
	assert_int_equal(sum, WATCHDOG_LOG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_kills_of_an_hour, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(test_freeze, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_cannot, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_throttle, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_flag, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_required, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_samples, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_samples_of_many, setup,
		teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
