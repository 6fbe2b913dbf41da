/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc_msg.h"
#include "node/work/jobs.h"

#define NOW 1800000000u

static struct jobs js;
static unsigned changes;
static enum job_state last_old;

static void
changed(void *ctx, struct job *j, enum job_state old)
{
	(void)ctx;
	(void)j;
	changes++;
	last_old = old;
}

static struct mono
at(int64_t s)
{
	return (struct mono){s * MONO_SECOND};
}

static struct job *
a_job(uint8_t id, uint8_t owner)
{
	struct id32 i = {{id}};
	struct fp o = {{owner}};
	struct job *j = job_new(&i, &o);

	assert_non_null(j);
	j->nonce[0] = id;
	j->deadline = NOW + 86400;
	j->not_after = NOW + 3600;
	j->limits.v[LIMIT_TIME] = 60000;
	j->limits.v[LIMIT_LOG] = 1024;
	return j;
}

static int
setup(void **state)
{
	(void)state;
	jobs_init(&js, changed, NULL);
	changes = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	jobs_clear(&js);
	assert_int_equal(js.count, 0);
	return 0;
}

static bool
listed(const char *const *legal, size_t n, const char *from, const char *to)
{
	char edge[40];

	(void)snprintf(edge, sizeof(edge), "%s>%s", from, to);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(legal[i], edge) == 0)
			return true;
	}
	return false;
}

/* Each pair: what is not in the picture is refused, counted, and no change. */
static void
test_edges(void **state)
{
	static const char *const legal[] = {"held>held", "held>queued",
	    "held>refused", "held>cancelled", "queued>queued",
	    "queued>staging", "queued>refused", "queued>cancelled",
	    "staging>running", "staging>refused", "staging>cancelled",
	    "staging>lost", "running>done", "running>lost", "lost>queued"};
	unsigned found = 0;

	(void)state;
	for (unsigned a = 0; a <= JS_COUNT; a++) {
		for (unsigned b = 0; b <= JS_COUNT; b++) {
			struct job *j = a_job(a, 1 + b);
			uint64_t edges = js.edges;
			bool want = listed(legal, NELEM(legal),
			    job_state_name(a), job_state_name(b));

			if (a == JS_COUNT) { /* no table has such a one */
				assert_false(job_edge((enum job_state)a,
				    (enum job_state)b));
				job_free(j);
				continue;
			}
			j->order = 1 + a * 100 + b;
			j->state = (enum job_state)a;
			j->seq = 7;
			job_restore(&js, j);
			if (job_edge((enum job_state)a, (enum job_state)b) !=
				want ||
			    job_set(&js, j, (enum job_state)b, "new", NOW) !=
				want)
				fail_msg("%s>%s", job_state_name(a),
				    job_state_name(b));
			assert_int_equal(j->state, want ? b : a);
			assert_int_equal(j->seq, want ? 8 : 7);
			assert_int_equal(js.edges - edges, !want);
			found += want;
			job_remove(&js, j);
		}
	}
	assert_int_equal(found, NELEM(legal));
	assert_int_equal(changes, found);
}

static void
test_phases(void **state)
{
	static const char *const legal[] = {"none>none", "none>filling",
	    "none>running", "filling>none", "filling>running", "running>none",
	    "running>packing", "packing>none", "packing>sealing",
	    "sealing>none"};
	struct job *j = a_job(1, 9);
	unsigned found = 0;

	(void)state;
	job_admit(&js, j, false, "slots", NOW, at(0));
	for (unsigned a = 0; a <= PHASE_COUNT; a++) {
		for (unsigned b = 0; b <= PHASE_COUNT; b++) {
			uint64_t edges = js.edges;
			bool want = listed(legal, NELEM(legal),
			    job_phase_name(a), job_phase_name(b));

			j->phase = (enum job_phase)a;
			if (job_set_phase(&js, j, (enum job_phase)b) != want)
				fail_msg("%s>%s", job_phase_name(a),
				    job_phase_name(b));
			assert_int_equal(j->phase, want ? b : a);
			assert_int_equal(js.edges - edges, !want);
			found += want;
		}
	}
	assert_int_equal(found, NELEM(legal));
	j->phase = PHASE_NONE;
}

static void
test_life(void **state)
{
	struct job *j = a_job(1, 9);

	(void)state;
	job_admit(&js, j, true, "review", NOW, at(0));
	assert_int_equal(j->state, JS_HELD);
	assert_int_equal(j->seq, 1);
	assert_int_equal(changes, 1);
	assert_true(j->dirty);
	assert_false(job_set(&js, j, JS_RUNNING, NULL, NOW));
	assert_int_equal(changes, 1);
	assert_true(job_set(&js, j, JS_QUEUED, "inputs", NOW + 1));
	assert_int_equal(last_old, JS_HELD);
	assert_int_equal(j->at, NOW + 1);
	/* the same again is no change; another reason is */
	assert_true(job_set(&js, j, JS_QUEUED, "inputs", NOW + 2));
	assert_int_equal(j->seq, 2);
	assert_true(job_set(&js, j, JS_QUEUED, "slots", NOW + 2));
	assert_int_equal(j->seq, 3);
	assert_int_equal(j->at, NOW + 1);
	assert_true(job_set(&js, j, JS_STAGING, NULL, NOW + 3));
	assert_int_equal(j->attempts, 1);
	assert_true(job_set(&js, j, JS_RUNNING, NULL, NOW + 4));
	assert_true(job_done(&js, j, OUT_EXITED, 3, NULL, NOW + 5));
	assert_true(job_ended(j));
	assert_false(job_done(&js, j, OUT_EXITED, 4, NULL, NOW + 5));
	assert_int_equal(j->code, 3);
	assert_ptr_equal(TAILQ_FIRST(&js.ended), j);
	assert_null(TAILQ_FIRST(&js.live));
	assert_string_equal(job_state_name(j->state), "done");
}

static void
test_lost(void **state)
{
	struct job *j = a_job(1, 9);

	(void)state;
	j->retries = 1;
	job_admit(&js, j, false, "slots", NOW, at(0));
	assert_true(job_set(&js, j, JS_STAGING, NULL, NOW));
	assert_true(job_lose(&js, j, "jail fell", NOW, at(1)));
	assert_int_equal(j->state, JS_QUEUED);
	assert_true(job_set(&js, j, JS_STAGING, NULL, NOW));
	assert_int_equal(j->attempts, 2);
	assert_true(job_set(&js, j, JS_RUNNING, NULL, NOW));
	assert_false(job_lose(&js, j, "jail fell", NOW, at(1)));
	assert_int_equal(j->state, JS_LOST);
	assert_string_equal(j->reason, "jail fell");
	/* behind its deadline nothing is queued again */
	j = a_job(2, 9);
	j->retries = 16;
	job_admit(&js, j, false, "slots", NOW, at(0));
	assert_true(job_set(&js, j, JS_STAGING, NULL, NOW));
	assert_false(job_lose(&js, j, "", j->deadline, at(1)));
	/* cancelled before it started: nothing is counted */
	j = a_job(3, 9);
	job_admit(&js, j, false, "slots", NOW, at(0));
	assert_true(job_set(&js, j, JS_STAGING, NULL, NOW));
	assert_true(job_set(&js, j, JS_CANCELLED, "submitter", NOW));
	assert_int_equal(j->attempts, 0);
}

static const struct {
	uint8_t kill, how;
	int32_t code;
	bool oom;
	uint64_t written;
	uint8_t outcome;
	int32_t expect;
} ENDS[] = {
    {0, EXIT_CODE, 0, false, 0, OUT_EXITED, 0},
    {0, EXIT_CODE, 127, false, 0, OUT_EXITED, 127},
    {0, EXIT_SIGNAL, 11, false, 0, OUT_SIGNALLED, 11},
    {0, EXIT_SIGNAL, 9, true, 0, OUT_KILLED, KILL_MEMORY},
    /* any process of the job, whatever the first one said then */
    {0, EXIT_CODE, 1, true, 0, OUT_KILLED, KILL_MEMORY},
    {KILL_TIME, EXIT_SIGNAL, 9, false, 0, OUT_KILLED, KILL_TIME},
    {0, EXIT_JAIL_TIME, 0, false, 0, OUT_KILLED, KILL_TIME},
    {KILL_CANCELLED, EXIT_SIGNAL, 9, false, 0, OUT_KILLED, KILL_CANCELLED},
    /* it ended before the kill came */
    {KILL_CANCELLED, EXIT_CODE, 0, false, 0, OUT_EXITED, 0},
    {KILL_DEADLINE, EXIT_SIGNAL, 9, true, 0, OUT_KILLED, KILL_MEMORY},
    /* but what withholds outputs is never overruled */
    {KILL_REVOKED, EXIT_CODE, 0, true, 0, OUT_KILLED, KILL_REVOKED},
    {KILL_OUTPUT, EXIT_SIGNAL, 9, true, 0, OUT_KILLED, KILL_OUTPUT},
    {0, EXIT_CODE, 0, false, (16u << 20) + 1, OUT_KILLED, KILL_OUTPUT},
    {0, EXIT_CODE, 0, false, 16u << 20, OUT_EXITED, 0},
    {KILL_REVOKED, EXIT_CODE, 0, false, 1u << 30, OUT_KILLED, KILL_REVOKED},
};

static void
test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(ENDS); i++) {
		struct job *j = a_job(1, 1);
		uint8_t outcome;
		int32_t code;

		j->kill = ENDS[i].kill;
		j->exit_how = ENDS[i].how;
		j->exit_code = ENDS[i].code;
		j->oom = ENDS[i].oom;
		j->log[2] = ENDS[i].written;
		job_verdict(&outcome, &code, j);
		if (outcome != ENDS[i].outcome || code != ENDS[i].expect)
			fail_msg("end %zu: %u %d", i, outcome, code);
		job_free(j);
	}
	assert_true(job_keeps_outputs(OUT_EXITED, KILL_OUTPUT));
	assert_true(job_keeps_outputs(OUT_KILLED, KILL_TIME));
	assert_false(job_keeps_outputs(OUT_KILLED, KILL_OUTPUT));
	assert_false(job_keeps_outputs(OUT_KILLED, KILL_VIOLATION + 256 * 7));
}

static void
test_due(void **state)
{
	static struct manifest m;
	struct job *j = a_job(1, 1);
	struct mono next;

	(void)state;
	j->deadline = NOW + 2 * JOB_INPUT_IDLE_S;
	job_admit(&js, j, false, "inputs", NOW, at(100));
	assert_int_equal(job_due(j, true, NOW, at(100), &next), DUE_NOTHING);
	assert_int_equal(next.us, at(100 + JOB_INPUT_IDLE_S).us);
	assert_int_equal(job_due(j, true, NOW, at(100 + JOB_INPUT_IDLE_S),
	    &next), DUE_INPUTS);
	assert_int_equal(job_due(j, false, NOW, at(100 + JOB_INPUT_IDLE_S),
	    &next), DUE_NOTHING);
	assert_int_equal(job_due(j, false, j->deadline, at(1), &next),
	    DUE_DEADLINE);
	assert_true(job_set(&js, j, JS_STAGING, NULL, NOW));
	assert_true(job_set(&js, j, JS_RUNNING, NULL, NOW));
	j->phase = PHASE_RUNNING;
	j->started_at = at(200);
	assert_int_equal(job_due(j, false, NOW, at(200), &next), DUE_NOTHING);
	assert_int_equal(next.us, at(260).us);
	assert_int_equal(job_due(j, false, NOW, at(260), &next), DUE_TIME);
	/* a module with its files in memory ends itself, and writes them */
	m.has = HAS_WASM;
	m.module.files = WASM_FILES_MEMORY;
	j->m = &m;
	assert_int_equal(job_due(j, false, NOW, at(267), &next), DUE_NOTHING);
	assert_int_equal(next.us, at(268).us);
	assert_int_equal(job_due(j, false, NOW, at(268), &next), DUE_TIME);
	m.module.files = WASM_FILES_FOLDERS;
	assert_int_equal(job_due(j, false, NOW, at(260), &next), DUE_TIME);
	/* unless it is said, it is the node's to choose */
	m.module.files = WASM_FILES_AS_NODE;
	j->level = 2;
	assert_false(job_in_memory(j));
	m.module.deterministic = true;
	assert_true(job_in_memory(j));
	m.module.deterministic = false;
	j->level = 1;
	assert_true(job_in_memory(j));
	j->m = NULL;
	assert_int_equal(job_progress(j, at(230)), 500);
	assert_int_equal(job_progress(j, at(300)), 1000);
	/* what is being killed is not killed again */
	j->kill = KILL_TIME;
	assert_int_equal(job_due(j, false, NOW, at(261), &next), DUE_NOTHING);
	j = a_job(2, 1);
	job_admit(&js, j, true, "review", NOW, at(0));
	j->deadline = NOW + 10 * 86400;
	/* a day of the loop's clock, wherever the other one jumps */
	assert_int_equal(job_due(j, true, NOW + 5 * 86400, at(86399), &next),
	    DUE_NOTHING);
	assert_int_equal(next.us, at(86400).us);
	assert_int_equal(job_due(j, true, NOW - 86400, at(86400), &next),
	    DUE_REVIEW);
}

static void
test_lookups(void **state)
{
	struct fp owner = {{5}}, other = {{6}};
	uint8_t nonce[16] = {3};
	struct job *j;

	(void)state;
	for (uint8_t i = 1; i <= 6; i++)
		job_admit(&js, a_job(i, i % 2 != 0 ? 5 : 6), false, "slots",
		    NOW, at(0));
	j = job_next_of(&js, &owner, 0);
	assert_int_equal(j->order, 1);
	j = job_next_of(&js, &owner, 1);
	assert_int_equal(j->order, 3);
	j = job_next_of(&js, &owner, 5);
	assert_null(j);
	assert_null(job_next_of(&js, &owner, UINT64_MAX));
	assert_non_null(job_by_nonce(&js, &owner, nonce));
	assert_null(job_by_nonce(&js, &other, nonce));
	assert_int_equal(job_by_nonce(&js, &owner, nonce)->order, 3);
}

/* What may be forgotten before the ledger says so: nothing that has run. */
static void
test_makes_room(void **state)
{
	struct job *j = a_job(1, 9);
	struct id32 none = {{99}};

	(void)state;
	job_admit(&js, j, false, "slots", NOW, at(0));
	assert_true(job_makes_room(&js, &none));
	assert_true(job_makes_room(&js, &j->id));
	assert_true(job_set(&js, j, JS_STAGING, NULL, NOW));
	assert_true(job_makes_room(&js, &j->id));
	j->started = NOW;
	assert_true(job_set(&js, j, JS_RUNNING, NULL, NOW));
	assert_false(job_makes_room(&js, &j->id));
	assert_true(job_done(&js, j, OUT_EXITED, 0, NULL, NOW));
	assert_false(job_makes_room(&js, &j->id));
}

static void
fill(struct job *j)
{
	struct left none = {0}, some = {0};

	j->retries = 3;
	j->level = 2;
	j->seq = 77;
	j->doubted = 31 * 86400;
	j->outcome = OUT_KILLED;
	j->code = KILL_TIME;
	j->has_receipt = true;
	j->receipt[316] = 9;
	j->log[1] = 12345;
	j->nouts = 2;
	j->outs = calloc(2, sizeof(*j->outs));
	assert_non_null(j->outs);
	j->outs[1].size = 1024;
	(void)snprintf(j->outs[1].target, sizeof(j->outs[1].target), "/a/b");
	(void)snprintf(j->reason, sizeof(j->reason), "why");
	job_left(j, 0, &none);
	assert_null(j->left);
	left_add(&some, 0, LEFT_NAME, "x\xff", 2);
	some.count = 3;
	job_left(j, 0, &some);
	job_left(j, 1, &some);
}

static void
test_record(void **state)
{
	uint8_t rec[JOB_RECORD_MAX], again[JOB_RECORD_MAX];
	struct job *j = a_job(1, 2), *k;
	struct left_item it;
	struct left most;
	/* behind version, who, when and the limits that there always were */
	const size_t io = 1 + sizeof(j->id) + sizeof(j->owner) + 64 +
	    sizeof(j->rns_hash) + 16 + 8 + 3 * 4 + 1 + 4 + 6 * 8;
	size_t n, at = 0;

	(void)state;
	fill(j);
	j->limits.v[LIMIT_IO_READ] = 65536;
	j->limits.v[LIMIT_IO_WRITE] = 65537;
	n = job_encode(rec, sizeof(rec), j);
	assert_true(n > 0);
	k = job_decode(rec, n);
	assert_non_null(k);
	assert_int_equal(job_encode(again, sizeof(again), k), n);
	assert_memory_equal(rec, again, n);
	assert_string_equal(k->outs[1].target, "/a/b");
	assert_int_equal(k->seq, 77);
	assert_int_equal(k->limits.v[LIMIT_IO_READ], 65536);
	assert_int_equal(k->limits.v[LIMIT_IO_WRITE], 65537);
	assert_int_equal(k->doubted, 31 * 86400);
	assert_int_equal(k->left->count, 6);
	assert_true(left_next(k->left, &at, &it) &&
	    left_next(k->left, &at, &it));
	assert_int_equal(it.volume, 1);
	assert_memory_equal(it.name, "x\xff", 2);
	job_free(k);
	/* rows of before: no limits of the disk, nothing doubted; nothing known
	 * to be left out */
	memcpy(again, rec, io);
	memcpy(again + io, rec + io + 16, n - io - 16);
	again[0] = 2;
	k = job_decode(again, n - 16 - 4);
	assert_non_null(k);
	assert_int_equal(k->limits.v[LIMIT_LOG], j->limits.v[LIMIT_LOG]);
	assert_int_equal(k->limits.v[LIMIT_IO_READ], 0);
	assert_int_equal(k->left->count, 6);
	assert_int_equal(k->doubted, 0);
	job_free(k);
	again[0] = 1;
	k = job_decode(again, n - 16 - 4 - 4 - 2 - 2 * 5);
	assert_non_null(k);
	assert_null(k->left);
	job_free(k);
	rec[0] = 0;
	assert_null(job_decode(rec, n));
	rec[0] = 4;
	assert_null(job_decode(rec, n));
	rec[0] = 3;
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *copy = malloc(cut + 1);

		assert_non_null(copy);
		memcpy(copy, rec, cut);
		assert_null(job_decode(copy, cut));
		free(copy);
	}
	for (size_t bit = 0; bit < 8 * n; bit++) {
		rec[bit / 8] ^= (uint8_t)(1u << bit % 8);
		job_free(job_decode(rec, n));
		rec[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* the largest there is fits */
	free(j->outs);
	j->nouts = MANIFEST_VOLUMES;
	j->outs = calloc(j->nouts, sizeof(*j->outs));
	assert_non_null(j->outs);
	for (unsigned i = 0; i < j->nouts; i++)
		memset(j->outs[i].target, 'x', MANIFEST_TEXT);
	memset(j->reason, 'r', JOB_REASON_MAX - 1);
	memset(&most, 'l', sizeof(most));
	most.len = LEFT_BYTES;
	*j->left = most;
	assert_true(job_encode(rec, sizeof(rec), j) > 0);
	job_free(j);
}

static struct job *
a_giver(uint8_t id, uint8_t owner, uint8_t digest, bool expired)
{
	struct job *j = a_job(id, owner);

	j->nouts = 2;
	j->outs = calloc(2, sizeof(*j->outs));
	assert_non_null(j->outs);
	j->outs[0].packed = true;
	j->outs[0].sha256 = (struct id32){{digest}};
	j->outs[1].sha256 = (struct id32){{200}}; /* was not packed */
	j->order = id;
	j->state = JS_DONE;
	j->expired = expired;
	job_restore(&js, j);
	return j;
}

static bool
had(uint8_t owner, uint8_t digest)
{
	const struct fp fp = {{owner}};
	const struct id32 sha = {{digest}};

	return jobs_had(&js, &fp, &sha);
}

/* What is there no more was there, of its owner, while one such job is. */
static void
test_gone(void **state)
{
	struct job *a = a_giver(1, 1, 7, false), *b = a_giver(2, 1, 7, true);

	(void)state;
	(void)a_giver(3, 2, 9, true);
	assert_true(had(1, 7) && had(2, 9));
	assert_false(had(1, 9) || had(2, 7) || had(1, 200) || had(3, 7));
	job_remove(&js, b);
	assert_false(had(1, 7)); /* the other is kept yet */
	job_expire(&js, a);
	assert_true(a->expired && a->dirty && had(1, 7));
	(void)a_giver(4, 1, 7, true);
	job_remove(&js, a);
	assert_true(had(1, 7));
}

/* A row that was damaged says that one has expired which has not ended. */
static void
test_expired_alive(void **state)
{
	struct job *j = a_job(1, 1);

	(void)state;
	j->nouts = 2;
	j->outs = calloc(2, sizeof(*j->outs));
	assert_non_null(j->outs);
	j->order = 2;
	j->state = JS_RUNNING;
	j->expired = true;
	(void)a_giver(3, 1, 7, true);
	job_restore(&js, j);
	assert_false(j->expired);
	job_remove(&js, j);
	assert_true(had(1, 7));
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_edges), T(test_phases), T(test_life), T(test_lost),
	    T(test_verdicts), T(test_due), T(test_lookups),
	    T(test_makes_room), T(test_record), T(test_gone),
	    T(test_expired_alive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
