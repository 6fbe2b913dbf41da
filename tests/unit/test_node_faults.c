/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/nodekit.h"
#include "node/work/found.h"
#include "node/work/ready.h"
#include "transport/core/base/crypt.h"

static void
test_jail_says_no(void **state)
{
	struct id32 id;

	(void)state;
	w.fail_code = "volume";
	(void)submit(1, 0x41, 1, NULL, &id);
	world_run(&w, 50);
	state_is(&id, "refused", "volume: because");
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_NOT_FOUND);
	w.fail_code = "internal";
	(void)submit(1, 0x41, 2, NULL, &id);
	world_run(&w, 50);
	state_is(&id, "lost", NULL);
	assert_int_equal(w.running, 0);
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_OK);
}

/* Time enough for all that wait before it. */
static void
later(struct manifest *m)
{
	m->deadline += 86400;
}

/* Jail says how a job has ended. */
static void
jail_ends(const struct id32 *id, uint8_t how, int32_t code, uint64_t ran_ms)
{
	struct msg_J_EXITED x = {.how = how, .code = code, .ran_ms = ran_ms};

	x.job = *id;
	finish_exited(&w.n, &x);
}

static void
retry(struct manifest *m)
{
	m->retries = 1;
	m->has |= HAS_RETRIES;
}

/* A jail that does not kill is overtaken, once, through the group. */
static void
test_kill_overtakes(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	world_run(&w, 5);
	state_is(&id, "running", NULL);
	w.jail_deaf = true;
	assert_int_equal(about(1, PATH_CANCEL, &id)->status, ST_OK);
	world_run(&w, NODE_KILL_MS - 100);
	assert_int_equal(w.kills, 0);
	world_run(&w, 10000);
	assert_int_equal(w.kills, 1);
	assert_true(job_find(&w.n.jobs, &id)->group_killed);
}

/* A kill that was not done is not said to be: the job is jail's still. */
static void
test_kill_not_done(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	w.no_group_kill = true;
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	world_run(&w, 5);
	w.jail_deaf = true;
	assert_int_equal(about(1, PATH_CANCEL, &id)->status, ST_OK);
	world_run(&w, NODE_KILL_MS + 10000);
	assert_int_equal(w.kills, 1);
	assert_false(job_find(&w.n.jobs, &id)->group_killed);
	state_is(&id, "running", NULL);
}

static void
test_restart(void **state)
{
	struct id32 queued, running, gone, done;

	(void)state;
	(void)submit(1, 0x41, 1, NULL, &done);
	world_run(&w, 100);
	w.run_ms = 60000;
	(void)submit(1, 0x41, 2, NULL, &running);
	(void)submit(1, 0x41, 3, retry, &gone);
	(void)submit(1, 0x41, 4, with_volumes, &queued);
	world_run(&w, 10);
	state_is(&gone, "running", NULL);
	/* node falls; one of its jobs is gone with a jail that forgot it */
	world_restart(&w);
	for (unsigned i = 1; i <= 2; i++) {
		if (id32_eq(&w.running_id[i], &gone)) {
			memset(&w.running_id[i], 0, sizeof(w.running_id[i]));
			w.running--;
		}
	}
	world_up(&w, 2);
	world_link(&w, 1, 0);
	world_identify(&w, 1, 0x41);
	world_run(&w, 20);
	/* what its module took to compile is not lost with the node */
	assert_int_equal(job_find(&w.n.jobs, &running)->compile_ms, 700);
	state_is(&queued, "queued", "inputs");
	state_is(&running, "running", NULL);
	state_is(&done, "done", NULL);
	assert_int_equal(about(1, PATH_RESULT, &done)->status, ST_OK);
	/* lost, and with its retry queued and started again */
	assert_int_equal(status(&gone).attempts, 2);
	state_is(&gone, "running", NULL);
	assert_true(status(&gone).seq >= 6);
	world_run(&w, 61000);
	state_is(&running, "done", NULL);
	state_is(&gone, "done", NULL);
	assert_int_equal(status(&running).attempts, 1);
}

/* The node falls once more, and comes back to its jail. */
static void
back(void)
{
	world_restart(&w);
	world_up(&w, 2);
	world_link(&w, 1, 0);
	world_identify(&w, 1, 0x41);
}

/* What is being built when the node falls is neither lost nor started again. */
static void
test_restart_staging(void **state)
{
	struct msg_J_STARTED s = {.slot = 1, .layers = 0x3ff};
	struct id32 id;

	(void)state;
	w.jail_silent = true;
	(void)submit(1, 0x41, 1, retry, &id);
	world_run(&w, 10);
	state_is(&id, "staging", NULL);
	back();
	world_run(&w, 10);
	state_is(&id, "staging", NULL);
	assert_int_equal(w.starts, 1);
	s.job = id;
	finish_started(&w.n, &s);
	state_is(&id, "running", NULL);
	assert_int_equal(status(&id).attempts, 1);
	/* one that was cancelled meanwhile is told again, and ends as that */
	(void)submit(1, 0x41, 2, NULL, &id);
	world_run(&w, 10);
	w.killed_for[job_find(&w.n.jobs, &id)->slot] = KILL_CANCELLED;
	back();
	world_run(&w, 100);
	state_is(&id, "cancelled", "submitter");
}

/* A kill that was said belongs to the job, whoever sees its end. */
static void
test_restart_killed(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	(void)submit(1, 0x41, 1, NULL, &id);
	world_run(&w, 10);
	assert_int_equal(about(1, PATH_CANCEL, &id)->status, ST_OK);
	back();
	world_run(&w, 100);
	killed_by(&id, "cancelled");
}

/* The time of an attempt is jail's: a clock that jumps says nothing of it. */
static void
test_restart_clock(void **state)
{
	static const int64_t jumps[] = {86400, -86400};
	struct id32 id;

	(void)state;
	for (uint8_t i = 0; i < NELEM(jumps); i++) {
		w.run_ms = 50000;
		(void)submit(1, 0x41, i, later, &id);
		world_run(&w, 20000);
		w.wall_us += jumps[i] * 1000000;
		back();
		world_run(&w, 20000);
		state_is(&id, "running", NULL);
		world_run(&w, 11000);
		state_is(&id, "done", NULL);
		assert_in_range(job_find(&w.n.jobs, &id)->wall_ms, 50000,
		    50010);
	}
	/* asleep for longer than its time: jail has ended it, for that */
	w.run_ms = 0;
	w.jail_deaf = true;
	(void)submit(1, 0x41, 9, NULL, &id);
	world_run(&w, 10);
	w.now.us += INT64_C(3) * 86400 * 1000000;
	w.wall_us += INT64_C(3) * 86400 * 1000000;
	world_run(&w, 0);
	assert_int_equal(job_find(&w.n.jobs, &id)->kill, KILL_DEADLINE);
	jail_ends(&id, EXIT_JAIL_TIME, 9, 70000);
	world_run(&w, 100);
	assert_int_equal(job_find(&w.n.jobs, &id)->code, KILL_TIME);
	assert_int_equal(job_find(&w.n.jobs, &id)->wall_ms, 70000);
}

/* The log of a job is hashed later than it is packed. */
static void
test_slow_log(void **state)
{
	struct id32 id, lost;

	(void)state;
	w.seal_slow = true;
	(void)submit(1, 0x41, 1, NULL, &id);
	world_run(&w, 5000);
	state_is(&id, "running", NULL);
	assert_int_equal(w.receipts, 0);
	memset(job_find(&w.n.jobs, &id)->log_sha, 0x33, 64);
	node_log_sealed(&w.n, job_find(&w.n.jobs, &id));
	world_run(&w, 10);
	state_is(&id, "done", NULL);
	assert_int_equal(w.receipts, 1);
	/* of one that is lost, by the life after */
	w.run_ms = 0;
	(void)submit(1, 0x41, 2, NULL, &lost);
	world_run(&w, 10);
	node_down(&w.n, PROGRAM_JAIL);
	memset(w.running_id, 0, sizeof(w.running_id));
	world_run(&w, 60000);
	assert_int_equal(w.receipts, 1);
	w.seal_slow = false;
	back();
	world_run(&w, 10);
	state_is(&lost, "lost", NULL);
	assert_int_equal(about(1, PATH_RESULT, &lost)->status, ST_OK);
}

static void
test_jail_falls(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	(void)submit(1, 0x41, 1, NULL, &id);
	world_run(&w, 10);
	node_down(&w.n, PROGRAM_JAIL);
	memset(w.running_id, 0, sizeof(w.running_id));
	state_is(&id, "lost", "the jail fell");
	assert_false(node_accepting(&w.n));
	world_up(&w, 2);
	assert_true(node_accepting(&w.n));
	world_link(&w, 1, 0);
	world_identify(&w, 1, 0x41);
	world_run(&w, 1);
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_OK);
}

/* Keys or audit that do not answer hold nothing up for long. */
static void
test_silent_siblings(void **state)
{
	struct id32 id;

	(void)state;
	w.keys_silent = w.audit_silent = true;
	(void)submit(1, 0x41, 1, NULL, &id);
	world_run(&w, 4000);
	state_is(&id, "done", NULL);
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_NOT_YET);
	w.keys_silent = false;
	world_run(&w, NODE_RECEIPT_S * 1000);
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_OK);

	/* a trail that does not answer costs its time and no more */
	(void)submit(1, 0x41, 2, NULL, &id);
	world_run(&w, NODE_TRAIL_MS + 500);
	state_is(&id, "done", NULL);
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_OK);
}

static void
test_others(void **state)
{
	struct id32 id;
	struct proto_list *l = malloc(sizeof(*l));
	struct proto_req q = {.path = PATH_LIST, .n = 2};
	unsigned n = 0;

	(void)state;
	assert_non_null(l);
	for (uint8_t i = 1; i <= 5; i++)
		(void)submit(1, 0x41, i, later, &id);
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x42);
	assert_int_equal(about(2, PATH_STATUS, &id)->status, ST_NOT_FOUND);
	assert_int_equal(about(2, PATH_CANCEL, &id)->status, ST_NOT_FOUND);
	assert_true(proto_get_list(l, world_call(&w, 2, &q)));
	assert_int_equal(l->njobs, 0);
	assert_false(l->has_next);
	do {
		assert_true(proto_get_list(l, world_call(&w, 1, &q)));
		n += (unsigned)l->njobs;
		q.after = l->next;
	} while (l->has_next);
	assert_int_equal(n, 5);
	free(l);
}

static void
test_follow_rules(void **state)
{
	struct id32 id, other;
	struct proto_req q = {.path = PATH_FOLLOW, .id = id.b, .stream = 1,
	    .offset = 5};
	struct msg_T_FOLLOW_END end = {.link = {{1}}, .stream = 1};
	uint64_t o;

	(void)state;
	w.run_ms = 0;
	w.prints = 100;
	(void)submit(1, 0x41, 1, NULL, &id);
	(void)submit(1, 0x41, 2, NULL, &other);
	world_run(&w, 10);
	assert_true(proto_get_offset(&o, world_call(&w, 1, &q)));
	assert_int_equal(o, 5);
	q.offset = 50;
	assert_true(proto_get_offset(&o, world_call(&w, 1, &q)));
	assert_int_equal(o, 5);
	assert_int_equal(w.follows, 1);
	q.id = other.b;
	assert_int_equal(world_call(&w, 1, &q)->status, ST_BUSY);
	node_follow_end(&w.n, &end);
	q.offset = 1000;
	assert_true(proto_get_offset(&o, world_call(&w, 1, &q)));
	assert_int_equal(o, 100);
	assert_int_equal(w.follows, 2);
}

/* An answer that was lost: the bytes do not come a second time. */
static void
test_follow_repeated(void **state)
{
	struct id32 id, other;
	struct proto_req q = {.path = PATH_FOLLOW, .id = id.b, .stream = 1,
	    .offset = 7};
	struct msg_T_FOLLOW_END end = {.link = {{1}}, .stream = 1};
	uint64_t o;

	(void)state;
	w.run_ms = 50;
	w.prints = 100;
	(void)submit(1, 0x41, 1, NULL, &id);
	(void)submit(1, 0x41, 2, NULL, &other);
	assert_true(proto_get_offset(&o, world_call(&w, 1, &q)));
	assert_int_equal(w.follows, 1);
	world_run(&w, 500);
	node_follow_end(&w.n, &end);
	for (int i = 0; i < 2; i++) {
		uint64_t again;

		assert_true(proto_get_offset(&again, world_call(&w, 1, &q)));
		assert_int_equal(again, o);
		assert_int_equal(w.follows, 1);
	}
	/* another place, another job, another link: another follow */
	q.offset = 8;
	assert_true(proto_get_offset(&o, world_call(&w, 1, &q)));
	assert_int_equal(w.follows, 2);
	node_follow_end(&w.n, &end);
	q.id = other.b;
	assert_true(proto_get_offset(&o, world_call(&w, 1, &q)));
	assert_int_equal(w.follows, 3);
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x41);
	assert_true(proto_get_offset(&o, world_call(&w, 2, &q)));
	assert_int_equal(w.follows, 4);
}

static void
test_links(void **state)
{
	(void)state;
	for (uint8_t i = 10; i < 10 + NODE_IDLE_CALLERS; i++)
		world_link(&w, i, 0);
	assert_int_equal(w.closes, 0);
	world_link(&w, 200, 0);
	assert_int_equal(w.closes, 1);
	assert_int_equal(w.last_closed.b[0], 10);
	/* one asks, one identifies: those stay */
	(void)world_call(&w, 11, &(struct proto_req){.path = PATH_DESCRIBE});
	world_identify(&w, 12, 0x50);
	world_run(&w, 61000);
	assert_int_equal(w.n.nidle, 0);
	assert_non_null(caller_find(&w.n, &(struct hash16){{11}}));
	assert_non_null(caller_find(&w.n, &(struct hash16){{12}}));
	assert_null(caller_find(&w.n, &(struct hash16){{13}}));
}

static void
test_pinned_out(void **state)
{
	static const struct policy_pin pins[] = {
	    {true, {{0x60}}, -2}, {true, {{0x61}}, -3}, {false, {{0x41}}, -3}};
	struct id32 id, waiting;

	(void)state;
	w.run_ms = 0;
	(void)submit(1, 0x41, 1, NULL, &id);
	(void)submit(1, 0x41, 2, with_volumes, &waiting);
	world_run(&w, 5);
	w.n.policy.pins = pins;
	w.n.policy.npins = NELEM(pins);
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x60);
	assert_int_equal(w.closes, 1);
	assert_int_equal(w.blackholes, 0);
	world_link(&w, 3, 0);
	world_identify(&w, 3, 0x61);
	assert_int_equal(w.closes, 2);
	assert_int_equal(w.blackholes, 1);
	/* by its key: once trust has told which that is */
	peers_changed(&w.n);
	world_run(&w, 10);
	assert_int_equal(job_find(&w.n.jobs, &waiting)->state, JS_CANCELLED);
	assert_int_equal(job_find(&w.n.jobs, &id)->state, JS_DONE);
	assert_int_equal(job_find(&w.n.jobs, &id)->code, KILL_OPERATOR);
	assert_int_equal(w.blackholes, 2);
}

static void
test_revoked(void **state)
{
	struct id32 id, waiting;

	(void)state;
	w.run_ms = 0;
	(void)submit(1, 0x41, 1, NULL, &id);
	(void)submit(1, 0x41, 2, with_volumes, &waiting);
	world_run(&w, 5);
	w.verdict_status = VERDICT_REVOKED;
	peers_changed(&w.n);
	world_run(&w, 10);
	assert_int_equal(job_find(&w.n.jobs, &waiting)->state, JS_REFUSED);
	assert_int_equal(job_find(&w.n.jobs, &id)->code, KILL_REVOKED);
}

static void
test_challenge(void **state)
{
	uint8_t n1[32] = {7}, n2[32] = {8};
	struct proto_req q = {.path = PATH_CHALLENGE, .nonce = n1};
	struct proto_challenge c;

	(void)state;
	world_link(&w, 2, 0);
	assert_true(proto_get_challenge(&c, world_call(&w, 2, &q)));
	assert_int_equal(c.s[0], 7);
	/* the same again is answered alike, another is refused */
	assert_true(proto_get_challenge(&c, world_call(&w, 2, &q)));
	q.nonce = n2;
	refused(world_call(&w, 2, &q), "binding", 0);
}

static void
test_expiry(void **state)
{
	struct id32 id;

	(void)state;
	(void)submit(1, 0x41, 1, NULL, &id);
	world_run(&w, 100);
	w.n.policy.keep_results_s = 600;
	world_run(&w, 700 * 1000);
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_GONE);
	assert_int_equal(about(1, PATH_LOG, &id)->status, ST_GONE);
	state_is(&id, "done", NULL);
	/* its nonce is remembered until not_after, whatever has expired */
	world_run(&w, 2000 * INT64_C(1000));
	assert_non_null(job_find(&w.n.jobs, &id));
	world_run(&w, 1200 * INT64_C(1000));
	assert_null(job_find(&w.n.jobs, &id));
}

/* What submit and describe say while the node takes no job. */
static void
full(const char *why, uint8_t nonce)
{
	struct proto_req q = {.path = PATH_DESCRIBE};
	static struct proto_describe d;
	struct proto_ans *a;
	struct id32 id;

	a = submit(1, 0x41, nonce, NULL, &id);
	refused(a, "not_accepting", 1);
	assert_true(pstr_is(a->meta.why, why));
	assert_true(a->meta.has_s && a->meta.s >= 1);
	assert_true(proto_get_describe(&d, world_call(&w, 1, &q)));
	assert_false(d.accepting);
	assert_true(pstr_is(d.why, why));
}

static void
test_full_disk(void **state)
{
	struct proto_req q = {.path = PATH_BLOB_PUT, .digest = tar_sha.b,
	    .n = sizeof(tar), .body = {tar, sizeof(tar)}};
	struct proto_ans *a;
	struct id32 id;

	(void)state;
	(void)submit(1, 0x41, 1, with_volumes, &id);
	world_run(&w, 6000);
	w.disk_free = 0;
	a = world_call(&w, 1, &q);
	assert_int_equal(a->status, ST_BUSY);
	assert_true(pstr_is(a->meta.code, "disk"));
	/* no job is taken then, and everybody hears why: at once */
	full("the disk of the node is full", 3);
	world_run(&w, 10000);
	assert_false(w.last_accepting);
	assert_int_equal(w.events_seen[EVK_DISK_LOW], 2);
	/* it heals by itself, but not at the first byte */
	w.disk_free = 4096;
	full("the disk of the node is full", 4);
	w.disk_free = 1 << 20;
	w.n.ledger_fails = true;
	full("the node cannot write its ledger: its disk may be full", 5);
	/* what ails the disk is said before what cannot be written on it */
	w.disk_free = 0;
	full("the disk of the node is full", 5);
	w.disk_readonly = true;
	full("the disk of the node is read-only", 5);
	w.disk_free = 1 << 20;
	w.disk_readonly = false;
	w.n.ledger_fails = false;
	world_run(&w, 10000);
	assert_true(w.last_accepting);
	assert_true(node_accepting(&w.n));
	assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
	world_run(&w, 100);
	state_is(&id, "done", NULL);
	assert_int_equal(submit(1, 0x41, 6, NULL, &id)->status, ST_OK);
}

/* A fill that takes the room below the reserve is ended, within a second. */
static void
test_fill_reserve(void **state)
{
	struct id32 id, again;

	(void)state;
	w.jail_silent = true;
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	assert_int_equal(submit(1, 0x41, 2, retry, &again)->status, ST_OK);
	world_run(&w, 5000);
	state_is(&id, "staging", NULL);
	state_is(&again, "staging", NULL);
	w.disk_free = 0;
	world_run(&w, NODE_FILL_S * 1000 + 100);
	state_is(&id, "lost", "resources: free space fell below the reserve "
	    "while its volumes were filled");
	state_is(&again, "queued", "resources");
	assert_int_equal(w.events_seen[EVK_DISK_LOW], 2);
	assert_int_equal(w.running, 0);
	/* and starts when there is room again */
	w.jail_silent = false;
	w.disk_free = 1 << 20;
	world_run(&w, 61000);
	state_is(&again, "done", NULL);
	assert_int_equal(status(&again).attempts, 2);
	assert_int_equal(w.n.count.edges, 0);
	assert_int_equal(w.n.jobs.edges, 0);
}

static void
test_full_trail(void **state)
{
	struct id32 id, other;

	(void)state;
	w.run_ms = 0;
	w.audit_full = true;
	/* the first one tells: it is admitted, and is seen through */
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	world_run(&w, 100);
	assert_false(node_accepting(&w.n));
	refused(submit(1, 0x41, 2, NULL, &other), "not_accepting", 1);
	state_is(&id, "running", NULL);
	w.audit_full = false;
	for (int i = 0; i < 3; i++, world_run(&w, 4000))
		node_disk(&w.n); /* who looks puts nothing off */
	assert_true(node_accepting(&w.n));
	assert_int_equal(submit(1, 0x41, 3, NULL, &other)->status, ST_OK);
}

static void
test_stop(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	(void)submit(1, 0x41, 1, NULL, &id);
	world_run(&w, 5);
	node_stop(&w.n);
	state_is(&id, "lost", "the node was stopped");
	refused(submit(1, 0x41, 2, NULL, &id), "not_accepting", 1);
}

static void
announced(unsigned n, bool accepting, int64_t ago_ms)
{
	assert_int_equal(w.announces, n);
	assert_int_equal(w.last_accepting, accepting);
	assert_int_equal(mono_sub(w.now, w.last_announce) / 1000, ago_ms);
}

static void
test_announce(void **state)
{
	(void)state;
	world_run(&w, 1000);
	assert_int_equal(w.announces, 1);
	assert_true(w.last_accepting);
	world_run(&w, mono_sub(w.n.announce_at, w.now) / 1000 + 1);
	announced(2, true, 1);
	/* a change is announced once it stands */
	node_down(&w.n, PROGRAM_TRUST);
	world_run(&w, 6000);
	assert_int_equal(w.announces, 3);
	assert_false(w.last_accepting);
	node_up(&w.n, PROGRAM_TRUST);
	world_run(&w, 6000);
	assert_int_equal(w.announces, 4);
	assert_true(w.last_accepting);
	/* what is over again is not */
	world_run(&w, 60000);
	node_down(&w.n, PROGRAM_TRUST);
	world_run(&w, 500);
	node_up(&w.n, PROGRAM_TRUST);
	world_run(&w, 60000);
	assert_int_equal(w.announces, 4);
	/* however often it changes, one in five seconds */
	for (int i = 0; i < 15; i++) {
		node_down(&w.n, PROGRAM_TRUST);
		world_run(&w, 1500);
		node_up(&w.n, PROGRAM_TRUST);
		world_run(&w, 1500);
	}
	assert_in_range(w.announces, 5, 4 + 10);
	world_run(&w, 6000);
	assert_true(w.last_accepting);
	/* the end is not waited for */
	node_stop(&w.n);
	world_run(&w, 1);
	assert_false(w.last_accepting);
}

/*
 * The first one waits for what it states, and for a second of its own: another
 * life of this node may have announced itself in this one.
 */
static void
test_first_announce(void **state)
{
	struct msg_J_POSTURE p = {.layers = 0x3ff, .slots = 2};
	struct msg_T_HELLO h = {.dest = {{9}}};

	(void)state;
	world_restart(&w);
	w.announces = 0;
	for (int i = PROGRAM_TRANSPORT; i < PROGRAM_COUNT; i++) {
		if (i != PROGRAM_TRUST)
			node_up(&w.n, (enum program)i);
	}
	node_hello(&w.n, &h);
	world_run(&w, 3000);
	w.n.has_binding = true;
	world_run(&w, 1000);
	found_posture(&w.n, &p);
	world_run(&w, 1000);
	assert_int_equal(w.announces, 0);
	node_up(&w.n, PROGRAM_TRUST);
	world_run(&w, 1);
	announced(1, true, 1);
	/* all is there in the second of the start */
	world_restart(&w);
	w.announces = 0;
	w.now.us += 1000000 - w.wall_us % 1000000 + 100000;
	w.wall_us += 1000000 - w.wall_us % 1000000 + 100000;
	node_time(&w.n, w.now, w.wall_us);
	w.n.announced_unix = unix_now();
	world_up(&w, 2);
	world_run(&w, 899);
	assert_int_equal(w.announces, 0);
	world_run(&w, 2);
	announced(1, true, 1);
	/* what does not come is not waited for */
	world_restart(&w);
	w.announces = 0;
	node_up(&w.n, PROGRAM_TRANSPORT);
	node_hello(&w.n, &h);
	world_run(&w, 9999);
	assert_int_equal(w.announces, 0);
	world_run(&w, 2);
	announced(1, false, 1);
	world_up(&w, 2);
	world_run(&w, 5500);
	assert_int_equal(w.announces, 2);
	assert_true(w.last_accepting);
}

/* Many jobs of two owners over a week: every one ends, each ran once. */
static void
test_week(void **state)
{
	struct id32 id;
	unsigned admitted = 0;

	(void)state;
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x42);
	w.n.policy.keep_results_s = 86400;
	for (unsigned i = 0; i < 60; i++) {
		uint8_t who = i % 2 != 0 ? 1 : 2;
		struct proto_ans *a = submit(who, who == 1 ? 0x41 : 0x42,
		    (uint8_t)(i + 1), i % 5 == 0 ? review : NULL, &id);

		if (a != NULL && a->status == ST_OK)
			admitted++;
		w.run_ms = 1000 * (i % 7 + 1);
		world_run(&w, (int64_t)(i % 3) * 3600 * 1000 + 500);
		assert_true(w.running <= 2);
	}
	world_run(&w, INT64_C(7) * 86400 * 1000);
	assert_true(admitted >= 50);
	assert_true(TAILQ_EMPTY(&w.n.jobs.live));
	assert_int_equal(w.n.count.edges, 0);
	assert_int_equal(w.n.jobs.edges, 0);
	assert_int_equal(w.running, 0);
	assert_int_equal(w.n.jobs.count, 0);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_jail_says_no),
	    T(test_kill_overtakes), T(test_kill_not_done),
	    T(test_restart),
	    T(test_restart_staging), T(test_restart_killed),
	    T(test_restart_clock), T(test_slow_log), T(test_jail_falls),
	    T(test_silent_siblings),
	    T(test_others),
	    T(test_follow_rules),
	    T(test_follow_repeated),
	    T(test_links),
	    T(test_pinned_out),
	    T(test_revoked),
	    T(test_challenge),
	    T(test_expiry),
	    T(test_full_disk),
	    T(test_fill_reserve),
	    T(test_full_trail),
	    T(test_stop),
	    T(test_announce),
	    T(test_first_announce),
	    T(test_week),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
