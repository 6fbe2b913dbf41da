/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/crypt.h"
#include "common/mpk.h"
#include "transport/core/table/stores.h"
#include "tests/unit/vec.h"

static const json_t *
store(const char *kind, size_t nth)
{
	json_t *v;
	size_t i;

	json_array_foreach(vec_array(vec_load("stores.json"), "stores"), i, v) {
		if (strcmp(vec_str(v, "kind"), kind) == 0 && nth-- == 0)
			return v;
	}
	fail_msg("no store %s", kind);
	return NULL;
}

static void
read_known(void *arg, const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n);
	struct rns_known k;
	size_t count;
	int err = stores_known_head(&r, &count);

	(void)arg;
	for (size_t i = 0; err != RNS_EPARSE && i < count; i++) {
		err = stores_known_next(&r, &k);
		if (err == RNS_OK && k.app_data != NULL)
			assert_true(k.app_data >= p &&
			    k.app_data + k.app_data_len <= p + n);
	}
}

static void
test_known(void **state)
{
	const json_t *v = store("known_destinations", 0), *e;
	size_t n, count, app_len;
	uint8_t *bytes = vec_bytes(v, "bytes", &n), *app, want[64];
	uint8_t *buf = vec_alloc(n);
	json_t *entries = vec_array(v, "entries");
	struct rd r = rd_make(bytes, n);
	struct wr w = wr_make(buf, n);
	struct rns_known k;

	(void)state;
	assert_int_equal(stores_known_head(&r, &count), RNS_OK);
	assert_int_equal(count, json_array_size(entries));
	stores_known_put_head(&w, count);
	for (size_t i = 0; i < count; i++) {
		size_t before = w.len;
		double used;

		e = json_array_get(entries, i);
		used = vec_number(e, "last_used");
		assert_int_equal(stores_known_next(&r, &k), RNS_OK);
		vec_exact(e, "destination_hash", want, 16);
		assert_memory_equal(k.dest.b, want, 16);
		vec_exact(e, "packet_hash", want, 32);
		assert_memory_equal(k.packet_hash.b, want, 32);
		vec_exact(e, "public_key", want, 64);
		assert_memory_equal(k.public_key, want, 64);
		app = vec_bytes(e, "app_data", &app_len);
		assert_int_equal(app == NULL, k.app_data == NULL);
		vec_equal(k.app_data, k.app_data_len, app, app_len);
		assert_true(k.heard_us ==
		    (int64_t)(vec_number(e, "timestamp") * 1e6 + 0.5));
		assert_true(k.used_us == (used < 0 ? -1 :
		    (int64_t)(used * 1e6 + 0.5)));
		stores_known_put(&w, &k);
		assert_true(w.len - before <= stores_known_max(&k));
	}
	assert_true(rd_end(&r) && wr_ok(&w));
	vec_equal(buf, w.len, bytes, n);
	vec_each_prefix(bytes, n, read_known, NULL);
	vec_each_flip(bytes, n, read_known, NULL);
}

/* Old entries, and entries that are passed over. */
static void
test_known_odd(void **state)
{
	uint8_t buf[2000], zero[64] = {0};
	struct wr w = wr_make(buf, sizeof(buf));
	struct rns_known k = {.used_us = 5};
	struct rd r;
	size_t count;

	(void)state;
	mpk_put_map(&w, 4);
	mpk_put_bin(&w, zero, 15); /* key of another length */
	mpk_put_nil(&w);
	mpk_put_bin(&w, zero, 16); /* time that is none */
	mpk_put_array(&w, 4);
	mpk_put_double(&w, -1.0);
	mpk_put_bin(&w, zero, 32);
	mpk_put_bin(&w, zero, 64);
	mpk_put_nil(&w);
	mpk_put_bin(&w, "0123456789abcdef", 16);
	mpk_put_array(&w, 4);
	mpk_put_uint(&w, 7);
	mpk_put_bin(&w, zero, 32);
	mpk_put_bin(&w, zero, 64);
	mpk_put_bin(&w, zero, 0);
	mpk_put_str(&w, "str");
	mpk_put_nil(&w);
	r = rd_make(buf, w.len);
	assert_int_equal(stores_known_head(&r, &count), RNS_OK);
	assert_int_equal(stores_known_next(&r, &k), RNS_ENOENT);
	assert_int_equal(stores_known_next(&r, &k), RNS_ENOENT);
	assert_int_equal(k.used_us, 5);
	assert_int_equal(stores_known_next(&r, &k), RNS_OK);
	assert_int_equal(k.used_us, 0);
	assert_int_equal(k.heard_us, 7000000);
	assert_non_null(k.app_data);
	assert_int_equal(k.app_data_len, 0);
	assert_int_equal(stores_known_next(&r, &k), RNS_ENOENT);
	assert_int_equal(stores_known_next(&r, &k), RNS_EPARSE);
}

static void
read_ratchet(void *arg, const uint8_t *p, size_t n)
{
	uint8_t key[32];
	int64_t us;
	int err = stores_ratchet_get(p, n, key, &us);

	if (arg != NULL)
		assert_int_equal(err, RNS_EPARSE);
}

static void
test_ratchet(void **state)
{
	const json_t *v = store("ratchet_store_entry", 0);
	size_t n;
	uint8_t *bytes = vec_bytes(v, "bytes", &n), key[32], want[32], buf[99];
	struct wr w = wr_make(buf, sizeof(buf));
	int64_t us;
	int strict;

	(void)state;
	vec_exact(v, "ratchet", want, 32);
	assert_int_equal(stores_ratchet_get(bytes, n, key, &us), RNS_OK);
	assert_memory_equal(key, want, 32);
	assert_true(us == (int64_t)(vec_number(v, "received") * 1e6 + 0.5));
	stores_ratchet_put(&w, key, us);
	assert_true(wr_ok(&w));
	vec_equal(buf, w.len, bytes, n);
	assert_int_equal(w.len, STORES_RATCHET_LEN);
	vec_each_prefix(bytes, n, read_ratchet, &strict);
	vec_each_flip(bytes, n, read_ratchet, NULL);
}

static void
own_refused(void *arg, const uint8_t *p, size_t n)
{
	uint8_t keys[8][32];
	size_t count = 4711;
	int err = stores_own_get(p, n, arg, keys, 8, &count);

	assert_true(err == RNS_EPARSE || err == RNS_EAUTH);
	assert_int_equal(count, 4711);
}

static void
test_own(void **state)
{
	(void)state;
	for (size_t nth = 0; nth < 2; nth++) {
		const json_t *v = store("destination_ratchet_file", nth);
		json_t *list = vec_array(v, "ratchets");
		size_t n, count, total = json_array_size(list), k;
		uint8_t *bytes = vec_bytes(v, "bytes", &n), priv[64];
		uint8_t keys[8][32], buf[400], *want;
		struct wr w = wr_make(buf, sizeof(buf));
		struct identity id;

		vec_exact(v, "private_key", priv, 64);
		assert_int_equal(identity_load(&id, priv), RNS_OK);
		assert_int_equal(stores_own_get(bytes, n, id.pub, keys, 8,
		    &count), RNS_OK);
		assert_int_equal(count, total);
		for (size_t i = 0; i < total; i++) {
			want = vec_unhex(json_string_value(
			    json_array_get(list, i)), &k);
			assert_memory_equal(keys[i], want, 32);
		}
		stores_own_put(&w, &id, (const uint8_t(*)[32])keys, count);
		assert_true(wr_ok(&w));
		vec_equal(buf, w.len, bytes, n);
		assert_int_equal(stores_own_len(count), n);
		vec_each_prefix(bytes, n, own_refused, id.pub);
		vec_each_flip(bytes, n, own_refused, id.pub);
		if (total > 1) { /* the newest of more than there is room for */
			assert_int_equal(stores_own_get(bytes, n, id.pub, keys,
			    1, &count), RNS_OK);
			assert_int_equal(count, 1);
		}
	}
}

/* Sizes of lists on both sides of each length of a header. */
static void
test_own_sizes(void **state)
{
	static const size_t counts[] = {0, 7, 8, 15, 16, 512, 1927, 1928};
	uint8_t priv[64] = {8}, *buf = vec_alloc(80000);
	uint8_t (*keys)[32] = (uint8_t(*)[32])vec_alloc(1928 * 32);
	struct identity id;
	size_t count;

	(void)state;
	memset(keys, 3, 1928 * 32);
	assert_int_equal(identity_load(&id, priv), RNS_OK);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct wr w = wr_make(buf, stores_own_len(counts[i]));

		stores_own_put(&w, &id, (const uint8_t(*)[32])keys, counts[i]);
		assert_true(wr_ok(&w));
		assert_int_equal(w.len, w.cap);
		assert_int_equal(stores_own_get(buf, w.len, id.pub, keys, 1928,
		    &count), RNS_OK);
		assert_int_equal(count, counts[i]);
		w = wr_make(buf, stores_own_len(counts[i]) - 1);
		stores_own_put(&w, &id, (const uint8_t(*)[32])keys, counts[i]);
		assert_false(wr_ok(&w));
	}
}

static void
test_identity_file(void **state)
{
	const json_t *v = store("identity_file", 0);
	uint8_t priv[64];
	struct hash16 hash;
	struct identity id;

	(void)state;
	vec_exact(v, "bytes", priv, 64);
	vec_exact(v, "hash", HASH_BYTES(hash));
	assert_int_equal(identity_load(&id, priv), RNS_OK);
	assert_memory_equal(id.hash.b, hash.b, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known),
	    cmocka_unit_test(test_known_odd),
	    cmocka_unit_test(test_ratchet),
	    cmocka_unit_test(test_own),
	    cmocka_unit_test(test_own_sizes),
	    cmocka_unit_test(test_identity_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
