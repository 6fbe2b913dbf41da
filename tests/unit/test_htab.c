/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/htab.h"
#include "tests/unit/relay_node.h"

/*
 * Items by hash: what was put there is found and walked in order, whatever
 * was taken away meanwhile, however alike the hashes are, and also when
 * memory is refused. Linked with --wrap of the allocator.
 */

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void __real_free(void *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
void __wrap_free(void *);

static unsigned refuse; /* one of so many; 0: none */
static long live;
static uint64_t chance;

static uint32_t
draw(uint32_t below)
{
	chance = chance * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (uint32_t)(chance >> 33) % below;
}

static bool
refused(void)
{
	return refuse != 0 && draw(refuse) == 0;
}

void *
__wrap_malloc(size_t n)
{
	void *p = refused() ? NULL : __real_malloc(n);

	live += p != NULL;
	return p;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	void *p = refused() ? NULL : __real_calloc(n, size);

	live += p != NULL;
	return p;
}

void *
__wrap_realloc(void *old, size_t n)
{
	void *p = refused() ? NULL : __real_realloc(old, n);

	live += old == NULL && p != NULL;
	return p;
}

void
__wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

struct thing {
	struct hitem item;
	uint32_t number;
	uint8_t rest[13]; /* of no round size */
};

#define MOST 3000

static const uint8_t priv[RNS_KEY] = {1, 2, 3};
static struct node node;
static struct htab tab;
static struct hash16 in[MOST]; /* what must be there, sorted */
static size_t count;

static uint32_t
number_of(const struct hash16 *k)
{
	return get_u32(k->b + 12) ^ get_u32(k->b);
}

static void
check_all(void)
{
	struct thing *x = htab_first(&tab);
	struct hash16 key;

	assert_int_equal(tab.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_non_null(x);
		assert_memory_equal(x->item.key.b, in[i].b, RNS_HASH);
		assert_int_equal(x->number, number_of(&in[i]));
		assert_ptr_equal(x, htab_find(&tab, &in[i]));
		assert_ptr_equal(x, htab_after(&tab, &in[i], true));
		key = in[i];
		x = htab_after(&tab, &key, false);
	}
	assert_null(x);
}

static void
put(const struct hash16 *key)
{
	struct thing *x = htab_add(&tab, key);
	size_t at;

	if (x == NULL) {
		assert_true(refuse != 0);
		assert_null(htab_find(&tab, key));
		return;
	}
	assert_int_equal(x->number, 0);
	assert_memory_equal(x->item.key.b, key->b, RNS_HASH);
	x->number = number_of(key);
	memset(x->rest, 0xff, sizeof(x->rest));
	for (at = count++; at > 0 && hash16_cmp(&in[at - 1], key) > 0; at--)
		in[at] = in[at - 1];
	in[at] = *key;
}

static void
take(size_t i)
{
	struct hash16 key = in[i];
	struct thing *x = htab_find(&tab, &key);

	assert_non_null(x);
	htab_remove(&tab, x);
	assert_null(htab_find(&tab, &key));
	assert_int_equal(x->number, number_of(&key));
	htab_free(&tab, x);
	count--;
	memmove(in + i, in + i + 1, (count - i) * sizeof(in[0]));
	/* the place where it was is a place to go on from */
	x = htab_after(&tab, &key, true);
	assert_ptr_equal(x, i < count ? htab_find(&tab, &in[i]) : NULL);
}

/* Keys that differ in n bytes at the end, or in all. */
static struct hash16
some_key(size_t n)
{
	struct hash16 key = {{0}};

	for (size_t i = RNS_HASH - n; i < RNS_HASH; i++)
		key.b[i] = (uint8_t)draw(256);
	return key;
}

static void
up_and_down(size_t alike, unsigned refusing)
{
	long was;

	node_open(&node, false, false, priv);
	was = live;
	assert_int_equal(htab_init(node.r, &tab, sizeof(struct thing)), RNS_OK);
	count = 0;
	chance = alike * 977 + refusing;
	refuse = refusing;
	check_all();
	for (int turn = 0; turn < 4; turn++) {
		size_t to = turn % 2 == 0 ? 200 + draw(MOST - 300) : draw(40);

		while (count != to) {
			struct hash16 key = some_key(alike);

			/* both ways, but more often the one */
			if ((count < to) == (draw(4) != 0) || count == 0) {
				if (htab_find(&tab, &key) == NULL &&
				    count < MOST)
					put(&key);
			} else {
				take(draw((uint32_t)count));
			}
		}
		check_all();
	}
	while (count > 0)
		take(count - 1);
	check_all();
	refuse = 0;
	htab_clear(&tab);
	assert_int_equal(live, was);
	node_close(&node);
}

static void
any_hashes(void **state)
{
	(void)state;
	up_and_down(RNS_HASH, 0);
}

/* Somebody searched for them: the same eight bytes, the same slots. */
static void
hashes_that_meet(void **state)
{
	(void)state;
	up_and_down(4, 0);
}

static void
without_memory(void **state)
{
	(void)state;
	up_and_down(RNS_HASH, 3);
	up_and_down(4, 2);
}

/* What a file brings: each behind the last one. */
static void
in_order(void **state)
{
	struct hash16 key = {{0}};

	(void)state;
	node_open(&node, false, false, priv);
	assert_int_equal(htab_init(node.r, &tab, sizeof(struct thing)), RNS_OK);
	for (uint32_t i = 0; i < 10 * HTAB_ROW; i++) {
		put_u32(key.b, i);
		assert_non_null(htab_add(&tab, &key));
	}
	/* full rows */
	assert_int_equal(tab.row_count, 10);
	htab_clear(&tab);
	node_close(&node);
}

/* A flood that is over costs nothing. */
static void
memory_comes_back(void **state)
{
	long was;

	(void)state;
	node_open(&node, false, false, priv);
	assert_int_equal(htab_init(node.r, &tab, sizeof(struct thing)), RNS_OK);
	count = 0;
	was = live;
	for (uint32_t i = 0; i < 2000; i++) {
		struct hash16 key = some_key(RNS_HASH);

		put(&key);
	}
	assert_true(live > was + 40);
	while (count > 10)
		take(draw((uint32_t)count));
	check_all();
	/* the ten may stand in ten blocks */
	assert_true(live <= was + 10 + 4);
	assert_int_equal(tab.bits, 6);
	htab_clear(&tab);
	node_close(&node);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_hashes),
	    cmocka_unit_test(hashes_that_meet),
	    cmocka_unit_test(without_memory),
	    cmocka_unit_test(in_order),
	    cmocka_unit_test(memory_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
