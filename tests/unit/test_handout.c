/* SPDX-License-Identifier: BSD-2-Clause */
/* Images for who pulls them from here: who may, how much, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "node/proto/proto_get.h"
#include "node/work/peers.h"
#include "tests/unit/nodekit.h"

static int
begin(void **state)
{
	int rv = setup(state);

	w.n.policy.image_serve = true;
	w.n.policy.image_level = 2;
	w.n.policy.image_bytes_per_day = 1 << 20;
	w.n.caps.image_bytes_per_day = 1 << 20;
	return rv;
}

static struct proto_ans *
part(const char *name, uint64_t number, uint64_t off, uint64_t n)
{
	struct proto_req q = {.path = PATH_IMAGE_PART,
	    .image = pstr_of(name), .part = number, .offset = off, .n = n};

	return world_call(&w, 1, &q);
}

static struct proto_ans *
contents(const uint8_t *first, size_t k, uint64_t n)
{
	static struct id32 d[100];
	static const struct id32 image = {{0x11}};
	struct proto_req q = {.path = PATH_IMAGE_GET, .id = image.b,
	    .digests_put = d, .ndigests = k, .n = n};

	for (size_t i = 0; i < k; i++)
		memset(d[i].b, first[i], sizeof(d[i].b));
	return world_call(&w, 1, &q);
}

static size_t
bytes(struct proto_ans *a, char want)
{
	struct pbin b;

	assert_non_null(a);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_bytes(&b, a));
	for (size_t i = 0; i < b.n && want != '\0'; i++)
		assert_int_equal(b.p[i], want);
	return b.n;
}

static void
parts(void **state)
{
	struct proto_ans *a;
	uint8_t image[32];

	(void)state;
	a = part("test:1", 0, 0, 5000);
	assert_int_equal(bytes(a, 'a'), 1000);
	assert_int_equal(a->meta.size, 1000);
	memset(image, 0x11, sizeof(image));
	assert_memory_equal(a->meta.sha, image, sizeof(image));
	assert_int_equal(bytes(part("test:1", 2, 2900, 5000), 'c'), 100);
	assert_int_equal(bytes(part("test:1", 2, 3000, 5000), 'c'), 0);
	assert_int_equal(bytes(part("test:1", 1, 0, 10), 'b'), 10);
	assert_int_equal(part("test:1", 3, 0, 10)->status, ST_NOT_FOUND);
	assert_int_equal(part("other:1", 0, 0, 10)->status, ST_NOT_FOUND);
	w.image = IMAGE_CHANGED;
	assert_int_equal(part("test:1", 0, 0, 10)->status, ST_NOT_FOUND);
	w.image = IMAGE_HERE;
}

static void
some_contents(void **state)
{
	static uint8_t many[100];

	(void)state;
	assert_int_equal(bytes(contents((const uint8_t *)"abc", 3, 1000), 0),
	    300);
	assert_int_equal(bytes(contents((const uint8_t *)"abc", 3, 250), 0),
	    200);
	/* up to the first that is not here */
	assert_int_equal(bytes(contents((const uint8_t *)"a\0c", 3, 1000), 0),
	    100);
	assert_int_equal(contents((const uint8_t *)"\0a", 2, 1000)->status,
	    ST_NOT_FOUND);
	assert_int_equal(contents(NULL, 0, 1000)->status, ST_NOT_FOUND);
	/* many small ones are asked for again, as what is too much */
	memset(many, 'a', sizeof(many));
	assert_int_equal(bytes(contents(many, sizeof(many), 1 << 18), 'a'),
	    64 * 100);
}

/* What is looked for costs, found or not: else it is asked without end. */
static void
nothing(void **state)
{
	struct owner *o = owner_get(&w.n, &peer_next(&w.n, NULL)->v.fp);

	(void)state;
	assert_non_null(o);
	(void)contents((const uint8_t *)"\0", 1, 1000);
	assert_int_equal(bucket_left(&o->quota.images, w.n.now),
	    (1 << 20) - 512);
	(void)part("other:1", 0, 0, 10);
	assert_int_equal(bucket_left(&o->quota.images, w.n.now),
	    (1 << 20) - 2 * 512);
	assert_int_equal(w.n.count.images_given, 0);
	(void)part("test:1", 0, 0, 10);
	(void)part("test:1", 0, 0, 1000);
	assert_int_equal(bucket_left(&o->quota.images, w.n.now),
	    (1 << 20) - 3 * 512 - 1000);
	assert_int_equal(w.n.count.images_given, 1010);
}

static void
who(void **state)
{
	struct peer *p = peer_next(&w.n, NULL);

	(void)state;
	assert_int_equal(w.n.nowners, 0);
	w.n.policy.image_serve = false;
	refused(part("test:1", 0, 0, 10), "not_accepting", 0);
	w.n.policy.image_serve = true;
	w.n.policy.image_level = 3;
	p->v.level = 2;
	refused(part("test:1", 0, 0, 10), "trust", 0);
	refused(contents((const uint8_t *)"a", 1, 10), "trust", 0);
	/* who gets none is nobody whose budgets are remembered */
	assert_int_equal(w.n.nowners, 0);
	w.n.policy.image_level = 2;
	assert_int_equal(bytes(part("test:1", 0, 0, 10), 'a'), 10);
}

/* A day's bytes, which come back with the time, and are kept. */
static void
how_much(void **state)
{
	struct owner *o = owner_get(&w.n, &peer_next(&w.n, NULL)->v.fp);
	struct proto_ans *a;

	(void)state;
	assert_non_null(o);
	bucket_take(&o->quota.images, (1 << 20) - 500, w.n.now);
	w.n.budgets_changed = false;
	assert_int_equal(bytes(part("test:1", 0, 0, 5000), 'a'), 1000);
	assert_true(w.n.budgets_changed);
	a = part("test:1", 0, 0, 5000);
	refused(a, "quota", 0);
	assert_true(pstr_is(a->meta.why, "images"));
	assert_true(a->meta.has_s && a->meta.s > 0);
	assert_int_equal(a->meta.limit, 1 << 20);
	world_run(&w, (int64_t)a->meta.s * 1000 + 1000);
	assert_int_equal(bytes(part("test:1", 0, 0, 5000), 'a'), 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(parts, begin, teardown),
	    cmocka_unit_test_setup_teardown(some_contents, begin, teardown),
	    cmocka_unit_test_setup_teardown(who, begin, teardown),
	    cmocka_unit_test_setup_teardown(nothing, begin, teardown),
	    cmocka_unit_test_setup_teardown(how_much, begin, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
