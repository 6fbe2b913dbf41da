/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/config/nodediff.h"
#include "node/work/peers.h"
#include "node/work/ready.h"
#include "node/work/reload.h"
#include "tests/unit/nodekit.h"

static struct policy
changed(void)
{
	return w.n.policy;
}

static void
reloaded(const struct policy *p)
{
	node_reload(&w.n, p);
	node_verdicts_void(&w.n);
}

/* Three jobs of one peer: two run, one waits. */
static void
three(struct id32 id[3])
{
	w.run_ms = 0;
	for (uint8_t i = 0; i < 3; i++)
		assert_int_equal(submit(1, 0x41, (uint8_t)(i + 1), NULL,
		    &id[i])->status, ST_OK);
	world_run(&w, 100);
	assert_int_equal(w.running, 2);
}

static void
test_below_floor(void **state)
{
	struct policy p = changed();
	struct id32 id[3];

	(void)state;
	three(id);
	/* nobody is linked: he is asked about for his jobs' sake */
	w.verdict_pinned = true;
	world_close(&w, 1);
	w.level = 0;
	reloaded(&p);
	world_run(&w, 1000);
	assert_int_equal(w.running, 0);
	world_link(&w, 1, 10000000);
	world_identify(&w, 1, 0x41);
	world_run(&w, 100);
	killed_by(&id[0], "revoked");
	killed_by(&id[1], "revoked");
	state_is(&id[2], "refused", "trust: level 0, needed 1");
	assert_int_equal(w.n.jobs.edges + w.n.count.edges, 0);
}

/* A level that falls without the operator's doing ends nothing that runs. */
static void
test_not_by_itself(void **state)
{
	struct id32 id[3];

	(void)state;
	three(id);
	w.level = 0;
	peers_changed(&w.n);
	world_run(&w, 1000);
	assert_int_equal(w.running, 2);
	state_is(&id[0], "running", NULL);
}

static void
test_ceilings(void **state)
{
	struct policy p = changed();
	struct proto_describe d;
	struct proto_req q = {.path = PATH_DESCRIBE};
	struct id32 id[3];

	(void)state;
	three(id);
	p.ceiling.v[LIMIT_MEMORY] = UINT64_C(100) << 20;
	p.ceiling.v[LIMIT_TIME] = 1000;
	p.jobs_running = 1;
	(void)snprintf(p.name, sizeof(p.name), "warmer");
	reloaded(&p);
	world_run(&w, 5000);
	/* what runs keeps what it was given */
	assert_int_equal(w.running, 2);
	state_is(&id[1], "running", NULL);
	assert_int_equal(job_find(&w.n.jobs, &id[1])->limits.v[LIMIT_MEMORY],
	    UINT64_C(256) << 20);
	assert_true(proto_get_describe(&d, world_call(&w, 1, &q)));
	assert_int_equal(d.limits.memory, UINT64_C(100) << 20);
	assert_true(pstr_is(d.name, "warmer"));
	/* what waits, and is too large for what there is now, is told so */
	assert_int_equal(about(1, PATH_CANCEL, &id[0])->status, ST_OK);
	assert_int_equal(about(1, PATH_CANCEL, &id[1])->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id[2], "refused", "too_large: memory: 268435456 bytes, of "
	    "104857600 that this node lends");
}

static void
test_quotas(void **state)
{
	struct policy p = changed();
	struct id32 id[3];
	struct fp fp;

	(void)state;
	three(id);
	world_fp(&fp, 0x41);
	p.jobs_per_hour = 4;
	p.bytes_per_minute = 1000;
	reloaded(&p);
	assert_int_equal(bucket_left(&owner_get(&w.n, &fp)->quota.jobs,
	    w.n.now), 4);
	assert_int_equal(peer_next(&w.n, NULL)->bytes.cap, 1000);
	bucket_take(&owner_get(&w.n, &fp)->quota.jobs, 3, w.n.now);
	/* more again: what was used is used */
	p.jobs_per_hour = 10;
	p.bytes_per_minute = UINT64_C(5) << 20;
	reloaded(&p);
	assert_int_equal(bucket_left(&owner_get(&w.n, &fp)->quota.jobs,
	    w.n.now), 7);
	p.jobs_queued = 1;
	reloaded(&p);
	world_run(&w, 100);
	refused(submit(1, 0x41, 9, NULL, &id[0]), "quota", 6);
	/* switched off: nobody is taken, what runs runs */
	p.accept = false;
	reloaded(&p);
	world_run(&w, 3000);
	assert_false(w.last_accepting);
	refused(submit(1, 0x41, 9, NULL, &id[0]), "not_accepting", 1);
	state_is(&id[1], "running", NULL);
}

/* ---- what is other ---- */

static char keys[512];

static void
key(void *ctx, const char *name)
{
	size_t n = strlen(keys);

	(void)ctx;
	(void)snprintf(keys + n, sizeof(keys) - n, "%s ", name);
}

static const char *
diff(const char *a, const char *b)
{
	struct node_config *x, *y;
	struct mistakes m = {0};

	keys[0] = '\0';
	assert_int_equal(node_config_parse(&x, a, strlen(a), &m), 0);
	assert_int_equal(node_config_parse(&y, b, strlen(b), &m), 0);
	node_config_diff(x, y, key, NULL);
	node_config_free(x);
	node_config_free(y);
	return keys;
}

static void
test_diff(void **state)
{
	(void)state;
	assert_string_equal(diff("", ""), "");
	assert_string_equal(diff("name: a\n", "# other\nname: a\n"), "");
	assert_string_equal(diff("name: a\n", "name: b\n"), "name ");
	assert_string_equal(diff("", "limits: {memory: 1GB, time: 1h}\n"),
	    "limits.memory limits.time ");
	assert_string_equal(diff("limits: {time: 1h}\nname: x\n",
	    "limits: {time: 2h}\nkeep_results: 1d\n"),
	    "limits.time keep_results name ");
	assert_string_equal(diff("trust:\n  pins:\n    - {id: "
	    "00112233445566778899aabbccddeeff, level: 1}\n", "trust:\n  pins:\n"
	    "    - {id: 00112233445566778899aabbccddeeff, level: 2}\n"
	    "  floor: 2\n"), "trust.pins trust.floor ");
	assert_string_equal(diff("compute_when: {hours: \"18:00-08:00\"}\n",
	    "compute_when: {hours: [\"18:00-08:00\"]}\n"), "compute_when ");
	assert_string_equal(diff("levels: {1: {memory: 1MB}}\n",
	    "levels: {}\n"), "levels ");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {T(test_below_floor),
	    T(test_not_by_itself), T(test_ceilings), T(test_quotas),
	    cmocka_unit_test(test_diff)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
