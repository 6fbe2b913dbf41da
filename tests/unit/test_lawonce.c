/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What counts from the look that finds it on, and goes on to count after a
 * restart with a clock that is wrong: a head alone, a key's own word, the list
 * that the brake of a delta counts from, deltas and sets that were taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "common/util.h"
#include "common/wire.h"
#include "tests/unit/lawkit.h"
#include "trust/doc/compact.h"
#include "trust/doc/delta.h"
#include "trust/doc/frame.h"
#include "trust/lawio.h"

#define HOUR 3600u
#define DAY (24 * HOUR)
#define HERE "documents/test.kos/"

/* ---- what there is ---- */

/* A list of n identities that is good for 30 days, in the taker's klp/. */
static size_t
put_list(uint32_t version, unsigned n)
{
	struct rev_entry e[8];
	size_t len;

	assert_true(n <= NELEM(e));
	for (unsigned i = 0; i < n; i++)
		e[i] = (struct rev_entry){.kind = REV_RNS,
		    .id = {1, (uint8_t)i}};
	len = kit_list(page, sizeof(page), NULL, version, KIT_T0,
	    KIT_T0 + 30 * DAY, e, n, 1);
	kit_dir_put(&taker.klp, HERE KIT_LIST, page, len);
	return len;
}

/* The head that names what is in page, good for a day. */
static void
put_head(uint32_t version, uint32_t list, size_t len, uint32_t issued)
{
	struct head h = {.root_version = 1, .version = version,
	    .issued = issued, .expires = issued + DAY};
	static uint8_t buf[8192];
	struct id32 id;

	kit_names(&h, KIT_LIST, list, page, len);
	(void)kit_root(buf, sizeof(buf), &lawkit_root, &id);
	memcpy(h.atag, id.b, sizeof(h.atag));
	kit_dir_put(&taker.klp, HERE "head", buf, kit_head(buf, sizeof(buf),
	    &h, 1));
}

/* The n-th identity is revoked from the list of n on. */
static size_t
make_delta(uint8_t out[DELTA_BYTES], uint32_t from, unsigned n)
{
	struct rev_entry e[8];

	assert_true(n < NELEM(e));
	for (unsigned i = 0; i <= n; i++)
		e[i] = (struct rev_entry){.kind = REV_RNS,
		    .id = {1, (uint8_t)i}};
	return delta(out, DELTA_BYTES, from, e, n + 1, 1);
}

static void
put_delta(uint32_t from, unsigned n)
{
	uint8_t out[DELTA_BYTES];
	char name[64];

	(void)snprintf(name, sizeof(name), HERE KIT_LIST ".%u.delta", from);
	kit_dir_put(&taker.klp, name, out, make_delta(out, from, n));
}

static void
put_self(const char *name, unsigned key)
{
	uint8_t frame[SELFREV_FRAME], out[LAW_SELF_FRAME];
	struct wr w = wr_make(frame, sizeof(frame));
	struct env_signed sig[KIT_KEYS];
	struct fp fp = kit_fp(key);
	char at[64];

	wr_bytes(&w, "KX\001\001", 4);
	wr_bytes(&w, HASH_BYTES(fp));
	wr_u32(&w, KIT_T0);
	wr_u32(&w, KIT_T0);
	assert_true(wr_ok(&w) && w.len == sizeof(frame));
	(void)mkdirat(taker.klp.fd, "self-revoked", 0755);
	(void)snprintf(at, sizeof(at), "self-revoked/%s", name);
	kit_dir_put(&taker.klp, at, out, frame_put(out, sizeof(out), frame,
	    sizeof(frame), sig, kit_sign(sig, 1u << key, TYPE_SELFREV, frame,
	    sizeof(frame))));
}

static bool
is_revoked(unsigned key)
{
	struct fp fp = kit_fp(key);

	return revset_state(&taker.l->standing.revoked, REV_KEY, fp.b) ==
	    REV_REVOKED;
}

/* ---- tests ---- */

static void
test_head_alone(void **state)
{
	const uint32_t later = KIT_T0 + 30 * HOUR;
	size_t len = put_list(1, 1);

	(void)state;
	put_head(1, 1, len, KIT_T0);
	assert_true(law_look(taker.l, NOW, true));
	assert_int_equal(standing_fresh(&taker.l->standing.list, later),
	    FRESH_STALE);
	put_head(2, 1, len, KIT_T0 + 20 * HOUR);
	/* node is told as well: its verdicts end with the first head */
	assert_true(law_look(taker.l, later, true));
	assert_int_equal(standing_fresh(&taker.l->standing.list, later),
	    FRESH_YES);
	assert_false(law_look(taker.l, later, true));
}

static void
test_own_word(void **state)
{
	(void)state;
	put_head(1, 1, put_list(1, 1), KIT_T0);
	(void)law_look(taker.l, NOW, true);
	assert_false(is_revoked(0));
	put_self("one", 0);
	assert_true(law_look(taker.l, NOW, true));
	assert_true(is_revoked(0));
	/* said once, though what was kept of it lies beside it now */
	last_event = 0;
	assert_false(law_look(taker.l, NOW, true));
	assert_int_equal(last_event, 0);
	assert_int_equal(taker.l->nself, 1);
	/* the first look of another life knows it */
	lawplace_again(&taker);
	assert_true(is_revoked(0));
	/* the word of a key about another one is none */
	assert_false(is_revoked(1));
}

static void
six_pins(void)
{
	lawplace_judge(&taker, "revocation_list: " LIST_URI "\ntrust:\n  pins:\n"
	    "    - {id: \"01000000000000000000000000000000\", level: 1}\n"
	    "    - {id: \"01010000000000000000000000000000\", level: 1}\n"
	    "    - {id: \"01020000000000000000000000000000\", level: 1}\n"
	    "    - {id: \"01030000000000000000000000000000\", level: 1}\n"
	    "    - {id: \"01040000000000000000000000000000\", level: 1}\n"
	    "    - {id: \"01050000000000000000000000000000\", level: 1}\n");
}

static void
test_brake_base(void **state)
{
	(void)state;
	six_pins();
	put_head(1, 1, put_list(1, 2), KIT_T0);
	for (unsigned i = 0; i < 4; i++)
		put_delta(1 + i, 2 + i);
	/* four of six, but one by one, and two of a first list */
	(void)law_look(taker.l, NOW, true);
	assert_int_equal(taker.l->list.version, 5);
	assert_int_equal(taker.l->list.n, 6);
	assert_string_equal(taker.l->held, "");
}

/* The set of n identities in this version, with the delta that signs it. */
static bool
take_set(uint32_t version, unsigned n, char why[AUTH_WHY])
{
	uint8_t set[8 * COMPACT_ENTRY] = {0}, out[DELTA_BYTES];
	struct lawset s = {.p = set, .len = n * COMPACT_ENTRY,
	    .version = version, .whole = true};
	size_t len = make_delta(out, version - 1, n - 1);

	for (unsigned i = 0; i < n; i++) {
		set[i * COMPACT_ENTRY] = REV_RNS << 4;
		set[i * COMPACT_ENTRY + 1] = 1;
		set[i * COMPACT_ENTRY + 2] = (uint8_t)i;
	}
	return lawset_take(taker.l, law_authority_of(taker.l, "test.kos"), &s,
	    out, len, why);
}

static bool
take_delta(uint32_t from, unsigned n, char why[AUTH_WHY])
{
	uint8_t out[DELTA_BYTES];

	return lawdelta_take(taker.l, law_authority_of(taker.l, "test.kos"),
	    out, make_delta(out, from, n), why);
}

/* More deltas may come with a set: they count from it. */
static void
test_brake_behind_a_set(void **state)
{
	char why[AUTH_WHY];

	(void)state;
	six_pins();
	put_head(1, 1, put_list(1, 1), KIT_T0);
	(void)law_look(taker.l, NOW, true);
	assert_int_equal(taker.l->list.version, 1);
	/* three of six at once are held, two are not; then one more */
	assert_false(take_set(5, 4, why));
	assert_non_null(strstr(why, "would take 3 of "));
	if (!take_set(5, 3, why) || !take_delta(5, 3, why))
		fail_msg("%s", why);
	assert_int_equal(taker.l->list.version, 6);
	assert_int_equal(taker.l->list.n, 4);
	assert_string_equal(taker.l->held, "");
}

static void
test_clock_of_a_set(void **state)
{
	const uint32_t now = KIT_T0 + 20 * HOUR;
	char why[AUTH_WHY];

	(void)state;
	put_head(1, 1, put_list(1, 1), KIT_T0);
	(void)law_look(taker.l, now, true);
	assert_int_equal(taker.l->clock.floor, KIT_T0);
	/* one that lies behind the clock, one that lies a little ahead of it */
	delta_issued = now - HOUR;
	if (!take_set(5, 2, why))
		fail_msg("%s", why);
	assert_int_equal(taker.l->clock.floor, now - HOUR);
	delta_issued = now + 200;
	if (!take_set(6, 3, why))
		fail_msg("%s", why);
	assert_int_equal(taker.l->clock.floor, now);
	lawplace_again_at(&taker, 60);
	assert_int_equal(taker.l->list.version, 6);
	assert_int_equal(taker.l->clock.floor, now + 200 - FRESH_AHEAD);
	assert_int_equal(taker.l->now, taker.l->clock.floor);
}

static void
test_clock_of_a_start(void **state)
{
	struct law *l;

	(void)state;
	put_head(1, 1, put_list(1, 1), KIT_T0);
	put_delta(1, 1);
	put_self("one", 3);
	(void)law_look(taker.l, NOW, true);
	assert_int_equal(taker.l->list.version, 2);
	lawplace_again_at(&taker, 60);
	l = taker.l;
	assert_int_equal(l->list.version, 2);
	assert_int_equal(l->list.n, 2);
	assert_true(is_revoked(3));
	/* and time has begun where it is certain to have been */
	assert_int_equal(l->clock.floor, KIT_T0);
	assert_int_equal(l->now, KIT_T0);
	assert_int_equal(klp_now(&l->clock, 60, l->clock.since), KIT_T0);
	assert_true(l->clock.untrusted);
	/* what comes is measured by it */
	put_delta(2, 2);
	(void)law_look(l, l->now, true);
	assert_int_equal(l->list.version, 3);
}

/* What outlives a restart of a clock that is wrong. */
static void
test_time_to_keep(void **state)
{
	const uint32_t over = 400 * DAY;
	struct law *l = taker.l;

	(void)state;
	/* nothing bounds it before anything was signed */
	assert_int_equal(law_time_to_keep(l, UINT32_MAX), UINT32_MAX);
	put_head(1, 1, put_list(1, 1), KIT_T0);
	(void)law_look(l, NOW, true);
	assert_int_equal(law_time_to_keep(l, 60), 60);
	assert_int_equal(law_time_to_keep(l, NOW), NOW);
	/* a binding of that day that has expired does not come back */
	assert_int_equal(law_time_to_keep(l, KIT_T0 + over), KIT_T0 + over);
	assert_int_equal(law_time_to_keep(l, KIT_T0 + over + 1),
	    KIT_T0 + over);
	assert_int_equal(law_time_to_keep(l, UINT32_MAX), KIT_T0 + over);
	/* a delta counts as what it was signed with, a clock does not */
	l->list.issued = KIT_T0 + DAY;
	assert_int_equal(law_time_to_keep(l, UINT32_MAX),
	    KIT_T0 + DAY + over);
	l->list.issued = UINT32_MAX - 5;
	assert_int_equal(law_time_to_keep(l, 60), 60);
	assert_int_equal(law_time_to_keep(l, UINT32_MAX - 1), UINT32_MAX - 1);
	assert_int_equal(law_time_to_keep(l, UINT32_MAX), UINT32_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_head_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_own_word, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_brake_base, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_brake_behind_a_set, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(test_clock_of_a_set, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(test_clock_of_a_start, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(test_time_to_keep, setup,
		teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
