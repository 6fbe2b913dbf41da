/* SPDX-License-Identifier: BSD-2-Clause */
/* Behaviour contracts (klp.md 6): what they come to, and in a whole node. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/layers.h"
#include "node/work/budgets.h"
#include "node/work/contracts.h"
#include "node/work/late.h"
#include "node/work/peers.h"
#include "sandbox/plan/plan.h"
#include "tests/unit/nodekit.h"

#define OWNER 0x41

static struct contract con;
static struct manifest man;
static struct policy pol;
static struct limits granted;
static struct contract_out out;
static char why[CONTRACT_WHY];
static uint32_t layers;

static int
terms_setup(void **state)
{
	(void)state;
	plain_contract(&con);
	manifest_init(&man);
	policy_init(&pol, 2, UINT64_C(4) << 30);
	(void)level_row(&granted, &pol, 2);
	why[0] = '\0';
	layers = LAYERS_FLOOR | LAYER_LANDLOCK;
	return 0;
}

static const char *
terms(int level, int signer)
{
	struct id32 image;
	const struct contract_in in = {.c = &con, .m = &man, .policy = &pol,
	    .granted = &granted, .image = &image, .level = level,
	    .signer = signer, .layers = layers};

	memset(&image, 0x11, sizeof(image));
	return contract_terms(&out, &in, why);
}

static void
is(const char *code, const char *want, const char *begins)
{
	if (code == NULL || strcmp(code, want) != 0 ||
	    strncmp(why, begins, strlen(begins)) != 0)
		fail_msg("%s: %s, wanted %s: %s", code, why, want, begins);
}

/* Claims only lower. */
static void
test_lower(void **state)
{
	struct limits row;

	(void)state;
	assert_null(terms(2, 3));
	assert_int_equal(out.level, 2);
	assert_memory_equal(&out.limits, &granted, sizeof(granted));
	assert_string_equal(out.weaker, "");
	con.memory = UINT64_C(1) << 40;
	con.max_pids = 1000000;
	con.cpu_milli = 1000000;
	assert_null(terms(2, 3));
	assert_memory_equal(&out.limits, &granted, sizeof(granted));
	con.memory = 16 << 20;
	con.max_pids = 3;
	con.cpu_milli = 7;
	assert_null(terms(2, 3));
	assert_int_equal(out.limits.v[LIMIT_MEMORY], 16 << 20);
	assert_int_equal(out.limits.v[LIMIT_PIDS], 3);
	assert_int_equal(out.limits.v[LIMIT_CPU], 7);
	assert_int_equal(out.limits.v[LIMIT_TIME], granted.v[LIMIT_TIME]);
	/* the signer's level is one more ceiling */
	terms_setup(NULL);
	assert_null(terms(2, 1));
	assert_int_equal(out.level, 1);
	(void)level_row(&row, &pol, 1);
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		assert_int_equal(out.limits.v[i], row.v[i]);
	is(terms(2, 0), "contract", "its signer has level 0");
	is(terms(2, -1), "contract", "its signer has level -1");
	pol.floor = 0;
	assert_null(terms(0, 0));
	/* what was asked for outright is refused, not cut */
	terms_setup(NULL);
	man.limit[LIMIT_PIDS] = 5;
	con.max_pids = 4;
	is(terms(2, 3), "limits", "pids: asked for 5, the contract says 4");
	con.max_pids = 5;
	assert_null(terms(2, 3));
	man.limit[LIMIT_MEMORY] = UINT64_C(128) << 20;
	is(terms(2, 1), "limits", "memory: asked for 134217728, the contract's "
	    "signer gives 67108864");
	man.limit[LIMIT_MEMORY] = 0;
	con.memory = PLAN_MEMORY_LEAST - 1;
	is(terms(2, 3), "limits", "memory");
}

static void
test_refused(void **state)
{
	struct contract_in no_landlock;
	struct id32 image;

	(void)state;
	con.image.b[0] ^= 1;
	is(terms(2, 3), "contract", "it is for another image");
	con.image.b[0] ^= 1;
	con.napis = 1;
	is(terms(2, 3), "contract", "external_apis");
	con.napis = 0;
	memcpy(con.profile, "one", 4);
	assert_null(terms(2, 3));
	(void)snprintf(man.seccomp, sizeof(man.seccomp), "/x/two.json");
	is(terms(2, 3), "contract", "syscalls.profile");
	(void)snprintf(man.seccomp, sizeof(man.seccomp), "/x/one.json");
	assert_null(terms(2, 3));
	/* sizes are of whole volumes that can be written */
	con.write.given = true;
	con.write.n = 1;
	con.write.v[0] = (struct contract_path){"/v", true, 0, 0};
	assert_null(terms(2, 3));
	con.write.v[0].max_files = 1;
	is(terms(2, 3), "contract", "disk.write: /v is no rw volume");
	man.nvolumes = 1;
	memcpy(man.volume[0].target, "/v", 3);
	is(terms(2, 3), "contract", "disk.write");
	man.volume[0].rw = true;
	assert_null(terms(2, 3));
	con.write.v[0].beneath = false;
	is(terms(2, 3), "contract", "disk.write");
	con.write.v[0] = (struct contract_path){"/tmp", true, 5, 0};
	assert_null(terms(2, 3));
	/* nor a pattern of what the job will make, without who tells of it */
	con.write.v[0] = (struct contract_path){"/v/*.log", false, 0, 0};
	is(terms(2, 3), "contract", "disk.write: /v/*.log means files");
	layers |= LAYER_BPF;
	assert_null(terms(2, 3));
	con.action[RULE_DISK_WRITE] = ACTION_DENY;
	is(terms(2, 3), "contract", "disk.write: /v/*.log means files");
	con.action[RULE_DISK_WRITE] = ACTION_FREEZE;
	assert_null(terms(2, 3));
	con.write.v[0].max_files = 4;
	is(terms(2, 3), "contract", "disk.write: /v/*.log is no rw volume");
	layers &= ~LAYER_BPF;
	con.write.v[0] = (struct contract_path){"/v/*/in", true, 0, 0};
	assert_null(terms(2, 3));
	con.action[RULE_DISK_WRITE] = ACTION_KILL;
	con.write.v[0] = (struct contract_path){"/tmp", true, 5, 0};
	/* nothing is promised that this kernel does not keep */
	memset(&image, 0x11, sizeof(image));
	no_landlock = (struct contract_in){.c = &con, .m = &man,
	    .policy = &pol, .granted = &granted, .image = &image, .level = 2,
	    .signer = 3, .layers = LAYERS_FLOOR};
	is(contract_terms(&out, &no_landlock, why), "contract", "disk: this");
	con.write.given = false;
	con.write.n = 0;
	assert_null(contract_terms(&out, &no_landlock, why));
	con.exec.given = true;
	is(contract_terms(&out, &no_landlock, why), "contract", "disk: this");
}

/* What is not done as asked is named. */
static void
test_named(void **state)
{
	(void)state;
	con.read.given = con.exec.given = true;
	con.max_write_rate = con.max_read_bytes = 1;
	con.max_pids = 3;
	con.anonymous_exec = false;
	con.ndeny = 1;
	con.burst_seconds = 1;
	assert_null(terms(2, 3));
	assert_string_equal(out.weaker, "disk.read disk.exec");
	assert_string_equal(out.absent, "disk.read_bytes disk.write_rate");
	/* the probes tell of all of them */
	layers |= LAYER_BPF;
	assert_null(terms(2, 3));
	assert_string_equal(out.weaker, "");
	assert_string_equal(out.absent, "");
	layers &= ~(uint32_t)LAYER_BPF;
	memset(con.action, ACTION_DENY, sizeof(con.action));
	assert_null(terms(2, 3));
	assert_string_equal(out.weaker, "");
	/* never less than asked, where more can be done */
	for (unsigned r = 1; r < RULE_COUNT; r++) {
		for (unsigned a = 0; a < ACTION_COUNT; a++) {
			enum contract_action does = contract_does(r,
			    (enum contract_action)a, false);

			if (does < a && r != RULE_DISK_READ_BYTES &&
			    r != RULE_DISK_WRITE_RATE)
				assert_int_equal(does, ACTION_DENY);
			/* with the probes each is, or what is stricter */
			assert_true(contract_does(r, (enum contract_action)a,
			    true) >= (enum contract_action)a);
		}
	}
	assert_int_equal(contract_does(RULE_MEMORY_MAX, ACTION_NOTE, false),
	    ACTION_KILL);
	assert_int_equal(contract_does(RULE_CPU_BURST, ACTION_THROTTLE, false),
	    ACTION_THROTTLE);
	assert_int_equal(contract_does(RULE_CPU_BURST, ACTION_DENY, false),
	    ACTION_THROTTLE);
	assert_int_equal(contract_does(RULE_SYSCALLS, ACTION_NOTE, false),
	    ACTION_DENY);
	assert_int_equal(contract_does(RULE_SYSCALLS, ACTION_FREEZE, false),
	    ACTION_KILL);
	assert_int_equal(contract_does(RULE_SYSCALLS, ACTION_FREEZE, true),
	    ACTION_FREEZE);
	assert_int_equal(contract_does(RULE_DISK_EXEC, ACTION_KILL, false),
	    ACTION_DENY);
	assert_int_equal(contract_does(RULE_DISK_EXEC, ACTION_KILL, true),
	    ACTION_KILL);
	assert_int_equal(contract_does(RULE_DISK_WRITE, ACTION_NOTE, true),
	    ACTION_DENY);
	assert_int_equal(contract_does(RULE_DISK_READ_BYTES, ACTION_DENY,
	    true), ACTION_FREEZE);
	assert_int_equal(contract_does(255, ACTION_KILL, true), ACTION_NOTE);
}

static struct mono
ms(int64_t t)
{
	return (struct mono){(1000 + t) * 1000};
}

static void
test_watch(void **state)
{
	struct contract_watch v = {.noted = 0};

	(void)state;
	/* nothing declared, nothing broken */
	for (int i = 0; i < 100; i++)
		assert_int_equal(contract_broken(&v, &con, ms(i * 250),
		    (uint64_t)i * 250, 500, true), RULE_NONE);
	memset(&v, 0, sizeof(v));
	con.max_seconds = 2;
	assert_int_equal(contract_broken(&v, &con, ms(0), 2000, 500, false),
	    RULE_NONE);
	assert_int_equal(contract_broken(&v, &con, ms(250), 2001, 500, false),
	    RULE_CPU_SECONDS);
	assert_int_equal(contract_broken(&v, &con, ms(500), 3000, 500, false),
	    RULE_NONE); /* told */
	con.max_pids = 3;
	assert_int_equal(contract_broken(&v, &con, ms(500), 3000, 500, true),
	    RULE_MAX_PIDS);
	/* a burst is without a pause */
	memset(&v, 0, sizeof(v));
	con.max_seconds = con.max_pids = 0;
	con.burst_seconds = 1;
	for (int i = 0; i <= 4; i++)
		assert_int_equal(contract_broken(&v, &con, ms(i * 250),
		    (uint64_t)i * 113, 500, false), RULE_NONE);
	assert_int_equal(contract_broken(&v, &con, ms(1250), 452, 500, false),
	    RULE_NONE); /* a pause */
	for (int i = 6; i <= 9; i++)
		assert_int_equal(contract_broken(&v, &con, ms(i * 250),
		    452 + (uint64_t)(i - 5) * 125, 500, false), RULE_NONE);
	assert_int_equal(contract_broken(&v, &con, ms(2500), 1077, 500, false),
	    RULE_CPU_BURST);
}

/* Looks at a job that uses so many ms between two, in turn; told at which? */
static int
looks(uint64_t first, uint64_t second, uint32_t milli, int n)
{
	struct contract_watch v = {.noted = 0};
	uint64_t cpu = 0;

	(void)contract_broken(&v, &con, ms(0), 0, milli, false);
	for (int i = 1; i <= n; i++) {
		cpu += i & 1 ? first : second;
		if (contract_broken(&v, &con, ms(i * 250), cpu, milli,
		    false) != RULE_NONE)
			return i;
	}
	return 0;
}

/* The kernel gives in portions of a tenth of a second: two or three a look. */
static void
test_burst(void **state)
{
	(void)state;
	con.burst_seconds = 1;
	assert_int_equal(looks(60, 40, 200, 100), 5);
	assert_int_equal(looks(40, 60, 200, 100), 5);
	assert_int_equal(looks(250, 250, 1000, 100), 5);
	/* what is less is none, however long; nor with a pause at each second */
	assert_int_equal(looks(42, 42, 200, 1000), 0);
	assert_int_equal(looks(50, 20, 200, 1000), 0);
	assert_int_equal(looks(220, 220, 1000, 1000), 0);
	assert_int_equal(looks(0, 500, 1000, 1000), 0);
	con.burst_seconds = 30;
	assert_in_range(looks(60, 40, 200, 1000), 121, 122);
	assert_int_equal(looks(44, 44, 200, 1000), 0);
}

static void
test_sigsys(void **state)
{
	(void)state;
	assert_int_equal(contract_sigsys(&con, false), RULE_NONE);
	con.anonymous_exec = false;
	assert_int_equal(contract_sigsys(&con, false), RULE_ANONYMOUS_EXEC);
	con.ndeny = 1;
	assert_int_equal(contract_sigsys(&con, false), RULE_SYSCALLS);
	memset(con.action, ACTION_DENY, sizeof(con.action));
	assert_int_equal(contract_sigsys(&con, false), RULE_NONE);
	/* what cannot stop it kills it */
	memset(con.action, ACTION_FREEZE, sizeof(con.action));
	assert_int_equal(contract_sigsys(&con, false), RULE_SYSCALLS);
	assert_int_equal(contract_sigsys(&con, true), RULE_NONE);
}

/* The record for audit: without what is the job's own limit. */
static void
test_watched_record(void **state)
{
	static struct contract got;
	uint8_t rec[CONTRACT_RECORD_MAX];
	struct limits l = granted;
	size_t n;

	(void)state;
	l.v[LIMIT_OUTPUT] = 1000;
	l.v[LIMIT_MEMORY] = 4000;
	con.write.given = true;
	con.write.n = 4;
	con.write.v[0] = (struct contract_path){"/v", true, 999, 5};
	con.write.v[1] = (struct contract_path){"/w", true, 1000, 65536};
	con.write.v[2] = (struct contract_path){"/tmp", true, 999, 16383};
	con.write.v[3] = (struct contract_path){"/tmp", true, 1000, 16384};
	con.max_write_rate = 7;
	n = contract_watched(rec, sizeof(rec), &con, &l);
	assert_true(n > 0);
	assert_true(contract_record_get(&got, rec, n));
	assert_int_equal(got.max_write_rate, 7);
	assert_int_equal(got.write.v[0].max_bytes, 999);
	assert_int_equal(got.write.v[0].max_files, 5);
	assert_int_equal(got.write.v[1].max_bytes, 0);
	assert_int_equal(got.write.v[1].max_files, 0);
	assert_int_equal(got.write.v[2].max_bytes, 999);
	assert_int_equal(got.write.v[2].max_files, 16383);
	assert_int_equal(got.write.v[3].max_bytes, 0);
	assert_int_equal(got.write.v[3].max_files, 0);
	assert_int_equal(contract_watched(rec, n - 1, &con, &l), 0);
}

/* ---- in a node ---- */

static int
begin(void **state)
{
	(void)terms_setup(state);
	if (setup(state) != 0)
		return -1;
	w.contract = &con;
	w.contract_level = 3;
	return 0;
}

static void
test_node(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	w.verdict_pinned = true;
	con.max_pids = 3;
	w.run_ms = 0;
	submit_bound(OWNER, 1, &id);
	assert_int_equal(w.contracts, 0);
	world_run(&w, 10);
	assert_int_equal(w.contracts, 1);
	state_is(&id, "running", NULL);
	j = job_find(&w.n.jobs, &id);
	assert_int_equal(j->limits.v[LIMIT_PIDS], 3);
	assert_int_equal(w.events_seen[EVK_CONTRACT], 1);
	/* the same blob again is not asked for, and judged again */
	world_run(&w, 300);
	w.pids_hit = true;
	world_run(&w, 300);
	killed_by(&id, "pids");
	assert_int_equal(w.events_seen[EVK_VIOLATION], 1);
	w.pids_hit = false;
	w.run_ms = 10;
	submit_bound(OWNER, 2, &id);
	world_run(&w, 100);
	state_is(&id, "done", NULL);
	assert_int_equal(w.contracts, 2);
}

static void
test_node_refuses(void **state)
{
	struct id32 id;

	(void)state;
	w.contract = NULL;
	submit_bound(OWNER, 1, &id);
	world_run(&w, 10);
	state_is(&id, "refused", "contract: payload: bad");
	w.contract = &con;
	con.napis = 1;
	submit_bound(OWNER, 2, &id);
	world_run(&w, 10);
	state_is(&id, "refused",
	    "contract: external_apis: this node has no broker");
	con.napis = 0;
	w.contract_revoked = true;
	submit_bound(OWNER, 3, &id);
	world_run(&w, 10);
	state_is(&id, "refused", "revoked");
	w.contract_revoked = false;
	memcpy(con.profile, "strange", 8);
	submit_bound(OWNER, 4, &id);
	world_run(&w, 10);
	state_is(&id, "refused", "contract: syscalls.profile: not here");
	assert_int_equal(w.starts, 0);
	con.profile[0] = '\0';
	/* trust is away, and comes back */
	w.contract_silent = true;
	submit_bound(OWNER, 5, &id);
	world_run(&w, 1000);
	state_is(&id, "queued", "trust");
	node_down(&w.n, PROGRAM_TRUST);
	w.contract_silent = false;
	node_up(&w.n, PROGRAM_TRUST);
	world_run(&w, 2000);
	state_is(&id, "done", NULL);
	/* trust lives, and its answer is lost: asked again */
	w.contract_silent = true;
	submit_bound(OWNER, 6, &id);
	world_run(&w, 1000);
	w.contract_silent = false;
	world_run(&w, NODE_ASK_MS - 2000);
	state_is(&id, "queued", "trust");
	assert_int_equal(w.n.count.unanswered, 0);
	world_run(&w, 4000);
	assert_int_equal(w.n.count.unanswered, 1);
	state_is(&id, "done", NULL);
}

static void
test_node_kills(void **state)
{
	struct proto_job_status s;
	struct id32 id;

	(void)state;
	w.verdict_pinned = true;
	con.max_seconds = 1;
	w.run_ms = 0;
	submit_bound(OWNER, 1, &id);
	world_run(&w, 1000);
	state_is(&id, "running", NULL);
	w.cpu_ms = 2000;
	world_run(&w, 500);
	killed_by(&id, "violation:cpu.max_seconds");
	/* one that ends before anybody looks has broken it all the same */
	w.run_ms = 10;
	submit_bound(OWNER, 2, &id);
	world_run(&w, 200);
	killed_by(&id, "violation:cpu.max_seconds");
	/* only noted */
	memset(con.action, ACTION_NOTE, sizeof(con.action));
	submit_bound(OWNER, 3, &id);
	world_run(&w, 200);
	s = status(&id);
	assert_int_equal(s.outcome.kind, OUT_EXITED);
	/* a call that is denied, and kills */
	con.max_seconds = 0;
	con.ndeny = 1;
	con.deny[0] = "mkdir";
	w.exit_how = EXIT_SIGNAL;
	w.exit_code = SIGSYS;
	submit_bound(OWNER, 4, &id);
	world_run(&w, 200);
	s = status(&id);
	assert_int_equal(s.outcome.kind, OUT_SIGNALLED);
	memset(con.action, ACTION_KILL, sizeof(con.action));
	submit_bound(OWNER, 5, &id);
	world_run(&w, 200);
	killed_by(&id, "violation:syscalls");
	assert_int_equal(w.events_seen[EVK_VIOLATION], 4);
}

/* klp.md 3.4, step 9, as numbers. */
static void
test_points(void **state)
{
	struct penalty p = {0};

	(void)state;
	assert_int_equal(penalty_left(&p, 1800000000), 0);
	assert_int_equal(penalty_level(0), 3);
	assert_int_equal(penalty_level(9), 3);
	assert_int_equal(penalty_level(10), -1);
	assert_int_equal(penalty_level(29), -1);
	assert_int_equal(penalty_level(30), -2);
	assert_int_equal(penalty_level(UINT32_MAX), -2);
	penalty_more(&p, PENALTY_MAJOR, 1800000000);
	assert_int_equal(penalty_left(&p, 1800000000), 10);
	assert_int_equal(penalty_left(&p, 0), 10);
	assert_int_equal(penalty_left(&p, 1800000000 + PENALTY_HALF_S - 1), 10);
	assert_int_equal(penalty_left(&p, 1800000000 + PENALTY_HALF_S), 5);
	penalty_more(&p, PENALTY_MINOR, 1800000000 + PENALTY_HALF_S);
	assert_int_equal(p.points, 7);
	/* a clock that was set back halves nothing later either */
	penalty_more(&p, PENALTY_MINOR, 1000);
	assert_int_equal(p.points, 9);
	assert_int_equal(p.since, 1800000000 + PENALTY_HALF_S);
	assert_int_equal(penalty_left(&p, UINT32_MAX), 0);
	penalty_more(&p, UINT32_MAX, 1800000000);
	assert_int_equal(p.points, PENALTY_MAX);
	penalty_more(&p, UINT32_MAX, 1800000000);
	assert_int_equal(p.points, PENALTY_MAX);
}

static int
level_now(void)
{
	return peer_next(&w.n, NULL)->v.level;
}

/* Whose jobs break their contracts is trusted less, by this node. */
static void
test_node_penalty(void **state)
{
	struct id32 id;
	uint8_t *kept;
	size_t len;

	(void)state;
	con.max_seconds = 1;
	w.cpu_ms = 2000;
	w.run_ms = 10;
	memset(con.action, ACTION_NOTE, sizeof(con.action));
	submit_bound(OWNER, 1, &id);
	world_run(&w, 200);
	assert_int_equal(w.events_seen[EVK_PENALTY], 1);
	assert_int_equal(level_now(), 2);
	memset(con.action, ACTION_KILL, sizeof(con.action));
	submit_bound(OWNER, 2, &id);
	world_run(&w, 200);
	killed_by(&id, "violation:cpu.max_seconds");
	assert_int_equal(w.events_seen[EVK_PENALTY], 2);
	assert_int_equal(level_now(), -1);
	assert_non_null(strstr(peer_next(&w.n, NULL)->v.why, "12 points"));
	assert_int_equal(submit(1, OWNER, 3, NULL, &id)->status, ST_REFUSED);
	/* it stays when the node begins anew, and goes with time */
	kept = budgets_encode(&w.n, &len);
	assert_non_null(kept);
	for (unsigned halves = 0; halves < 2; halves++) {
		world_restart(&w);
		w.wall_us += (int64_t)halves * PENALTY_HALF_S * 1000000;
		node_time(&w.n, w.now, w.wall_us);
		assert_true(budgets_decode(&w.n, kept, len,
		    &w.n.budgets_saved));
		world_up(&w, 2);
		world_link(&w, 1, 10000000);
		world_identify(&w, 1, OWNER);
		world_run(&w, 10);
		assert_int_equal(level_now(), halves == 0 ? -1 : 2);
	}
	free(kept);
}

/* What the operator has pinned stays; thrice is out. */
static void
test_node_penalty_bounds(void **state)
{
	struct owner *o;
	struct id32 id;
	struct fp fp;

	(void)state;
	con.max_seconds = 1;
	w.cpu_ms = 2000;
	w.run_ms = 10;
	w.verdict_pinned = true;
	submit_bound(OWNER, 1, &id);
	world_run(&w, 200);
	killed_by(&id, "violation:cpu.max_seconds");
	world_fp(&fp, OWNER);
	o = owner_known(&w.n, &fp);
	assert_non_null(o);
	assert_int_equal(o->penalty.points, PENALTY_MAJOR);
	peers_changed(&w.n);
	world_run(&w, 10);
	assert_int_equal(level_now(), 2);
	o->penalty.points = PENALTY_BLOCK;
	w.verdict_pinned = false;
	peers_changed(&w.n);
	world_run(&w, 10);
	assert_int_equal(level_now(), -2);
	assert_int_equal(w.n.ncallers, 0);
}

/* What is typical is compared; a job within it is not told. */
static void
test_node_typical(void **state)
{
	struct id32 id;

	(void)state;
	con.typical = 1000 * 1024;
	submit_bound(OWNER, 1, &id);
	world_run(&w, 200);
	assert_int_equal(w.events_seen[EVK_DEVIATION], 0);
	con.typical = 999 * 1024;
	submit_bound(OWNER, 2, &id);
	world_run(&w, 200);
	assert_int_equal(w.events_seen[EVK_DEVIATION], 1);
}

/* A contract is not in the ledger: who runs under one is watched again. */
static void
test_node_restart(void **state)
{
	struct id32 id;

	(void)state;
	con.max_seconds = 1;
	w.run_ms = 0;
	submit_bound(OWNER, 1, &id);
	world_run(&w, 100);
	state_is(&id, "running", NULL);
	world_restart(&w);
	world_up(&w, 2);
	world_link(&w, 1, 10000000);
	world_identify(&w, 1, OWNER);
	world_run(&w, 100);
	state_is(&id, "running", NULL);
	assert_int_equal(w.contracts, 2);
	w.cpu_ms = 2000;
	world_run(&w, 500);
	killed_by(&id, "violation:cpu.max_seconds");
}

/* A signer who is revoked: before the start, at it, and while it runs. */
static void
test_node_changed(void **state)
{
	struct id32 id, other;

	(void)state;
	w.run_ms = 0;
	submit_bound(OWNER, 1, &id);
	world_run(&w, 100);
	state_is(&id, "running", NULL);
	assert_int_equal(submit(1, OWNER, 9, NULL, &other)->status, ST_OK);
	world_run(&w, 100);
	w.contract_revoked = true;
	node_verdicts_void(&w.n);
	world_run(&w, 100);
	killed_by(&id, "revoked");
	submit_bound(OWNER, 2, &id);
	world_run(&w, 2000);
	state_is(&id, "refused", "revoked");
}

int
main(void)
{
#define P(x) cmocka_unit_test_setup(x, terms_setup)
#define T(x) cmocka_unit_test_setup_teardown(x, begin, teardown)
	const struct CMUnitTest tests[] = {P(test_lower), P(test_refused),
	    P(test_named), P(test_watch), P(test_burst), P(test_sigsys), P(test_points), P(test_watched_record),
	    T(test_node),
	    T(test_node_refuses), T(test_node_kills), T(test_node_typical),
	    T(test_node_restart), T(test_node_changed), T(test_node_penalty),
	    T(test_node_penalty_bounds)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
