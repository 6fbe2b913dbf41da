/* SPDX-License-Identifier: BSD-2-Clause */
/* What node decides about bundles of evidence, and that no job stands still
 * for one that does not come. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/layers.h"
#include "common/listed.h"
#include "common/snapshot.h"
#include "node/config/forensicsconf.h"
#include "node/work/finish.h"
#include "node/work/forensics.h"
#include "node/work/node.h"
#include "node/work/revoke.h"
#include "node/work/watched.h"
#include "tests/unit/nodekit.h"
#include "trust/doc/contract.h"

#define LONG 4000000

static struct job *
running(uint8_t nonce, struct id32 *id)
{
	forensics_defaults(&w.n.policy.forensics);
	w.run_ms = LONG;
	assert_int_equal(submit(1, 0x41, nonce, NULL, id)->status, ST_OK);
	world_run(&w, 100);
	state_is(id, "running", NULL);
	return job_find(&w.n.jobs, id);
}

static void
ready(const struct id32 *id)
{
	forensics_ready(&w.n, &(struct msg_J_SNAP_READY){.job = *id});
}

static bool
snapped(const struct id32 *id, bool ok)
{
	return forensics_snapped(&w.n, &(struct msg_J_SNAPPED){.job = *id,
	    .ok = ok, .why = "because"});
}

static void
packed(bool ok)
{
	forensics_bundled(&w.n, &(struct msg_W_BUNDLED){
	    .qid = w.n.forensics.qid, .ok = ok, .name = "x.zip"});
}

/* It stands still between two words of jail, and no longer. */
static void
test_resume(void **state)
{
	struct id32 id;
	struct job *j = running(1, &id);

	(void)state;
	assert_null(forensics_job(&w.n, j, THEN_RESUME, "test"));
	assert_int_equal(w.snaps, 1);
	assert_int_equal(w.last_snap.what, SNAPSHOT_MEMORY | SNAPSHOT_FILES);
	assert_false(j->frozen);
	assert_non_null(forensics_job(&w.n, j, THEN_RESUME, "two at once"));
	assert_non_null(forensics_trail(&w.n, 1, 2));
	ready(&id);
	assert_true(j->frozen);
	assert_int_equal(w.snap_goes, 1);
	ready(&id); /* twice is once too often */
	assert_int_equal(w.n.count.edges, 1);
	assert_true(snapped(&id, true));
	assert_false(j->frozen);
	assert_int_equal(w.n.forensics.phase, FX_PACKING);
	assert_false(snapped(&id, true));
	packed(true);
	assert_int_equal(w.n.forensics.phase, FX_NONE);
	assert_true(w.n.forensics.last.ok);
	assert_int_equal(w.events_seen[EVK_BUNDLE], 1);
	packed(true);
	assert_int_equal(w.n.count.edges, 3);
}

static void
test_kill_stay(void **state)
{
	struct id32 id, other;
	struct job *j = running(1, &id);

	(void)state;
	assert_null(forensics_job(&w.n, j, THEN_STAY, "test"));
	ready(&id);
	assert_true(snapped(&id, true));
	packed(false);
	assert_true(j->frozen);
	world_run(&w, FORENSICS_STAY_S * INT64_C(1000) - 5000);
	assert_true(j->frozen);
	world_run(&w, 10000);
	assert_false(j->frozen); /* nothing stays so for ever */
	assert_null(forensics_job(&w.n, j, THEN_KILL, "test"));
	ready(&id);
	assert_true(snapped(&id, true));
	packed(true);
	world_run(&w, 3000);
	killed_by(&id, "operator");
	/* of one that has ended is kept what there is */
	assert_null(forensics_job(&w.n, j, THEN_RESUME, "test"));
	assert_int_equal(w.snaps, 2);
	assert_int_equal(w.bundles, 1);
	packed(true);
	/* a kill waits for what was to be seen first */
	j = running(2, &other);
	assert_null(forensics_job(&w.n, j, THEN_KILL, "test"));
	ready(&other);
	assert_false(snapped(&other, false));
	assert_false(j->frozen);
	assert_int_equal(j->kill, 0);
	assert_string_equal(w.n.forensics.last.why, "because");
}

/* Whoever falls or is silent, the job goes on. */
static void
test_lost(void **state)
{
	struct id32 id;
	struct job *j = running(1, &id);

	(void)state;
	assert_null(forensics_job(&w.n, j, THEN_STAY, "silent jail"));
	world_run(&w, FORENSICS_JAIL_S * INT64_C(1000) + 1000);
	assert_int_equal(w.n.forensics.phase, FX_NONE);
	assert_null(forensics_job(&w.n, j, THEN_STAY, "silent jail, later"));
	ready(&id);
	assert_true(j->frozen);
	world_run(&w, FORENSICS_JAIL_S * INT64_C(1000) + 1000);
	assert_false(j->frozen);
	assert_int_equal(w.n.forensics.phase, FX_NONE);
	assert_null(forensics_job(&w.n, j, THEN_RESUME, "silent audit"));
	ready(&id);
	assert_true(snapped(&id, true));
	world_run(&w, FORENSICS_PACK_S * INT64_C(1000) + 1000);
	assert_int_equal(w.n.forensics.phase, FX_NONE);
	assert_null(forensics_job(&w.n, j, THEN_RESUME, "audit falls"));
	ready(&id);
	assert_true(snapped(&id, true));
	forensics_down(&w.n, PROGRAM_AUDIT);
	assert_int_equal(w.n.forensics.phase, FX_NONE);
	assert_null(forensics_job(&w.n, j, THEN_STAY, "jail falls"));
	ready(&id);
	forensics_down(&w.n, PROGRAM_JAIL);
	assert_int_equal(w.n.forensics.phase, FX_NONE);
	assert_false(j->frozen);
	/* the job's own end is nobody's to wait for */
	assert_null(forensics_job(&w.n, j, THEN_STAY, "it ends"));
	finish_kill(&w.n, j, KILL_OPERATOR);
	world_run(&w, 3000);
	state_is(&id, "done", NULL);
	assert_false(snapped(&id, false));
	assert_int_equal(w.n.forensics.phase, FX_NONE);
}

/* It ends while it is looked at, or just before: what there is is packed. */
static void
test_ends(void **state)
{
	const struct msg_J_SNAPPED gone = {.why = SNAPSHOT_ENDED};
	struct msg_J_SNAPPED m = gone;
	struct id32 id;
	struct job *j = running(1, &id);

	(void)state;
	assert_null(forensics_job(&w.n, j, THEN_STAY, "it ends"));
	ready(&id);
	m.job = id;
	assert_false(forensics_snapped(&w.n, &m));
	assert_int_equal(w.n.forensics.phase, FX_ENDING);
	assert_false(j->frozen);
	world_run(&w, 1000);
	assert_int_equal(w.bundles, 0);
	finish_kill(&w.n, j, KILL_OPERATOR);
	world_run(&w, 3000);
	state_is(&id, "done", NULL);
	assert_int_equal(w.n.forensics.phase, FX_PACKING);
	assert_int_equal(w.bundles, 1);
	packed(true);
	assert_true(w.n.forensics.last.ok);
	/* one that is being ended */
	j = running(2, &id);
	w.jail_deaf = true;
	w.no_group_kill = true;
	finish_kill(&w.n, j, KILL_OPERATOR);
	assert_null(forensics_job(&w.n, j, THEN_RESUME, "it ends"));
	assert_int_equal(w.snaps, 1);
	assert_int_equal(w.n.forensics.phase, FX_ENDING);
	/* no program is waited for */
	forensics_down(&w.n, PROGRAM_JAIL);
	assert_int_equal(w.n.forensics.phase, FX_ENDING);
	world_run(&w, FORENSICS_JAIL_S * INT64_C(1000) + 1000);
	assert_int_equal(w.n.forensics.phase, FX_NONE);
	assert_false(w.n.forensics.last.ok);
}

static void
test_quotas(void **state)
{
	struct id32 id;
	struct job *j = running(1, &id);

	(void)state;
	w.n.policy.forensics.per_hour = 2;
	for (int i = 0; i < 2; i++) {
		assert_null(forensics_job(&w.n, j, THEN_RESUME, "test"));
		assert_false(snapped(&id, false));
	}
	assert_non_null(forensics_job(&w.n, j, THEN_RESUME, "test"));
	w.n.forensics.hour = w.n.now; /* it is over */
	assert_null(forensics_job(&w.n, j, THEN_RESUME, "test"));
	assert_false(snapped(&id, false));
	/* what is left out is not asked for */
	w.n.policy.forensics.memory = false;
	w.n.policy.forensics.secrets = true;
	assert_null(forensics_job(&w.n, j, THEN_RESUME, "test"));
	assert_int_equal(w.last_snap.what, SNAPSHOT_FILES | SNAPSHOT_ENVIRON);
	assert_true(w.last_snap.bytes <= w.n.policy.forensics.most);
	assert_false(snapped(&id, false));
	w.n.up[PROGRAM_AUDIT] = false;
	assert_non_null(forensics_job(&w.n, j, THEN_RESUME, "test"));
}

/* A rule's freeze makes one, and the job stays as the rule has it. */
static void
test_rule(void **state)
{
	struct id32 id;
	struct job *j = running(1, &id);
	struct msg_W_FLAG m = {.does = WATCH_FREEZE, .rule = RULE_WATCH_LAST,
	    .name = "x"};

	(void)state;
	m.job = id;
	watched_flag(&w.n, &m);
	assert_true(j->frozen);
	assert_int_equal(w.snaps, 1);
	ready(&id);
	assert_true(snapped(&id, true));
	assert_true(j->frozen);
	packed(true);
	/* the operator's word lets it go on */
	assert_null(forensics_job(&w.n, j, THEN_RESUME, "test"));
	ready(&id);
	assert_true(snapped(&id, true));
	assert_false(j->frozen);
	packed(true);
	w.n.policy.forensics.on_freeze = false;
	watched_flag(&w.n, &m);
	assert_true(j->frozen);
	assert_int_equal(w.snaps, 2);
}

/* klp.md 4.6: one of reason 2 is seen first, and dies within 5 s. */
static void
test_revoked(void **state)
{
	struct id32 id, other;
	struct job *j = running(1, &id);

	(void)state;
	assert_false(forensics_revoked(&w.n, j)); /* it is not enabled */
	w.n.policy.forensics.on_revocation = true;
	assert_true(forensics_revoked(&w.n, j));
	assert_true(j->frozen);
	ready(&id);
	assert_true(snapped(&id, true));
	assert_int_equal(j->kill, KILL_REVOKED);
	packed(true);
	world_run(&w, 3000);
	killed_by(&id, "revoked");
	j = running(2, &other);
	w.n.policy.forensics.on_revocation = true;
	assert_true(forensics_revoked(&w.n, j));
	world_run(&w, 5000);
	killed_by(&other, "revoked");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_resume, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_kill_stay, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_quotas, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_rule, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_revoked, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
