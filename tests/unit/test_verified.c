/* SPDX-License-Identifier: BSD-2-Clause */
/* Jobs whose image audit looks at before they start, as node has them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/work/finish.h"
#include "node/work/node.h"
#include "node/work/verified.h"
#include "tests/unit/nodekit.h"

static struct job *
begun(uint8_t nonce, struct id32 *id)
{
	w.run_ms = 200;
	w.verifies = true;
	assert_int_equal(submit(1, 0x41, nonce, NULL, id)->status, ST_OK);
	world_run(&w, 50);
	return job_find(&w.n.jobs, id);
}

static void
test_good(void **state)
{
	struct id32 id;

	(void)state;
	w.check_silent = true;
	(void)begun(1, &id);
	assert_int_equal(w.checks, 1);
	assert_int_equal(w.starts, 0);
	state_is(&id, "staging", NULL);
	/* a large image takes its time, and jail's does not run meanwhile */
	world_run(&w, (VERIFIED_WAIT_S - 10) * 1000);
	state_is(&id, "staging", NULL);
	verified_checked(&w.n, &(struct msg_I_CHECKED){.job = id,
	    .image = job_find(&w.n.jobs, &id)->image, .how = CHECK_START,
	    .end = READ_GOOD});
	world_run(&w, 50);
	assert_int_equal(w.starts, 1);
	world_run(&w, 2000);
	state_is(&id, "done", NULL);
	/* said again it changes nothing */
	verified_checked(&w.n, &(struct msg_I_CHECKED){.job = id,
	    .how = CHECK_START, .end = READ_CHANGED});
	state_is(&id, "done", NULL);
}

/* What each end does to the job, and nothing of it has run. */
static void
test_ends(void **state)
{
	static const struct {
		enum read_end end;
		const char *state, *why;
	} rows[] = {
	    {READ_CHANGED, "refused", "image: " VERIFIED_REFUSED},
	    {READ_GONE, "refused",
		"image: its files are not on the node any more"},
	    {READ_FAILED, "refused",
		"image: its files could not be looked at: try again"},
	    {READ_UNLISTED, "done", NULL},
	};
	struct id32 id;

	(void)state;
	for (uint8_t i = 0; i < 4; i++) {
		unsigned starts = w.starts;

		w.check_end = (uint8_t)rows[i].end;
		(void)begun((uint8_t)(i + 1), &id);
		world_run(&w, 2000);
		state_is(&id, rows[i].state, rows[i].why);
		assert_int_equal(w.starts, starts +
		    (rows[i].end == READ_UNLISTED));
	}
	/* its slot is free again */
	w.check_end = READ_GOOD;
	(void)begun(9, &id);
	world_run(&w, 2000);
	state_is(&id, "done", NULL);
}

/* Audit falls while it looks: asked again when it is back, never run unseen. */
static void
test_down(void **state)
{
	struct id32 id, other;

	(void)state;
	w.check_silent = true;
	(void)begun(1, &id);
	node_down(&w.n, PROGRAM_AUDIT);
	world_run(&w, 60000);
	(void)begun(2, &other);
	assert_int_equal(w.starts, 0);
	assert_int_equal(w.checks, 1);
	w.check_silent = false;
	node_up(&w.n, PROGRAM_AUDIT);
	world_run(&w, 2000);
	assert_int_equal(w.checks, 3);
	state_is(&id, "done", NULL);
	state_is(&other, "done", NULL);
	/* one that never answers */
	w.check_silent = true;
	(void)begun(3, &id);
	world_run(&w, (VERIFIED_WAIT_S + 1) * 1000);
	state_is(&id, "refused", "image: its files could not be looked at in "
	    "time: try again");
	assert_int_equal(w.n.count.unanswered, 1);
}

static void
test_found(void **state)
{
	struct msg_I_FOUND m = {.kind = FOUND_IMAGE, .image = {{5}},
	    .name = "05", .why = "app: its bytes have changed"};
	struct id32 five = {{5}}, six = {{6}};

	(void)state;
	verified_found(&w.n, &m);
	verified_found(&w.n, &m);
	assert_int_equal(w.n.verified.nfound, 1);
	assert_string_equal(verified_held(&w.n, &five), m.why);
	assert_null(verified_held(&w.n, &six));
	m.why[0] = '\0';
	verified_found(&w.n, &m);
	verified_found(&w.n, &m);
	assert_null(verified_held(&w.n, &five));
	assert_int_equal(w.n.verified.nfound, 0);
	/* more than are remembered: no more, and no crash */
	for (unsigned i = 0; i < VERIFIED_FOUND + 2; i++) {
		m.kind = FOUND_KEY;
		(void)snprintf(m.name, sizeof(m.name), "n%u", i);
		(void)snprintf(m.why, sizeof(m.why), "x");
		verified_found(&w.n, &m);
	}
	assert_int_equal(w.n.verified.nfound, VERIFIED_FOUND);
	/* a new audit says anew what is so */
	node_down(&w.n, PROGRAM_AUDIT);
	node_up(&w.n, PROGRAM_AUDIT);
	assert_int_equal(w.n.verified.nfound, 0);
}

/* One that is ended while its image is looked at: jail hears it with J_RUN. */
static void
test_killed(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	w.check_silent = true;
	j = begun(1, &id);
	finish_kill(&w.n, j, KILL_OPERATOR);
	world_run(&w, 10);
	assert_int_equal(w.starts, 0);
	verified_checked(&w.n, &(struct msg_I_CHECKED){.job = id,
	    .image = j->image, .how = CHECK_START, .end = READ_GOOD});
	assert_int_equal(w.starts, 1);
	assert_int_equal(w.killed_for[j->slot], KILL_OPERATOR);
}

static void
test_asked(void **state)
{
	struct id32 image = {{5}}, list = {{0}};

	(void)state;
	for (uint8_t i = 0; i < 20; i++) {
		image.b[0] = i;
		assert_true(verified_ask(&w.n, &image, CHECK_VERIFY, &list));
		world_run(&w, 10);
	}
	assert_int_equal(w.n.verified.nsaid, VERIFIED_SAID);
	assert_int_equal(w.n.verified.said[VERIFIED_SAID - 1].image.b[0], 19);
	/* what was said before is no answer to the next question */
	w.check_silent = true;
	assert_true(verified_ask(&w.n, &image, CHECK_VERIFY, &list));
	assert_int_equal(w.n.verified.nsaid, VERIFIED_SAID - 1);
	node_down(&w.n, PROGRAM_AUDIT);
	assert_false(verified_ask(&w.n, &image, CHECK_VERIFY, &list));
	/* asked again when it is back */
	w.check_silent = false;
	node_up(&w.n, PROGRAM_AUDIT);
	world_run(&w, 10);
	assert_int_equal(w.n.verified.nsaid, VERIFIED_SAID);
	assert_int_equal(w.n.verified.nopen, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_good), T(test_ends), T(test_down), T(test_found),
	    T(test_killed), T(test_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
