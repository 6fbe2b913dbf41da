/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/unit/nodekit.h"
#include "node/work/late.h"
#include "node/work/turn.h"
#include "sandbox/jail/jail.h"

/* What is asked of jail and of trust has a deadline in the node. */

/* one that lives answers first: its own clocks are shorter */
_Static_assert(NODE_STEP_MS >= JAIL_STEP_MS, "of a step");
_Static_assert(NODE_GRACE_MS >= JAIL_GRACE_MS, "of a start");
_Static_assert(NODE_JAIL_MS > JAIL_GRACE_MS, "of jail itself");

/* The longest that jail may take for a job of so many volumes. */
static int64_t
jail_ms(const struct id32 *id, unsigned volumes)
{
	const struct job *j = job_find(&w.n.jobs, id);

	return (int64_t)j->limits.v[LIMIT_TIME] + JAIL_GRACE_MS +
	    (int64_t)volumes * JAIL_STEP_MS;
}

static void
retry(struct manifest *m)
{
	m->retries = 1;
	m->has |= HAS_RETRIES;
	m->deadline += 86400;
}

static void
later(struct manifest *m)
{
	m->deadline += 86400;
}

static void
rw_volumes(struct manifest *m)
{
	with_volumes(m);
	m->deadline += 86400;
}

static void
put_tar(void)
{
	struct proto_req q = {.path = PATH_BLOB_PUT, .digest = tar_sha.b,
	    .n = sizeof(tar), .body = {tar, sizeof(tar)}};

	assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
}

static void
nothing_illegal(void)
{
	assert_int_equal(w.n.count.edges, 0);
	assert_int_equal(w.n.jobs.edges, 0);
}

/* A jail that says nothing about a J_RUN: killed by its group, then lost. */
static void
test_run(void **state)
{
	struct id32 id;

	(void)state;
	w.jail_silent = true;
	assert_int_equal(submit(1, 0x41, 1, rw_volumes, &id)->status, ST_OK);
	put_tar();
	world_run(&w, 10);
	state_is(&id, "staging", NULL);
	/* jail would have spoken by then, had it only been slow */
	world_run(&w, jail_ms(&id, 2));
	state_is(&id, "staging", NULL);
	assert_int_equal(w.kills, 0);
	assert_int_equal(w.n.count.unanswered, 0);
	world_run(&w, NODE_JAIL_MS + NODE_LATE_MS + 10);
	state_is(&id, "lost", "jail did not say that it started");
	assert_int_equal(w.kills, 1);
	assert_int_equal(w.forgets, 1);
	assert_int_equal(w.n.count.unanswered, 1);
	assert_int_equal(w.events_seen[EVK_UNANSWERED], 1);
	assert_int_equal(w.running, 0);
	/* a word that comes at last changes nothing, and the slot is free */
	assert_null(w.n.slot[1]);
	assert_false(w.n.ghost[1]);
	w.jail_silent = false;
	assert_int_equal(submit(1, 0x41, 2, NULL, &id)->status, ST_OK);
	world_run(&w, 100);
	state_is(&id, "done", NULL);
	nothing_illegal();
}

/* One that was cancelled meanwhile is that. */
static void
test_run_cancelled(void **state)
{
	struct id32 id;

	(void)state;
	w.jail_silent = w.jail_deaf = true;
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	world_run(&w, 10);
	assert_int_equal(about(1, PATH_CANCEL, &id)->status, ST_OK);
	world_run(&w, jail_ms(&id, 0) + NODE_JAIL_MS + NODE_LATE_MS + 10);
	state_is(&id, "cancelled", "submitter");
	assert_int_equal(w.n.count.unanswered, 1);
}

static void
long_lived(struct manifest *m)
{
	m->deadline = UINT32_MAX;
}

/*
 * The node was stopped, and jail's answer waits: time that has passed is not
 * silence before what came has been read.
 */
static void
test_slept(void **state)
{
	struct msg_J_STARTED s = {.slot = 1, .layers = 0x3ff};
	struct id32 id;

	(void)state;
	w.jail_silent = true;
	assert_int_equal(submit(1, 0x41, 1, long_lived, &id)->status, ST_OK);
	world_run(&w, 10);
	w.now = mono_add(w.now, 86400 * MONO_SECOND);
	w.run_ms = 0;
	world_run(&w, 1);
	s.job = id;
	finish_started(&w.n, &s);
	state_is(&id, "running", NULL);
	assert_int_equal(w.kills, 0);
	assert_int_equal(w.n.count.unanswered, 0);
}

/* Killed by its group, and jail never says that it ended: lost, for good. */
static void
test_kill(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	assert_int_equal(submit(1, 0x41, 1, retry, &id)->status, ST_OK);
	world_run(&w, 10);
	w.jail_deaf = true;
	assert_int_equal(about(1, PATH_CANCEL, &id)->status, ST_OK);
	world_run(&w, NODE_KILL_MS + NODE_JAIL_MS - 1000);
	state_is(&id, "running", NULL);
	assert_int_equal(w.kills, 1);
	world_run(&w, NODE_LATE_MS + 2000);
	/* cancelled: not queued again, whatever its retries */
	state_is(&id, "lost", "killed, and jail did not say how it ended");
	assert_int_equal(w.n.count.unanswered, 1);
	assert_int_equal(w.starts, 1);
	nothing_illegal();
}

/* While its group cannot be killed it is jail's, for as long as it takes. */
static void
test_kill_not_done(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	w.no_group_kill = true;
	assert_int_equal(submit(1, 0x41, 1, later, &id)->status, ST_OK);
	world_run(&w, 10);
	w.jail_deaf = true;
	assert_int_equal(about(1, PATH_CANCEL, &id)->status, ST_OK);
	world_run(&w, 2 * jail_ms(&id, 0));
	state_is(&id, "running", NULL);
	assert_int_equal(w.n.count.unanswered, 0);
}

/* A cancel is not forgotten with the jail that was to carry it out. */
static void
test_cancelled_jail_falls(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	assert_int_equal(submit(1, 0x41, 1, retry, &id)->status, ST_OK);
	world_run(&w, 10);
	w.jail_deaf = true;
	assert_int_equal(about(1, PATH_CANCEL, &id)->status, ST_OK);
	node_down(&w.n, PROGRAM_JAIL);
	state_is(&id, "lost", "the jail fell");
	assert_int_equal(w.starts, 1);
}

/* While the ledger cannot be written nothing is asked of jail. */
static void
test_ledger(void **state)
{
	struct id32 id;

	(void)state;
	w.jail_silent = true;
	assert_int_equal(submit(1, 0x41, 1, later, &id)->status, ST_OK);
	world_run(&w, 10);
	w.n.ledger_fails = true;
	world_run(&w, 4 * jail_ms(&id, 0));
	assert_int_equal(w.n.count.unanswered, 0);
	w.n.ledger_fails = false;
	world_run(&w, jail_ms(&id, 0));
	state_is(&id, "staging", NULL);
	world_run(&w, NODE_JAIL_MS + NODE_LATE_MS + 10);
	state_is(&id, "lost", NULL);
	assert_int_equal(w.n.count.unanswered, 1);
}

/* A step that is never done loses its outputs, not the job. */
static void
test_step(void **state)
{
	struct id32 id;

	(void)state;
	w.steps_silent = true;
	w.output_size = 10;
	assert_int_equal(submit(1, 0x41, 1, rw_volumes, &id)->status, ST_OK);
	put_tar();
	world_run(&w, 100);
	assert_int_equal(w.packs, 1);
	state_is(&id, "running", NULL);
	world_run(&w, JAIL_STEP_MS);
	state_is(&id, "running", NULL);
	world_run(&w, NODE_JAIL_MS + NODE_LATE_MS + 2000);
	state_is(&id, "done", "lost outputs: /v1: jail did not pack it");
	assert_int_equal(status(&id).outcome.kind, OUT_EXITED);
	assert_int_equal(w.n.count.unanswered, 1);
	assert_int_equal(w.events_seen[EVK_UNANSWERED], 1);
	assert_int_equal(w.running, 0);
	nothing_illegal();
}

/* A log that is hashed slowly is not jail's silence. */
static void
test_step_slow_log(void **state)
{
	struct id32 id;

	(void)state;
	w.seal_slow = true;
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	world_run(&w, 4 * JAIL_STEP_MS);
	state_is(&id, "running", NULL);
	assert_int_equal(w.n.count.unanswered, 0);
}

/* A slot that is not given back is nobody's, until jail does it or falls. */
static void
test_forget(void **state)
{
	struct msg_J_FORGOTTEN f = {.slot = 1};
	struct id32 first, id;

	(void)state;
	w.n.slots = 1;
	w.forgets_silent = true;
	assert_int_equal(submit(1, 0x41, 1, NULL, &first)->status, ST_OK);
	world_run(&w, 100);
	state_is(&first, "done", NULL);
	world_run(&w, JAIL_STEP_MS + NODE_JAIL_MS - 1000);
	assert_int_equal(w.n.count.unanswered, 0);
	world_run(&w, NODE_LATE_MS + 2000);
	assert_int_equal(w.n.count.unanswered, 1);
	assert_int_equal(w.events_seen[EVK_UNANSWERED], 1);
	assert_null(w.n.slot[1]);
	assert_true(w.n.ghost[1]);
	assert_int_equal(submit(1, 0x41, 2, retry, &id)->status, ST_OK);
	world_run(&w, 100);
	assert_int_equal(w.starts, 1);
	state_is(&id, "queued", "slots");
	/* said once */
	world_run(&w, 4000 * 1000);
	assert_int_equal(w.events_seen[EVK_UNANSWERED], 1);
	w.forgets_silent = false;
	memset(&w.running_id[1], 0, sizeof(w.running_id[1]));
	w.running--;
	f.job = first;
	finish_forgotten(&w.n, &f);
	world_run(&w, 100);
	state_is(&id, "done", NULL);
	nothing_illegal();
}

/* A word about an attempt that was given up is not one about the next. */
static void
test_late_words(void **state)
{
	struct msg_J_STARTED s = {.slot = 1, .layers = 0x3ff};
	struct msg_J_FORGOTTEN f = {.slot = 1};
	struct id32 id;

	(void)state;
	w.jail_silent = w.forgets_silent = true;
	assert_int_equal(submit(1, 0x41, 1, retry, &id)->status, ST_OK);
	world_run(&w, 10);
	world_run(&w, jail_ms(&id, 0) + NODE_JAIL_MS + NODE_LATE_MS + 10);
	state_is(&id, "queued", "slots"); /* lost, and its slot not free */
	assert_int_equal(w.starts, 1);
	/* as if jail had it no more: what the test's jail wants of a start */
	memset(&w.running_id[1], 0, sizeof(w.running_id[1]));
	w.running--;
	world_run(&w, JAIL_STEP_MS + NODE_JAIL_MS + NODE_LATE_MS + 1000);
	state_is(&id, "staging", NULL);
	assert_int_equal(job_find(&w.n.jobs, &id)->slot, 2);
	s.job = f.job = id;
	finish_started(&w.n, &s);
	state_is(&id, "staging", NULL);
	finish_forgotten(&w.n, &f);
	assert_false(w.n.ghost[1]);
	assert_int_equal(job_find(&w.n.jobs, &id)->slot, 2);
	s.slot = 2;
	finish_started(&w.n, &s);
	state_is(&id, "running", NULL);
}

/* A job that waits for a verdict which was lost is judged by the next. */
static void
test_verdict(void **state)
{
	const struct job *j;
	struct id32 id;

	(void)state;
	assert_int_equal(submit(1, 0x41, 1, rw_volumes, &id)->status, ST_OK);
	/* it is asked for at the job's turn, when the inputs are here */
	put_tar();
	w.trust_silent = true;
	w.n.verdict_gen++;
	world_run(&w, 5000);
	j = job_find(&w.n.jobs, &id);
	assert_string_equal(j->reason, "trust");
	w.asks = 0;
	w.trust_silent = false;
	world_run(&w, NODE_ASK_MS - 10000);
	assert_int_equal(w.asks, 0);
	assert_string_equal(j->reason, "trust");
	assert_int_equal(w.n.count.unanswered, 0);
	world_run(&w, 12000);
	assert_int_equal(w.asks, 1);
	assert_int_equal(w.n.count.unanswered, 1);
	assert_int_equal(w.events_seen[EVK_UNANSWERED], 1);
	state_is(&id, "done", NULL);
}

/* Who is not known is not answered; the reason begins so. */
static void
is_so(const struct id32 *id, enum job_state state, const char *reason)
{
	const struct job *j = job_find(&w.n.jobs, id);

	assert_int_equal(j->state, state);
	assert_memory_equal(j->reason, reason, strlen(reason));
}

/* Judged anew, of one whose binding does not hold: it sleeps, and says why. */
static const struct job *
unbound(struct id32 *id)
{
	assert_int_equal(submit(1, 0x41, 1, rw_volumes, id)->status, ST_OK);
	put_tar();
	w.verdict_status = VERDICT_NO_BINDING;
	w.n.verdict_gen++;
	world_run(&w, 5000);
	is_so(id, JS_QUEUED, "binding");
	assert_int_equal(w.starts, 0);
	return job_find(&w.n.jobs, id);
}

/* No binding holds: that is no answer, until there is one or an hour has gone. */
static void
test_unbound(void **state)
{
	uint64_t seq;
	struct id32 id;

	(void)state;
	seq = unbound(&id)->seq;
	world_run(&w, (TURN_UNBOUND_S - 20) * INT64_C(1000));
	is_so(&id, JS_QUEUED, "binding");
	/* told once, not with each look */
	assert_int_equal(job_find(&w.n.jobs, &id)->seq, seq);
	world_run(&w, 30 * 1000);
	is_so(&id, JS_REFUSED, "trust");
	assert_int_equal(w.starts, 0);
}

static void
test_bound_again(void **state)
{
	struct id32 id;

	(void)state;
	(void)unbound(&id);
	/* trust has fetched it */
	w.verdict_status = VERDICT_OK;
	node_verdicts_void(&w.n);
	world_run(&w, 3000);
	is_so(&id, JS_DONE, "");
}

/* Others are answers: a level that is too low, a key that is revoked. */
static void
test_unbound_refused(void **state)
{
	struct id32 id;

	(void)state;
	(void)unbound(&id);
	w.verdict_status = VERDICT_OK;
	w.level = -1;
	node_verdicts_void(&w.n);
	world_run(&w, 3000);
	is_so(&id, JS_REFUSED, "trust");
	assert_int_equal(w.starts, 0);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_run), T(test_run_cancelled), T(test_slept), T(test_ledger),
	    T(test_kill), T(test_kill_not_done), T(test_cancelled_jail_falls),
	    T(test_step),
	    T(test_step_slow_log), T(test_forget), T(test_late_words),
	    T(test_verdict), T(test_unbound),
	    T(test_bound_again), T(test_unbound_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
