/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections that nobody asked for by hand: how many, and which end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "transport/discovery/slots.h"

static struct mono
at(int s)
{
	return (struct mono){s * MONO_SECOND};
}

static struct id32
place(uint16_t port)
{
	struct id32 id;

	slots_endpoint(&id, "node.example.org", port);
	return id;
}

static void
test_endpoints(void **state)
{
	struct id32 a = place(1), b = place(1), c = place(2), text;

	(void)state;
	assert_true(id32_eq(&a, &b));
	assert_false(id32_eq(&a, &c));
	rns_sha256(&text, "node.example.org:1", 18);
	assert_true(id32_eq(&a, &text));
}

static void
test_limits(void **state)
{
	struct slots s;
	struct id32 id;

	(void)state;
	slots_init(&s, 1000);
	assert_int_equal(s.max, SLOTS_MAX);
	slots_init(&s, 2);
	id = place(1);
	assert_int_equal(slots_take(&s, &id, at(0)), 0);
	assert_int_equal(slots_take(&s, &id, at(0)), -1); /* once */
	id = place(2);
	assert_int_equal(slots_take(&s, &id, at(0)), 1);
	id = place(3);
	assert_int_equal(slots_take(&s, &id, at(0)), -1); /* full */
	assert_false(slots_has(&s, &id));
	slots_release(&s, 0);
	assert_int_equal(slots_take(&s, &id, at(0)), 0);
	assert_true(slots_has(&s, &id));
	slots_init(&s, 0);
	assert_int_equal(slots_take(&s, &id, at(0)), -1);
	assert_false(slots_hungry(&s));
}

static void
test_overdue(void **state)
{
	struct id32 id = place(1);
	struct slots s;

	(void)state;
	slots_init(&s, 2);
	assert_int_equal(slots_overdue(&s, at(100)), -1);
	(void)slots_take(&s, &id, at(100)); /* never came up */
	assert_int_equal(slots_overdue(&s, at(111)), -1);
	assert_int_equal(slots_overdue(&s, at(112)), 0);
	slots_online(&s, 0, true, at(111));
	assert_int_equal(slots_up(&s), 1);
	assert_int_equal(slots_overdue(&s, at(1000)), -1);
	slots_online(&s, 0, false, at(1000));
	slots_online(&s, 0, false, at(1010)); /* no news */
	assert_int_equal(slots_overdue(&s, at(1011)), -1);
	assert_int_equal(slots_overdue(&s, at(1012)), 0);
	slots_release(&s, 0);
	assert_int_equal(slots_overdue(&s, at(1012)), -1);
}

/* More than a quarter of the places is free. */
static void
test_hungry(void **state)
{
	static const struct {
		unsigned max, used;
		bool hungry;
	} cases[] = {{1, 0, true}, {1, 1, false}, {4, 2, true}, {4, 3, false},
	    {4, 4, false}, {5, 3, true}, {5, 4, false}, {8, 5, true},
	    {8, 6, false}};
	struct slots s;
	struct id32 id;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		slots_init(&s, cases[i].max);
		for (unsigned k = 0; k < cases[i].used; k++) {
			id = place((uint16_t)(k + 1));
			assert_true(slots_take(&s, &id, at(0)) >= 0);
		}
		assert_int_equal(slots_hungry(&s), cases[i].hungry);
	}
}

static void
test_bootstrap(void **state)
{
	struct id32 a = place(1), b = place(2);
	struct slots s;

	(void)state;
	slots_init(&s, 2);
	assert_int_equal(slots_bootstrap(&s), BOOTSTRAP_ON);
	(void)slots_take(&s, &a, at(0));
	(void)slots_take(&s, &b, at(0));
	assert_int_equal(slots_bootstrap(&s), BOOTSTRAP_ON); /* none is up */
	slots_online(&s, 0, true, at(1));
	assert_int_equal(slots_bootstrap(&s), BOOTSTRAP_AS_IT_IS);
	slots_online(&s, 1, true, at(1));
	assert_int_equal(slots_bootstrap(&s), BOOTSTRAP_OFF);
	slots_online(&s, 0, false, at(2));
	assert_int_equal(slots_bootstrap(&s), BOOTSTRAP_AS_IT_IS);
	slots_online(&s, 1, false, at(2));
	assert_int_equal(slots_bootstrap(&s), BOOTSTRAP_ON);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_overdue),
		cmocka_unit_test(test_hungry),
		cmocka_unit_test(test_bootstrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
