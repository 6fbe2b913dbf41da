/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests and answers of programs on RNS up to 1.3.3 (reticulum-transport.md
 * 13.7), against recorded ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/mpk.h"
#include "transport/engine/rpc_pickle.h"
#include "transport/engine/rpc_request.h"
#include "tests/unit/vec.h"
#include "tests/unit/vec_mpk.h"

static uint8_t packed[65536], pickled[5 * 65536 + 3];
static json_t *calls;

/* Behind its length prefix. */
static uint8_t *
message(const json_t *o, const char *key, size_t *n)
{
	uint8_t *p = vec_bytes(o, key, n);

	assert_true(*n > 4);
	*n -= 4;
	return vec_copy(p + 4, *n);
}

static void
requests(void **state)
{
	json_t *c;
	size_t i, n, extra = 0;
	uint8_t *p;
	struct wr w;
	struct rd r;

	(void)state;
	json_array_foreach(calls, i, c) {
		p = message(c, "request_hex", &n);
		assert_true(pickle_is(p, n));
		w = wr_make(packed, sizeof(packed));
		assert_true(pickle_to_mpk(p, n, &w));
		r = rd_make(packed, w.len);
		vec_mpk_same(&r, json_object_get(c, "request"), &extra);
		assert_true(rd_end(&r));
	}
	assert_true(i >= 10);
	assert_int_equal(extra, 0);
}

/* ---- an answer, read by the rules of the specification ---- */

static uint64_t
le(struct rd *r, size_t n)
{
	const uint8_t *p;
	uint64_t v = 0;

	assert_true(rd_ref(r, &p, n));
	for (size_t i = 0; i < n && i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static uint8_t
op(struct rd *r)
{
	uint8_t b;

	assert_true(rd_u8(r, &b));
	return b;
}

static void same(struct rd *, const json_t *);

static void
same_text(struct rd *r, const void *want, size_t n)
{
	const uint8_t *p;

	if (n > 0) {
		assert_true(rd_ref(r, &p, n));
		assert_memory_equal(p, want, n);
	}
}

static void
same_bytes(struct rd *r, const json_t *hex)
{
	uint8_t *want;
	size_t n;

	want = vec_unhex(json_string_value(hex), &n);
	assert_int_equal(op(r), 0x43);
	assert_int_equal(le(r, 1), n);
	same_text(r, want, n);
}

static void
same_map(struct rd *r, const json_t *want)
{
	const json_t *pairs = json_object_get(want, "$map"), *v;
	const char *key;
	size_t i;

	assert_int_equal(op(r), 0x7d);
	assert_int_equal(op(r), 0x28);
	json_array_foreach(pairs, i, v) {
		same(r, json_array_get(v, 0));
		same(r, json_array_get(v, 1));
	}
	if (pairs == NULL) {
		json_object_foreach((json_t *)(uintptr_t)want, key, v) {
			assert_int_equal(op(r), 0x8c);
			assert_int_equal(le(r, 1), strlen(key));
			same_text(r, key, strlen(key));
			same(r, v);
		}
	}
	assert_int_equal(op(r), 0x75);
}

static void
same_number(struct rd *r, const json_t *want)
{
	uint8_t b = op(r);
	double d;

	if (b == 0x47) {
		assert_true(rd_f64(r, &d));
		assert_float_equal(d, json_number_value(want), 1e-9);
	} else if (b == 0x4b) {
		assert_int_equal(le(r, 1), json_integer_value(want));
	} else if (b == 0x4d) {
		assert_int_equal(le(r, 2), json_integer_value(want));
	} else if (b == 0x4a) {
		assert_int_equal((int32_t)le(r, 4), json_integer_value(want));
	} else {
		assert_int_equal(b, 0x8a);
		assert_int_equal(le(r, le(r, 1)), json_integer_value(want));
	}
}

static void
same(struct rd *r, const json_t *want)
{
	const json_t *v;
	size_t i;

	if ((v = json_object_get(want, "$bin")) != NULL) {
		same_bytes(r, v);
	} else if (json_is_object(want)) {
		same_map(r, want);
	} else if (json_is_array(want)) {
		assert_int_equal(op(r), 0x5d);
		assert_int_equal(op(r), 0x28);
		json_array_foreach(want, i, v)
			same(r, v);
		assert_int_equal(op(r), 0x65);
	} else if (json_is_string(want)) {
		assert_int_equal(op(r), 0x8c);
		assert_int_equal(le(r, 1), json_string_length(want));
		same_text(r, json_string_value(want), json_string_length(want));
	} else if (json_is_boolean(want)) {
		assert_int_equal(op(r), json_is_true(want) ? 0x88 : 0x89);
	} else if (json_is_null(want)) {
		assert_int_equal(op(r), 0x4e);
	} else {
		same_number(r, want);
	}
}

/* What the reference answered, said by us. */
static void
answered(const json_t *value)
{
	struct wr w = wr_make(packed, sizeof(packed));
	struct rd r;

	vec_mpk_put(&w, value);
	assert_true(wr_ok(&w));
	r = rd_make(packed, w.len);
	w = wr_make(pickled, pickle_max(w.len));
	assert_true(pickle_from_mpk(&r, &w));
	r = rd_make(pickled, w.len);
	assert_int_equal(op(&r), 0x80);
	assert_int_equal(op(&r), 4);
	same(&r, value);
	assert_int_equal(op(&r), '.');
	assert_true(rd_end(&r));
}

static void
answers(void **state)
{
	json_t *c;
	size_t i;

	(void)state;
	json_array_foreach(calls, i, c)
		if (json_object_get(json_object_get(c, "response"), "$map") ==
		    NULL)
			answered(json_object_get(c, "response"));
}

static void
numbers(void **state)
{
	static const int64_t list[] = {0, 255, 256, 65535, 65536, 2147483647,
	    2147483648, 4294967296, INT64_MAX, -1, -2147483648LL,
	    -2147483649LL, INT64_MIN};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		json_t *v = json_integer(list[i]);

		answered(v);
		json_decref(v);
	}
}

/* Texts and bytes over 255; what an answer cannot hold. */
static void
long_ones(void **state)
{
	static uint8_t long_text[70000];
	struct wr w = wr_make(packed, sizeof(packed));
	struct rd r;

	(void)state;
	memset(long_text, 'x', 300);
	mpk_put_array(&w, 2);
	mpk_put_strn(&w, (char *)long_text, 300);
	mpk_put_bin(&w, long_text, 300);
	r = rd_make(packed, w.len);
	w = wr_make(pickled, pickle_max(w.len));
	assert_true(pickle_from_mpk(&r, &w));
	r = rd_make(pickled, w.len);
	assert_int_equal(le(&r, 4), 0x285d0480);
	assert_int_equal(op(&r), 0x58);
	assert_int_equal(le(&r, 4), 300);
	same_text(&r, long_text, 300);
	assert_int_equal(op(&r), 0x42);
	assert_int_equal(le(&r, 4), 300);
	same_text(&r, long_text, 300);
	assert_int_equal(le(&r, 2), 0x2e65);
	for (size_t n = 0; n < 20; n++) { /* too small */
		w = wr_make(pickled, n);
		r = rd_make(packed, 600);
		assert_false(pickle_from_mpk(&r, &w));
	}
	/* nested without end, and an extension type */
	memset(packed, 0x91, sizeof(packed));
	r = rd_make(packed, sizeof(packed));
	w = wr_make(pickled, sizeof(pickled));
	assert_false(pickle_from_mpk(&r, &w));
	r = rd_make("\xd4\x01\x02", 3);
	w = wr_make(pickled, sizeof(pickled));
	assert_false(pickle_from_mpk(&r, &w));
}

static void
try(void *arg, const uint8_t *p, size_t n)
{
	struct rpc_request q;
	struct wr w = wr_make(packed, sizeof(packed));
	bool *whole = arg;

	/* what is taken is a packed map */
	if (pickle_to_mpk(p, n, &w)) {
		struct rd r = rd_make(packed, w.len);

		*whole = true;
		if (mpk_skip(&r))
			(void)rpc_request_parse(&q, packed, w.len);
	}
}

static void
hostile(void **state)
{
	static const char *const bad[] = {
		"80042e",			  /* nothing */
		"80044e2e",			  /* no map */
		"80047d7d2e", "80047d4e2e",	  /* two things */
		"80037d2e", "7d2e", "80067d2e",	  /* another protocol */
		"80047d", "80047d2e00",		  /* no end, more behind it */
		"80047d28752e00",
		"80047d284e4e752e",		  /* key without a name */
		"80047d4e4e732e", "80047d288c0161752e", /* half a pair */
		"80048c01618c0162732e",		  /* no map below */
		"80048c0161288c01624e752e", "80042875", "80047d75",
		"80047d286800752e", "80047d9468007329", /* memo of nothing */
		"80047d948c016168007375",	  /* a map in itself */
		"800494", "80042894",		  /* memo of a mark */
		"80047d8cff61", "80047d43ff", "80047d4b", "80047d4d00",
		"80047d4a000000", "80047d470000", "80049500",
		/* what would run something */
		"800463706f7369780a73797374656d0a285609726d0a74522e",
		"80048c05706f736978948c0673797374656d94932e",
		"80047d8c0161522e", "800481", "800462", "800451", "80044f",
	};
	char many[9 + 4 * 64];
	struct wr w;
	size_t n;
	uint8_t *p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p = vec_unhex(bad[i], &n);
		w = wr_make(packed, sizeof(packed));
		assert_false(pickle_to_mpk(p, n, &w));
	}
	/* every opcode but those of 13.7 */
	for (unsigned b = 0; b < 256; b++) {
		uint8_t one[] = {0x80, 4, 0x7d, (uint8_t)b, '.'};

		w = wr_make(packed, sizeof(packed));
		assert_int_equal(pickle_to_mpk(one, sizeof(one), &w),
		    b == 0x94);
	}
	/* more than a request has: marks, values, pairs, memos */
	for (n = 0; n < 4; n++) {
		memset(many, "(N\x94\x94"[n], sizeof(many));
		memcpy(many, "\x80\x04}", 3);
		w = wr_make(packed, sizeof(packed));
		assert_false(pickle_to_mpk((uint8_t *)many, sizeof(many), &w));
	}
	p = vec_unhex("80047d288c01618c0162752e", &n);
	for (size_t cap = 0; cap < 5; cap++) {
		w = wr_make(packed, cap);
		assert_false(pickle_to_mpk(p, n, &w));
	}
	w = wr_make(packed, 5);
	assert_true(pickle_to_mpk(p, n, &w));
}

/* Cut anywhere it is refused; with a bit turned it is a request or refused. */
static void
cut(void **state)
{
	json_t *c;
	size_t i, n;
	uint8_t *p;
	bool whole;

	(void)state;
	json_array_foreach(calls, i, c) {
		p = message(c, "request_hex", &n);
		whole = false;
		vec_each_prefix(p, n, try, &whole);
		assert_false(whole);
		vec_each_flip(p, n, try, &whole);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests), cmocka_unit_test(answers),
		cmocka_unit_test(numbers), cmocka_unit_test(long_ones),
		cmocka_unit_test(hostile), cmocka_unit_test(cut),
	};

	calls = vec_array(vec_load("rpc-legacy-pickle.json"), "calls");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
