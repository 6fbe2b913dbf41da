/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/vec_mpk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/mpk.h"
#include "tests/unit/vec.h"

static void
same_bytes(const struct mpk *v, const char *hex)
{
	uint8_t *want;
	size_t n;

	want = vec_unhex(hex, &n);
	assert_int_equal(v->type, MPK_BIN);
	assert_int_equal(v->n, n);
	if (n > 0)
		assert_memory_equal(v->p, want, n);
}

static double
number(const struct mpk *v)
{
	if (v->type == MPK_UINT)
		return (double)v->u;
	if (v->type == MPK_INT)
		return (double)v->i;
	assert_int_equal(v->type, MPK_FLOAT);
	return v->d;
}

/* {"$map": [[key, value], ...]}: in that order. */
static void
same_pairs(struct rd *r, const struct mpk *v, const json_t *pairs,
    size_t *extra)
{
	const json_t *pair;
	size_t i;

	assert_int_equal(v->type, MPK_MAP);
	assert_int_equal(v->n, json_array_size(pairs));
	json_array_foreach(pairs, i, pair) {
		vec_mpk_same(r, json_array_get(pair, 0), extra);
		vec_mpk_same(r, json_array_get(pair, 1), extra);
	}
}

static void
same_object(struct rd *r, const struct mpk *v, const json_t *want,
    size_t *extra)
{
	size_t found = 0;
	char key[64];
	struct mpk k;
	json_t *w;

	assert_int_equal(v->type, MPK_MAP);
	for (size_t i = 0; i < v->n; i++) {
		assert_true(mpk_get(r, &k));
		assert_int_equal(k.type, MPK_STR);
		assert_true(k.n < sizeof(key));
		memcpy(key, k.p, k.n);
		key[k.n] = '\0';
		if ((w = json_object_get(want, key)) != NULL) {
			found++;
			vec_mpk_same(r, w, extra);
		} else {
			(*extra)++;
			assert_true(mpk_skip(r));
		}
	}
	assert_int_equal(found, json_object_size(want));
}

void
vec_mpk_same(struct rd *r, const json_t *want, size_t *extra)
{
	const json_t *w;
	struct mpk v;
	size_t i;

	assert_true(mpk_get(r, &v));
	if ((w = json_object_get(want, "$bin")) != NULL) {
		same_bytes(&v, json_string_value(w));
	} else if ((w = json_object_get(want, "$map")) != NULL) {
		same_pairs(r, &v, w, extra);
	} else if (json_is_object(want)) {
		same_object(r, &v, want, extra);
	} else if (json_is_array(want)) {
		assert_int_equal(v.type, MPK_ARRAY);
		assert_int_equal(v.n, json_array_size(want));
		json_array_foreach(want, i, w)
			vec_mpk_same(r, w, extra);
	} else if (json_is_string(want)) {
		assert_int_equal(v.type, MPK_STR);
		assert_int_equal(v.n, json_string_length(want));
		assert_memory_equal(v.p, json_string_value(want), v.n);
	} else if (json_is_boolean(want)) {
		assert_int_equal(v.type, MPK_BOOL);
		assert_int_equal(v.b, json_is_true(want));
	} else if (json_is_null(want)) {
		assert_int_equal(v.type, MPK_NIL);
	} else {
		assert_float_equal(number(&v), json_number_value(want), 1e-9);
	}
}

void
vec_mpk_put(struct wr *w, const json_t *v)
{
	const char *key;
	const json_t *m;
	uint8_t *bytes;
	size_t i, n;

	if ((m = json_object_get(v, "$bin")) != NULL) {
		bytes = vec_unhex(json_string_value(m), &n);
		mpk_put_bin(w, bytes, n);
	} else if (json_is_object(v)) {
		mpk_put_map(w, json_object_size(v));
		json_object_foreach((json_t *)(uintptr_t)v, key, m) {
			mpk_put_str(w, key);
			vec_mpk_put(w, m);
		}
	} else if (json_is_array(v)) {
		mpk_put_array(w, json_array_size(v));
		json_array_foreach(v, i, m)
			vec_mpk_put(w, m);
	} else if (json_is_string(v)) {
		mpk_put_str(w, json_string_value(v));
	} else if (json_is_boolean(v)) {
		mpk_put_bool(w, json_is_true(v));
	} else if (json_is_integer(v)) {
		mpk_put_int(w, json_integer_value(v));
	} else if (json_is_real(v)) {
		mpk_put_double(w, json_real_value(v));
	} else {
		mpk_put_nil(w);
	}
}
