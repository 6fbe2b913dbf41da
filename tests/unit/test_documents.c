/* SPDX-License-Identifier: BSD-2-Clause */
/* Documents that others ask a node for, and what they are charged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/proto/proto_get.h"
#include "node/work/announce.h"
#include "node/work/documents.h"
#include "node/work/peers.h"
#include "node/work/revoke.h"
#include "tests/unit/nodekit.h"
#include "trust/doc/spread.h"
#include "trust/doc/tlv.h"

#define BIG "klp://test.kos/big"

static const uint8_t one[16] = {1}, other[16] = {2};

static struct proto_ans *
get(uint8_t link, const char *uri, uint64_t offset, uint64_t n, uint64_t max)
{
	struct proto_req q = {.path = PATH_GET, .uri = pstr_of(uri),
	    .offset = offset, .n = n, .has_max = max != 0, .max = max};

	return world_call(&w, link, &q);
}

static void
bytes_are(const struct proto_ans *a, uint64_t offset, size_t n)
{
	struct pbin b;

	assert_non_null(a);
	assert_int_equal(a->status, ST_OK);
	assert_true(a->meta.has_v && a->meta.v == 3);
	assert_true(a->meta.has_len && a->meta.len == WORLD_DOCUMENT);
	assert_non_null(a->meta.sha);
	assert_int_equal(a->meta.sha[0], 7);
	assert_true(proto_get_bytes(&b, a));
	assert_int_equal(b.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(b.p[i], (uint8_t)(i + offset));
}

static void
slices(void **state)
{
	(void)state;
	bytes_are(get(1, BIG, 0, 1000, 0), 0, 1000);
	bytes_are(get(1, BIG, 1000, PROTO_SLICE, 0), 1000,
	    WORLD_DOCUMENT - 1000);
	bytes_are(get(1, BIG, WORLD_DOCUMENT - 1, 99, WORLD_DOCUMENT),
	    WORLD_DOCUMENT - 1, 1);
	assert_int_equal(get(1, BIG, WORLD_DOCUMENT, 99, 0)->status,
	    ST_NOT_FOUND);
	assert_int_equal(get(1, "klp://test.kos/none", 0, 99, 0)->status,
	    ST_NOT_FOUND);
}

static void
what_is_not_wanted(void **state)
{
	struct proto_req q = {.path = PATH_GET, .uri = pstr_of(BIG), .n = 9,
	    .has_have = true, .version = 3};
	struct proto_ans *a = world_call(&w, 1, &q);

	(void)state;
	assert_int_equal(a->status, ST_NOT_MODIFIED);
	assert_int_equal(a->meta.v, 3);
	q.version = UINT64_C(1) << 40;
	assert_int_equal(world_call(&w, 1, &q)->status, ST_NOT_MODIFIED);
	q.version = 2;
	assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
	a = get(1, BIG, 0, 9, WORLD_DOCUMENT - 1);
	assert_int_equal(a->status, ST_TOO_LARGE);
	assert_int_equal(a->meta.max, WORLD_DOCUMENT - 1);
	assert_int_equal(a->meta.len, WORLD_DOCUMENT);
}

static void
small_ones(void **state)
{
	struct proto_req q = {.path = PATH_ROOT, .atag = one, .version = 1,
	    .n = 1};
	struct proto_deltas d;
	struct proto_ans *a;
	struct pbin b;

	(void)state;
	assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
	q.version = UINT64_C(1) << 32;
	assert_int_equal(world_call(&w, 1, &q)->status, ST_NOT_FOUND);
	q = (struct proto_req){.path = PATH_HEAD, .atag = one, .n = 1};
	a = world_call(&w, 1, &q);
	assert_true(proto_get_bytes(&b, a));
	assert_int_equal(b.n, 100);
	q.atag = other;
	assert_int_equal(world_call(&w, 1, &q)->status, ST_NOT_FOUND);
	q = (struct proto_req){.path = PATH_DELTA, .atag = one, .ptag = other,
	    .n = 1, .version = 1};
	a = world_call(&w, 1, &q);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_deltas(&d, a));
	assert_int_equal(d.n, 2);
	assert_int_equal(d.frame[0].n, 3);
	assert_memory_equal(d.frame[1].p, "de", 2);
	q = (struct proto_req){.path = PATH_SET, .atag = one, .ptag = other,
	    .n = 10};
	a = world_call(&w, 1, &q);
	assert_true(proto_get_bytes(&b, a));
	assert_int_equal(b.n, 170);
	assert_true(a->meta.has_end && !a->meta.end);
	q.n = PROTO_SET_MAX;
	q.id16 = one;
	assert_true(world_call(&w, 1, &q)->meta.end);
}

/* They get all of it, in smaller slices and out of one small budget. */
static void
strangers(void **state)
{
	struct proto_ans *a;
	uint64_t at = 0;

	(void)state;
	world_link(&w, 9, 0);
	while (at < WORLD_DOCUMENT) {
		struct pbin b;

		a = get(9, BIG, at, PROTO_SLICE, 0);
		assert_int_equal(a->status, ST_OK);
		assert_true(proto_get_bytes(&b, a));
		assert_in_range(b.n, 1, NODE_STRANGER_SLICE);
		at += b.n;
	}
	/* each link has so many requests a minute, answered or not */
	for (int i = 0; i < 8; i++)
		a = get(9, BIG, 0, 1, 0);
	assert_int_equal(a->status, ST_BUSY);
	assert_true(pstr_is(a->meta.code, "requests"));
	/* and all of them so many bytes */
	for (uint8_t link = 10; link < 20; link++) {
		world_link(&w, link, 0);
		a = get(link, BIG, 0, PROTO_SLICE, 0);
		if (a->status != ST_OK)
			break;
	}
	assert_int_equal(a->status, ST_BUSY);
	assert_true(pstr_is(a->meta.code, "bytes"));
	assert_true(pstr_is(a->meta.of, "strangers"));
	/* which is nothing to a peer */
	bytes_are(get(1, BIG, 0, 100, 0), 0, 100);
}

static void
trust_is_away(void **state)
{
	struct proto_req q = {.path = PATH_HEAD, .atag = one, .n = 1};
	uint32_t id;

	(void)state;
	w.trust_silent = true;
	world_drop_answers(&w);
	id = world_ask(&w, 1, &q);
	world_run(&w, 19000);
	assert_null(world_answer(&w, id));
	world_run(&w, 2000);
	assert_int_equal(world_answer(&w, id)->status, ST_BUSY);
	w.n.up[PROGRAM_TRUST] = false;
	assert_int_equal(world_call(&w, 1, &q)->status, ST_BUSY);
	w.n.up[PROGRAM_TRUST] = true;
	w.trust_silent = false;
}

static void
malformed(void **state)
{
	static const struct {
		enum proto_path path;
		const char *bytes;
		size_t n;
	} rows[] = {
	    {PATH_ROOT, "\x80", 1},
	    {PATH_ROOT, "\x81\xa1" "a\xc4\x08" "abcdefgh", 13},
	    {PATH_HEAD, "\x81\xa1" "a\xc4\x07" "abcdefg", 12},
	    {PATH_GET, "\x81\xa1" "u\xc4\x01x", 6},
	    {PATH_GET, "\x82\xa1" "u\xa1x\xa1n\x00", 8},
	    {PATH_DELTA, "\x82\xa1" "a\xc4\x08" "abcdefgh\xa1" "f\x01", 16},
	    {PATH_SET, "\x81\xa1" "p\xc4\x04" "abcd", 9},
	    {PATH_TLOG, "\x82\xa1" "a\xc4\x08" "abcdefgh\xa2" "id\xc4\x04"
		"abcd", 22},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct proto_ans *a = world_call_bytes(&w, 1, rows[i].path,
		    (const uint8_t *)rows[i].bytes, rows[i].n);

		assert_non_null(a);
		assert_int_equal(a->status, ST_MALFORMED);
	}
}

/* ---- what is announced of authorities ---- */

static struct msg_V_SPREAD
spread(uint8_t say, size_t len)
{
	struct msg_V_SPREAD m = {.say = say, .heads_len = 24,
	    .frame_len = (uint16_t)len};

	memset(m.heads, 0xa5, m.heads_len);
	memset(m.frame, 0x4b, len);
	return m;
}

static struct app_data
said(void)
{
	struct app_data a;

	assert_true(w.last_app_data.data_len <= TLV_APP_DATA_MAX);
	assert_true(app_data_parse(&a, w.last_app_data.data,
	    w.last_app_data.data_len));
	return a;
}

static void
heads_are_announced(void **state)
{
	struct msg_V_SPREAD m = spread(SPREAD_NOTHING, 0);
	unsigned n;
	struct app_data a;

	(void)state;
	world_run(&w, 60000);
	n = w.announces;
	assert_int_equal(said().nheads, 0);
	assert_int_equal(said().caps.roles & ROLE_MIRROR, 0);
	/* said when it is announced again; of that it is no reason */
	announce_spread(&w.n, &m);
	world_run(&w, 60000);
	assert_int_equal(w.announces, n + 1); /* a role is new */
	assert_int_equal(said().nheads, 2);
	assert_int_equal(said().heads[1].version, 0xa5a5a5a5);
	m.heads[3] ^= 1;
	announce_spread(&w.n, &m);
	world_run(&w, 60000);
	assert_int_equal(w.announces, n + 1);
	/* Trickle's word: at once, where there is air */
	m.say = SPREAD_HEADS;
	announce_spread(&w.n, &m);
	world_run(&w, 0);
	assert_int_equal(w.announces, n + 2);
	assert_true(w.last_app_data.thrifty && !w.last_app_data.once);
	a = said();
	assert_true(a.has_caps && a.nheads == 2);
	assert_int_equal(a.heads[0].atag[3], 0xa4);
}

static void
frames_are_announced(void **state)
{
	struct app_data a;

	(void)state;
	world_run(&w, 60000);
	/* one urgent entry, one signature; then the longest there is */
	for (size_t len = 146; len <= SPREAD_FRAME; len += len == 146 ? 131 :
	    1) {
		for (uint8_t say = SPREAD_DELTA; say <= SPREAD_PASS; say++) {
			struct msg_V_SPREAD m = spread(say, len);
			unsigned n = w.announces;

			m.not_if = 7;
			announce_spread(&w.n, &m);
			world_run(&w, 0);
			assert_int_equal(w.announces, n + 1);
			assert_int_equal(w.last_app_data.slow,
			    say == SPREAD_PASS);
			assert_int_equal(w.last_app_data.not_if, 7);
			assert_true(w.last_app_data.once);
			assert_false(w.last_app_data.thrifty);
			a = said();
			assert_int_equal(say != SPREAD_HEAD ? a.delta_len :
			    a.head_len, len);
			assert_int_equal((say != SPREAD_HEAD ? a.delta :
			    a.head)[len - 1], 0x4b);
			if (len == 146)
				assert_true(a.has_caps && a.nheads == 2);
		}
	}
	/* nothing before it has said who it is */
	w.n.announced = false;
	{
		struct msg_V_SPREAD m = spread(SPREAD_DELTA, 146);
		unsigned n = w.announces;

		announce_spread(&w.n, &m);
		assert_int_equal(w.announces, n);
	}
	w.n.announced = true;
}

/* Its own key is listed: it speaks for no authority, and gives nothing. */
static void
a_listed_mirror(void **state)
{
	struct msg_V_SPREAD m = spread(SPREAD_NOTHING, 0);
	struct listed *l = calloc(1, sizeof(*l));
	struct proto_ans *a;
	unsigned n;

	(void)state;
	assert_non_null(l);
	announce_spread(&w.n, &m);
	world_run(&w, 60000);
	assert_int_equal(said().nheads, 2);
	memcpy(l->id, HASH_BYTES(w.n.fp));
	revoke_take(&w.n, l, 1);
	world_run(&w, 60000);
	assert_int_equal(said().nheads, 0);
	assert_int_equal(said().caps.roles & ROLE_MIRROR, 0);
	n = w.announces;
	for (uint8_t say = SPREAD_HEADS; say <= SPREAD_PASS; say++) {
		m = spread(say, 146);
		announce_spread(&w.n, &m);
	}
	world_run(&w, 0);
	assert_int_equal(w.announces, n);
	a = get(1, BIG, 0, 1000, 0);
	assert_int_equal(a->status, ST_REFUSED);
	assert_true(pstr_is(a->meta.code, "not_accepting"));
	/* ... until it is not any more */
	revoke_take(&w.n, NULL, 0);
	bytes_are(get(1, BIG, 0, 1000, 0), 0, 1000);
	world_run(&w, 120000);
	assert_int_equal(said().nheads, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(slices),
	    TEST(what_is_not_wanted), TEST(small_ones), TEST(strangers),
	    TEST(trust_is_away), TEST(malformed), TEST(heads_are_announced),
	    TEST(frames_are_announced),
	    TEST(a_listed_mirror)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
