/* SPDX-License-Identifier: BSD-2-Clause */
/* What a root is made of before its job: every field that counts, no other. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/util.h"
#include "sandbox/plan/shape.h"

static void
plan_make(struct plan *p)
{
	memset(p, 0, sizeof(*p));
	p->slot = 1;
	p->memory = 64u << 20;
	p->output = 1u << 20;
	p->read_only = true;
	memset(&p->image, 7, sizeof(p->image));
}

enum field { IMAGE, READ_ONLY, NOEXEC, MEMORY, TMP_BYTES, TMP_INODES, RUNTIME,
	/* none of these is in a root */
	JOB, SLOT, LAYERS, CPU, PIDS, TIME, OUTPUT, ARGS, FILTER, RULED,
	FIELDS };

static void
change(struct plan *p, enum field f)
{
	switch (f) {
	case IMAGE: p->image.b[31] ^= 1; break;
	case READ_ONLY: p->read_only = false; break;
	case NOEXEC: p->noexec = true; break;
	case MEMORY: p->memory += 4; break;
	case TMP_BYTES: p->tmp_bytes = 4096; break;
	case TMP_INODES: p->tmp_inodes = 5; break;
	case RUNTIME: p->runtime = PLAN_WASM; break;
	case JOB: p->job.b[0] ^= 1; break;
	case SLOT: p->slot = 2; break;
	case LAYERS: p->layers = 1; break;
	case CPU: p->cpu_milli = 5; break;
	case PIDS: p->pids = 5; break;
	case TIME: p->time_ms = 5; break;
	case OUTPUT: p->output = 5; break;
	case ARGS: p->args_len = 5; break;
	case FILTER: p->filter_len = 5; break;
	case RULED: p->ruled = PLAN_MAY_WRITE; break;
	case FIELDS: break;
	}
}

static void
test_fields(void **state)
{
	struct shape a, b;
	struct plan p;

	(void)state;
	for (enum field f = 0; f < FIELDS; f++) {
		plan_make(&p);
		shape_of(&a, &p);
		assert_true(shape_eq(&a, &a));
		change(&p, f);
		shape_of(&b, &p);
		assert_int_equal(shape_eq(&a, &b), f >= JOB);
		assert_int_equal(shape_eq(&b, &a), f >= JOB);
	}
}

/* What is 0 in a plan has the size that is mounted. */
static void
test_sizes(void **state)
{
	struct shape a, b;
	struct plan p;

	(void)state;
	plan_make(&p);
	shape_of(&a, &p);
	assert_int_equal(a.tmp_bytes, 16u << 20);
	assert_int_equal(a.tmp_inodes, PLAN_TMP_INODES);
	p.tmp_bytes = 16u << 20;
	p.tmp_inodes = PLAN_TMP_INODES;
	shape_of(&b, &p);
	assert_true(shape_eq(&a, &b));
	p.tmp_bytes = 0;
	p.memory = 4096;
	shape_of(&b, &p);
	assert_int_equal(b.tmp_bytes, 65536);
}

/* A module's root has nothing of it: two modules have one shape. */
static void
test_module(void **state)
{
	struct shape a, b;
	struct plan p;

	(void)state;
	plan_make(&p);
	p.runtime = PLAN_WASM;
	shape_of(&a, &p);
	p.image.b[3] ^= 1;
	shape_of(&b, &p);
	assert_true(a.wasm && shape_eq(&a, &b));
}

static void
test_alone(void **state)
{
	struct plan p;

	(void)state;
	plan_make(&p);
	assert_true(shape_alone(&p));
	p.nvolumes = 1;
	assert_true(shape_alone(&p));
	p.read_only = false;
	assert_false(shape_alone(&p));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_sizes), cmocka_unit_test(test_module),
	    cmocka_unit_test(test_alone)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
