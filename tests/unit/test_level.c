/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Step 0 of KTE-1: the rows of klp-trust.json that it decides, and that it
 * leaves the others open, which are test_kte1.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "trust/doc/level.h"
#include "common/util.h"
#include "tests/unit/vec.h"

static bool
listed(const json_t *row, const char *member, const char *target)
{
	json_t *one, *arr = json_object_get(row, member);
	size_t i;

	json_array_foreach(arr, i, one)
		if (strcmp(json_string_value(one), target) == 0)
			return true;
	return false;
}

static size_t
load_pins(const json_t *row, struct level_pin *pins)
{
	json_t *one;
	size_t i, n = 0;

	json_array_foreach(vec_array(row, "pins"), i, one)
	{
		memset(&pins[n], 0, sizeof(pins[n]));
		vec_exact(one, "id", HASH_BYTES(pins[n].id));
		pins[n].level = (int8_t)vec_int(one, "level");
		pins[n].ignore_revocation = vec_bool(one, "ignore_revocation");
		n++;
	}
	return n;
}

static size_t
load_anchors(const json_t *row, struct level_anchor *anchors)
{
	json_t *one, *s;
	size_t i, j, n = 0;

	json_array_foreach(vec_array(row, "anchors"), i, one)
	{
		anchors[n].scopes = 0;
		vec_exact(one, "id", HASH_BYTES(anchors[n].fp));
		anchors[n].max_level = (int8_t)vec_int(one, "max_level");
		json_array_foreach(vec_array(one, "scopes"), j, s)
		{
			int bit = scope_parse(json_string_value(s),
			    json_string_length(s));

			assert_true(bit >= 0);
			anchors[n].scopes |= 1u << bit;
		}
		n++;
	}
	return n;
}

static void
test_vectors(void **state)
{
	json_t *root = vec_load("klp-trust.json"), *row;
	unsigned decided = 0;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "verdicts"), i, row)
	{
		const char *target = vec_str(row, "target"), *why;
		const char *scope = vec_str(row, "scope");
		struct level_pin pins[8];
		struct level_anchor anchors[8];
		struct level_conf c = {.pins = pins, .anchors = anchors};
		struct fp fp;
		struct level_query q = {.fp = &fp};
		bool local, want = true;
		int level = 99;

		c.npins = load_pins(row, pins);
		c.nanchors = load_anchors(row, anchors);
		vec_exact(row, "target", HASH_BYTES(fp));
		q.scope = (enum scope)scope_parse(scope, strlen(scope));
		if (listed(row, "revoked", target))
			q.revoked = REV_REVOKED;
		else if (listed(row, "suspended", target))
			q.revoked = REV_SUSPENDED;
		else if (c.npins == 0 &&
		    strcmp(vec_str(row, "name"), "an anchor is its own level"))
			want = false;
		local = level_local(&level, &why, &c, &q);
		assert_int_equal(local, want);
		assert_non_null(why);
		if (local)
			assert_int_equal(level, vec_int(row, "level"));
		decided += local;
	}
	assert_int_equal(decided, 7);
}

static void
test_pins(void **state)
{
	const struct fp fp = {{1}};
	const struct hash16 rns = {{2}};
	struct level_pin pins[] = {
	    {.id = {{1}}, .level = 3},
	    {.id = {{2}}, .is_rns = true, .level = -3},
	    {.id = {{2}}, .level = 1}, /* a fingerprint that looks like rns */
	};
	struct level_conf c = {.pins = pins, .npins = 3};
	struct level_query q = {.fp = &fp, .scope = SCOPE_JOB_SUBMIT};
	const char *why;
	int level;

	(void)state;
	assert_true(level_local(&level, &why, &c, &q));
	assert_int_equal(level, 3);
	q.rns = rns.b;
	assert_true(level_local(&level, &why, &c, &q));
	assert_int_equal(level, -3);
	q.fp = NULL;
	assert_true(level_local(&level, &why, &c, &q));
	assert_int_equal(level, -3);
	assert_ptr_equal(level_pin_rns(&c, &rns), &pins[1]);
	assert_null(level_pin_rns(&c, hash16_at(fp.b)));
	/* two pins of one key: one that ignores revocation does not win */
	pins[1] = pins[0];
	pins[1].ignore_revocation = true;
	q.fp = &fp;
	q.revoked = REV_REVOKED;
	assert_true(level_local(&level, &why, &c, &q));
	assert_int_equal(level, -3);
	assert_int_equal(scope_parse("job.submi", 9), -1);
	assert_int_equal(scope_parse("*", 1), SCOPE_ALL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
