/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rns/rns.h>

#include "transport/core/base/const.h"
#include "transport/core/base/crypt.h"
#include "tests/unit/vec.h"

static void
join(char *out, size_t cap, const json_t *v)
{
	json_t *aspects = vec_array(v, "aspects");
	const char *part = vec_str(v, "app_name");
	size_t len = 0;

	for (size_t i = 0; part != NULL; i++) {
		size_t n = strlen(part);

		assert_true(len + n + 2 < cap);
		if (i > 0)
			out[len++] = '.';
		memcpy(out + len, part, n);
		len += n;
		part = json_string_value(json_array_get(aspects, i));
	}
	out[len] = '\0';
}

static void
test_destinations(void **state)
{
	json_t *v;
	size_t i;
	struct hash16 got;

	(void)state;
	json_array_foreach(vec_array(vec_load("destinations.json"),
	    "destinations"), i, v) {
		struct hash16 want, id;
		uint8_t name_hash[10], got_name[10];
		char name[256];
		bool has = !vec_is_null(v, "identity_hash");

		join(name, sizeof(name), v);
		if (has)
			vec_exact(v, "identity_hash", HASH_BYTES(id));
		vec_exact(v, "hash", HASH_BYTES(want));
		vec_exact(v, "name_hash", name_hash, 10);
		assert_int_equal(rns_dest_hash(&got, name, has ? &id : NULL),
		    RNS_OK);
		assert_memory_equal(got.b, want.b, 16);
		rns_name_hash(got_name, name);
		assert_memory_equal(got_name, name_hash, 10);
	}
	assert_int_equal(rns_dest_hash(&got, "", NULL), RNS_EINVAL);
	assert_int_equal(rns_dest_hash(&got, ".a", NULL), RNS_EINVAL);
	assert_int_equal(rns_dest_hash(&got, NULL, NULL), RNS_EINVAL);
	assert_int_equal(rns_dest_hash(&got, "a\xff", NULL), RNS_EINVAL);
}

static void
test_request_paths(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("destinations.json"),
	    "request_paths"), i, v) {
		struct hash16 want, got;

		vec_exact(v, "path_hash", HASH_BYTES(want));
		rns_path_hash(&got, vec_str(v, "path"));
		assert_memory_equal(got.b, want.b, 16);
	}
}

static void
test_mtu(void **state)
{
	static const char *const keys[] = {"tiers", "types"};
	json_t *root = vec_load("mtu-1.5.json"), *v;
	size_t i;

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		json_array_foreach(vec_array(root, keys[k]), i, v) {
			int64_t want = 0;

			if (!vec_is_null(v, "hw_mtu"))
				want = vec_int(v, "hw_mtu");
			assert_int_equal(rns_mtu_for_bitrate(
			    (uint64_t)vec_int(v, "bitrate")), want);
		}
	}
}

static void
test_constants(void **state)
{
	static const struct {
		const char *name;
		int64_t value;
	} ours[] = {
	    {"MTU", RNS_MTU},
	    {"MDU", PLAIN_MDU},
	    {"ENCRYPTED_MDU", ENCRYPTED_MDU},
	};
	json_t *v;
	size_t i;
	int seen = 0;

	(void)state;
	json_array_foreach(vec_array(vec_load("derived.json"), "constants"), i,
	    v) {
		for (size_t k = 0; k < 3; k++) {
			if (strcmp(vec_str(v, "name"), ours[k].name) != 0)
				continue;
			assert_int_equal(vec_int(v, "value"), ours[k].value);
			seen++;
		}
	}
	assert_int_equal(seen, 3);
}

static void
test_group(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("group.json"), "group"), i, v) {
		size_t key_len, n, plain_len, got_len, raw_len;
		uint8_t *key = vec_bytes(v, "key", &key_len);
		uint8_t *token = vec_bytes(v, "token", &n);
		uint8_t *plain = vec_bytes(v, "plaintext", &plain_len);
		uint8_t *raw = vec_bytes(v, "packet_raw", &raw_len);
		uint8_t iv[16], got[500];
		struct hash16 dest;

		vec_exact(v, "iv", iv, 16);
		vec_exact(v, "destination_hash", HASH_BYTES(dest));
		assert_int_equal(token_encrypt(got, &got_len, sizeof(got), key,
		    key_len, iv, plain, plain_len), RNS_OK);
		vec_equal(got, got_len, token, n);
		assert_int_equal(token_decrypt(got, &got_len, sizeof(got), key,
		    key_len, token, n), RNS_OK);
		vec_equal(got, got_len, plain, plain_len);
		assert_memory_equal(raw + 2, dest.b, 16);
		assert_int_equal(token_decrypt(got, &got_len, sizeof(got), key,
		    key_len, raw + 19, raw_len - 19), RNS_OK);
		vec_equal(got, got_len, plain, plain_len);
	}
}

static void
test_texts(void **state)
{
	struct rns_limits l;

	(void)state;
	for (int e = 0; e >= RNS_EEXIST; e--)
		assert_true(strlen(rns_strerror(e)) > 0);
	assert_string_equal(rns_strerror(-99), rns_strerror(1));
	for (int d = 0; d < RNS_DROP_COUNT; d++)
		assert_true(strlen(rns_drop_text((enum rns_drop)d)) > 0);
	assert_non_null(rns_drop_text(RNS_DROP_COUNT));
	rns_limits_default(&l);
	assert_true(l.interfaces > 0 && l.event_bytes > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_destinations),
	    cmocka_unit_test(test_request_paths),
	    cmocka_unit_test(test_mtu),
	    cmocka_unit_test(test_constants),
	    cmocka_unit_test(test_group),
	    cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
