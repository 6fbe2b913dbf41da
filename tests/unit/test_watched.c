/* SPDX-License-Identifier: BSD-2-Clause */
/* Jobs under the probes of audit, as node has them. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/layers.h"
#include "node/work/finish.h"
#include "node/work/node.h"
#include "node/work/seen.h"
#include "node/work/watched.h"
#include "tests/unit/nodekit.h"
#include "trust/doc/contract.h"

static void
probes(bool there)
{
	struct msg_W_POSTURE m = {.layers = there ? LAYER_BPF : 0};

	(void)snprintf(m.missing, sizeof(m.missing), "%s", there ? "" :
	    "no root");
	watched_posture(&w.n, &m);
}

static void
flag(const struct id32 *id, uint8_t does, uint8_t rule)
{
	struct msg_W_FLAG m = {.job = *id, .does = does, .rule = rule,
	    .name = "x"};

	watched_flag(&w.n, &m);
	world_run(&w, 100);
}

static struct job *
begun(uint8_t nonce, struct id32 *id, int64_t run_ms)
{
	w.run_ms = run_ms;
	assert_int_equal(submit(1, 0x41, nonce, NULL, id)->status, ST_OK);
	world_run(&w, 50);
	return job_find(&w.n.jobs, id);
}

/* J_RUN waits for audit, the receipt for what was seen. */
static void
test_order(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	probes(true);
	assert_true((w.n.layers & LAYER_BPF) != 0);
	w.watch_silent = true;
	j = begun(1, &id, 200);
	assert_int_equal(w.starts, 0);
	state_is(&id, "staging", NULL);
	watched_ready(&w.n, &(struct msg_W_READY){.job = id, .ok = true});
	w.watch_silent = false;
	world_run(&w, 100);
	assert_int_equal(w.starts, 1);
	state_is(&id, "running", NULL);
	assert_true((j->layers & LAYER_BPF) != 0);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	assert_int_equal(w.overs, 1);
	assert_int_equal(w.last_receipt.bpf_events, 5);
	assert_int_equal(w.last_receipt.bpf_lost, 1);
	assert_true((w.last_receipt.layers & LAYER_BPF) != 0);
}

/* An audit that says nothing holds up a job for a while and no longer. */
static void
test_silent(void **state)
{
	struct id32 id;

	(void)state;
	probes(true);
	w.watch_silent = true;
	(void)begun(1, &id, 200);
	world_run(&w, SEEN_WAIT_MS + 100);
	assert_int_equal(w.starts, 1);
	world_run(&w, SEEN_WAIT_MS + 2000);
	state_is(&id, "done", NULL);
	assert_int_equal(w.last_receipt.layers & LAYER_BPF, 0);
}

static void
test_refused(void **state)
{
	struct id32 id;

	(void)state;
	probes(true);
	w.watch_refuses = true;
	(void)begun(1, &id, 100);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	assert_int_equal(w.last_receipt.layers & LAYER_BPF, 0);
	/* where each job must be watched it does not run */
	w.n.policy.required |= LAYER_BPF;
	(void)begun(2, &id, 100);
	world_run(&w, 1000);
	assert_int_equal(w.starts, 1);
	state_is(&id, "refused", "posture: bpf: warren-audit cannot watch it");
	/* and where nothing can be watched none is taken */
	probes(false);
	refused(submit(1, 0x41, 3, NULL, &id), "posture", 1);
	assert_non_null(strstr(w.n.missing, "no root"));
}

/* By counters alone: said to audit, and no receipt says that it was watched. */
static void
test_counters(void **state)
{
	struct msg_W_POSTURE m = {.layers = 0, .missing = "no BTF",
	    .by = "by counters; not seen: write_proc"};
	struct id32 id;

	(void)state;
	w.n.jail_layers |= LAYER_MEMORY | LAYER_CPU | LAYER_PIDS;
	watched_posture(&w.n, &m);
	assert_int_equal(w.n.layers & LAYER_BPF, 0);
	assert_non_null(strstr(w.n.missing, "bpf: no BTF"));
	assert_string_equal(w.n.watch_by, m.by);
	w.watch_silent = true;
	(void)begun(1, &id, 200);
	assert_int_equal(w.starts, 0);
	w.watch_silent = false;
	watched_ready(&w.n, &(struct msg_W_READY){.job = id, .ok = true});
	world_run(&w, 1000);
	assert_int_equal(w.starts, 1);
	state_is(&id, "done", NULL);
	assert_int_equal(w.overs, 1);
	assert_int_equal(w.last_receipt.layers & LAYER_BPF, 0);
	/* what does not count is not seen either */
	w.n.jail_layers = LAYER_CPU;
	watched_layers(&w.n);
	assert_string_equal(w.n.watch_by, "by counters; not seen: write_proc "
	    "out_of_memory fork_refused");
	w.n.jail_layers = 0;
	watched_layers(&w.n);
	assert_non_null(strstr(w.n.watch_by, " cpu_burst"));
	probes(true);
	assert_string_equal(w.n.watch_by, "");
	watched_down(&w.n);
	assert_string_equal(w.n.watch_by, "");
}

/* Audit falls: what waits goes on, and no receipt says what was not so. */
static void
test_down(void **state)
{
	struct id32 id, other;

	(void)state;
	probes(true);
	(void)begun(1, &id, 3000);
	state_is(&id, "running", NULL);
	w.watch_silent = true;
	(void)begun(2, &other, 500);
	state_is(&other, "staging", NULL);
	node_down(&w.n, PROGRAM_AUDIT);
	world_run(&w, 100);
	state_is(&other, "running", NULL);
	node_up(&w.n, PROGRAM_AUDIT);
	w.watch_silent = false;
	probes(true);
	world_run(&w, 100);
	assert_int_equal(w.watches, 2);
	world_run(&w, 5000);
	state_is(&id, "done", NULL);
	state_is(&other, "done", NULL);
	assert_int_equal(w.last_receipt.layers & LAYER_BPF, 0);
}

static void
test_kill(void **state)
{
	struct id32 id, other;
	struct job *j;

	(void)state;
	probes(true);
	/* numbers of contracts are not audit's to give */
	j = begun(1, &id, 500);
	flag(&id, WATCH_KILL, RULE_DISK_EXEC);
	assert_int_equal(j->kill, 0);
	assert_int_equal(w.n.count.edges, 1);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	j = begun(2, &id, 60000);
	flag(&id, WATCH_KILL, (uint8_t)contract_watch_rule("write_boot"));
	world_run(&w, 1000);
	assert_int_equal(j->code, KILL_VIOLATION | 34 << 8);
	killed_by(&id, "violation:write_boot");
	/* it counts against who sent it */
	refused(submit(1, 0x41, 3, NULL, &other), "trust", 5);
	/* and one that is over, or unknown, is left alone */
	flag(&id, WATCH_KILL, RULE_WATCH);
	id.b[0] ^= 1;
	flag(&id, WATCH_KILL, RULE_WATCH);
	assert_int_equal(w.n.count.edges, 3);
}

/* Killed while its J_RUN waits: jail hears both, in this order. */
static void
test_kill_before(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	probes(true);
	w.watch_silent = true;
	j = begun(1, &id, 60000);
	finish_kill(&w.n, j, KILL_OPERATOR);
	world_run(&w, 100);
	assert_int_equal(w.starts, 0);
	watched_ready(&w.n, &(struct msg_W_READY){.job = id, .ok = true});
	assert_int_equal(w.starts, 1);
	/* a start forgets what was said before it */
	assert_int_equal(w.killed_for[j->slot], KILL_OPERATOR);
}

/* Not every job ends for an audit that is not itself. */
static void
test_bounded(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	probes(true);
	w.n.watch_hour = mono_add(w.n.now, 3600 * MONO_SECOND);
	w.n.watch_kills = WATCHED_KILLS_HOUR;
	j = begun(1, &id, 500);
	flag(&id, WATCH_KILL, RULE_WATCH);
	assert_int_equal(j->kill, 0);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
}

static void
test_freeze(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	probes(true);
	j = begun(1, &id, 60000);
	flag(&id, WATCH_FREEZE, RULE_WATCH_LAST);
	assert_true(j->frozen);
	/* lending does not let it go on */
	w.n.lend_at = w.n.now;
	world_run(&w, 1000);
	assert_true(j->frozen);
	world_run(&w, WATCHED_FREEZE_S * INT64_C(1000));
	assert_false(j->frozen);
	/* it may have broken it before node knows that it runs */
	w.run_ms = 60000;
	assert_int_equal(submit(1, 0x41, 2, NULL, &id)->status, ST_OK);
	j = job_find(&w.n.jobs, &id);
	for (int i = 0; i < 50 && j->phase != PHASE_FILLING; i++)
		world_run(&w, 1);
	assert_int_equal(j->phase, PHASE_FILLING);
	watched_flag(&w.n, &(struct msg_W_FLAG){.job = id,
	    .does = WATCH_FREEZE, .rule = RULE_WATCH_LAST, .name = "x"});
	assert_false(j->frozen);
	world_run(&w, 100);
	assert_int_equal(j->phase, PHASE_RUNNING);
	assert_true(j->frozen);
	/* a kill that comes so early finds it too, however quick it is */
	world_run(&w, WATCHED_FREEZE_S * INT64_C(1000) + 60000);
	w.run_ms = 1;
	assert_int_equal(submit(1, 0x41, 3, NULL, &id)->status, ST_OK);
	j = job_find(&w.n.jobs, &id);
	for (int i = 0; i < 50 && j->phase != PHASE_FILLING; i++)
		world_run(&w, 1);
	watched_flag(&w.n, &(struct msg_W_FLAG){.job = id,
	    .does = WATCH_KILL, .rule = RULE_WATCH, .name = "x"});
	world_run(&w, 3000);
	assert_int_equal(j->code, KILL_VIOLATION | RULE_WATCH << 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_order, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_silent, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_counters, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_down, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_kill_before, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_freeze, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
