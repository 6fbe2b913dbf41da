/* SPDX-License-Identifier: BSD-2-Clause */
/* Serials, rotation, bounds and the file of the binding store (klp.md 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trust/bindstore.h"
#include "common/util.h"
#include "tests/unit/vec.h"

#define NOW 1000000u
#define DAY 86400u

/* Signatures are the caller's to check, so any bytes do here. */
static struct binding
made(uint8_t secp, uint8_t rns, uint32_t serial)
{
	struct binding b = {.serial = serial, .not_before = NOW,
	    .not_after = NOW + 90 * DAY};

	b.secp[0] = 2;
	b.secp[1] = secp;
	b.rns[0] = rns;
	return b;
}

static const char *
take(struct bindstore *s, struct binding b, uint32_t now)
{
	bool fresh;

	return bindstore_take(s, &b, now, false, &fresh);
}

static void
test_serials(void **state)
{
	struct bindstore *s = bindstore_new(16);
	struct binding old = made(1, 1, 10), new = made(1, 2, 20), twin = new;
	bool fresh;

	(void)state;
	assert_null(bindstore_take(s, &old, NOW, false, &fresh));
	assert_true(fresh);
	assert_null(bindstore_take(s, &old, NOW, false, &fresh));
	assert_false(fresh);
	assert_null(take(s, new, NOW + 100));
	/* equal serial, another statement */
	twin.rns[0] = 3;
	assert_non_null(take(s, twin, NOW + 100));
	/* the old machine has 7 days from the first sight of the new one */
	assert_null(take(s, old, NOW + 100 + 7 * DAY - 1));
	assert_non_null(bindstore_find(s, old.rns, NOW + 100 + 7 * DAY - 1));
	assert_non_null(take(s, old, NOW + 100 + 7 * DAY));
	assert_null(bindstore_find(s, old.rns, NOW + 100 + 7 * DAY));
	assert_non_null(bindstore_find(s, new.rns, NOW + 100 + 7 * DAY));
	/* seeing it again does not start the week anew */
	assert_null(take(s, new, NOW + 6 * DAY));
	assert_non_null(take(s, old, NOW + 8 * DAY));
	/* one that has expired may hold again, when the clock was set right */
	assert_null(bindstore_find(s, new.rns, NOW + 90 * DAY));
	assert_null(bindstore_find(s, new.rns, NOW - 90 * DAY));
	assert_non_null(bindstore_find(s, new.rns, NOW + 100));
	bindstore_free(s);
}

static void
test_same_identity(void **state)
{
	struct bindstore *s = bindstore_new(16);
	struct binding old = made(1, 1, 10), new = made(1, 1, 20);

	(void)state;
	assert_null(take(s, new, NOW));
	/* within the week too: that is for another identity */
	assert_string_equal(take(s, old, NOW + 1),
	    "binding: older than the one that this identity has shown");
	assert_string_equal(take(s, made(1, 1, 19), NOW + 1),
	    "binding: older than the one that this identity has shown");
	assert_null(take(s, new, NOW + 1));
	assert_null(take(s, made(1, 2, 15), NOW + 1));
	assert_non_null(take(s, made(1, 2, 14), NOW + 1));
	assert_int_equal(bindstore_find(s, old.rns, NOW + 1)->serial, 20);
	/* another key for the identity takes its place */
	assert_null(take(s, made(2, 1, 5), NOW + 2));
	assert_int_equal(bindstore_find(s, old.rns, NOW + 2)->serial, 5);
	assert_true(bindstore_has(s, bindstore_find(s, old.rns, NOW + 2)));
	assert_false(bindstore_has(s, &new));
	/* and does not let the older one of the first key in again */
	assert_string_equal(take(s, old, NOW + 3),
	    "binding: older than the one that this identity has shown");
	assert_null(take(s, new, NOW + 3));
	bindstore_free(s);
}

/* The same, of what another life has kept. */
static void
test_same_kept(void **state)
{
	static uint8_t buf[65536];
	struct bindstore *s = bindstore_new(16);
	struct binding new = made(1, 1, 20), other = made(2, 1, 5);
	uint32_t floor;
	bool fresh;
	size_t n;

	(void)state;
	assert_null(bindstore_take(s, &new, NOW, true, &fresh));
	n = bindstore_put(s, buf, sizeof(buf), NOW);
	assert_true(n > 0);
	bindstore_free(s);
	s = bindstore_new(16);
	assert_true(bindstore_get(s, buf, n, &floor));
	assert_null(bindstore_take(s, &other, NOW + 2, true, &fresh));
	assert_string_equal(take(s, made(1, 1, 10), NOW + 3),
	    "binding: older than the one that this identity has shown");
	bindstore_free(s);
}

static void
test_bounds(void **state)
{
	struct bindstore *s = bindstore_new(3);
	struct binding kept = made(1, 1, 10);
	bool fresh;

	(void)state;
	assert_null(bindstore_take(s, &kept, NOW, true, &fresh));
	for (uint8_t i = 2; i < 200; i++)
		assert_null(take(s, made(i, i, 1), NOW));
	assert_int_equal(bindstore_count(s), 3);
	assert_non_null(bindstore_find(s, kept.rns, NOW));
	assert_non_null(take(s, made(1, 9, 9), NOW + 8 * DAY));
	/* full of kept ones: refused, and nothing is lost */
	for (uint8_t i = 198; i < 200; i++) {
		struct binding b = made(i, i, 2);

		assert_null(bindstore_take(s, &b, NOW, true, &fresh));
	}
	assert_non_null(take(s, made(250, 250, 1), NOW));
	assert_int_equal(bindstore_count(s), 3);
	bindstore_free(s);
}

static void
bad(void *arg, const uint8_t *p, size_t n)
{
	struct bindstore *s = bindstore_new(16);
	uint32_t floor;

	(void)arg;
	assert_false(bindstore_get(s, p, n, &floor));
	assert_int_equal(bindstore_count(s), 0);
	bindstore_free(s);
}

static void
test_file(void **state)
{
	struct bindstore *s = bindstore_new(16), *t = bindstore_new(16);
	uint8_t buf[4096], again[4096];
	uint32_t floor;
	size_t n;

	(void)state;
	for (uint8_t i = 1; i < 5; i++)
		assert_null(take(s, made(i / 2, i, i), NOW));
	n = bindstore_put(s, buf, sizeof(buf), NOW);
	assert_true(n > 0);
	assert_int_equal(bindstore_put(s, buf, n - 1, NOW), 0);
	n = bindstore_put(s, buf, sizeof(buf), NOW);
	assert_true(bindstore_get(t, buf, n, &floor));
	assert_int_equal(floor, NOW);
	assert_int_equal(bindstore_put(t, again, sizeof(again), NOW), n);
	assert_memory_equal(buf, again, n);
	/* serials survive with the file, those of identities as well */
	assert_non_null(take(t, made(1, 2, 1), NOW));
	assert_null(take(t, made(1, 2, 2), NOW));
	assert_non_null(take(t, made(1, 9, 1), NOW + 8 * DAY));
	vec_each_prefix(buf, n, bad, NULL);
	vec_each_flip(buf, n, bad, NULL);
	bindstore_free(s);
	bindstore_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_serials),
	    cmocka_unit_test(test_same_identity),
	    cmocka_unit_test(test_same_kept),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
