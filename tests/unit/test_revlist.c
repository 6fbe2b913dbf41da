/* SPDX-License-Identifier: BSD-2-Clause */
/* Revocation: klp-revocation.json, hostile lists, the union. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/doc/envelope.h"
#include "trust/doc/frame.h"
#include "trust/doc/revlist.h"
#include "common/util.h"
#include "tests/unit/authkit.h"
#include "tests/unit/vec.h"

static enum rev_kind
kind_of(const json_t *row)
{
	const char *s = vec_str(row, "kind");

	for (unsigned k = 0; k < 4; k++)
		if (strcmp(rev_kind_name(k), s) == 0)
			return (enum rev_kind)k;
	fail_msg("kind %s", s);
	return REV_KEY;
}

static void
test_digest(void **state)
{
	json_t *root = vec_load("klp-revocation.json"), *row;
	struct rev_entry e[16] = {0};
	struct id32 digest;
	uint8_t want[32];
	size_t i, n = 0;

	(void)state;
	json_array_foreach(vec_array(root, "set_digest_input"), i, row)
	{
		e[n].kind = (uint8_t)vec_int(row, "kind");
		vec_exact(row, "id16", e[n].id, 16);
		e[n].suspended = vec_int(row, "state") == 1;
		e[n++].reason = (uint8_t)vec_int(row, "reason");
	}
	qsort(e, n, sizeof(e[0]), rev_cmp);
	revlist_digest(&digest, e, n);
	vec_exact(root, "set_digest", want, 32);
	assert_memory_equal(digest.b, want, 32);
}

static void
cut(void *arg, const uint8_t *p, size_t n)
{
	struct revlist l;

	(void)arg;
	if (revlist_parse(&l, p, n) == NULL)
		revlist_clear(&l);
	assert_null(l.e);
}

static void
test_lists(void **state)
{
	json_t *root = vec_load("klp-revocation.json"), *row;
	unsigned taken = 0;
	size_t i, n;

	(void)state;
	json_array_foreach(vec_array(root, "lists"), i, row)
	{
		uint8_t *p = vec_bytes(row, "payload", &n);
		struct revlist l;
		const char *why = revlist_parse(&l, p, n);

		if ((why == NULL) != vec_bool(row, "accepted"))
			fail_msg("%s: %s", vec_str(row, "name"),
			    why == NULL ? "taken" : why);
		if (why != NULL)
			continue;
		taken++;
		assert_int_equal(l.n, 4);
		assert_int_equal(l.version, 118);
		assert_string_equal(l.uri, "klp://revoked.kos/core.json");
		revlist_clear(&l);
		vec_each_prefix(p, n, cut, NULL);
		vec_each_flip(p, n, cut, NULL);
	}
	assert_int_equal(taken, 1);
}

static struct klp_key
carol(const uint8_t *frame, size_t n)
{
	json_t *keys = vec_array(vec_load("klp-keys.json"), "keys"), *row;
	struct klp_key k = {0};
	size_t i;

	json_array_foreach(keys, i, row)
	{
		struct klp_secret s = {.kind = KEY_SECP256K1};

		if (strcmp(vec_str(row, "kind"), "ecc-secp256k1") != 0)
			continue;
		vec_exact(row, "private", s.raw, 32);
		for (unsigned b = 0; b < 2; b++) {
			s.bip340 = b == 1;
			assert_true(secret_public(&k, &s));
			if (selfrev_by(frame, n, &k))
				return k;
		}
	}
	fail_msg("nobody's");
	return k;
}

struct flip {
	struct klp_key k;
	const uint8_t *good;
};

static void
frame_flip(void *arg, const uint8_t *p, size_t n)
{
	const struct flip *f = arg;

	/* only the hint of the signature may be another */
	if (selfrev_by(p, n, &f->k)) {
		assert_memory_equal(p, f->good, SELFREV_FRAME + 1);
		assert_memory_equal(p + SELFREV_FRAME + 5,
		    f->good + SELFREV_FRAME + 5, SIG_LEN);
	}
}

static void
test_union(void **state)
{
	json_t *root = vec_load("klp-revocation.json"), *row;
	json_t *first = json_array_get(vec_array(root, "lists"), 0);
	struct revset set = {0};
	struct selfrev s;
	struct flip f;
	struct revlist l;
	struct rev_entry own = {.kind = REV_KEY};
	uint8_t *p, *frame;
	size_t i, n, fn;

	(void)state;
	p = vec_bytes(first, "payload", &n);
	assert_null(revlist_parse(&l, p, n));
	frame = vec_bytes(root, "self_revocation", &fn);
	assert_int_equal(fn, FRAME_LEN(SELFREV_FRAME, 1));
	assert_null(selfrev_parse(&s, frame, fn));
	assert_int_equal(s.reason, 1);
	f = (struct flip){carol(frame, fn), frame};
	vec_each_prefix(frame, fn, frame_flip, &f);
	vec_each_flip(frame, fn, frame_flip, &f);
	memcpy(own.id, HASH_BYTES(s.fp));
	own.reason = s.reason;
	own.revoked_at = s.issued;
	assert_int_equal(revset_add(&set, l.e, l.n), 0);
	assert_int_equal(revset_add(&set, &own, 1), 0);
	assert_int_equal(revset_add(&set, l.e, l.n), 0); /* a second list */
	revset_sort(&set);
	assert_int_equal(set.n, l.n + 1);
	json_array_foreach(vec_array(root, "subjects"), i, row)
	{
		const char *want = vec_is_null(row, "state") ? "" :
		    vec_str(row, "state");
		enum revocation is;
		uint8_t id[32] = {0}, *b = vec_bytes(row, "id", &n);

		memcpy(id, b, n);
		is = revset_state(&set, kind_of(row), id);
		assert_int_equal(is, strcmp(want, "revoked") == 0 ?
			REV_REVOKED : strcmp(want, "suspended") == 0 ?
			REV_SUSPENDED : REV_NONE);
	}
	json_array_foreach(vec_array(root, "signatures"), i, row)
	{
		struct fp fp;

		vec_exact(row, "fp", HASH_BYTES(fp));
		assert_int_equal(revset_signature(&set, &fp,
		    (uint32_t)vec_int(row, "issued")), vec_bool(row, "counts"));
	}
	revset_clear(&set);
	revlist_clear(&l);
}

static void
test_brake(void **state)
{
	json_t *rows = vec_array(vec_load("klp-revocation.json"), "brake");
	json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(rows, i, row)
		assert_int_equal(rev_brake(
		    (uint64_t)vec_int(row, "newly_revoked"),
		    (uint64_t)vec_int(row, "positive")), vec_bool(row, "held"));
}

/* Revoked beats suspended, whichever comes first. */
static void
test_merge(void **state)
{
	struct rev_entry two[] = {
	    {.id = {1}, .suspended = true, .revoked_at = 5},
	    {.id = {1}, .reason = REASON_SUPERSEDED, .revoked_at = 9},
	    {.id = {1}, .reason = REASON_RETIRED, .revoked_at = 7},
	    {.id = {2}, .reason = 3, .revoked_at = 7}};
	struct revset set = {0};
	struct fp one = {{1}}, other = {{2}}, none = {{3}};

	(void)state;
	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned i = 0; i < NELEM(two); i++)
			assert_int_equal(revset_add(&set, &two[turn == 0 ? i :
				NELEM(two) - 1 - i], 1), 0);
		revset_sort(&set);
		assert_int_equal(set.n, 2);
		assert_int_equal(revset_state(&set, REV_KEY, one.b),
		    REV_REVOKED);
		/* klp.md 4.5: superseded and retired keys keep what they signed */
		assert_true(revset_signature(&set, &one, 6));
		assert_false(revset_signature(&set, &one, 7));
		assert_false(revset_signature(&set, &other, 1));
		assert_true(revset_signature(&set, &none, 1));
		assert_int_equal(revset_state(&set, REV_ARTIFACT, one.b),
		    REV_NONE);
		revset_clear(&set);
	}
	assert_null(revset_find(&set, REV_KEY, one.b));
}

/* One member at a time is wrong; the set digest is always right. */
static void
test_hostile(void **state)
{
	static const struct {
		const char *from, *to;
	} bad[] = {
	    {"\"klp.revocation-list\"", "\"klp.trust-graph\""},
	    {"\"version\":7", "\"version\":-7"},
	    {"\"version\":7", "\"version\":4294967296"},
	    {"\"issued\":5", "\"issued\":\"5\""},
	    {"\"expires\":9", "\"expires\":null"},
	    {"\"uri\":\"u\"", "\"uri\":7"},
	    {"\"entries\":[", "\"entries\":[7,"},
	    {"\"key\"", "\"keys\""},
	    {"\"policy\"", "\"because\""},
	    {"\"revoked\"", "\"\""},
	    {"\"revoked_at\":3", "\"revoked_at\":-3"},
	    {"\"revoked_at\":3", "\"revoked_by\":3"},
	    {"{\"_type\"", "{\"A\":1,\"A\":1,\"_type\""},
	    {"{\"_type\"", " {\"_type\""},
	    {"{\"_type\"", "{\"Z\":1e3,\"_type\""},
	    {"\"crit\":[]", "\"crit\":[\"fnord\"]"},
	    {"\"crit\":[]", "\"crit\":{}"},
	    {"\"crit\":[]", "\"crit\":[7]"},
	};
	struct rev_entry e = {.kind = REV_KEY, .reason = 3 /* policy */,
	    .id = {1}};
	char text[1024], hex[65], id[65];
	struct id32 digest;
	struct revlist l;

	(void)state;
	revlist_digest(&digest, &e, 1);
	hex_encode(hex, HASH_BYTES(digest));
	hex_encode(id, e.id, 32);
	(void)snprintf(text, sizeof(text),
	    "{\"_type\":\"klp.revocation-list\",\"crit\":[],\"entries\":["
	    "{\"id\":\"%s\",\"kind\":\"key\",\"reason\":\"policy\","
	    "\"revoked_at\":3,\"state\":\"revoked\"}],\"expires\":9,"
	    "\"issued\":5,\"set_digest\":\"%s\",\"uri\":\"u\",\"version\":7}",
	    id, hex);
	assert_null(revlist_parse(&l, text, strlen(text)));
	assert_int_equal(l.e[0].invalid_since, 3);
	revlist_clear(&l);
	for (size_t i = 0; i < NELEM(bad); i++) {
		char *at = strstr(text, bad[i].from), other[1100];

		assert_non_null(at);
		(void)snprintf(other, sizeof(other), "%.*s%s%s",
		    (int)(at - text), text, bad[i].to,
		    at + strlen(bad[i].from));
		if (revlist_parse(&l, other, strlen(other)) == NULL)
			fail_msg("taken: %s", bad[i].to);
	}
	memset(text, '[', sizeof(text));
	assert_non_null(revlist_parse(&l, text, sizeof(text)));
}

static void
test_selfrev(void **state)
{
	struct klp_secret s = kit_secret(2);
	struct klp_key k = kit_key(2), other = kit_key(3);
	struct fp fp = kit_fp(2);
	struct env_signed sig[2];
	uint8_t frame[SELFREV_FRAME] = "KX\001\001", out[300];
	size_t n;

	(void)state;
	(void)s;
	memcpy(frame + 4, HASH_BYTES(fp));
	assert_int_equal(kit_sign(sig, 1u << 2 | 1u << 3, TYPE_SELFREV, frame,
	    sizeof(frame)), 2);
	n = frame_put(out, sizeof(out), frame, sizeof(frame), sig, 1);
	assert_true(selfrev_by(out, n, &k));
	assert_false(selfrev_by(out, n, &other));
	/* by another key alone; with a second signature; of another type */
	n = frame_put(out, sizeof(out), frame, sizeof(frame), sig + 1, 1);
	assert_false(selfrev_by(out, n, &k));
	assert_false(selfrev_by(out, n, &other));
	n = frame_put(out, sizeof(out), frame, sizeof(frame), sig, 2);
	assert_false(selfrev_by(out, n, &k));
	(void)kit_sign(sig, 1u << 2, "application/vnd.klp.approval", frame,
	    sizeof(frame));
	n = frame_put(out, sizeof(out), frame, sizeof(frame), sig, 1);
	assert_false(selfrev_by(out, n, &k));
	/* another version, a reason without a name */
	frame[2] = 2;
	(void)kit_sign(sig, 1u << 2, TYPE_SELFREV, frame, sizeof(frame));
	n = frame_put(out, sizeof(out), frame, sizeof(frame), sig, 1);
	assert_false(selfrev_by(out, n, &k));
	frame[2] = 1;
	frame[3] = 12;
	(void)kit_sign(sig, 1u << 2, TYPE_SELFREV, frame, sizeof(frame));
	n = frame_put(out, sizeof(out), frame, sizeof(frame), sig, 1);
	assert_false(selfrev_by(out, n, &k));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_digest),
	    cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_union),
	    cmocka_unit_test(test_brake),
	    cmocka_unit_test(test_merge),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_selfrev),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
