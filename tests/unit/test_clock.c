/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/work/budgets.h"
#include "node/work/stepped.h"
#include "tests/unit/nodekit.h"
#include "transport/core/base/crypt.h"

/*
 * The clock of the wall is set, forward and back, by an hour and by years, in
 * each state of a job. What lasts is measured by the loop's own, and so is what
 * is left until a deadline; not_after is compared with the clock as it stands.
 */
static const int64_t JUMPS[] = {3600, -3600, 365 * 86400, -365 * 86400,
    20 * 365 * 86400, -20 * 365 * 86400};
#define HOUR (INT64_C(3600) * 1000)

static void
jump(int64_t s)
{
	w.wall_us += s * 1000000;
}

static void
long_lived(struct manifest *m)
{
	m->deadline = UINT32_MAX;
}

static void
held(struct manifest *m)
{
	review(m);
	m->deadline = UINT32_MAX;
}

static void
waits(struct manifest *m)
{
	with_volumes(m);
	m->deadline = UINT32_MAX;
}

/* A node of its own for each jump. */
static void
anew(void)
{
	assert_int_equal(teardown(NULL), 0);
	assert_int_equal(setup(NULL), 0);
}

static void
test_held(void **state)
{
	struct id32 id;

	(void)state;
	for (size_t i = 0; i < NELEM(JUMPS); i++) {
		(void)submit(1, 0x41, 1, held, &id);
		world_run(&w, 10 * HOUR);
		state_is(&id, "held", "review");
		jump(JUMPS[i]);
		world_run(&w, 13 * HOUR);
		state_is(&id, "held", "review");
		world_run(&w, 2 * HOUR);
		state_is(&id, "cancelled", "review");
		anew();
	}
}

static void
test_queued(void **state)
{
	struct id32 id;

	(void)state;
	for (size_t i = 0; i < NELEM(JUMPS); i++) {
		(void)submit(1, 0x41, 1, waits, &id);
		world_run(&w, 100);
		jump(JUMPS[i]);
		world_run(&w, (JOB_INPUT_IDLE_S - 1) * INT64_C(1000));
		state_is(&id, "queued", "inputs");
		world_run(&w, 2000);
		state_is(&id, "cancelled", "inputs");
		anew();
	}
}

static void
test_staging(void **state)
{
	struct msg_J_STARTED s = {.slot = 1, .layers = 0x3ff};
	struct id32 id;

	(void)state;
	for (size_t i = 0; i < NELEM(JUMPS); i++) {
		w.jail_silent = true;
		(void)submit(1, 0x41, 1, long_lived, &id);
		world_run(&w, 100);
		state_is(&id, "staging", NULL);
		jump(JUMPS[i]);
		world_run(&w, 1000);
		state_is(&id, "staging", NULL);
		s.job = id;
		finish_started(&w.n, &s);
		state_is(&id, "running", NULL);
		/* the receipt has the clock as it stood then */
		assert_in_range(job_find(&w.n.jobs, &id)->started,
		    unix_now() - 1, unix_now());
		anew();
	}
}

static void
test_running(void **state)
{
	struct id32 id;

	(void)state;
	for (size_t i = 0; i < NELEM(JUMPS); i++) {
		w.run_ms = 0;
		(void)submit(1, 0x41, 1, long_lived, &id);
		world_run(&w, 1000);
		jump(JUMPS[i]);
		/* its time is an hour, of real ones */
		world_run(&w, HOUR - 5000);
		state_is(&id, "running", NULL);
		world_run(&w, 10000);
		killed_by(&id, "time");
		assert_in_range(job_find(&w.n.jobs, &id)->wall_ms, HOUR,
		    HOUR + 100);
		anew();
	}
}

/* Results are kept as long as it was said; a restart looks at the clock. */
static void
test_kept(void **state)
{
	struct id32 id;

	(void)state;
	for (size_t i = 0; i < NELEM(JUMPS); i++) {
		w.n.policy.keep_results_s = 86400;
		(void)submit(1, 0x41, 1, NULL, &id);
		world_run(&w, HOUR);
		assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_OK);
		jump(JUMPS[i]);
		world_run(&w, 22 * HOUR);
		assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_OK);
		world_run(&w, 2 * HOUR);
		assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_GONE);
		anew();
	}
}

static void
soon(struct manifest *m)
{
	m->not_after = unix_now() + 600;
	m->deadline = unix_now() + 1200;
}

static void
soon_waits(struct manifest *m)
{
	with_volumes(m);
	soon(m);
}

/* Jail's jobs go on; this life begins with what the ledger has. */
static void
back(int64_t by)
{
	uint32_t forgotten = w.n.forgotten;

	jump(by);
	world_restart(&w);
	w.n.forgotten = MAX_OF(forgotten, w.n.forgotten);
	world_up(&w, 2);
	world_link(&w, 1, 0);
	world_identify(&w, 1, 0x41);
	world_run(&w, 100);
}

/* What was left of it is left, of those that run and those that wait. */
static void
test_deadline(void **state)
{
	struct id32 id, waiting;

	(void)state;
	for (size_t i = 0; i < NELEM(JUMPS); i++) {
		w.run_ms = 0;
		(void)submit(1, 0x41, 1, soon, &id);
		(void)submit(1, 0x41, 2, soon_waits, &waiting);
		world_run(&w, 1000);
		jump(JUMPS[i]);
		world_run(&w, 600 * 1000);
		state_is(&id, "running", NULL);
		state_is(&waiting, "queued", "inputs");
		/* the ledger has it by the clock as it is now */
		back(0);
		world_run(&w, 500 * 1000);
		state_is(&id, "running", NULL);
		state_is(&waiting, "queued", "inputs");
		world_run(&w, 100 * 1000);
		killed_by(&id, "deadline");
		state_is(&waiting, "cancelled", "deadline");
		anew();
	}
}

/*
 * A machine without a clock begins in 1970 and is set right by the first step:
 * no job has lost time by it, none has won more than it was away.
 */
static void
test_no_battery(void **state)
{
	int64_t by = -(w.wall_us / 1000000 - 100);
	struct id32 id, ended;

	(void)state;
	w.n.policy.keep_results_s = w.policy.keep_results_s = 86400;
	(void)submit(1, 0x41, 1, NULL, &ended);
	world_run(&w, HOUR);
	w.run_ms = 0;
	(void)submit(1, 0x41, 2, soon_waits, &id);
	world_run(&w, 1000);
	back(by);
	state_is(&id, "queued", "inputs");
	world_run(&w, 600 * 1000);
	jump(-by);
	world_run(&w, 500 * 1000);
	state_is(&id, "queued", "inputs");
	assert_int_equal(about(1, PATH_RESULT, &ended)->status, ST_OK);
	/* and a restart behind it finds what was kept no older than it is */
	back(0);
	assert_int_equal(about(1, PATH_RESULT, &ended)->status, ST_OK);
	world_run(&w, 110 * 1000);
	state_is(&id, "cancelled", "deadline");
	world_run(&w, 24 * HOUR);
	assert_int_equal(about(1, PATH_RESULT, &ended)->status, ST_GONE);
}

/* It begins years ahead: what was promised to be kept is kept. */
static void
test_years_ahead(void **state)
{
	struct id32 id;

	(void)state;
	w.n.policy.keep_results_s = w.policy.keep_results_s = 2 * 86400;
	(void)submit(1, 0x41, 1, NULL, &id);
	world_run(&w, HOUR);
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_OK);
	back(20 * 365 * INT64_C(86400));
	world_run(&w, HOUR);
	jump(-20 * 365 * INT64_C(86400));
	world_run(&w, HOUR);
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_OK);
	back(0);
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_OK);
	world_run(&w, 24 * HOUR);
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_GONE);
}

#define YEARS (20 * 365 * INT64_C(86400))
#define MONTHS (40 * INT64_C(86400))

static void
in_time(struct manifest *m)
{
	m->not_after = unix_now() + 600;
	m->deadline = unix_now() + 5000;
}

/* A job that waits for its turn while another runs, then a start like that. */
static void
doubtful(struct id32 *id, int64_t by)
{
	struct id32 other;

	w.n.policy.jobs_running = w.policy.jobs_running = 1;
	w.run_ms = 0;
	(void)submit(1, 0x41, 1, long_lived, &other);
	(void)submit(1, 0x41, 2, in_time, id);
	world_run(&w, 1000);
	state_is(id, "queued", "slots");
	assert_int_equal(w.starts, 1);
	/* the first one is found; there is room for the other from now on */
	w.n.policy.jobs_running = w.policy.jobs_running = 3;
	w.run_ms = 1000;
	back(by);
	state_is(&other, "running", NULL);
	world_run(&w, 5000);
}

static void
waits_by_clock(const struct id32 *id)
{
	state_is(id, "queued", "clock");
	assert_int_equal(w.starts, 1);
}

/* It is years ahead before it is set: what waits has what it had left. */
static void
test_doubt_set_back(void **state)
{
	struct id32 id;

	(void)state;
	doubtful(&id, YEARS);
	waits_by_clock(&id);
	/* through another start, too */
	back(60);
	waits_by_clock(&id);
	jump(-YEARS);
	world_run(&w, 5000);
	state_is(&id, "done", NULL);
	assert_int_equal(w.starts, 2);
	anew();
	/* the machine was away for longer than it had left */
	doubtful(&id, YEARS);
	waits_by_clock(&id);
	jump(-YEARS + 5100);
	world_run(&w, 5000);
	state_is(&id, "cancelled", "deadline");
	anew();
	/* set right by a start, to before what the ledger has */
	doubtful(&id, YEARS);
	back(-YEARS);
	world_run(&w, 5000);
	state_is(&id, "done", NULL);
}

/* Its deadline comes by the clock that nobody sets, whoever is right. */
static void
test_doubt_ends(void **state)
{
	struct id32 id;

	(void)state;
	doubtful(&id, YEARS);
	world_run(&w, 4900 * 1000);
	waits_by_clock(&id);
	world_run(&w, 100 * 1000);
	state_is(&id, "cancelled", "deadline");
}

/* The machine was away: who knows says so, and what was promised holds. */
static void
test_doubt_right(void **state)
{
	struct id32 id;

	(void)state;
	doubtful(&id, MONTHS);
	waits_by_clock(&id);
	/* an authority's word of before says nothing, nor one of the future */
	stepped_signed(&w.n, unix_now() - MONTHS);
	stepped_signed(&w.n, unix_now() + 100);
	stepped_signed(&w.n, 0);
	world_run(&w, 2000);
	waits_by_clock(&id);
	stepped_signed(&w.n, unix_now() - 86400);
	world_run(&w, 2000);
	state_is(&id, "cancelled", "deadline");
	anew();
	doubtful(&id, MONTHS);
	stepped_right(&w.n, "the operator");
	world_run(&w, 2000);
	state_is(&id, "cancelled", "deadline");
	assert_int_equal(w.starts, 1);
}

/* What is sent meanwhile is another matter; so is a week's absence. */
static void
test_doubt_others(void **state)
{
	struct id32 id, other;

	(void)state;
	doubtful(&id, YEARS);
	assert_int_equal(submit(1, 0x41, 3, NULL, &other)->status, ST_OK);
	world_run(&w, 5000);
	state_is(&other, "done", NULL);
	state_is(&id, "queued", "clock");
	anew();
	doubtful(&id, 7 * 86400);
	state_is(&id, "cancelled", "deadline");
}

/* The ledger's neighbour has the time each hour while there are jobs. */
static void
test_time_is_kept(void **state)
{
	struct id32 id;
	size_t len;

	(void)state;
	free(budgets_encode(&w.n, &len));
	world_run(&w, 2 * HOUR);
	assert_false(budgets_due(&w.n));
	(void)submit(1, 0x41, 1, held, &id);
	world_run(&w, 20 * 1000);
	assert_true(budgets_due(&w.n));
	free(budgets_encode(&w.n, &len));
	w.n.budgets_changed = false;
	world_run(&w, HOUR - 1000);
	assert_false(budgets_due(&w.n));
	world_run(&w, 2000);
	assert_true(budgets_due(&w.n));
}

/* Each step is told once; a clock that is slewed makes none. */
static void
test_told(void **state)
{
	uint32_t from;

	(void)state;
	world_run(&w, 1000);
	assert_int_equal(w.events_seen[EVK_CLOCK_STEP], 0);
	for (unsigned i = 0; i < 19; i++) {
		w.wall_us += 50000;
		world_run(&w, 1000);
	}
	assert_int_equal(w.events_seen[EVK_CLOCK_STEP], 0);
	w.wall_us += 50001; /* what is less than a second adds up */
	world_run(&w, 1000);
	assert_int_equal(w.events_seen[EVK_CLOCK_STEP], 1);
	from = unix_now();
	jump(-3600);
	world_run(&w, 1000);
	assert_int_equal(w.events_seen[EVK_CLOCK_STEP], 2);
	assert_int_equal(w.n.step.count, 2);
	assert_in_range(w.n.step.from, from, from + 1);
	assert_int_equal(w.n.step.to, w.n.step.from - 3600);
	world_run(&w, HOUR);
	assert_int_equal(w.events_seen[EVK_CLOCK_STEP], 2);
	/* what is measured by a clock of the node's own has not moved */
	assert_int_equal(w.n.own_now, (uint32_t)(unix_now() + 3600 - 1));
}

/*
 * A clock that goes back to before a job was sent does not let it run again,
 * though nothing of it is known any more; and not after a restart.
 */
static void
test_no_second_run(void **state)
{
	static uint8_t old[sizeof(env)];
	struct proto_req q = {.path = PATH_SUBMIT};
	struct id32 id, other;
	size_t n;

	(void)state;
	w.n.policy.keep_results_s = 60;
	n = envelope(0x41, 1, NULL, &id);
	memcpy(old, env, n);
	q.envelope = (struct pbin){old, (uint32_t)n};
	assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	jump(86400);
	world_run(&w, 300 * 1000);
	assert_null(job_find(&w.n.jobs, &id));
	jump(-86400);
	refused(world_call(&w, 1, &q), "manifest", 7);
	assert_int_equal(w.starts, 1);
	world_restart(&w);
	world_up(&w, 2);
	world_link(&w, 1, 0);
	world_identify(&w, 1, 0x41);
	world_run(&w, 1000);
	refused(world_call(&w, 1, &q), "manifest", 7);
	assert_int_equal(w.starts, 1);
	/* what is sent from now on for later is another matter */
	world_run(&w, HOUR);
	assert_int_equal(submit(1, 0x41, 2, NULL, &other)->status, ST_OK);
}

/* So many seconds of the world, by an oscillator that is off by 1 in so many. */
static void
badly(int64_t s, int64_t off)
{
	for (int64_t left = s; left > 0; left -= 1000) {
		int64_t some = MIN_OF(left, INT64_C(1000));

		/* both clocks are its own; the wall's is set right each time */
		world_run(&w, some * 1000 + some * 1000 / off);
		w.wall_us -= some * 1000000 / off;
	}
}

/*
 * Two in a hundred fast or slow, and set right by a step each quarter of an
 * hour: what lasts, lasts as long but for that; what is taken within an hour
 * is what an hour gives; the announces come as they do.
 */
static void
test_bad_oscillator(void **state)
{
	static const int64_t off[] = {50, -50};
	struct id32 id, ended, other;
	unsigned said;
	int64_t left;

	(void)state;
	for (size_t i = 0; i < NELEM(off); i++) {
		w.n.policy.keep_results_s = w.policy.keep_results_s = 86400;
		(void)submit(1, 0x41, 1, NULL, &ended);
		world_run(&w, 1000);
		w.run_ms = 0;
		(void)submit(1, 0x41, 2, soon, &id);
		world_run(&w, 1000);
		said = w.announces;
		badly(1200 - 30, off[i]);
		state_is(&id, "running", NULL);
		badly(60, off[i]);
		killed_by(&id, "deadline");
		badly(86400 - 1230 - 1800, off[i]);
		assert_int_equal(about(1, PATH_RESULT, &ended)->status, ST_OK);
		badly(3600 + 120, off[i]);
		assert_int_equal(about(1, PATH_RESULT, &ended)->status,
		    ST_GONE);
		left = 86400 / w.policy.announce_every_s;
		assert_in_range(w.announces - said, left - left / 20,
		    left + left / 20 + 2);
		/* a document of now is of now */
		assert_int_equal(submit(1, 0x41, 3, NULL, &other)->status,
		    ST_OK);
		assert_in_range(w.n.step.count, 80, 100);
		anew();
	}
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_held), T(test_queued), T(test_staging), T(test_running),
	    T(test_kept), T(test_deadline), T(test_no_second_run),
	    T(test_no_battery), T(test_years_ahead), T(test_told),
	    T(test_doubt_set_back), T(test_doubt_ends),
	    T(test_doubt_right), T(test_doubt_others),
	    T(test_time_is_kept),
	    T(test_bad_oscillator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
