/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "node/work/hold.h"
#include "tests/unit/nodekit.h"
#include "transport/core/base/crypt.h"

/* Answers that wait for a job, and those that hold all of it (compute.md 3). */

static uint32_t
ask_submit(uint64_t wait_s, uint64_t whole, uint8_t nonce, struct id32 *id)
{
	struct proto_req q = {.path = PATH_SUBMIT, .wait_s = wait_s,
	    .whole = whole};

	q.envelope = (struct pbin){env, envelope(0x41, nonce, NULL, id)};
	return world_ask(&w, 1, &q);
}

static uint32_t
ask_status(const struct id32 *id, uint64_t since, uint64_t wait_s,
    uint64_t whole)
{
	struct proto_req q = {.path = PATH_STATUS, .id = id->b,
	    .has_since = true, .since = since, .wait_s = wait_s,
	    .whole = whole};

	return world_ask(&w, 1, &q);
}

static void
is_whole(const struct proto_ans *a, size_t out)
{
	struct proto_whole f;

	assert_non_null(a);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_whole(&f, a));
	assert_int_equal(f.log[0].n, out);
	assert_int_equal(f.log[1].n, 0);
	for (size_t i = 0; i < out; i++)
		assert_int_equal(f.log[0].p[i], 'b'); /* of stream 1 */
}

static void
test_submit(void **state)
{
	struct proto_submitted s;
	struct id32 id;
	uint32_t r;

	(void)state;
	w.prints = 100;
	w.run_ms = 900;
	r = ask_submit(1, 1024, 1, &id);
	world_run(&w, 500);
	assert_null(world_answer(&w, r));
	assert_int_equal(w.n.nheld, 1);
	world_run(&w, 500);
	is_whole(world_answer(&w, r), 100);
	assert_int_equal(w.n.nheld, 0);
	assert_int_equal(w.starts, 1);

	/* it takes longer: what is known then, as of a node that does not wait */
	w.run_ms = 5000;
	r = ask_submit(2, 1024, 2, &id);
	world_run(&w, 1500);
	assert_null(world_answer(&w, r));
	world_run(&w, 600);
	assert_true(proto_get_submitted(&s, world_answer(&w, r)));
	assert_true(pstr_is(s.state, "running"));
}

/* What prints more than an answer holds is followed, and not waited for. */
static void
test_prints(void **state)
{
	struct proto_submitted s;
	struct id32 id;
	uint32_t r;

	(void)state;
	w.run_ms = 5000;
	r = ask_submit(10, 1024, 1, &id);
	world_run(&w, 500);
	job_find(&w.n.jobs, &id)->log[0] = 1024;
	world_run(&w, 500);
	assert_null(world_answer(&w, r));
	job_find(&w.n.jobs, &id)->log[1] = 1;
	world_run(&w, 200);
	assert_true(proto_get_submitted(&s, world_answer(&w, r)));
	assert_true(pstr_is(s.state, "running"));
	assert_int_equal(w.n.nheld, 0);
}

/* Who asks for nothing new gets what a node always gave. */
static void
test_as_before(void **state)
{
	struct proto_submitted s;
	struct proto_job_status v;
	struct id32 id;
	uint32_t r;

	(void)state;
	w.prints = 100;
	r = ask_submit(0, 0, 1, &id);
	world_run(&w, 0);
	assert_true(proto_get_submitted(&s, world_answer(&w, r)));
	world_run(&w, 500);
	v = status(&id);
	assert_true(pstr_is(v.state, "done"));
	r = ask_status(&id, v.seq, 0, 0);
	world_run(&w, 0);
	assert_int_equal(world_answer(&w, r)->status, ST_NOT_MODIFIED);
	/* one that has ended is not waited for */
	r = ask_status(&id, v.seq, 60, 0);
	world_run(&w, 0);
	assert_int_equal(world_answer(&w, r)->status, ST_NOT_MODIFIED);
}

static void
test_inputs_first(void **state)
{
	struct proto_req q = {.path = PATH_SUBMIT, .wait_s = 10};
	struct proto_submitted s;
	struct id32 id;
	uint32_t r;

	(void)state;
	q.envelope = (struct pbin){env, envelope(0x41, 1, with_volumes, &id)};
	r = world_ask(&w, 1, &q);
	world_run(&w, 0);
	assert_true(proto_get_submitted(&s, world_answer(&w, r)));
	assert_int_equal(s.nmissing, 1);
	assert_int_equal(w.n.nheld, 0);
	/* nor is a review waited for */
	q.envelope = (struct pbin){env, envelope(0x41, 2, review, &id)};
	r = world_ask(&w, 1, &q);
	world_run(&w, 0);
	assert_true(proto_get_submitted(&s, world_answer(&w, r)));
	assert_true(pstr_is(s.state, "held"));
}

/* A minute in which nothing changes: one question and one answer. */
static void
test_status(void **state)
{
	struct proto_job_status v;
	struct id32 id;
	uint32_t r;
	unsigned n;

	(void)state;
	w.prints = 50;
	w.run_ms = 58000;
	(void)ask_submit(0, 0, 1, &id);
	world_run(&w, 100);
	v = status(&id);
	assert_true(pstr_is(v.state, "running"));
	world_drop_answers(&w);
	r = ask_status(&id, v.seq, 600, 1024);
	n = w.nreplies;
	world_run(&w, 57000);
	assert_int_equal(w.nreplies, n);
	world_run(&w, 2000);
	is_whole(world_answer(&w, r), 50);
	assert_int_equal(w.nreplies, n + 1);
	/* more than is taken so: the status, and the log is asked for */
	r = ask_status(&id, v.seq, 600, 49);
	world_run(&w, 0);
	assert_true(proto_get_status(&v, world_answer(&w, r)));
	assert_true(pstr_is(v.state, "done"));
}

#define OUT 2048

static void
keep_output(struct world *host, const struct msg_J_STEP *m)
{
	static uint8_t bytes[OUT] = {7};
	struct job *j = job_find(&host->n.jobs, &m->job);
	struct left none = {0};
	struct id32 sha;
	uint64_t have;

	crypt_sha256(&sha, bytes, OUT);
	(void)fake_put(host, &j->owner, &sha, OUT, 0, bytes, OUT, &have);
	node_packed(&host->n, &m->job, m->volume, true, &sha, OUT, &none, "");
}

/* Outputs come along when they are asked for, are small, and are to be had. */
static void
test_outputs(void **state)
{
	struct proto_req put = {.path = PATH_BLOB_PUT, .n = sizeof(tar),
	    .body = {tar, sizeof(tar)}};
	struct proto_req q = {.path = PATH_STATUS, .whole = 1024,
	    .outputs = OUT};
	struct proto_job_status v;
	struct proto_whole f;
	struct id32 id;
	uint32_t r;

	(void)state;
	w.pack = keep_output;
	w.prints = 10;
	(void)submit(1, 0x41, 1, with_volumes, &id);
	put.digest = tar_sha.b;
	assert_int_equal(world_call(&w, 1, &put)->status, ST_OK);
	/* the second submit waits for the end */
	put = (struct proto_req){.path = PATH_SUBMIT, .wait_s = 5,
	    .whole = 1024, .outputs = UINT64_C(1) << 52};
	put.envelope = (struct pbin){env, envelope(0x41, 1, with_volumes, &id)};
	r = world_ask(&w, 1, &put);
	world_run(&w, 2000);
	assert_non_null(world_answer(&w, r));
	assert_true(proto_get_whole(&f, world_answer(&w, r)));
	assert_int_equal(f.noutputs, 1);
	assert_int_equal(f.output[0].n, OUT);
	assert_int_equal(f.output[0].p[0], 7);
	assert_int_equal(f.log[0].n, 10);
	world_drop_answers(&w);
	q.id = id.b;
	is_whole(world_call(&w, 1, &q), 10);
	/* one byte less, or no word of them: the status, as ever */
	for (q.outputs = OUT - 1;; q.outputs = 0) {
		assert_true(proto_get_status(&v, world_call(&w, 1, &q)));
		assert_true(pstr_is(v.state, "done"));
		if (q.outputs == 0)
			break;
	}
	/* it cannot be read */
	q.outputs = OUT;
	w.blobs[w.nblobs - 1].whole = false;
	assert_true(proto_get_status(&v, world_call(&w, 1, &q)));
}

static void
test_over(void **state)
{
	struct proto_job_status v;
	struct id32 id;
	uint32_t r;

	(void)state;
	w.run_ms = 3600 * 1000;
	(void)ask_submit(0, 0, 1, &id);
	world_run(&w, 100);
	v = status(&id);
	r = ask_status(&id, v.seq, UINT64_C(1) << 52, 0);
	world_run(&w, (HOLD_MOST_S - 1) * 1000);
	assert_null(world_answer(&w, r));
	world_run(&w, 2000);
	assert_int_equal(world_answer(&w, r)->status, ST_NOT_MODIFIED);
}

/* So many of one link, and none when it closes. */
static void
test_bounds(void **state)
{
	struct proto_job_status v;
	uint32_t r[HOLD_LINK + 1];
	struct id32 id;

	(void)state;
	w.run_ms = 60000;
	(void)ask_submit(0, 0, 1, &id);
	world_run(&w, 100);
	v = status(&id);
	world_drop_answers(&w);
	for (unsigned i = 0; i <= HOLD_LINK; i++)
		r[i] = ask_status(&id, v.seq, 100, 0);
	world_run(&w, 0);
	assert_int_equal(w.n.nheld, HOLD_LINK);
	assert_int_equal(world_answer(&w, r[HOLD_LINK])->status,
	    ST_NOT_MODIFIED);
	for (unsigned i = 0; i < HOLD_LINK; i++)
		assert_null(world_answer(&w, r[i]));
	world_close(&w, 1);
	assert_int_equal(w.n.nheld, 0);
	world_run(&w, 120000);
	for (unsigned i = 0; i < HOLD_LINK; i++)
		assert_null(world_answer(&w, r[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_submit, setup, teardown),
    cmocka_unit_test_setup_teardown(test_prints, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_as_before, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_inputs_first, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(test_status, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_outputs, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
