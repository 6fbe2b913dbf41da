/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mpk.h"
#include "common/util.h"
#include "tests/unit/vec.h"
#include "transport/core/base/crypt.h"

/* The notation of msgpack.json, written by mpk_put. */
static void
put_json(struct wr *w, const json_t *v)
{
	size_t i, n;
	json_t *e;

	if (json_is_null(v)) {
		mpk_put_nil(w);
	} else if (json_is_boolean(v)) {
		mpk_put_bool(w, json_is_true(v));
	} else if (json_is_string(v)) {
		mpk_put_strn(w, json_string_value(v), json_string_length(v));
	} else if (json_is_array(v)) {
		mpk_put_array(w, json_array_size(v));
		json_array_foreach(v, i, e)
			put_json(w, e);
	} else if (json_object_get(v, "bin") != NULL) {
		uint8_t *p = vec_bytes(v, "bin", &n);

		mpk_put_bin(w, p, n);
	} else if (json_object_get(v, "int") != NULL) {
		const char *s = vec_str(v, "int");

		if (s[0] == '-')
			mpk_put_int(w, strtoll(s, NULL, 10));
		else
			mpk_put_uint(w, strtoull(s, NULL, 10));
	} else if (json_object_get(v, "float64") != NULL) {
		uint8_t b[8];
		uint64_t bits;
		double d;

		vec_exact(v, "float64", b, 8);
		bits = get_u64(b);
		memcpy(&d, &bits, 8);
		mpk_put_double(w, d);
	} else {
		e = vec_array(v, "map");
		mpk_put_map(w, json_array_size(e));
		for (i = 0; i < json_array_size(e); i++) {
			put_json(w, json_array_get(json_array_get(e, i), 0));
			put_json(w, json_array_get(json_array_get(e, i), 1));
		}
	}
}

/* Reads a value and writes it again: with canonical input the same bytes. */
static bool
rewrite(struct rd *r, struct wr *w)
{
	struct mpk v;

	if (!mpk_get(r, &v))
		return false;
	switch (v.type) {
	case MPK_NIL:
		mpk_put_nil(w);
		return true;
	case MPK_BOOL:
		mpk_put_bool(w, v.b);
		return true;
	case MPK_UINT:
		mpk_put_uint(w, v.u);
		return true;
	case MPK_INT:
		mpk_put_int(w, v.i);
		return true;
	case MPK_FLOAT:
		mpk_put_double(w, v.d);
		return true;
	case MPK_STR:
		mpk_put_strn(w, (const char *)v.p, v.n);
		return true;
	case MPK_BIN:
		mpk_put_bin(w, v.p, v.n);
		return true;
	case MPK_ARRAY:
		mpk_put_array(w, v.n);
		for (size_t i = 0; i < v.n; i++) {
			if (!rewrite(r, w))
				return false;
		}
		return true;
	case MPK_MAP:
		mpk_put_map(w, v.n);
		for (size_t i = 0; i < 2 * v.n; i++) {
			if (!rewrite(r, w))
				return false;
		}
		return true;
	default:
		return false;
	}
}

static void
must_refuse(void *arg, const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n);

	(void)arg;
	assert_false(mpk_skip(&r));
	assert_true(r.p == p);
}

static void
any_verdict(void *arg, const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n);

	(void)arg;
	if (mpk_skip(&r))
		assert_true(r.p > p && r.p <= p + n);
	else
		assert_true(r.p == p);
}

static void
test_encode(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("msgpack.json"), "encode"), i,
	    v) {
		size_t n, head_len, cap = 70000;
		uint8_t *buf = vec_alloc(cap), *back = vec_alloc(cap), *want;
		struct wr w = wr_make(buf, cap), w2 = wr_make(back, cap);
		struct rd r;

		if (!vec_is_null(v, "packed_prefix")) {
			struct id32 hash, sha;

			n = (size_t)vec_int(v, "packed_length");
			want = vec_bytes(v, "packed_prefix", &head_len);
			mpk_put_bin_head(&w, n - (n > 65540 ? 5 : 3));
			wr_zero(&w, n - w.len);
			assert_true(wr_ok(&w));
			assert_int_equal(w.len, n);
			assert_memory_equal(buf, want, head_len);
			vec_exact(v, "sha256", HASH_BYTES(sha));
			crypt_sha256(&hash, buf, n);
			assert_memory_equal(hash.b, sha.b, 32);
		} else {
			want = vec_bytes(v, "packed", &n);
			put_json(&w, json_object_get(v, "value"));
			assert_true(wr_ok(&w));
			vec_equal(buf, w.len, want, n);
			vec_each_prefix(want, n, must_refuse, NULL);
			vec_each_flip(want, n, any_verdict, NULL);
		}
		r = rd_make(buf, w.len);
		assert_true(mpk_skip(&r) && rd_end(&r));
		r = rd_make(buf, w.len);
		assert_true(rewrite(&r, &w2) && rd_end(&r) && wr_ok(&w2));
		vec_equal(back, w2.len, buf, w.len);
	}
}

static void
test_decode(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("msgpack.json"), "decode"), i,
	    v) {
		size_t n;
		uint8_t *raw = vec_bytes(v, "raw", &n);
		struct rd r = rd_make(raw, n);

		assert_int_equal(mpk_skip(&r), vec_bool(v, "valid"));
	}
}

static bool
skips(const char *hex)
{
	size_t n;
	uint8_t *p = vec_unhex(hex, &n);
	struct rd r = rd_make(p, n);

	return mpk_skip(&r) && rd_end(&r);
}

static void
test_hostile(void **state)
{
	uint8_t deep[40];
	struct rd r;

	(void)state;
	/* headers that claim more than there is */
	assert_false(skips("ddffffffff"));
	assert_false(skips("dfffffffff"));
	assert_false(skips("c6ffffffff00"));
	assert_false(skips("dbffffffff00"));
	assert_false(skips("c9ffffffff0000"));
	assert_false(skips("9201"));
	assert_false(skips("8101"));
	/* depth */
	memset(deep, 0x91, sizeof(deep));
	deep[MPK_DEPTH] = 0xc0;
	r = rd_make(deep, MPK_DEPTH + 1);
	assert_true(mpk_skip(&r));
	deep[MPK_DEPTH] = 0x91;
	deep[MPK_DEPTH + 1] = 0xc0;
	r = rd_make(deep, MPK_DEPTH + 2);
	assert_false(mpk_skip(&r));
	/* repeated keys, in whatever form, and at depth */
	assert_true(skips("8201a1610201"));
	assert_false(skips("820101cc0102"));
	assert_false(skips("82d00101cc0102"));
	assert_false(skips("918201010102"));
	assert_false(skips("82c4016b01c4016b02"));
	assert_true(skips("82c4016b01a16b02"));
	assert_false(skips("82910101910102"));
	assert_true(skips("82ff0101ff"));
	assert_false(skips(""));
}

static void
test_typed(void **state)
{
	uint8_t b[64];
	struct wr w = wr_make(b, sizeof(b));
	struct rd r;
	uint64_t u;
	double d;
	bool t;
	const uint8_t *p;
	const char *s;
	size_t n;
	uint8_t two[2];
	struct mpk v;

	(void)state;
	mpk_put_uint(&w, 300);
	mpk_put_int(&w, -3);
	mpk_put_int(&w, 5);
	mpk_put_double(&w, 0.5);
	mpk_put_bool(&w, true);
	mpk_put_nil(&w);
	mpk_put_bin(&w, "ab", 2);
	mpk_put_str(&w, "xyz");
	mpk_put_array(&w, 1);
	mpk_put_map(&w, 0);
	mpk_put_raw(&w, "\x07", 1);
	assert_true(wr_ok(&w));
	r = rd_make(b, w.len);
	assert_false(mpk_get_bin(&r, &p, &n) || mpk_get_nil(&r) ||
	    mpk_get_bool(&r, &t) || mpk_get_str(&r, &s, &n) ||
	    mpk_get_array(&r, &n) || mpk_get_map(&r, &n));
	assert_true(r.p == b);
	assert_true(mpk_get_uint(&r, &u) && u == 300);
	assert_false(mpk_get_uint(&r, &u));
	assert_true(mpk_get_number(&r, &d) && d < -2.9);
	assert_true(mpk_get_number(&r, &d) && d > 4.9);
	assert_true(mpk_get_number(&r, &d) && d > 0.4 && d < 0.6);
	assert_false(mpk_get_number(&r, &d));
	assert_true(mpk_get_bool(&r, &t) && t);
	assert_true(mpk_get_nil(&r));
	assert_false(mpk_get_bin_exact(&r, two, 3));
	assert_true(mpk_get_bin_exact(&r, two, 2) && two[1] == 'b');
	assert_true(mpk_get(&r, &v) && mpk_str_is(&v, "xyz"));
	assert_false(mpk_str_is(&v, "xy"));
	assert_true(mpk_get_array(&r, &n) && n == 1);
	assert_true(mpk_get_map(&r, &n) && n == 0);
	assert_true(mpk_value(&r, &p, &n) && n == 1 && p[0] == 7);
	assert_true(rd_end(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_encode),
	    cmocka_unit_test(test_decode),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
