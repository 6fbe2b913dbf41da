/* SPDX-License-Identifier: BSD-2-Clause */
/* Approvals of held jobs: klp-approval.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "trust/doc/approval.h"
#include "common/util.h"
#include "tests/unit/vec.h"

static json_t *
rows(const char *name)
{
	return vec_array(vec_load("klp-approval.json"), name);
}

static struct klp_key
key_of(const json_t *row)
{
	const char *scheme = vec_str(row, "scheme");
	size_t n;
	const uint8_t *raw = vec_bytes(row, "public", &n);
	struct klp_key k;

	assert_true(key_set(&k, strcmp(scheme, "ed25519") == 0 ? KEY_ED25519 :
		KEY_SECP256K1, raw, n));
	k.bip340 = strcmp(scheme, "bip340") == 0;
	return k;
}

static void
test_sign(void **state)
{
	json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(rows("approvals"), i, row)
	{
		struct klp_key k = key_of(row);
		struct klp_secret s = {.kind = k.kind, .bip340 = k.bip340};
		struct approval a = {.approve = vec_bool(row, "approve"),
		    .issued = (uint32_t)vec_int(row, "issued"),
		    .expires = (uint32_t)vec_int(row, "expires")}, b;
		uint8_t got[APPROVAL_LEN], want[APPROVAL_LEN];
		uint8_t frame[APPROVAL_FRAME];
		const char *why;
		struct fp fp;
		struct env e;

		vec_exact(row, "private", s.raw, 32);
		vec_exact(row, "job", HASH_BYTES(a.job));
		vec_exact(row, "approval", want, sizeof(want));
		assert_true(approval_sign(got, &a, &s, NULL));
		assert_memory_equal(got, want, sizeof(want));
		approval_frame(frame, &a);
		vec_exact(row, "frame", want, sizeof(frame));
		assert_memory_equal(frame, want, sizeof(frame));
		assert_int_equal(approval_parse(&b, &e, got, sizeof(got), &why),
		    0);
		assert_int_equal(b.approve, a.approve);
		assert_int_equal(b.issued, a.issued);
		assert_int_equal(b.expires, a.expires);
		assert_true(id32_eq(&b.job, &a.job));
		assert_int_equal(e.nsigs, 1);
		key_fp(&fp, &k);
		vec_exact(row, "fp", want, FP_LEN);
		assert_memory_equal(fp.b, want, FP_LEN);
		assert_memory_equal(e.sigs[0].hint.b, fp.b, FP4_LEN);
	}
}

static void
test_form(void **state)
{
	json_t *row;
	size_t i, n;

	(void)state;
	json_array_foreach(rows("form"), i, row)
	{
		uint8_t *buf = vec_bytes(row, "approval", &n);
		const char *why = NULL;
		struct approval a;
		struct env e;
		bool ok = approval_parse(&a, &e, buf, n, &why) == 0;

		if (ok != vec_bool(row, "valid"))
			fail_msg("%s: %s", vec_str(row, "name"), why);
	}
}

static unsigned
count(const uint8_t *buf, size_t n, const struct klp_key *keys, size_t nkeys)
{
	struct approval a;
	const char *why;
	struct env e;

	if (approval_parse(&a, &e, buf, n, &why) != 0)
		return 0;
	return env_verify(&e, TYPE_APPROVAL, keys, nkeys, NULL);
}

static void
test_verify(void **state)
{
	json_t *row, *one;
	size_t i, k, n;

	(void)state;
	json_array_foreach(rows("verify"), i, row)
	{
		uint8_t *buf = vec_bytes(row, "approval", &n);
		struct klp_key keys[4];
		size_t nkeys = 0;

		json_array_foreach(vec_array(row, "keys"), k, one)
			keys[nkeys++] = key_of(one);
		if (count(buf, n, keys, nkeys) != vec_int(row, "counts"))
			fail_msg("%s", vec_str(row, "name"));
	}
}

struct good {
	uint8_t raw[APPROVAL_LEN];
	struct klp_key key;
};

static void
none(void *arg, const uint8_t *data, size_t n)
{
	const struct good *g = arg;

	/* four bytes name the signer and are a hint alone */
	if (n == APPROVAL_LEN && memcmp(data, g->raw, 45) == 0 &&
	    memcmp(data + 49, g->raw + 49, SIG_LEN) == 0)
		return;
	assert_int_equal(count(data, n, &g->key, 1), 0);
}

/* Every beginning of one, and every bit of it turned. */
static void
test_hostile(void **state)
{
	json_t *row = json_array_get(rows("approvals"), 0);
	struct good g = {.key = key_of(row)};

	(void)state;
	vec_exact(row, "approval", g.raw, sizeof(g.raw));
	assert_int_equal(count(g.raw, sizeof(g.raw), &g.key, 1), 1);
	vec_each_prefix(g.raw, sizeof(g.raw), none, &g);
	vec_each_flip(g.raw, sizeof(g.raw), none, &g);
}

static void
test_times(void **state)
{
	json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(rows("times"), i, row)
	{
		struct approval a = {
		    .issued = (uint32_t)vec_int(row, "issued"),
		    .expires = (uint32_t)vec_int(row, "expires")};
		const char *why = approval_times(&a,
		    (uint32_t)vec_int(row, "now"));

		if ((why == NULL) != vec_bool(row, "holds"))
			fail_msg("%s: %s", vec_str(row, "name"), why);
	}
}

static void
test_frame_put(void **state)
{
	static const uint8_t frame[APPROVAL_FRAME] = {'K', 'P', 1, 1};
	static const struct env_signed sigs[ENV_SIGS_MAX + 1];
	uint8_t out[APPROVAL_MAX];
	struct approval a;
	const char *why;
	struct env e;

	(void)state;
	assert_int_equal(frame_put(out, sizeof(out), frame, sizeof(frame), sigs,
	    ENV_SIGS_MAX), APPROVAL_MAX);
	assert_int_equal(approval_parse(&a, &e, out, APPROVAL_MAX, &why), 0);
	assert_int_equal(frame_put(out, sizeof(out) - 1, frame, sizeof(frame),
	    sigs, ENV_SIGS_MAX), 0);
	assert_int_equal(frame_put(out, sizeof(out), frame, sizeof(frame), sigs,
	    ENV_SIGS_MAX + 1), 0);
	assert_int_equal(frame_put(out, sizeof(out), frame, sizeof(frame), sigs,
	    0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sign), cmocka_unit_test(test_form),
	    cmocka_unit_test(test_verify), cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_times), cmocka_unit_test(test_frame_put)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
