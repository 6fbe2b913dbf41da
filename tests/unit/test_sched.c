/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/work/sched.h"

static struct sched s;
static uint64_t last_order;

static int
setup(void **state)
{
	(void)state;
	sched_init(&s);
	last_order = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sched_clear(&s);
	return 0;
}

static struct mono
at(int64_t ms)
{
	return (struct mono){ms * 1000};
}

static struct sched_job
job(uint8_t owner, int level, uint64_t memory)
{
	return (struct sched_job){.owner = {{owner}}, .order = ++last_order,
	    .level = level, .memory = memory, .cpu_milli = 500,
	    .time_ms = 10000};
}

static void
next_is(const struct sched_job *want, const struct sched_room *room,
    int64_t ms)
{
	struct sched_job *j = NULL;

	assert_int_equal(sched_next(&s, &j, room, at(ms)), SCHED_START);
	assert_ptr_equal(j, want);
}

static void
test_order(void **state)
{
	const struct sched_room room = {3, 1000, 2000};
	struct sched_job a = job(1, 2, 100), b = job(1, 2, 100),
	    c = job(2, 1, 100), d = job(3, 2, 100), e = job(1, 3, 100), *j;

	(void)state;
	assert_int_equal(sched_next(&s, &j, &room, at(0)), SCHED_IDLE);
	assert_true(sched_start(&s, &a, at(0)));
	assert_true(sched_ready(&s, &b));
	next_is(&b, &room, 0);
	/* one owner's: the higher level */
	assert_true(sched_ready(&s, &e));
	next_is(&e, &room, 0);
	sched_unready(&s, &e);
	/* of one round: the higher level, then who was not served yet */
	assert_true(sched_ready(&s, &c));
	next_is(&b, &room, 0);
	assert_true(sched_ready(&s, &d));
	next_is(&d, &room, 0);
	assert_true(sched_start(&s, &d, at(0)));
	next_is(&b, &room, 0);
	assert_true(sched_start(&s, &b, at(0)));
	assert_int_equal(sched_next(&s, &j, &room, at(0)), SCHED_SLOTS);
	/* what one owes comes before the level */
	sched_end(&s, &a, 30000, 30000);
	sched_end(&s, &d, 30000, 30000);
	assert_true(sched_ready(&s, &e));
	next_is(&c, &room, 0);
	sched_unready(&s, &c);
	sched_unready(&s, &c);
	next_is(&e, &room, 0);
	sched_unready(&s, &e);
	assert_int_equal(sched_next(&s, &j, &room, at(0)), SCHED_IDLE);
}

static void
test_resources(void **state)
{
	const struct sched_room room = {3, 1000, 2000};
	struct sched_job a = job(1, 2, 600), big = job(2, 3, 500),
	    small = job(3, 1, 300), never = job(4, 3, 1001), *j = NULL;

	(void)state;
	assert_true(sched_start(&s, &a, at(0)));
	assert_true(sched_ready(&s, &big));
	assert_int_equal(sched_next(&s, &j, &room, at(0)), SCHED_RESOURCES);
	assert_int_equal(s.npassed, 1);
	assert_ptr_equal(s.passed[0], &big);
	/* a smaller one passes */
	assert_true(sched_ready(&s, &small));
	next_is(&small, &room, 0);
	/* but not for ever */
	next_is(&small, &room, SCHED_PATIENCE_S * 1000 - 1);
	assert_int_equal(sched_next(&s, &j, &room,
	    at(SCHED_PATIENCE_S * 1000)), SCHED_RESOURCES);
	/* and it stays so, until it has room or goes */
	assert_int_equal(sched_next(&s, &j, &room, at(0)), SCHED_RESOURCES);
	sched_unready(&s, &big);
	next_is(&small, &room, SCHED_PATIENCE_S * 1000);
	assert_true(sched_ready(&s, &big));
	assert_int_equal(sched_next(&s, &j, &room,
	    at(SCHED_PATIENCE_S * 1000)), SCHED_RESOURCES);
	sched_end(&s, &a, 1, 1);
	next_is(&big, &room, 0);
	/* cpu too */
	big.memory = 100;
	big.cpu_milli = 1600;
	assert_true(sched_start(&s, &big, at(0)));
	assert_int_equal(sched_next(&s, &j, &room, at(0)), SCHED_RESOURCES);
	/* larger than all that there is: somebody has to be told */
	assert_true(sched_ready(&s, &never));
	assert_int_equal(sched_next(&s, &j, &room, at(0)), SCHED_NEVER);
	assert_ptr_equal(j, &never);
}

static void
test_wait(void **state)
{
	const struct sched_room room = {2, 1000, 2000}, none = {0, 0, 0};
	struct sched_job a = job(1, 2, 100), b = job(1, 2, 100),
	    c = job(1, 2, 100), d = job(2, 2, 100), e = job(1, 2, 100),
	    f = job(3, 2, 100);

	(void)state;
	assert_int_equal(sched_wait_s(&s, &room, &e, at(0)), 0);
	assert_true(sched_start(&s, &a, at(0)));
	assert_int_equal(sched_wait_s(&s, &room, &e, at(4000)), 0);
	e.memory = 950; /* until that one ends */
	assert_int_equal(sched_wait_s(&s, &room, &e, at(4000)), 6);
	e.memory = 1001;
	assert_int_equal(sched_wait_s(&s, &room, &e, at(0)), UINT32_MAX);
	e.memory = 100;
	assert_true(sched_start(&s, &b, at(4000)));
	assert_int_equal(sched_wait_s(&s, &room, &e, at(4000)), 6);
	/* its own is before it: 6 + 10 to run, 10 to come, in two slots */
	assert_true(sched_ready(&s, &c));
	assert_int_equal(sched_wait_s(&s, &room, &e, at(4000)), 13);
	/* a job does not wait for itself */
	assert_int_equal(sched_wait_s(&s, &room, &c, at(4000)), 6);
	/* one more of another owner is in between */
	assert_true(sched_ready(&s, &d));
	assert_int_equal(sched_wait_s(&s, &room, &e, at(4000)), 18);
	/* but a new one waits for one turn of each at most */
	assert_int_equal(sched_wait_s(&s, &room, &f, at(4000)), 18);
	assert_true(sched_ready(&s, &e));
	assert_int_equal(sched_wait_s(&s, &room, &f, at(4000)), 18);
	/* what jobs really took is learned, a limit is only a limit */
	sched_end(&s, &a, 100, 1000);
	sched_end(&s, &b, 100, 1000);
	sched_unready(&s, &c);
	sched_unready(&s, &e);
	sched_unready(&s, &d);
	assert_true(sched_start(&s, &a, at(4000)));
	assert_true(sched_start(&s, &b, at(4000)));
	assert_int_equal(sched_wait_s(&s, &room, &f, at(4000)), 1);
	assert_int_equal(sched_wait_s(&s, &none, &f, at(0)), UINT32_MAX);
}

/* Who computed alone owes nothing to who comes; who was away has no credit. */
static void
test_away(void **state)
{
	const struct sched_room room = {1, 0, 0};
	struct sched_job a[40], b[40], c[20], *j;
	unsigned na = 0, nb = 0, nc = 0;

	(void)state;
	c[0] = job(3, 2, 1);
	assert_true(sched_start(&s, &c[0], at(0)));
	sched_end(&s, &c[0], 1, 1);
	for (unsigned i = 0; i < 20; i++) {
		a[i] = job(1, 2, 1);
		assert_true(sched_start(&s, &a[i], at(0)));
		sched_end(&s, &a[i], 60000, 120000);
	}
	for (unsigned i = 20; i < 40; i++) {
		a[i] = job(1, 2, 1);
		b[i] = job(2, 2, 1);
		assert_true(sched_ready(&s, &a[i]) && sched_ready(&s, &b[i]));
	}
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(sched_next(&s, &j, &room, at(0)),
		    SCHED_START);
		na += j->owner.b[0] == 1;
		nb += j->owner.b[0] == 2;
		assert_true(sched_start(&s, j, at(0)));
		sched_end(&s, j, 60000, 120000);
	}
	assert_in_range(na, 9, 11);
	assert_in_range(nb, 9, 11);
	for (unsigned i = 0; i < 20; i++) {
		c[i] = job(3, 2, 1);
		assert_true(sched_ready(&s, &c[i]));
	}
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(sched_next(&s, &j, &room, at(0)),
		    SCHED_START);
		nc += j->owner.b[0] == 3;
		assert_true(sched_start(&s, j, at(0)));
		sched_end(&s, j, 60000, 120000);
	}
	assert_in_range(nc, 3, 5);
}

/* ---- random loads ---- */

#define OWNERS 6
#define JOBS 4000

static uint32_t seed;

static uint32_t
below(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(seed >> 8) * n) >> 24);
}

struct load {
	struct sched_job j;
	uint64_t cpu_ms, wall_ms;
	int64_t ready_ms, ends_ms;
};

struct run {
	struct load *load;
	size_t n, running, left;
	int64_t now;
	uint64_t used[OWNERS + 1], costs[OWNERS + 1], largest;
	int64_t longest_ms;
};

static void
check_room(const struct run *r, const struct sched_room *room)
{
	uint64_t memory = 0, cpu = 0;
	size_t slots = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->load[i].j.where != SCHED_RUNNING)
			continue;
		memory += r->load[i].j.memory;
		cpu += r->load[i].j.cpu_milli;
		slots++;
	}
	assert_true(slots <= room->slots);
	assert_true(memory <= room->memory);
	assert_true(cpu <= room->cpu_milli);
	assert_int_equal(slots, s.slots);
	assert_int_equal(memory, s.memory);
	assert_int_equal(cpu, s.cpu_milli);
}

/* Starts what may start; time goes on to the next end. false: all is done. */
static bool
turn(struct run *r, const struct sched_room *room)
{
	struct sched_job *j;
	struct load *l, *first = NULL;
	enum sched_why why;

	while ((why = sched_next(&s, &j, room, at(r->now))) == SCHED_START) {
		l = (struct load *)(void *)j;
		assert_true(sched_start(&s, j, at(r->now)));
		l->ends_ms = r->now + (int64_t)l->wall_ms;
		r->longest_ms = MAX_OF(r->longest_ms, r->now - l->ready_ms);
		r->running++;
	}
	assert_int_not_equal(why, SCHED_NEVER);
	check_room(r, room);
	for (size_t i = 0; i < r->n; i++) {
		l = &r->load[i];
		if (l->j.where == SCHED_RUNNING &&
		    (first == NULL || l->ends_ms < first->ends_ms))
			first = l;
	}
	if (first == NULL) {
		/* nothing runs: then nothing can wait */
		assert_int_equal(why, SCHED_IDLE);
		return false;
	}
	r->now = first->ends_ms;
	sched_end(&s, &first->j, first->cpu_ms, first->wall_ms);
	r->used[first->j.owner.b[0]] += first->cpu_ms;
	r->running--;
	r->left--;
	return true;
}

static void
add(struct run *r, uint8_t owner, int level, uint64_t memory, uint64_t cpu_ms)
{
	struct load *l = &r->load[r->n++];

	*l = (struct load){.j = job(owner, level, memory), .cpu_ms = cpu_ms,
	    .wall_ms = cpu_ms * 2, .ready_ms = r->now};
	l->j.since = at(r->now);
	l->j.time_ms = 60000;
	r->largest = MAX_OF(r->largest, cpu_ms);
	r->left++;
	assert_true(sched_ready(&s, &l->j));
}

/*
 * While all have jobs waiting, no two of one level differ by more than what
 * their slots hold and a round: whatever they ask for, and however many.
 */
static void
test_fair(void **state)
{
	const struct sched_room room = {4, 1000, 4000};
	struct run r = {.load = calloc(JOBS, sizeof(struct load))};

	(void)state;
	assert_non_null(r.load);
	for (seed = 1; seed <= 12; seed++) {
		uint32_t was = seed;

		sched_clear(&s);
		r = (struct run){.load = r.load};
		/* the first has ten times the jobs, the last the largest */
		for (unsigned i = 0; i < 300; i++) {
			for (uint8_t o = 1; o <= OWNERS; o++) {
				unsigned times = o == 1 && i < 100 ? 4 : 1;

				while (times-- > 0)
					add(&r, o, 1, 1 + below(250), o ==
						OWNERS ? 20000 + below(10000) :
						1 + below(20000));
			}
		}
		for (unsigned i = 0; i < 1000; i++) {
			uint64_t most = 0, least = UINT64_MAX;

			assert_true(turn(&r, &room));
			for (uint8_t o = 1; o <= OWNERS; o++) {
				most = MAX_OF(most, r.used[o]);
				least = MIN_OF(least, r.used[o]);
			}
			assert_true(most - least <= SCHED_QUANTUM_MS +
			    (room.slots + 1) * r.largest);
		}
		seed = was;
	}
	free(r.load);
}

/* A level is a share: two of level 3 get four times that of level 1. */
static void
test_levels(void **state)
{
	const struct sched_room room = {2, 1000, 4000};
	struct run r = {.load = calloc(JOBS, sizeof(struct load))};

	(void)state;
	assert_non_null(r.load);
	seed = 7;
	for (unsigned i = 0; i < 1000; i++) {
		for (uint8_t o = 1; o <= 3; o++)
			add(&r, o, o, 10, 1000 + below(1000));
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_true(turn(&r, &room));
	assert_in_range(r.used[3] * 10 / r.used[1], 38, 42);
	assert_in_range(r.used[2] * 10 / r.used[1], 19, 21);
	free(r.load);
}

/*
 * Jobs of all sizes keep coming from all, more than can run: each starts, and
 * one that needs the whole machine waits no longer than its patience, one job
 * of each who was there before, and what runs.
 */
static void
test_no_starvation(void **state)
{
	const struct sched_room room = {4, 1000, 4000};
	struct run r = {.load = calloc(JOBS, sizeof(struct load))};
	struct load *whole;

	(void)state;
	assert_non_null(r.load);
	for (uint32_t k = 1; k <= 8; k++) {
		sched_clear(&s);
		r = (struct run){.load = r.load};
		seed = k;
		for (uint8_t o = 1; o < OWNERS; o++) {
			for (unsigned i = 0; i < 5; i++)
				add(&r, o, 1 + (int)below(3), 50 + below(300),
				    1 + below(30000));
		}
		add(&r, OWNERS, 1, 1000, 1000);
		whole = &r.load[r.n - 1];
		while (r.n < JOBS - 1 && whole->j.where == SCHED_READY) {
			assert_true(turn(&r, &room));
			add(&r, (uint8_t)(1 + below(OWNERS - 1)),
			    1 + (int)below(3), 50 + below(300),
			    1 + below(30000));
			add(&r, (uint8_t)(1 + below(OWNERS - 1)),
			    1 + (int)below(3), 50 + below(300),
			    1 + below(30000));
		}
		assert_int_not_equal(whole->j.where, SCHED_READY);
		assert_true(r.now <= 1000 * SCHED_PATIENCE_S +
		    2 * OWNERS * 60000);
		/* and in the end nobody is left */
		while (r.left > 0)
			assert_true(turn(&r, &room));
	}
	free(r.load);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_order, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_resources, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_wait, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_away, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_fair, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_no_starvation, setup,
		teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
