/* SPDX-License-Identifier: BSD-2-Clause */
/* Receipts: compute-receipt.json; and what one signature costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/layers.h"
#include "trust/doc/receipt.h"
#include "common/util.h"
#include "tests/unit/vec.h"

static struct klp_secret
node_secret(const json_t *root)
{
	struct klp_secret s = {.kind = KEY_SECP256K1};

	vec_exact(root, "private", s.raw, 32);
	return s;
}

static void
digest_row(const json_t *row, struct id32 *sha, uint64_t *size)
{
	size_t n;
	uint8_t *b = vec_unhex(json_string_value(json_array_get(row, 1)), &n);

	assert_int_equal(n, 32);
	*sha = *id32_at(b);
	*size = (uint64_t)json_integer_value(json_array_get(row, 2));
}

static void
test_roots(void **state)
{
	json_t *root = vec_load("compute-receipt.json"), *row;
	const json_t *f = json_object_get(root, "fields");
	struct job_output o[JOB_OUTPUTS_MAX + 1];
	struct id32 got, sha[2] = {{{0}}};
	uint8_t want[32];
	uint64_t size[2] = {0};
	size_t i, n = 0;

	(void)state;
	json_array_foreach(vec_array(root, "outputs"), i, row)
	{
		o[n].path = json_string_value(json_array_get(row, 0));
		digest_row(row, &o[n].sha256, &o[n].size);
		n++;
	}
	assert_true(outputs_root(&got, o, n));
	vec_exact(f, "outputs_root", want, 32);
	assert_memory_equal(got.b, want, 32);
	assert_true(outputs_root(&got, NULL, 0));
	vec_exact(root, "empty_outputs_root", want, 32);
	assert_memory_equal(got.b, want, 32);
	assert_false(outputs_root(&got, o, JOB_OUTPUTS_MAX + 1));
	json_array_foreach(vec_array(root, "logs"), i, row)
	{
		const char *name = json_string_value(json_array_get(row, 0));
		unsigned at = strcmp(name, "stdout") == 0 ? 0 : 1;

		digest_row(row, &sha[at], &size[at]);
	}
	logs_root(&got, &sha[0], size[0], &sha[1], size[1]);
	vec_exact(f, "logs_root", want, 32);
	assert_memory_equal(got.b, want, 32);
}

static void
test_sign(void **state)
{
	json_t *root = vec_load("compute-receipt.json");
	struct klp_secret s = node_secret(root);
	struct job_receipt r;
	uint8_t want[JOB_RECEIPT_LEN], got[JOB_RECEIPT_MAX];
	struct klp_key k;

	(void)state;
	vec_exact(root, "receipt", want, sizeof(want));
	assert_true(job_receipt_parse(&r, want, sizeof(want)));
	assert_int_equal(r.code,
	    vec_int(json_object_get(root, "fields"), "code"));
	assert_int_equal(r.layers,
	    vec_int(json_object_get(root, "fields"), "layers"));
	memset(r.sig, 0, sizeof(r.sig));
	memset(r.node, 0, sizeof(r.node));
	assert_true(job_receipt_sign(&r, &s, NULL));
	assert_int_equal(job_receipt_put(got, &r), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	assert_true(secret_public(&k, &s));
	assert_true(job_receipt_verify(&r, &k));
	/* the other scheme, with a key that is bound so */
	s.bip340 = k.bip340 = true;
	assert_false(job_receipt_verify(&r, &k));
	assert_true(job_receipt_sign(&r, &s, NULL));
	assert_true(job_receipt_verify(&r, &k));
}

static void
test_verify(void **state)
{
	json_t *root = vec_load("compute-receipt.json"), *row;
	struct klp_secret s = node_secret(root);
	struct klp_key k;
	size_t i;

	(void)state;
	assert_true(secret_public(&k, &s));
	json_array_foreach(vec_array(root, "verify"), i, row)
	{
		size_t n;
		uint8_t *b = vec_bytes(row, "receipt", &n);
		struct job_receipt r;
		bool ok = job_receipt_parse(&r, b, n) &&
		    job_receipt_verify(&r, &k);

		assert_int_equal(ok, vec_bool(row, "accepted"));
	}
}

static void
none(void *arg, const uint8_t *p, size_t n)
{
	struct job_receipt r;

	assert_false(job_receipt_parse(&r, p, n) &&
	    job_receipt_verify(&r, arg));
}

static void
test_flips(void **state)
{
	json_t *root = vec_load("compute-receipt.json");
	struct klp_secret s = node_secret(root);
	struct klp_key k;
	size_t n;
	uint8_t *b = vec_bytes(root, "receipt", &n);

	(void)state;
	assert_true(secret_public(&k, &s));
	vec_each_prefix(b, n, none, &k);
	vec_each_flip(b, n, none, &k);
}

static void
test_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LAYER_COUNT; i++)
		assert_int_equal(layer_bit(layer_name(i)), 1u << i);
	assert_string_equal(layer_name(9), "seccomp");
	assert_string_equal(layer_name(18), "io");
	assert_null(layer_name(LAYER_COUNT));
	assert_int_equal(layer_bit("use"), 0);
	for (unsigned i = 1; i < KILL_REASONS; i++)
		for (unsigned k = 1; k < i; k++)
			assert_string_not_equal(kill_name(i), kill_name(k));
	assert_string_equal(kill_name(KILL_MEMORY), "memory");
	assert_string_equal(kill_name(KILL_DEADLINE), "deadline");
	assert_null(kill_name(0));
	assert_null(kill_name(KILL_REASONS));
	assert_string_equal(outcome_name(JOB_LOST), "lost");
	assert_null(outcome_name(5));
	assert_int_equal(saturate_u32(UINT64_C(1) << 40), UINT32_MAX);
}

static void
test_codes(void **state)
{
	static const struct {
		uint8_t outcome;
		int32_t code;
		bool ok;
	} rows[] = {{0, 255, true}, {1, 9, true}, {2, 1, true}, {2, 0, false},
	    {2, 11, false}, {2, 6 + 256 * 7, true}, {2, 1 + 256, false},
	    {2, -250, false}, {3, 0, true}, {3, 1, false}, {4, 0, true},
	    {5, 0, false}};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct job_receipt r = {
		    .outcome = rows[i].outcome, .code = rows[i].code};
		uint8_t b[JOB_RECEIPT_MAX];
		size_t n = job_receipt_put(b, &r);

		assert_int_equal(n, JOB_RECEIPT_LEN);
		assert_int_equal(job_receipt_parse(&r, b, n),
		    rows[i].ok);
	}
}

/* One receipt is one signature: well under a millisecond, with room. */
static void
test_cost(void **state)
{
	struct klp_secret s = node_secret(vec_load("compute-receipt.json"));
	struct job_receipt r = {0};
	const uint8_t seed[32] = {1};
	struct timespec a, b;
	double us;

	(void)state;
	assert_true(secp_init(seed));
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (int i = 0; i < 200; i++) {
		r.started = (uint32_t)i;
		assert_true(job_receipt_sign(&r, &s, NULL));
	}
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	us = ((double)(b.tv_sec - a.tv_sec) * 1e6 +
		 (double)(b.tv_nsec - a.tv_nsec) / 1e3) /
	    200;
	print_message("# receipt signature: %.1f us\n", us);
#ifndef WARREN_SANITIZED
	assert_true(us < 1000);
#endif
}

/* What is left out is put back; whatever else is put in does not verify. */
static void
test_shorter(void **state)
{
	json_t *root = vec_load("compute-receipt.json");
	struct klp_secret s = node_secret(root);
	uint8_t want[JOB_RECEIPT_LEN], got[JOB_RECEIPT_MAX];
	uint8_t shorter[JOB_RECEIPT_SHORT_MAX];
	struct job_receipt r, v;
	struct klp_key k;

	(void)state;
	assert_true(secret_public(&k, &s));
	vec_exact(root, "receipt", want, sizeof(want));
	assert_true(job_receipt_parse(&r, want, sizeof(want)));
	assert_int_equal(job_receipt_shorten(shorter, want), JOB_RECEIPT_SHORT);
	assert_int_equal(job_receipt_restore(got, shorter, &r.job, &r.outputs,
	    &r.logs, r.node), JOB_RECEIPT_LEN);
	assert_memory_equal(got, want, sizeof(want));
	for (unsigned i = 0; i < JOB_RECEIPT_SHORT; i++) {
		shorter[i] ^= 1;
		size_t n = job_receipt_restore(got, shorter, &r.job,
		    &r.outputs, &r.logs, r.node);

		assert_false(job_receipt_parse(&v, got, n) &&
		    job_receipt_verify(&v, &k));
		shorter[i] ^= 1;
	}
	r.logs.b[0] ^= 1;
	(void)job_receipt_restore(got, shorter, &r.job, &r.outputs, &r.logs,
	    r.node);
	assert_true(job_receipt_parse(&v, got, JOB_RECEIPT_LEN));
	assert_false(job_receipt_verify(&v, &k));
}

/* Version 2: what contained it is signed too, and there is one form of each. */
static void
test_runner(void **state)
{
	json_t *root = vec_load("compute-receipt-2.json");
	struct klp_secret s = node_secret(root);
	uint8_t want[JOB_RECEIPT_MAX], got[JOB_RECEIPT_MAX];
	uint8_t shorter[JOB_RECEIPT_SHORT_MAX];
	struct job_receipt r, v;
	struct klp_key k;

	(void)state;
	assert_true(secret_public(&k, &s));
	vec_exact(root, "receipt", want, sizeof(want));
	assert_int_equal(job_receipt_len(want), sizeof(want));
	assert_true(job_receipt_parse(&r, want, sizeof(want)));
	assert_true(job_receipt_verify(&r, &k));
	assert_int_equal(r.runner, vec_int(root, "runner"));
	assert_int_equal(r.version[1], 8);
	assert_int_equal(job_receipt_put(got, &r), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	v = r;
	assert_true(job_receipt_sign(&v, &s, NULL));
	assert_true(job_receipt_verify(&v, &k));
	for (size_t n = 0; n < sizeof(want); n++)
		assert_false(job_receipt_parse(&v, want, n));
	for (size_t i = 0; i < sizeof(want) * 8; i++) {
		want[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_false(job_receipt_parse(&v, want, sizeof(want)) &&
		    job_receipt_verify(&v, &k));
		want[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	/* shorter, and whole again */
	assert_int_equal(job_receipt_shorten(shorter, want), sizeof(shorter));
	assert_int_equal(job_receipt_short_len(shorter), sizeof(shorter));
	assert_int_equal(job_receipt_restore(got, shorter, &r.job, &r.outputs,
	    &r.logs, r.node), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	/* runner 0 is version 1 alone; neither has the other's length */
	memset(want + 237, 0, 1);
	assert_false(job_receipt_parse(&v, want, sizeof(want)));
	r.runner = 0;
	assert_int_equal(job_receipt_put(got, &r), JOB_RECEIPT_LEN);
	assert_true(job_receipt_parse(&v, got, JOB_RECEIPT_LEN));
	assert_false(job_receipt_parse(&v, got, JOB_RECEIPT_MAX));
	got[2] = 3;
	assert_false(job_receipt_parse(&v, got, JOB_RECEIPT_LEN));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_roots),
	    cmocka_unit_test(test_sign),
	    cmocka_unit_test(test_runner),
	    cmocka_unit_test(test_verify),
	    cmocka_unit_test(test_shorter),
	    cmocka_unit_test(test_flips),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_codes),
	    cmocka_unit_test(test_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
