/* SPDX-License-Identifier: BSD-2-Clause */
/* When jail may prepare roots, and when what it has prepared is void. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "common/layers.h"
#include "node/work/found.h"
#include "node/work/lend.h"
#include "node/work/node.h"
#include "node/work/reload.h"
#include "node/work/revoke.h"
#include "node/work/verified.h"
#include "node/work/warm.h"
#include "tests/unit/nodekit.h"

static void
told(bool on, unsigned times)
{
	assert_int_equal(w.warm.on, on);
	assert_int_equal(w.warm.idle_s, on ? w.n.policy.keep_warm_s : 0);
	assert_int_equal(w.warms, times);
}

static void
test_begins(void **state)
{
	(void)state;
	world_run(&w, 50);
	told(true, 1);
	assert_int_equal(w.warm.idle_s, 600);
	/* once is enough */
	world_run(&w, 60000);
	told(true, 1);
	/* a new jail knows nothing of it */
	node_down(&w.n, PROGRAM_JAIL);
	world_run(&w, 1000);
	told(true, 1);
	node_up(&w.n, PROGRAM_JAIL);
	found_posture(&w.n, &(struct msg_J_POSTURE){.slots = 1,
	    .layers = LAYERS_KNOWN});
	world_run(&w, 50);
	told(true, 2);
}

static void
test_key(void **state)
{
	struct policy p;

	(void)state;
	world_run(&w, 50);
	p = w.n.policy;
	p.keep_warm_s = 0;
	node_reload(&w.n, &p);
	told(false, 2);
	world_run(&w, 1000);
	told(false, 2);
	p.keep_warm_s = 60;
	node_reload(&w.n, &p);
	world_run(&w, 50);
	told(true, 3);
	/* any reading of the files: what was prepared was by the older ones */
	node_reload(&w.n, &p);
	world_run(&w, 50);
	told(true, 4);
}

static void
test_lent(void **state)
{
	(void)state;
	world_run(&w, 50);
	/* the world begins at 08:00 */
	w.n.policy.when = (struct when_conf){.set = true,
	    .days = WHEN_ALL_DAYS, .nhours = 1, .hours = {{600, 720}}};
	lend_again(&w.n);
	world_run(&w, 1000);
	told(false, 2);
	w.n.policy.when.set = false;
	lend_again(&w.n);
	world_run(&w, 1000);
	told(true, 3);
}

static void
test_memory(void **state)
{
	struct msg_FACTS f = {.mains = true, .memory_free = WARM_MEMORY_LEAST};

	(void)state;
	world_run(&w, 50);
	lend_facts(&w.n, &f);
	world_run(&w, 50);
	told(true, 1);
	f.memory_free--;
	lend_facts(&w.n, &f);
	world_run(&w, 50);
	told(false, 2);
	/* nothing is there to be voided */
	warm_void(&w.n);
	told(false, 2);
	f.memory_free++;
	lend_facts(&w.n, &f);
	world_run(&w, 50);
	told(true, 3);
}

/* Said at once, so that no start that follows finds it. */
static void
test_void(void **state)
{
	struct msg_I_FOUND f = {.kind = FOUND_IMAGE, .why = "changed"};
	const struct id32 image = {{3}}, none = {{0}};

	(void)state;
	world_run(&w, 50);
	verified_found(&w.n, &f);
	told(true, 2);
	f.why[0] = '\0';
	verified_found(&w.n, &f);
	told(true, 3);
	/* an import that may have put another folder there, a person's doubt */
	(void)verified_ask(&w.n, &image, CHECK_IMPORTED, &none);
	told(true, 4);
	/* nobody can look: it is in doubt all the same */
	node_down(&w.n, PROGRAM_AUDIT);
	assert_false(verified_ask(&w.n, &image, CHECK_IMPORTED, &none));
	told(true, 5);
	node_up(&w.n, PROGRAM_AUDIT);
	f.kind = FOUND_PROGRAM;
	(void)snprintf(f.why, sizeof(f.why), "another one");
	verified_found(&w.n, &f);
	told(true, 5);
}

static void
test_revoked(void **state)
{
	struct listed *l = calloc(1, sizeof(*l));

	(void)state;
	assert_non_null(l);
	l->kind = LISTED_KEY;
	l->id[0] = 9;
	world_run(&w, 50);
	revoke_take(&w.n, l, 1);
	told(true, 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_begins), T(test_key), T(test_lent), T(test_memory),
	    T(test_void), T(test_revoked)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
