/* SPDX-License-Identifier: BSD-2-Clause */
/* Volumes in chunks: the vectors, and lists of strangers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nettle/sha2.h>

#include "common/util.h"
#include "tests/unit/vec.h"
#include "trust/doc/chunks.h"

static void
sha(struct id32 *out, const uint8_t *p, size_t n)
{
	struct sha256_ctx st;

	sha256_init(&st);
	sha256_update(&st, n, p);
	sha256_digest(&st, 32, out->b);
}

/* As the file says how. */
static uint8_t *
random_data(size_t n)
{
	uint8_t *p = vec_alloc(n), b[18];
	struct id32 d;

	memcpy(b, "klp/chunk-test", 14);
	for (size_t at = 0; at < n; at += 32) {
		put_u32(b + 14, (uint32_t)(at / 32));
		sha(&d, b, sizeof(b));
		memcpy(p + at, d.b, MIN_OF(n - at, (size_t)32));
	}
	return p;
}

static uint8_t *
data_of(const json_t *v, size_t *n)
{
	const char *name = vec_str(v, "name");
	unsigned long a = 0, b = 0;
	uint8_t *p, *q;

	*n = (size_t)vec_int(v, "size");
	if (strncmp(name, "zeros", 5) == 0) {
		p = vec_alloc(*n);
		memset(p, 0, *n);
		return p;
	}
	if (strcmp(name, "one byte") == 0)
		return vec_copy("x", 1);
	if (strstr(name, "inserted") != NULL) {
		assert_int_equal(sscanf(name,
		    "random %lu with one byte inserted at %lu", &a, &b), 2);
		p = random_data(a);
		q = vec_alloc(*n);
		assert_int_equal(*n, a + 1);
		memcpy(q, p, b);
		q[b] = '!';
		memcpy(q + b + 1, p + b, a - b);
		return q;
	}
	return random_data(*n);
}

static void
test_gear(void **state)
{
	json_t *all = vec_load("compute-chunks.json");
	json_t *g = vec_array(all, "gear"), *one;
	struct chunk_gear gear;
	size_t i;

	(void)state;
	chunk_gear_init(&gear);
	assert_int_equal(json_array_size(g), 256);
	json_array_foreach(g, i, one)
		assert_int_equal(gear.g[i],
		    strtoull(json_string_value(one), NULL, 16));
}

static void
check_cut(const struct chunk_gear *gear, const json_t *v)
{
	json_t *sizes = vec_array(v, "chunks");
	size_t n, at = 0, i = 0, len, want;
	uint8_t *p = data_of(v, &n), *list, digest[32], *told;
	struct chunk_list l;
	struct id32 d;
	const char *why = NULL;

	vec_exact(v, "data_sha256", digest, 32);
	sha(&d, p, n);
	assert_memory_equal(d.b, digest, 32);
	list = vec_alloc(CHUNK_HEAD + json_array_size(sizes) * CHUNK_ENTRY);
	chunk_list_head(list, (uint32_t)json_array_size(sizes), n);
	for (; at < n; at += len, i++) {
		len = chunk_cut(gear, p + at, n - at);
		assert_true(i < json_array_size(sizes));
		assert_int_equal(len,
		    json_integer_value(json_array_get(sizes, i)));
		sha(&d, p + at, len);
		chunk_list_entry(list + CHUNK_HEAD + i * CHUNK_ENTRY, &d,
		    (uint32_t)len);
	}
	assert_int_equal(i, json_array_size(sizes));
	len = CHUNK_HEAD + i * CHUNK_ENTRY;
	assert_int_equal(len, vec_int(v, "list_size"));
	vec_exact(v, "list_sha256", digest, 32);
	sha(&d, list, len);
	assert_memory_equal(d.b, digest, 32);
	if ((told = vec_bytes(v, "list", &want)) != NULL)
		vec_equal(list, len, told, want);
	assert_true(chunk_list_read(&l, list, len, &why));
	assert_int_equal(l.n, i);
	assert_int_equal(l.total, n);
}

static void
test_cut(void **state)
{
	json_t *cut = vec_array(vec_load("compute-chunks.json"), "cut"), *v;
	struct chunk_gear gear;
	size_t i;

	(void)state;
	chunk_gear_init(&gear);
	assert_int_equal(json_array_size(cut), 8);
	json_array_foreach(cut, i, v)
		check_cut(&gear, v);
	assert_int_equal(chunk_cut(&gear, NULL, 0), 0);
}

/* ---- lists of strangers ---- */

static uint8_t *
list_of(const uint32_t *sizes, const char *digests, uint32_t n, uint64_t total,
    size_t *len)
{
	uint8_t *p;
	struct id32 d;

	*len = CHUNK_HEAD + (size_t)n * CHUNK_ENTRY;
	p = vec_alloc(*len);
	chunk_list_head(p, n, total);
	for (uint32_t i = 0; i < n; i++) {
		memset(d.b, digests[i], 32);
		chunk_list_entry(p + CHUNK_HEAD + i * CHUNK_ENTRY, &d,
		    sizes[i]);
	}
	return p;
}

static bool
reads(const uint8_t *p, size_t n)
{
	struct chunk_list l = {0};
	const char *why = NULL;

	if (chunk_list_read(&l, p, n, &why))
		return true;
	assert_non_null(why);
	assert_null(l.entries);
	return false;
}

static bool
reads_list(const uint32_t *sizes, const char *digests, uint32_t n,
    uint64_t total)
{
	size_t len;
	uint8_t *p = list_of(sizes, digests, n, total, &len);

	return reads(p, len);
}

static void
none(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	assert_false(reads(p, n));
}

/* A turned bit may lie in a digest, or make a size that is still summed. */
static void
some(void *arg, const uint8_t *p, size_t n)
{
	unsigned *yes = arg;

	*yes += reads(p, n);
}

static void
test_bounds(void **state)
{
	static const uint32_t three[] = {1, 32768, 100};
	unsigned yes = 0;
	uint8_t *p;
	size_t n;

	(void)state;
	p = list_of(three, "abc", 3, 32869, &n);
	assert_true(reads(p, n));
	vec_each_prefix(p, n, none, NULL);
	vec_each_flip(p, n, some, &yes);
	assert_int_equal(yes, 3 * 32 * 8); /* the digests, and nothing else */
	assert_false(reads_list(three, "abc", 3, 32868));
	assert_false(reads_list(three, "abc", 3, UINT64_MAX));
	assert_false(reads_list((uint32_t[]){0}, "a", 1, 0));
	assert_false(reads_list((uint32_t[]){32769}, "a", 1, 32769));
	assert_false(reads_list((uint32_t[]){65535}, "a", 1, 65535));
	assert_true(reads_list(NULL, "", 0, 0));
	/* more chunks than it has, or fewer; a number that runs over */
	p = list_of(three, "abc", 3, 32869, &n);
	chunk_list_head(p, 2, 32869);
	assert_false(reads(p, n));
	chunk_list_head(p, 4, 32869);
	assert_false(reads(p, n));
	chunk_list_head(p, UINT32_MAX, 32869);
	assert_false(reads(p, n));
}

/* The largest list, and one chunk more. */
static void
test_largest(void **state)
{
	size_t n = CHUNK_HEAD + (size_t)(CHUNKS_MAX + 1) * CHUNK_ENTRY;
	uint8_t *p = malloc(n);
	struct chunk_list l;
	const char *why = NULL;

	(void)state;
	assert_non_null(p);
	assert_true(n > CHUNK_LIST_MAX && n - CHUNK_ENTRY <= CHUNK_LIST_MAX);
	for (uint32_t i = 0; i <= CHUNKS_MAX; i++) {
		struct id32 d = {0};

		put_u32(d.b, i);
		chunk_list_entry(p + CHUNK_HEAD + i * CHUNK_ENTRY, &d, 1);
	}
	chunk_list_head(p, CHUNKS_MAX, CHUNKS_MAX);
	assert_true(chunk_list_read(&l, p, n - CHUNK_ENTRY, &why));
	chunk_list_head(p, CHUNKS_MAX + 1, CHUNKS_MAX + 1);
	assert_false(chunk_list_read(&l, p, n, &why));
	free(p);
}

static void
test_places(void **state)
{
	static const uint32_t sizes[] = {10, 20, 30, 10, 40, 10};
	struct chunk_list l;
	struct chunk_table t;
	const char *why = NULL;
	struct id32 d;
	uint32_t k;
	size_t n;
	uint8_t *p = list_of(sizes, "nopnqn", 6, 120, &n);

	(void)state;
	assert_true(chunk_list_read(&l, p, n, &why));
	assert_true(chunk_table_make(&t, &l, &why));
	assert_int_equal(t.at[4], 70);
	assert_int_equal(t.at[6], 120);
	memset(d.b, 'n', 32);
	assert_true(chunk_find(&t, &d, &k));
	assert_int_equal(t.order[k], 0);
	assert_true(chunk_next_same(&t, &k));
	assert_int_equal(t.order[k], 3);
	assert_true(chunk_next_same(&t, &k));
	assert_int_equal(t.order[k], 5);
	assert_false(chunk_next_same(&t, &k));
	for (int c = 'a'; c <= 'z'; c++) {
		memset(d.b, c, 32);
		assert_int_equal(chunk_find(&t, &d, &k), c >= 'n' && c <= 'q');
	}
	chunk_table_free(&t);

	/* one content has one size */
	p = list_of((uint32_t[]){10, 20, 11}, "nmn", 3, 41, &n);
	assert_true(chunk_list_read(&l, p, n, &why));
	assert_false(chunk_table_make(&t, &l, &why));
	assert_non_null(why);

	p = list_of(NULL, "", 0, 0, &n);
	assert_true(chunk_list_read(&l, p, n, &why));
	assert_true(chunk_table_make(&t, &l, &why));
	assert_false(chunk_find(&t, &d, &k));
	chunk_table_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gear),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_largest),
	    cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests_name("chunks", tests, NULL, NULL);
}
