/* SPDX-License-Identifier: BSD-2-Clause */
/* What saves a submitter bytes on the air: test_submitter.c has the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/cli_node.h"
#include "common/util.h"
#include "tests/unit/vec.h"

#define STEPS 5000

/* A job that ended with little comes in one answer, and is verified as ever. */
static void
test_one_answer(void **state)
{
	static const struct {
		enum cn_lie lie;
		enum sub_end end;
	} t[] = {
	    {LIE_NONE, SUB_DONE},
	    {LIE_OTHER_KEY, SUB_BAD_RECEIPT},
	    {LIE_OTHER_JOB, SUB_BAD_RECEIPT},
	    {LIE_SIGNATURE, SUB_BAD_RECEIPT},
	    {LIE_LOG_SHORT, SUB_BAD_RECEIPT},
	};

	(void)state;
	for (size_t i = 0; i < 2 * NELEM(t); i++) {
		struct world *w = world_new();

		w->s.hold_s = 1;
		w->lie = t[i / 2].lie;
		w->whole_at_submit = i % 2 == 0;
		w->whole_at_status = i % 2 == 1;
		w->node_out.n = 0;
		w->no_outputs = true;
		w->no_stream = true;
		world_run(w, STEPS);
		assert_int_equal(w->s.end, t[i / 2].end);
		assert_int_equal(w->wholes, 1);
		if (w->lie == LIE_NONE) {
			assert_whole(w);
			assert_string_equal(w->s.state, "done");
			assert_int_equal(w->s.kept[0], w->node_log[0].n);
			assert_int_equal(w->follows[0], i % 2);
		} else {
			assert_int_equal(w->log[0].n, 0);
		}
		world_free(w);
	}
}

/* Small outputs come with it, and are held to the same signature. */
static void
test_one_answer_outputs(void **state)
{
	static const struct {
		size_t n;
		enum cn_lie lie;
		uint64_t max;
		unsigned wholes;
		enum sub_end end;
	} t[] = {
	    {1024, LIE_NONE, 0, 1, SUB_DONE},
	    {8192, LIE_NONE, 8192, 1, SUB_DONE},
	    {8193, LIE_NONE, 0, 0, SUB_DONE},
	    {2048, LIE_NONE, 2047, 1, SUB_BAD_RECEIPT},
	    {2048, LIE_OUTPUTS, 0, 1, SUB_BAD_RECEIPT},
	    {2048, LIE_OUTPUT_SHORT, 0, 1, SUB_BAD_RECEIPT},
	    {2048, LIE_RO_OUTPUT, 0, 1, SUB_BAD_RECEIPT},
	    {2048, LIE_OTHER_KEY, 0, 1, SUB_BAD_RECEIPT},
	};

	(void)state;
	for (size_t i = 0; i < 2 * NELEM(t); i++) {
		struct world *w = world_new();

		w->s.hold_s = 1;
		w->s.max_output = t[i / 2].max;
		w->lie = t[i / 2].lie;
		w->whole_at_submit = i % 2 == 0;
		w->whole_at_status = i % 2 == 1;
		w->node_out.n = t[i / 2].n;
		w->no_stream = true;
		world_run(w, STEPS);
		assert_int_equal(w->s.end, t[i / 2].end);
		assert_int_equal(w->wholes, t[i / 2].wholes);
		assert_int_equal(w->got > 0, w->wholes == 0);
		if (w->s.end != SUB_DONE) {
			assert_int_equal(w->log[0].n + w->out[1].n, 0);
		} else {
			assert_whole(w);
			assert_int_equal(w->s.nout, 1);
			assert_int_equal(w->s.out[0].volume, 1);
			assert_int_equal(w->s.out[0].size, w->node_out.n);
		}
		world_free(w);
	}
}

/* The end comes whole behind bytes that a stream has brought: not twice. */
static void
test_one_answer_streamed(void **state)
{
	(void)state;
	for (int other = 0; other < 2; other++) {
		struct world *w = world_new();

		w->whole_at_status = w->no_outputs = true;
		w->no_stream = w->late_stream = true;
		w->node_out.n = 0;
		w->late_other = other == 1;
		world_run(w, STEPS);
		assert_whole(w);
		assert_int_equal(w->wholes, 1);
		for (int i = 0; i < 2; i++)
			assert_int_equal(w->written[i], w->node_log[i].n +
			    (other == 1 ? w->node_log[i].n / (i + 1u) : 0));
		world_free(w);
	}
}

/* What was streamed already, or is over a limit, is not taken so. */
static void
test_one_answer_not(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->whole_at_status = true;
	w->node_out.n = 0;
	w->no_outputs = true;
	world_run(w, 12);
	assert_int_equal(w->log[0].n, w->node_log[0].n);
	while (w->s.phase == SUB_WATCH)
		world_run(w, 1);
	assert_int_equal(w->wholes, 0);
	world_free(w);

	w = world_new();
	w->whole_at_submit = w->no_outputs = true;
	w->s.max_log = 5;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_BAD_RECEIPT);
	world_free(w);

	/* who does not wait asks for nothing of it */
	w = world_new();
	w->whole_at_submit = w->no_outputs = w->s.detach = true;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_DETACHED);
	assert_int_equal(w->wholes, 0);
	world_free(w);
}

/* What the node has been shown is left out, until it says that it has not. */
static void
test_shown(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct world *w = world_new();

		w->s.shown = i % 2 == 1;
		w->forgets = i / 2 == 1;
		world_run(w, STEPS);
		assert_whole(w);
		assert_int_equal(w->s.shown, i == 1);
		assert_int_equal(w->bound == 0, i == 1);
		world_free(w);
	}
	/* a node that remembers nothing is not asked for ever */
	struct world *w = world_new();

	w->s.shown = true;
	w->refuse_code = "binding";
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_REFUSED);
	assert_int_equal(w->requests, 2);
	world_free(w);
}

/* More than was offered some time ago may be what is offered now. */
static void
test_old_bounds(void **state)
{
	static const struct {
		uint64_t log, output, log_now, output_now;
		bool no_follow, at_submit, at_status;
		unsigned asked;
		enum sub_end end;
	} t[] = {
	    {1, 0, 65536, 0, false, false, false, 1, SUB_DONE},
	    {1, 0, 65536, 0, true, false, false, 1, SUB_DONE},
	    {1, 0, 65536, 0, true, true, false, 1, SUB_DONE},
	    {1, 0, 65536, 0, true, false, true, 1, SUB_DONE},
	    {1, 0, 2, 0, true, false, false, 1, SUB_BAD_RECEIPT},
	    {1, 0, 2, 0, true, true, false, 1, SUB_BAD_RECEIPT},
	    {0, 1, 0, 0, false, false, false, 1, SUB_DONE},
	    {0, 1, 0, 2, false, false, false, 1, SUB_BAD_RECEIPT},
	    {65536, CN_BLOB, 1, 1, false, false, false, 0, SUB_DONE},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct world *w = world_new();

		w->s.bounds_old = true;
		w->s.max_log = t[i].log;
		w->s.max_output = t[i].output;
		w->log_now = t[i].log_now;
		w->output_now = t[i].output_now;
		w->no_follow = t[i].no_follow;
		w->whole_at_submit = t[i].at_submit;
		w->whole_at_status = t[i].at_status;
		w->no_outputs = t[i].at_submit || t[i].at_status;
		if (w->no_outputs)
			w->node_out.n = 0;
		if (t[i].at_submit)
			w->s.hold_s = 1;
		world_run(w, STEPS);
		assert_int_equal(w->s.end, t[i].end);
		assert_int_equal(w->bounds, t[i].asked);
		if (t[i].end == SUB_DONE)
			assert_whole(w);
		world_free(w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_answer),
	    cmocka_unit_test(test_one_answer_outputs),
	    cmocka_unit_test(test_one_answer_streamed),
	    cmocka_unit_test(test_one_answer_not),
	    cmocka_unit_test(test_shown),
	    cmocka_unit_test(test_old_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
