/* SPDX-License-Identifier: BSD-2-Clause */
/* The submitter against a pretend node, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/cli_node.h"
#include "common/util.h"
#include "node/cli/repeat.h"
#include "tests/unit/vec.h"

#define STEPS 5000

static void
test_whole(void **state)
{
	struct world *w = world_new();

	(void)state;
	world_run(w, STEPS);
	assert_whole(w);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(w->has[i].n, w->input[i].n);
		assert_memory_equal(w->has[i].b, w->input[i].b, w->has[i].n);
	}
	assert_string_equal(w->s.state, "done");
	assert_int_equal(w->follows[0], 1);
	assert_int_equal(w->follows[1], 1);
	world_free(w);
}

/* While nothing changes a node that holds its answer is hardly asked. */
static void
test_held(void **state)
{
	struct world *w = world_new();
	struct mono from = w->now;

	(void)state;
	w->holds = true;
	w->running_polls = 10;
	world_run(w, STEPS);
	assert_whole(w);
	/* the first says what is; each other one took its ten minutes */
	assert_true(mono_sub(w->now, from) > 9 * 600 * MONO_SECOND);
	assert_true(w->statuses <= 13);
	world_free(w);
}

static void
test_outcomes(void **state)
{
	static const struct {
		uint8_t outcome;
		int32_t code;
		const char *end_state;
	} t[] = {
	    {JOB_EXITED, 0, "done"},
	    {JOB_EXITED, 3, "done"},
	    {JOB_SIGNALLED, 15, "done"},
	    {JOB_KILLED, KILL_TIME, "done"},
	    {JOB_KILLED, KILL_VIOLATION + 256 * 4, "done"},
	    {JOB_LOST, 0, "lost"},
	    {JOB_CANCELLED, 0, "cancelled"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct world *w = world_new();

		w->outcome = t[i].outcome;
		w->code = t[i].code;
		w->end_state = t[i].end_state;
		world_run(w, STEPS);
		assert_whole(w);
		assert_int_equal(w->s.r.outcome, t[i].outcome);
		assert_int_equal(w->s.r.code, t[i].code);
		world_free(w);
	}
}

static void
test_refused(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->refuse_code = "quota";
	w->refuse_why = "jobs_queued";
	w->refuse_step = 6;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_REFUSED);
	assert_string_equal(w->s.code, "quota");
	assert_string_equal(w->s.why, "jobs_queued");
	assert_int_equal(w->s.step, 6);
	assert_string_equal(w->s.state, "");
	world_free(w);

	w = world_new();
	w->end_state = "refused";
	w->end_reason = "volume: not normalised";
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_NO_RECEIPT);
	assert_string_equal(w->s.code, "volume: not normalised");
	world_free(w);
}

static void
test_lies(void **state)
{
	static const struct {
		enum cn_lie lie;
		enum sub_end end;
	} t[] = {
	    {LIE_OTHER_KEY, SUB_BAD_RECEIPT},
	    {LIE_OTHER_JOB, SUB_BAD_RECEIPT},
	    {LIE_SIGNATURE, SUB_BAD_RECEIPT},
	    {LIE_OUTPUTS, SUB_BAD_RECEIPT},
	    {LIE_OUTPUT_BYTES, SUB_BAD_NODE},
	    {LIE_OUTPUT_SHORT, SUB_BAD_NODE},
	    {LIE_RO_OUTPUT, SUB_BAD_RECEIPT},
	    {LIE_LOGS, SUB_BAD_RECEIPT},
	    {LIE_LOG_BYTES, SUB_BAD_RECEIPT},
	    {LIE_LOG_SHORT, SUB_BAD_NODE},
	    {LIE_STRANGE_BLOB, SUB_BAD_NODE},
	    {LIE_OTHER_ANSWER, SUB_BAD_NODE},
	    {LIE_HAVE, SUB_BAD_NODE},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct world *w = world_new();

		w->lie = t[i].lie;
		w->no_follow = true; /* logs by job/log */
		world_run(w, STEPS);
		assert_int_equal(w->s.phase, SUB_END);
		assert_int_equal(w->s.end, t[i].end);
		assert_true(w->s.why[0] != '\0');
		world_free(w);
	}
}

static void
test_local(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->digest_error = true;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_LOCAL);
	world_free(w);
	w = world_new();
	w->input_fails = true;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_LOCAL);
	world_free(w);
	w = world_new();
	w->store_fails = true;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_LOCAL);
	world_free(w);
}

static void
test_streams(void **state)
{
	(void)state;
	for (int kind = 0; kind < 5; kind++) {
		struct world *w = world_new();

		w->no_follow = kind == 0;
		w->no_stream = kind == 1;
		w->early_stream = kind == 2 || kind == 4;
		/* the node starts elsewhere than it was asked */
		w->follow_cut = kind >= 3 ? 0 : UINT64_MAX;
		if (kind >= 3) {
			w->s.resume = true;
			world_run(w, 0);
			w->requests = 1;
			memcpy(w->log[0].b, w->node_log[0].b, 11);
			w->log[0].n = w->s.log_have[0] = 11;
		}
		world_run(w, STEPS);
		assert_whole(w);
		world_free(w);
	}
}

/* A link that breaks at each request in turn. */
static void
test_breaks(void **state)
{
	unsigned last = 1;

	(void)state;
	for (unsigned at = 1; at <= last; at++) {
		struct world *w = world_new();

		w->break_at = at;
		w->proofs_wanted = 1;
		world_run(w, STEPS);
		assert_whole(w);
		last = w->requests;
		world_free(w);
	}
	assert_true(last > 10);
}

/* Links that never live as long as a large slice takes. */
static void
test_short_links(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->break_over = 2500;
	w->no_follow = true;
	world_run(w, STEPS);
	assert_whole(w);
	assert_true(w->slice_max <= 2500);
	/* and not one by one: a large slice takes long until it breaks */
	assert_true(w->requests - w->puts < 200);
	world_free(w);
}

/* Nor with a node that leaves large slices lie. */
static void
test_dropped(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->drops_over = 2500;
	world_run(w, STEPS);
	assert_whole(w);
	assert_true(w->slice_max <= 2500);
	assert_true(w->requests - w->puts < 200);
	world_free(w);
}

/* The job has gone on, or is over, and the answer was lost that told. */
/* The node has the job: that its door is shut for a while ends nothing. */
static void
test_shut(void **state)
{
	struct world *w = world_new();
	struct mono since;

	(void)state;
	w->shut = 1;
	world_run(w, STEPS);
	assert_whole(w);
	world_free(w);

	/* it still waits for its inputs: submitted again when it may be */
	w = world_new();
	w->shut = 3;
	w->shut_waits = 3;
	world_run(w, STEPS);
	assert_whole(w);
	assert_int_equal(w->shut, 0);
	assert_true(w->requests < 40);
	world_free(w);

	w = world_new();
	w->shut = 1;
	w->s.detach = true;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_DETACHED);
	assert_string_equal(w->s.state, "running");
	world_free(w);

	/* a door that does not say for how long it is shut */
	w = world_new();
	w->shut = 1;
	w->shut_waits = 1;
	w->shut_silent = true;
	since = w->now;
	world_run(w, STEPS);
	assert_whole(w);
	assert_true(mono_sub(w->now, since) >= 30 * MONO_SECOND);
	world_free(w);

	/* refused meanwhile: it was not handed over, by either answer */
	for (unsigned k = 0; k < 2; k++) {
		w = world_new();
		w->shut = k;
		w->over = k == 0;
		for (unsigned i = 0; i < 2 && w->over; i++)
			w->has[i].n = w->input[i].n;
		w->s.detach = true;
		w->running_polls = 0;
		w->end_state = "refused";
		w->end_reason = "volume";
		world_run(w, STEPS);
		assert_int_equal(w->s.end, SUB_NO_RECEIPT);
		assert_string_equal(w->s.code, "volume");
		world_free(w);
	}

	/* what the node never had is refused */
	w = world_new();
	w->refuse_code = "not_accepting";
	w->refuse_why = "the disk of the node is full";
	w->refuse_step = 1;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_REFUSED);
	assert_int_equal(w->requests, 1);
	world_free(w);

	/* unless a submit before had no answer: it has it, or it has not */
	for (int i = 0; i < 2; i++) {
		w = world_new();
		w->s.unsure = true;
		w->never_had = i > 0;
		w->refuse_code = "not_accepting";
		w->refuse_why = "the disk of the node is full";
		w->refuse_step = 1;
		world_run(w, STEPS);
		assert_int_equal(w->s.end, i > 0 ? SUB_REFUSED : SUB_DONE);
		if (i > 0) {
			assert_int_equal(w->requests, 2);
			assert_string_equal(w->s.code, "not_accepting");
			assert_string_equal(w->s.why, w->refuse_why);
			assert_int_equal(w->s.step, 1);
		}
		assert_int_equal(repeat_never_had(&w->s), i > 0);
		world_free(w);
	}
}

static void
test_unwanted(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->unwanted = 2;
	world_run(w, STEPS);
	assert_whole(w);
	world_free(w);

	/* a node that wants what it refuses */
	w = world_new();
	w->unwanted = 1000;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_REFUSED);
	assert_string_equal(w->s.code, "not_wanted");
	assert_true(w->requests < 20);
	world_free(w);
}

static void
second_attempt(struct world *w)
{
	if (w->statuses != 2 || w->attempts == 2)
		return;
	w->attempts = 2;
	w->node_log[0].n = 5;
	memcpy(w->node_log[0].b, "again", 5);
	w->running_polls = 8;
}

/* It fell when it had packed, and what it was given is gone. */
static void
inputs_gone(struct world *w)
{
	if (w->statuses != 2 || w->attempts == 2)
		return;
	w->attempts = 2;
	w->has[0].n = 0;
	w->shut_waits = 3; /* says so, and again */
	w->running_polls = 8;
}

static void
test_inputs_again(void **state)
{
	struct world *w = world_new();
	unsigned puts;

	(void)state;
	world_run(w, STEPS);
	assert_whole(w);
	puts = w->puts;
	assert_int_equal(w->submits, 2);
	world_free(w);

	w = world_new();
	w->on_answer = inputs_gone;
	world_run(w, STEPS);
	assert_whole(w);
	assert_int_equal(w->has[0].n, w->input[0].n);
	assert_true(w->puts > puts);
	assert_int_equal(w->submits, 4); /* lacks some; lacks none */
	world_free(w);
}

static void
test_attempts(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->s.seq = 0;
	w->on_answer = second_attempt;
	world_run(w, STEPS);
	assert_whole(w);
	assert_int_equal(w->log[0].n, 5);
	world_free(w);

	/* lost, and queued again: the result is not there yet */
	w = world_new();
	w->end_state = "lost";
	w->not_yet = 3;
	w->not_yet_state = "queued";
	world_run(w, STEPS);
	assert_whole(w);
	world_free(w);

	w = world_new();
	w->not_yet = 4;
	world_run(w, STEPS);
	assert_whole(w);
	world_free(w);
}

static void
test_proof(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->proofs_wanted = 2;
	world_run(w, STEPS);
	assert_whole(w);
	assert_true(w->proofs_seen >= 2);
	world_free(w);

	/* a node that is never satisfied */
	w = world_new();
	w->proofs_wanted = 1000;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_REFUSED);
	assert_string_equal(w->s.code, "binding");
	assert_true(w->proofs_seen < 20);
	world_free(w);
}

/* A node that sends more than the job may write is left. */
static void
test_bounds(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->s.max_log = 1;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_BAD_NODE);
	assert_true(w->log[0].n + w->log[1].n <= 1);
	world_free(w);

	w = world_new();
	w->s.max_output = 1;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_BAD_RECEIPT);
	assert_int_equal(w->out[0].n + w->out[1].n, 0);
	world_free(w);

	/* exactly what it may */
	w = world_new();
	w->s.max_output = w->node_out.n;
	w->s.max_log = w->node_log[0].n + w->node_log[1].n;
	world_run(w, STEPS);
	assert_whole(w);
	world_free(w);
}

static void
test_slices(void **state)
{
	struct world *w = world_new();

	(void)state;
	/* fast: up to what the node takes */
	w->s.slice_max = 65536;
	world_run(w, STEPS);
	assert_whole(w);
	assert_int_equal(w->slice_max, 65536);
	world_free(w);

	/* 1 kB/s: no more than some seconds of it, so that a break costs little */
	for (int known = 0; known < 2; known++) {
		w = world_new();
		w->bytes_per_s = 1000;
		w->s.rtt_us = known ? 500000 : 0;
		world_run(w, STEPS);
		assert_whole(w);
		assert_int_equal(w->slice_max, known ? 24480 : 32768);
		assert_true(w->puts >= 5);
		world_free(w);
	}

	/* 1 kbit/s: never more than the least, which is a minute */
	w = world_new();
	w->bytes_per_s = 125;
	w->s.rtt_us = 2000000;
	world_run(w, STEPS);
	assert_whole(w);
	assert_int_equal(w->slice_max, 6144);
	world_free(w);
}

static void
test_detach_resume(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->s.detach = true;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_DETACHED);
	assert_int_equal(w->has[0].n, w->input[0].n);
	assert_int_equal(w->follows[0], 0);
	world_free(w);

	w = world_new();
	w->s.resume = true;
	world_run(w, STEPS);
	assert_whole(w);
	assert_int_equal(w->puts, 0);
	world_free(w);

	/* half of an input is there already */
	w = world_new();
	w->has[0].n = 50000;
	memcpy(w->has[0].b, w->input[0].b, 50000);
	world_run(w, STEPS);
	assert_whole(w);
	assert_memory_equal(w->has[0].b, w->input[0].b, w->input[0].n);
	world_free(w);
}

/* What is here of an output is not asked for again, unless it is wrong. */
static void
test_half_here(void **state)
{
	static const uint64_t here[] = {0, 1, 30000, 70000};

	(void)state;
	for (size_t i = 0; i < NELEM(here); i++) {
		struct world *w = world_new();

		w->s.resume = true;
		w->here = w->out[1].n = here[i];
		memcpy(w->out[1].b, w->node_out.b, here[i]);
		world_run(w, STEPS);
		assert_whole(w);
		assert_int_equal(w->got, 70000 - here[i]);
		world_free(w);

		w = world_new();
		w->s.resume = true;
		w->here = w->out[1].n = here[i];
		memset(w->out[1].b, 'x', here[i]);
		world_run(w, STEPS);
		assert_whole(w);
		assert_int_equal(w->got, here[i] == 0 ? 70000 :
			140000 - here[i]);
		world_free(w);
	}
	/* a node whose bytes are wrong twice is no better for it */
	struct world *w = world_new();

	w->lie = LIE_OUTPUT_BYTES;
	w->here = w->out[1].n = 1;
	world_run(w, STEPS);
	assert_int_equal(w->s.end, SUB_BAD_NODE);
	world_free(w);
}

/* An hour of waiting costs few requests, and none is sent in a burst. */
static void
test_pace(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->running_polls = 1800;
	w->no_stream = true;
	world_run(w, STEPS);
	assert_whole(w);
	assert_true(w->now.us > 50 * 60 * MONO_SECOND);
	world_free(w);
}

/* On a slow link who follows is told, and hardly asks. */
static void
test_slow_pace(void **state)
{
	struct world *w = world_new();
	struct mono from;

	(void)state;
	w->running_polls = 10;
	w->rtt_us = 3 * MONO_SECOND;
	from = w->now;
	world_run(w, STEPS);
	assert_whole(w);
	assert_true(mono_sub(w->now, from) > 9 * 150 * MONO_SECOND);
	world_free(w);

	/* a fast one is asked as often as ever */
	w = world_new();
	w->running_polls = 10;
	w->rtt_us = 1000;
	from = w->now;
	world_run(w, STEPS);
	assert_whole(w);
	assert_true(mono_sub(w->now, from) < 20 * MONO_SECOND);
	world_free(w);
}

/* A node that was gone for a while: its third answer came late. */
static void
one_late(struct world *w)
{
	w->rtt_us = w->statuses == 3 ? 15 * MONO_SECOND : 1000;
}

static void
test_late_answer(void **state)
{
	struct world *w = world_new();
	struct mono from = w->now;

	(void)state;
	w->running_polls = 10;
	w->on_answer = one_late;
	world_run(w, STEPS);
	assert_whole(w);
	assert_true(mono_sub(w->now, from) < 90 * MONO_SECOND);
	world_free(w);
}

/* ---- every answer cut at every place ---- */

struct cutting {
	struct world *w;
	unsigned taken;
};

static void
try_cut(void *arg, const uint8_t *data, size_t n)
{
	struct cutting *c = arg;
	static struct submitter copy;
	struct proto_ans a;

	if (!proto_ans_get(&a, data, n))
		return;
	c->taken++;
	copy = c->w->s;
	/* what it writes is thrown away */
	sub_answer(&copy, c->w->now, &a);
}

static void
cut(struct world *w)
{
	struct cutting c = {.w = w};
	struct cn_bytes *keep = malloc(4 * sizeof(*keep));

	assert_non_null(keep);
	if (w->answer_len > 1000) {
		free(keep);
		return; /* bytes of a blob: nothing new */
	}
	memcpy(keep, w->log, 2 * sizeof(*keep));
	memcpy(keep + 2, w->out, 2 * sizeof(*keep));
	vec_each_prefix(w->answer, w->answer_len, try_cut, &c);
	assert_int_equal(c.taken, 0);
	vec_each_flip(w->answer, w->answer_len, try_cut, &c);
	memcpy(w->log, keep, 2 * sizeof(*keep));
	memcpy(w->out, keep + 2, 2 * sizeof(*keep));
	free(keep);
}

static void
test_cut(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->on_answer = cut;
	w->proofs_wanted = 1;
	world_run(w, STEPS);
	assert_whole(w);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_held),
	    cmocka_unit_test(test_outcomes),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_lies),
	    cmocka_unit_test(test_local),
	    cmocka_unit_test(test_streams),
	    cmocka_unit_test(test_breaks),
	    cmocka_unit_test(test_short_links),
	    cmocka_unit_test(test_dropped),
	    cmocka_unit_test(test_shut),
	    cmocka_unit_test(test_unwanted),
	    cmocka_unit_test(test_attempts),
	    cmocka_unit_test(test_inputs_again),
	    cmocka_unit_test(test_proof),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_slices),
	    cmocka_unit_test(test_detach_resume),
	    cmocka_unit_test(test_half_here),
	    cmocka_unit_test(test_pace),
	    cmocka_unit_test(test_slow_pace),
	    cmocka_unit_test(test_late_answer),
	    cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests_name("submitter", tests, NULL, NULL);
}
