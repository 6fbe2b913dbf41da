/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "common/wire.h"
#include "tests/unit/vec.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/stamp.h"
#include "transport/core/base/stamp_table.h"

static json_t *
stamps(void)
{
	return vec_load("stamps-1.6.json");
}

/* The digest that the reference pins, over the numbers joined by commas. */
static void
test_table(void **state)
{
	json_t *table = json_object_get(stamps(), "table"), *n;
	char text[256 * 12] = "", hex[65];
	size_t i, len = 0;
	struct id32 hash;

	(void)state;
	json_array_foreach(json_object_get(table, "entries"), i, n)
		assert_int_equal(json_integer_value(n), stamp_table[i]);
	assert_int_equal(i, 256);
	for (i = 0; i < 256; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%llu",
		    i > 0 ? "," : "", (unsigned long long)stamp_table[i]);
	crypt_sha256(&hash, text, len);
	hex_encode(hex, HASH_BYTES(hash));
	assert_string_equal(hex,
	    vec_str(table, "sha256_of_comma_joined_decimals"));
}

/* A work block is seen through the hash over it: the stamp of no bytes. */
static void
check_block(const json_t *v, const char *digest)
{
	size_t n;
	uint8_t *material = vec_bytes(v, "material", &n), want[32];
	struct stamp_work w;
	struct id32 got;

	stamp_work(&w, material, n, (unsigned)vec_int(v, "rounds"));
	stamp_product(&got, &w, NULL, 0);
	vec_exact(v, digest, want, 32);
	assert_memory_equal(got.b, want, 32);
}

static void
test_work_blocks(void **state)
{
	unsigned seen = 0;
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(stamps(), "work_blocks"), i, v)
		check_block(v, "sha256");
	assert_int_equal(i, 6);
	json_array_foreach(vec_array(vec_load("discovery.json"), "workblocks"),
	    i, v) {
		struct stamp_work w;
		struct id32 product;
		uint8_t stamp[32];
		size_t n;
		uint8_t *material = vec_bytes(v, "material", &n);

		check_block(v, "workblock_sha256");
		if (vec_is_null(v, "stamp"))
			continue;
		seen++;
		vec_exact(v, "stamp", stamp, 32);
		stamp_work(&w, material, n, (unsigned)vec_int(v, "rounds"));
		stamp_product(&product, &w, stamp, 32);
		assert_int_equal(stamp_value(&product) / STAMP_BIT,
		    vec_int(v, "value"));
	}
	assert_int_equal(i, 5);
	assert_true(seen > 0);
}

static void
test_values(void **state)
{
	struct id32 product;
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(stamps(), "values"), i, v) {
		vec_exact(v, "product", product.b, 32);
		assert_int_equal(stamp_value(&product), vec_int(v, "value_fp"));
		assert_int_equal(stamp_value(&product) / STAMP_BIT,
		    vec_int(v, "value_int"));
	}
	assert_int_equal(i, 46);
	memset(&product, 0, sizeof(product));
	assert_int_equal(stamp_value(&product), 65536);
	product.b[31] = 1; /* 2^0: no more bits behind the leading one */
	assert_int_equal(stamp_value(&product), 255 * 256 + 255);
}

static void
test_targets(void **state)
{
	uint8_t target[STAMP_TARGET_LEN];
	char hex[2 * STAMP_TARGET_LEN + 1];
	struct id32 product;
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(stamps(), "targets"), i, v) {
		uint32_t cost = (uint32_t)vec_int(v, "cost_fp");

		stamp_target(target, cost);
		hex_encode(hex, target, sizeof(target));
		/* the vectors have 65 digits, we 66 */
		assert_int_equal(hex[0], '0');
		assert_string_equal(hex + 1, vec_str(v, "target"));
		assert_int_equal(stamp_steps(vec_number(v, "cost")), cost);
		/* the target itself is still valid, one more is not */
		memcpy(product.b, target + 1, 32);
		assert_true(stamp_valid(&product, cost));
		for (size_t k = 32; k-- > 0 && ++product.b[k] == 0;)
			;
		assert_false(stamp_valid(&product, cost));
	}
	assert_int_equal(i, 12);
	memset(product.b, 0xff, 32);
	assert_true(stamp_valid(&product, 0));
	assert_false(stamp_valid(&product, 1));
	memset(product.b, 0, 32);
	assert_true(stamp_valid(&product, STAMP_COST_MAX));
	assert_false(stamp_valid(&product, STAMP_COST_MAX + 1));
}

static void
check_stamp(const json_t *v)
{
	uint32_t cost = (uint32_t)vec_int(v, "cost_fp");
	size_t n, len;
	uint8_t *material = vec_bytes(v, "material", &n), want[32];
	uint8_t *stamp = vec_bytes(v, "stamp", &len);
	struct stamp_work w;
	struct id32 product;

	stamp_work(&w, material, n, (unsigned)vec_int(v, "rounds"));
	stamp_product(&product, &w, stamp, len);
	vec_exact(v, "product", want, 32);
	assert_memory_equal(product.b, want, 32);
	assert_int_equal(stamp_value(&product), vec_int(v, "value_fp"));
	assert_int_equal(stamp_valid(&product, cost), vec_bool(v, "valid"));
}

static void
test_stamps(void **state)
{
	static const struct {
		const char *array;
		size_t n;
	} arrays[] = {{"stamps", 11}, {"link_keys", 3}, {"path_requests", 2}};
	json_t *v;
	size_t i;

	(void)state;
	for (size_t a = 0; a < NELEM(arrays); a++) {
		json_array_foreach(vec_array(stamps(), arrays[a].array), i, v)
			check_stamp(v);
		assert_int_equal(i, arrays[a].n);
	}
}

/* The key of a link request is its stamp, over the rest of the request. */
static void
test_link_keys(void **state)
{
	uint8_t priv[32], pub[32], ed[32], data[64], material[48], *want;
	json_t *v;
	size_t i, n;

	(void)state;
	json_array_foreach(vec_array(stamps(), "link_keys"), i, v) {
		vec_exact(v, "x25519_private", priv, 32);
		crypt_x25519_public(pub, priv);
		vec_exact(v, "link_request_data", data, 64);
		assert_memory_equal(data, pub, 32);
		vec_exact(v, "ed25519_public", ed, 32);
		assert_memory_equal(data + 32, ed, 32);
		vec_exact(v, "destination_hash", material, 16);
		memcpy(material + 16, ed, 32);
		want = vec_bytes(v, "material", &n);
		vec_equal(material, 48, want, n);
	}
}

static void
test_steps(void **state)
{
	(void)state;
	assert_int_equal(stamp_steps(12.5), 3200);
	assert_int_equal(stamp_steps(12.999), 3327); /* down onto the grid */
	assert_int_equal(stamp_steps(0), 0);
	assert_int_equal(stamp_steps(-3), 0);
	assert_int_equal(stamp_steps(NAN), 0);
	assert_int_equal(stamp_steps(-INFINITY), 0);
	assert_int_equal(stamp_steps(INFINITY), STAMP_COST_MAX + 1);
	assert_int_equal(stamp_steps(99.999), STAMP_COST_MAX);
	assert_int_equal(stamp_steps(100), STAMP_COST_MAX + 1);
	assert_int_equal(stamp_steps(1e300), STAMP_COST_MAX + 1);
}

/* In slices or at once: the same stamp, and each candidate is tried once. */
static void
test_search(void **state)
{
	uint8_t start[STAMP_LEN], last[8] = {0};
	struct stamp_search whole, cut;
	struct stamp_work w;
	struct id32 product;
	unsigned slices = 0;

	(void)state;
	memset(start, 0xff, sizeof(start)); /* the counter wraps */
	stamp_work(&w, "material", 8, 2);
	stamp_search_begin(&whole, &w, stamp_steps(9.5), start);
	assert_true(stamp_search_go(&whole, 1000000));
	stamp_search_begin(&cut, &w, stamp_steps(9.5), start);
	while (!stamp_search_go(&cut, 7)) {
		slices++;
		assert_int_equal(cut.tries, 7 * slices);
	}
	assert_true(slices > 0);
	assert_memory_equal(cut.stamp, whole.stamp, STAMP_LEN);
	assert_int_equal(cut.tries, whole.tries);
	stamp_product(&product, &w, cut.stamp, STAMP_LEN);
	assert_true(stamp_valid(&product, stamp_steps(9.5)));
	assert_true(stamp_value(&product) >= stamp_steps(9.5));
	/* those before it were none: the number of tries is its place */
	memcpy(last, cut.stamp + STAMP_LEN - 8, 8);
	assert_int_equal(get_u64(last) + 1, cut.tries - 1);
	assert_false(stamp_search_go(&cut, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_work_blocks),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_link_keys),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
