/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of a contract that audit has seen broken, in a whole node. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/layers.h"
#include "node/work/bound.h"
#include "node/work/contracts.h"
#include "node/work/finish.h"
#include "node/work/penalty.h"
#include "node/work/throttle.h"
#include "node/work/watched.h"
#include "tests/unit/nodekit.h"

#define OWNER 0x41

static struct contract con;

static int
begin(void **state)
{
	struct msg_W_POSTURE m = {.layers = LAYER_BPF};

	plain_contract(&con);
	if (setup(state) != 0)
		return -1;
	w.contract = &con;
	w.contract_level = 3;
	w.verdict_pinned = true;
	w.run_ms = 60000;
	watched_posture(&w.n, &m);
	w.n.layers |= LAYER_LANDLOCK;
	w.n.jail_layers |= LAYER_LANDLOCK;
	return 0;
}

static struct job *
start(uint8_t nonce, struct id32 *id)
{
	submit_bound(OWNER, nonce, id);
	world_run(&w, 100);
	state_is(id, "running", NULL);
	return job_find(&w.n.jobs, id);
}

static void
broken(const struct id32 *id, unsigned rule, uint32_t wait_ms)
{
	struct msg_W_FLAG m = {.job = *id, .does = WATCH_BROKEN,
	    .rule = (uint8_t)rule, .wait_ms = wait_ms, .text = "how"};

	bound_flag(&w.n, &m);
	world_run(&w, 20);
}

static unsigned
told(void)
{
	return w.events_seen[EVK_VIOLATION];
}

static uint32_t
points(void)
{
	struct fp fp;

	world_fp(&fp, OWNER);
	return owner_known(&w.n, &fp)->penalty.points;
}

static void
test_kill(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	con.write.given = true;
	j = start(1, &id);
	/* no other rule than what it declares, and no number of another's */
	broken(&id, RULE_DISK_READ, 0);
	broken(&id, RULE_NONE, 0);
	broken(&id, RULE_COUNT, 0);
	broken(&id, RULE_WATCH, 0);
	broken(&id, 255, 0);
	assert_int_equal(w.n.count.edges, 5);
	assert_int_equal(told(), 0);
	assert_int_equal(j->kill, 0);
	broken(&id, RULE_DISK_WRITE, 0);
	world_run(&w, 1000);
	killed_by(&id, "violation:disk.write");
	assert_int_equal(j->code, KILL_VIOLATION | RULE_DISK_WRITE << 8);
	assert_int_equal(told(), 1);
	assert_int_equal(points(), PENALTY_MAJOR);
	/* of a job that is over */
	broken(&id, RULE_DISK_WRITE, 0);
	assert_int_equal(w.n.count.edges, 6);
}

/* What is denied goes on, and is told once, whoever says it again. */
static void
test_deny(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	con.read.given = true;
	con.action[RULE_DISK_READ] = ACTION_DENY;
	j = start(1, &id);
	for (int i = 0; i < 3; i++)
		broken(&id, RULE_DISK_READ, 0);
	assert_int_equal(told(), 1);
	assert_int_equal(points(), PENALTY_MINOR);
	assert_int_equal(j->kill, 0);
	assert_false(j->frozen);
	world_run(&w, 61000);
	state_is(&id, "done", NULL);
}

static void
test_throttle(void **state)
{
	struct id32 id;
	struct job *j;
	struct mono started;

	(void)state;
	con.max_write_rate = 1000;
	con.action[RULE_DISK_WRITE_RATE] = ACTION_THROTTLE;
	j = start(1, &id);
	started = j->started_at;
	broken(&id, RULE_DISK_WRITE_RATE, 500);
	assert_true(w.frozen);
	assert_false(j->frozen);
	world_run(&w, 300);
	assert_true(w.frozen);
	/* said again, it waits again, and counts no more */
	broken(&id, RULE_DISK_WRITE_RATE, 500);
	world_run(&w, 300);
	assert_true(w.frozen);
	world_run(&w, 300);
	assert_false(w.frozen);
	assert_int_equal(told(), 1);
	assert_int_equal(points(), PENALTY_MINOR);
	/* its time went on */
	assert_true(j->started_at.us == started.us);
	/* never for long, whatever audit says */
	broken(&id, RULE_DISK_WRITE_RATE, UINT32_MAX);
	world_run(&w, THROTTLE_WAIT_MS - 100);
	assert_true(w.frozen);
	world_run(&w, 200);
	assert_false(w.frozen);
	/* killed while it stands still, what packs it does not */
	broken(&id, RULE_DISK_WRITE_RATE, 10000);
	assert_true(w.frozen);
	finish_kill(&w.n, j, KILL_OPERATOR);
	world_run(&w, 1000);
	assert_false(w.frozen);
	killed_by(&id, "operator");
}

/* Where nothing can stand still it has less processor. */
static void
test_slowed(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	w.cannot_freeze = true;
	con.max_write_rate = 1000;
	con.burst_seconds = 1;
	memset(con.action, ACTION_THROTTLE, sizeof(con.action));
	j = start(1, &id);
	broken(&id, RULE_DISK_WRITE_RATE, 500);
	assert_int_equal(w.slowed_to,
	    j->limits.v[LIMIT_CPU] / THROTTLE_CPU_PART);
	/* a burst that node has counted, the same */
	w.slowed_to = 0;
	j = start(2, &id);
	for (int i = 0; i < 10; i++) {
		w.cpu_ms += 300;
		world_run(&w, 250);
	}
	assert_int_equal(w.slowed_to,
	    j->limits.v[LIMIT_CPU] / THROTTLE_CPU_PART);
	assert_int_equal(told(), 3); /* of either job a burst */
	assert_int_equal(j->kill, 0);
}

static void
test_freeze(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	con.anonymous_exec = false;
	con.action[RULE_ANONYMOUS_EXEC] = ACTION_FREEZE;
	j = start(1, &id);
	broken(&id, RULE_ANONYMOUS_EXEC, 0);
	assert_true(j->frozen);
	assert_int_equal(told(), 1);
	world_run(&w, WATCHED_FREEZE_S * INT64_C(1000));
	assert_false(j->frozen);
	/* where it cannot stand still it ends, and that is counted once */
	w.cannot_freeze = true;
	j = start(2, &id);
	broken(&id, RULE_ANONYMOUS_EXEC, 0);
	world_run(&w, 1000);
	assert_int_equal(j->code, KILL_VIOLATION | RULE_ANONYMOUS_EXEC << 8);
	assert_int_equal(points(), 2 * PENALTY_MINOR);
}

/* It has broken it before node knows that it runs, or as it ends. */
static void
test_times(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	con.exec.given = true;
	w.run_ms = 1;
	assert_int_equal(submit(1, OWNER, 1, with_contract, &id)->status,
	    ST_OK);
	(void)world_call(&w, 1, &(struct proto_req){.path = PATH_BLOB_PUT,
	    .digest = tar_sha.b, .n = sizeof(tar), .body = {tar, sizeof(tar)}});
	j = job_find(&w.n.jobs, &id);
	for (int i = 0; i < 100 && j->phase != PHASE_FILLING; i++)
		world_run(&w, 1);
	assert_int_equal(j->phase, PHASE_FILLING);
	bound_flag(&w.n, &(struct msg_W_FLAG){.job = id,
	    .does = WATCH_BROKEN, .rule = RULE_DISK_EXEC});
	world_run(&w, 3000);
	assert_int_equal(j->code, KILL_VIOLATION | RULE_DISK_EXEC << 8);
	assert_int_equal(told(), 1);
	assert_int_equal(points(), PENALTY_MAJOR);
}

/* Not every job ends for an audit that is not itself; it is told all the same. */
static void
test_bounded(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	con.exec.given = true;
	j = start(1, &id);
	w.n.watch_hour = mono_add(w.n.now, 3600 * MONO_SECOND);
	w.n.watch_kills = WATCHED_KILLS_HOUR;
	broken(&id, RULE_DISK_EXEC, 0);
	assert_int_equal(j->kill, 0);
	assert_int_equal(told(), 1);
	assert_int_equal(points(), PENALTY_MINOR);
}

/* Node begins anew: audit hears of the contract when it is here again. */
static void
test_restart(void **state)
{
	struct msg_W_POSTURE m = {.layers = LAYER_BPF};
	struct id32 id;
	struct job *j;

	(void)state;
	con.write.given = true;
	(void)start(1, &id);
	world_restart(&w);
	watched_posture(&w.n, &m);
	w.n.layers |= LAYER_LANDLOCK;
	w.n.jail_layers |= LAYER_LANDLOCK;
	world_up(&w, 2);
	world_link(&w, 1, 10000000);
	world_identify(&w, 1, OWNER);
	w.watches = 0;
	world_run(&w, 100);
	j = job_find(&w.n.jobs, &id);
	assert_non_null(j->contract);
	assert_true(w.watches > 0);
	broken(&id, RULE_DISK_WRITE, 0);
	world_run(&w, 1000);
	killed_by(&id, "violation:disk.write");
}

/* What the kernel ended for want of memory has broken it too. */
static void
test_memory(void **state)
{
	struct id32 id;

	(void)state;
	con.memory = 16 << 20;
	w.oom = true;
	w.run_ms = 10;
	w.exit_how = EXIT_SIGNAL;
	w.exit_code = 9;
	assert_int_equal(submit(1, OWNER, 1, with_contract, &id)->status,
	    ST_OK);
	(void)world_call(&w, 1, &(struct proto_req){.path = PATH_BLOB_PUT,
	    .digest = tar_sha.b, .n = sizeof(tar), .body = {tar, sizeof(tar)}});
	world_run(&w, 1000);
	killed_by(&id, "memory");
	assert_int_equal(told(), 1);
	assert_int_equal(points(), PENALTY_MAJOR);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, begin, teardown)
	const struct CMUnitTest tests[] = {T(test_kill), T(test_deny),
	    T(test_throttle), T(test_slowed), T(test_freeze), T(test_times),
	    T(test_bounded), T(test_restart), T(test_memory)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
