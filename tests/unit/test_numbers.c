/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/mpk.h"
#include "tests/unit/nodekit.h"

/*
 * Every number of every path (compute.md 3): what is in its range is answered,
 * whatever else is status 6 and names the member.
 */
#define MAX PROTO_INT_MAX
static const struct row {
	enum proto_path path;
	const char *member;
	uint64_t low, high;
} ROWS[] = {
    {PATH_BLOB_PUT, "o", 0, sizeof(tar) - 1000},
    {PATH_BLOB_PUT, "n", sizeof(tar), sizeof(tar)},
    {PATH_BLOB_GET, "o", 0, MAX - PROTO_SLICE},
    {PATH_BLOB_GET, "n", 1, MAX},
    {PATH_STATUS, "since", 0, MAX},
    {PATH_STATUS, "w", 0, MAX},
    {PATH_STATUS, "f", 0, MAX},
    {PATH_LOG, "s", 1, 2},
    {PATH_LOG, "o", 0, MAX - PROTO_SLICE},
    {PATH_LOG, "n", 1, MAX},
    {PATH_FOLLOW, "s", 1, 2},
    {PATH_FOLLOW, "o", 0, MAX},
    {PATH_DESCRIBE, "t", 0, MAX},
    {PATH_LIST, "after", 0, MAX},
    {PATH_LIST, "n", 1, MAX},
    {PATH_REVIEW, "after", 0, MAX},
    {PATH_REVIEW, "n", 1, MAX},
    {PATH_ROOT, "v", 0, MAX},
    {PATH_DELTA, "f", 0, MAX},
    {PATH_GET, "h", 0, MAX},
    {PATH_GET, "m", 0, MAX},
    {PATH_GET, "o", 0, MAX - PROTO_SLICE},
    {PATH_GET, "n", 1, MAX},
    {PATH_SET, "n", 1, MAX},
    {PATH_TLOG, "v", 0, MAX},
    {PATH_IMAGE_PART, "l", 0, MAX},
    {PATH_IMAGE_PART, "o", 0, MAX - PROTO_SLICE},
    {PATH_IMAGE_PART, "n", 1, MAX},
    {PATH_IMAGE_GET, "n", 1, MAX},
};
static const char *const NUMBERS[] = {"o", "n", "s", "since", "after", "t",
    "v", "w", "f", "h", "m", "l"};

/* What else may stand where a number belongs, packed. */
static const struct {
	const char *bytes;
	size_t n;
} OTHER[] = {
    {"\xff", 1}, {"\xe0", 1}, {"\xd0\x80", 2},	/* -1, -32, -128 */
    {"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9}, /* -2^63 */
    {"\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 9}, /* one */
    {"\xca\x3f\x80\x00\x00", 5},
    {"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", 9}, /* NaN */
    {"\xc0", 1}, {"\xc2", 1}, {"\xc3", 1},		/* nil, false, true */
    {"\xa1" "1", 2}, {"\xc4\x01\x01", 3}, {"\x91\x01", 2}, {"\x80", 1},
    {"\xd4\x01\x01", 3},				/* ext */
};

static struct id32 job;
static uint8_t request[4096];

static void
put_bin(struct wr *o, const char *key, const uint8_t *p, size_t n)
{
	mpk_put_str(o, key);
	mpk_put_bin(o, p, n);
}

static struct proto_ans *
document_with(enum proto_path path, const char *member, const void *p,
    size_t n)
{
	const char *needs = path == PATH_ROOT ? "v" :
	    path == PATH_DELTA ? "f" : NULL;
	struct wr o = wr_make(request, sizeof(request));

	if (needs != NULL && strcmp(needs, member) == 0)
		needs = NULL;
	mpk_put_map(&o, 4u + (needs != NULL));
	put_bin(&o, "a", job.b, 8);
	put_bin(&o, "p", job.b, 4);
	mpk_put_str(&o, "u");
	mpk_put_str(&o, "klp://test.kos/big");
	if (needs != NULL) {
		mpk_put_str(&o, needs);
		mpk_put_uint(&o, 1);
	}
	mpk_put_str(&o, member);
	wr_bytes(&o, p, n);
	assert_true(wr_ok(&o));
	return world_call_bytes(&w, 1, path, request, o.len);
}

/* A request that is fine but for the member, which holds these bytes. */
static struct proto_ans *
with(enum proto_path path, const char *member, const void *p, size_t n)
{
	struct wr o = wr_make(request, sizeof(request));
	bool stream = path == PATH_LOG || path == PATH_FOLLOW;
	bool put = path == PATH_BLOB_PUT;
	bool list = path == PATH_IMAGE_GET;

	if (proto_of_documents(path))
		return document_with(path, member, p, n);
	/* more members than a path knows do no harm */
	mpk_put_map(&o, 3u + (path == PATH_IMAGE_PART) + (stream && strcmp(member, "s") != 0) +
		(put && strcmp(member, "n") != 0));
	if (path == PATH_IMAGE_PART) {
		mpk_put_str(&o, "i");
		mpk_put_str(&o, "test:1");
	}
	if (list) {
		mpk_put_str(&o, "d");
		mpk_put_array(&o, 1);
		mpk_put_bin(&o, HASH_BYTES(tar_sha));
	} else {
		put_bin(&o, "d", HASH_BYTES(tar_sha));
	}
	if (put)
		put_bin(&o, "b", tar, 1000);
	else
		put_bin(&o, "id", HASH_BYTES(job));
	if (put && strcmp(member, "n") != 0) {
		mpk_put_str(&o, "n");
		mpk_put_uint(&o, sizeof(tar));
	}
	if (stream && strcmp(member, "s") != 0) {
		mpk_put_str(&o, "s");
		mpk_put_uint(&o, 1);
	}
	mpk_put_str(&o, member);
	wr_bytes(&o, p, n);
	assert_true(wr_ok(&o));
	return world_call_bytes(&w, 1, path, request, o.len);
}

static void
is(const struct row *r, const struct proto_ans *a, bool good, const char *what)
{
	char why[PROTO_TEXT_MAX + 1];

	assert_non_null(a);
	if ((a->status != ST_MALFORMED) != good || a->status == ST_BUSY)
		fail_msg("%s %s %s: status %u", proto_path(r->path), r->member,
		    what, (unsigned)a->status);
	pstr_copy(why, sizeof(why), a->meta.why);
	if (!good && strstr(why, r->member) == NULL)
		fail_msg("%s %s %s: %s", proto_path(r->path), r->member, what,
		    why);
}

static void
number(const struct row *r, uint64_t v)
{
	uint8_t bytes[9];
	struct wr o = wr_make(bytes, sizeof(bytes));
	char text[24];

	mpk_put_uint(&o, v);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	is(r, with(r->path, r->member, bytes, o.len),
	    v >= r->low && v <= r->high, text);
}

static void
test_every_number(void **state)
{
	static const uint64_t values[] = {0, 1, 2, 3, 255, 65536, PROTO_SLICE,
	    PROTO_SLICE + 1, UINT32_MAX, MAX - PROTO_SLICE,
	    MAX - PROTO_SLICE + 1, MAX - 1, MAX, MAX + 1, INT64_MAX,
	    (uint64_t)INT64_MAX + 1, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < NELEM(ROWS); i++) {
		const struct row *r = &ROWS[i];

		world_run(&w, 60000); /* there is a budget of requests */
		for (size_t k = 0; k < NELEM(values); k++)
			number(r, values[k]);
		number(r, r->low);
		number(r, r->high);
		number(r, r->high + 1);
		if (r->low > 0)
			number(r, r->low - 1);
		for (size_t k = 0; k < NELEM(OTHER); k++)
			is(r, with(r->path, r->member, OTHER[k].bytes,
			    OTHER[k].n), false, "other");
	}
}

/* The table has them all: what a path does not know it does not look at. */
static void
test_none_left_out(void **state)
{
	(void)state;
	for (unsigned p = 0; p < PATH_COUNT; p++) {
		/* theirs is a digest, an envelope, a frame, nothing */
		if (p == PATH_CHALLENGE || p == PATH_SUBMIT ||
		    p == PATH_APPROVE)
			continue;
		for (size_t k = 0; k < NELEM(NUMBERS); k++) {
			struct proto_ans *a = with((enum proto_path)p,
			    NUMBERS[k], "\xcb\0\0\0\0\0\0\0\0", 9);
			bool row = false, knows;

			/* its digests are a list, which came as one */
			if (p == PATH_BLOB_HAVE)
				continue;
			/* lines of a trail, which these bytes are not */
			if (p == PATH_EVENTS || p == PATH_ALERT)
				continue;
			/* an id */
			if (p == PATH_SET && strcmp(NUMBERS[k], "after") == 0)
				continue;
			assert_non_null(a);
			knows = a->status == ST_MALFORMED;
			for (size_t i = 0; i < NELEM(ROWS); i++)
				row |= ROWS[i].path == p &&
				    strcmp(ROWS[i].member, NUMBERS[k]) == 0;
			if (knows != row)
				fail_msg("%s %s", proto_path(
				    (enum proto_path)p), NUMBERS[k]);
		}
	}
}

/* The end of what there is, and beyond it: nothing, and that it is the end. */
static void
test_beyond_the_end(void **state)
{
	static const uint8_t at_10[] = {10}, at_11[] = {11};
	struct proto_ans *a;
	struct pbin b;

	(void)state;
	for (int i = 0; i < 2; i++) {
		a = with(PATH_LOG, "o", i == 0 ? at_10 : at_11, 1);
		assert_int_equal(a->status, ST_OK);
		assert_true(proto_get_bytes(&b, a));
		assert_int_equal(b.n, 0);
		assert_int_equal(a->meta.size, 10);
		assert_true(a->meta.end);
	}
}

/* A job that has ended with ten bytes of output, one that waits for inputs. */
static int
begin(void **state)
{
	struct id32 waits;

	(void)setup(state);
	w.n.policy.requests_per_minute = 0;
	w.n.policy.bytes_per_minute = 0;
	world_link(&w, 1, 10000000);
	world_identify(&w, 1, 0x41);
	w.prints = 10;
	assert_int_equal(submit(1, 0x41, 1, NULL, &job)->status, ST_OK);
	world_run(&w, 100);
	state_is(&job, "done", NULL);
	assert_int_equal(submit(1, 0x41, 2, with_volumes, &waits)->status,
	    ST_OK);
	return 0;
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, begin, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_every_number),
	    T(test_none_left_out),
	    T(test_beyond_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
