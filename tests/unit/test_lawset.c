/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The revocation set over a slow way (klp.md 4.3): the list is too long for it
 * and the deltas from ours on are gone; pages, and the delta that signs them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "common/util.h"
#include "node/proto/proto.h"
#include "tests/unit/lawkit.h"
#include "trust/doc/compact.h"

#define N 600 /* entries: more than 64 KiB as a list */

/*
 * The giver had N - 1 entries in version 49 and has N in 50 by a delta; the
 * taker has one, in version 1, and nothing but a slow way.
 */
static void
gap(void)
{
	static struct rev_entry e[N];
	uint8_t out[DELTA_BYTES];

	publish(1, 1);
	(void)round_of();
	assert_int_equal(line(&taker).version, 1);
	for (unsigned i = 0; i < N; i++)
		e[i] = (struct rev_entry){.kind = REV_RNS,
		    .id = {(uint8_t)(1 + i / 256), (uint8_t)i}};
	assert_true(publish(49, N - 1) > 65536);
	kit_dir_put(&giver.klp, "documents/test.kos/" KIT_LIST ".49.delta",
	    out, delta(out, sizeof(out), 49, e, N, 1));
	(void)law_look(giver.l, NOW, true);
	assert_int_equal(line(&giver).version, 50);
	slow_way = true;
}

static void
over_the_gap(void **state)
{
	(void)state;
	gap();
	piece = 250;
	assert_string_equal(round_of(), "root:2 head:0 get+0 get+0 delta:1 "
	    "set set+ set+ delta:49 delta:50 ");
	assert_int_equal(line(&taker).version, 50);
	assert_int_equal(line(&taker).entries, N);
	/* the head that names the list is not here yet, and says so */
	failed("klp.allow_slow_fetch");
	/* it outlives a restart, and is gone on with by deltas */
	lawplace_again(&taker);
	assert_int_equal(line(&taker).version, 50);
	assert_int_equal(line(&taker).entries, N);
	assert_non_null(strstr(round_of(), "delta:50 "));
	assert_null(strstr(order, "set"));
	/* a list that is newer takes its place, for good */
	slow_way = false;
	publish(51, 3);
	(void)round_of();
	assert_int_equal(line(&taker).version, 51);
	assert_int_equal(line(&taker).entries, 3);
	lawplace_again(&taker);
	assert_int_equal(line(&taker).version, 51);
	assert_int_equal(line(&taker).entries, 3);
}

/* Where the list itself comes there is no set. */
static void
not_needed(void **state)
{
	(void)state;
	gap();
	slow_way = false;
	assert_null(strstr(round_of(), "set"));
	assert_int_equal(line(&taker).version, 50);
}

/* A mirror whose answers have no end, on a way that is fast: no set either. */
static void
not_asked(void **state)
{
	(void)state;
	gap();
	slow_way = false;
	lie = LIE_LONGER;
	assert_null(strstr(round_of(), "set"));
	failed("not what was asked for");
	assert_int_equal(line(&taker).version, 1);
}

/* The way is cut in the middle: what has come is not asked for again. */
static void
resumed(void **state)
{
	unsigned pages = 0;

	(void)state;
	gap();
	piece = 100;
	order[0] = '\0';
	law_fetch_now(taker.l);
	for (int i = 0; i < 500 && pages < 3; i++) {
		if (is_asked && strstr(asked.path, "set") != NULL)
			pages++;
		if (is_asked && pages == 3)
			mesh = MESH_TIMEOUT;
		if (is_asked)
			answer();
		(void)law_fetch(taker.l);
		(void)law_work(taker.l, NOW);
	}
	assert_int_equal(pages, 3);
	assert_int_equal(line(&taker).version, 1);
	mesh = MESH_OK;
	/* six pages are all: four are left */
	assert_string_equal(round_of(), "root:2 head:0 get+0 get+0 delta:1 "
	    "set+ set+ set+ set+ delta:49 delta:50 ");
	assert_int_equal(line(&taker).entries, N);
}

/* Only what signs it did not come. */
static void
proof_later(void **state)
{
	(void)state;
	gap();
	order[0] = '\0';
	law_fetch_now(taker.l);
	for (int i = 0; i < 500; i++) {
		if (is_asked && strstr(order, "set") != NULL)
			mesh = MESH_TIMEOUT;
		if (is_asked)
			answer();
		if (mesh == MESH_TIMEOUT)
			break;
		(void)law_fetch(taker.l);
		(void)law_work(taker.l, NOW);
	}
	assert_int_equal(mesh, MESH_TIMEOUT);
	assert_int_equal(line(&taker).version, 1);
	mesh = MESH_OK;
	assert_string_equal(round_of(),
	    "root:2 head:0 get+0 get+0 delta:1 delta:49 delta:50 ");
	assert_int_equal(line(&taker).entries, N);
}

/* ---- liars ---- */

static unsigned twisted;
static uint8_t bytes[PROTO_SLICE];

static void
swapped(struct proto_meta *m, struct pbin *b)
{
	(void)m;
	memcpy(bytes, b->p, b->n);
	memcpy(bytes, b->p + 17, 17);
	memcpy(bytes + 17, b->p, 17);
	b->p = bytes;
}

static void
twice(struct proto_meta *m, struct pbin *b)
{
	(void)m;
	memcpy(bytes, b->p, b->n);
	memcpy(bytes + 17, b->p, 17);
	b->p = bytes;
}

static void
same_again(struct proto_meta *m, struct pbin *b)
{
	static uint8_t first[PROTO_SLICE];
	static size_t n;

	m->end = false;
	if (twisted++ == 0)
		memcpy(first, b->p, n = b->n);
	b->p = first;
	b->n = n;
}

static void
endless(struct proto_meta *m, struct pbin *b)
{
	(void)b;
	m->end = false;
}

static void
cut(struct proto_meta *m, struct pbin *b)
{
	(void)b;
	m->end = true;
}

static void
half(struct proto_meta *m, struct pbin *b)
{
	(void)m;
	b->n -= 3;
}

static void
nothing(struct proto_meta *m, struct pbin *b)
{
	(void)m;
	b->n = 0;
}

static void
longer(struct proto_meta *m, struct pbin *b)
{
	(void)b;
	m->len = UINT64_C(17) << 40;
}

static void
shorter(struct proto_meta *m, struct pbin *b)
{
	(void)b;
	m->len = 17;
}

static void
another_each(struct proto_meta *m, struct pbin *b)
{
	(void)b;
	m->v += twisted++;
}

static void
older(struct proto_meta *m, struct pbin *b)
{
	(void)b;
	m->v = 1;
}

static void
lifts(struct proto_meta *m, struct pbin *b)
{
	(void)m;
	memcpy(bytes, b->p, b->n);
	bytes[0] |= 0x80;
	b->p = bytes;
}

static void
one_more(struct proto_meta *m, struct pbin *b)
{
	(void)m;
	memcpy(bytes, b->p, b->n);
	bytes[16] ^= 1; /* somebody else is revoked */
	b->p = bytes;
}

static void
all_suspended(struct proto_meta *m, struct pbin *b)
{
	(void)m;
	memcpy(bytes, b->p, b->n);
	for (size_t i = 0; i < b->n; i += 17)
		bytes[i] |= 0x40;
	b->p = bytes;
}

static void
refused(void **state)
{
	static const struct {
		void (*twist)(struct proto_meta *, struct pbin *);
		const char *why;
	} row[] = {
	    {swapped, "not in its order"}, {twice, "not in its order"},
	    {same_again, "not behind what has come"},
	    {endless, "an end where there is none"},
	    {cut, "an end where there is none"}, {half, "not whole entries"},
	    {nothing, "not whole entries"},
	    {longer, "too long for a way"},
	    {shorter, "more than it says"},
	    {another_each, "another one each time"},
	    {older, "not newer"}, {lifts, "neither revoked nor suspended"},
	    {one_more, "not the set that the delta"},
	    {all_suspended, "not the set that the delta"},
	};

	(void)state;
	gap();
	piece = 250;
	for (size_t i = 0; i < NELEM(row); i++) {
		twisted = 0;
		twist_set = row[i].twist;
		(void)round_of();
		failed(row[i].why);
		assert_int_equal(line(&taker).version, 1);
		assert_int_equal(line(&taker).entries, 1);
		assert_true(strlen(order) < 400);
	}
	/* none of it is left in the way of an honest one */
	twist_set = NULL;
	(void)round_of();
	assert_int_equal(line(&taker).version, 50);
	assert_int_equal(line(&taker).entries, N);
}

/* A set over 64 KiB is for an operator to allow, as a list is. */
static void
long_sets(void **state)
{
	(void)state;
	gap();
	twist_set = longer;
	(void)round_of();
	failed("klp.allow_slow_fetch");
}

/* ---- its bytes ---- */

static void
entries(void **state)
{
	struct rev_entry old[] = {{.kind = REV_KEY, .id = {[0] = 1, [31] = 9},
	    .reason = 1, .revoked_at = 5, .invalid_since = 4}};
	const struct revlist in = {.e = old, .n = 1, .version = 3};
	struct rev_entry want[] = {{.kind = REV_KEY, .id = {1}, .reason = 1},
	    {.kind = REV_RNS, .id = {1}, .suspended = true},
	    {.kind = REV_ARTIFACT, .id = {2}, .reason = 8}};
	uint8_t set[3 * COMPACT_ENTRY] = {0};
	struct delta d = {.from = 6, .to = 7, .issued = 77};
	struct revlist out;

	(void)state;
	set[0] = 1;
	set[1] = 1;
	set[COMPACT_ENTRY] = 0x50;
	set[COMPACT_ENTRY + 1] = 1;
	set[2 * COMPACT_ENTRY] = 0x28;
	set[2 * COMPACT_ENTRY + 1] = 2;
	revlist_digest(&d.after, want, 3);
	assert_null(compact_list(&out, &in, &d, set, sizeof(set)));
	assert_int_equal(out.n, 3);
	assert_int_equal(out.version, 7);
	assert_int_equal(out.issued, 77);
	/* what is known of one that stays is kept, its whole id too */
	assert_int_equal(out.e[0].id[31], 9);
	assert_false(out.e[0].brief);
	assert_int_equal(out.e[0].revoked_at, 5);
	assert_int_equal(out.e[1].kind, REV_RNS);
	assert_true(out.e[1].suspended && !out.e[1].brief);
	assert_int_equal(out.e[2].revoked_at, 77);
	assert_true(out.e[2].brief);
	revlist_clear(&out);
	for (size_t n = 0; n < sizeof(set); n++)
		assert_non_null(compact_list(&out, &in, &d, set, n));
	for (size_t bit = 0; bit < 8 * sizeof(set); bit++) {
		set[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_non_null(compact_list(&out, &in, &d, set,
		    sizeof(set)));
		set[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	d.to = 3;
	assert_non_null(compact_list(&out, &in, &d, set, sizeof(set)));
	/* nobody at all */
	d.to = 9;
	revlist_digest(&d.after, NULL, 0);
	assert_null(compact_list(&out, &in, &d, NULL, 0));
	assert_int_equal(out.n, 0);
	revlist_clear(&out);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(over_the_gap), T(not_needed), T(not_asked),
	    T(resumed), T(proof_later), T(refused), T(long_sets),
	    cmocka_unit_test(entries)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
