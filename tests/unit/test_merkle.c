/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 6962 trees, lines and notes: the pure half of the trail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/doc/digest.h"
#include "trust/doc/merkle.h"
#include "trust/doc/note.h"
#include "trust/doc/note_read.h"
#include "audit/trail_line.h"
#include "common/util.h"
#include "tests/unit/vec.h"

/* RFC 6962 2.1, recursively: the definition, not the algorithm. */
static void
mth(struct id32 *out, unsigned from, unsigned to)
{
	uint8_t b[65] = {1};
	unsigned k = 1;

	if (to - from == 1) {
		uint8_t leaf = (uint8_t)from;

		merkle_leaf(out, &leaf, 1);
		return;
	}
	while (k * 2 < to - from)
		k *= 2;
	mth(id32_into(b + 1), from, from + k);
	mth(id32_into(b + 33), from + k, to);
	(void)crypto_hash_sha256(out->b, b, sizeof(b));
}

/* As libsodium has it, at every length of a block and around. */
static void
test_digest(void **state)
{
	uint8_t b[257];
	struct id32 is, want;

	(void)state;
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n <= sizeof(b); n++) {
		digest_of(&is, b, n);
		(void)crypto_hash_sha256(want.b, b, n);
		assert_memory_equal(is.b, want.b, 32);
	}
	digest_of(&is, NULL, 0);
	(void)crypto_hash_sha256(want.b, b, 0);
	assert_memory_equal(is.b, want.b, 32);
}

static void
test_roots(void **state)
{
	struct merkle m;
	struct id32 root, want;

	(void)state;
	merkle_init(&m, 0);
	merkle_root(&m, &root);
	(void)crypto_hash_sha256(want.b, NULL, 0);
	assert_memory_equal(root.b, want.b, 32);
	for (unsigned n = 1; n <= 130; n++) {
		struct id32 leaf;
		uint8_t b = (uint8_t)(n - 1);

		merkle_leaf(&leaf, &b, 1);
		assert_true(merkle_add(&m, 0, &leaf));
		merkle_root(&m, &root);
		mth(&want, 0, n);
		assert_memory_equal(root.b, want.b, 32);
	}
}

/* Any run in the middle may be replaced by its subtrees. */
static void
test_runs(void **state)
{
	enum { N = 37 };

	(void)state;
	for (unsigned from = 0; from < N; from++)
		for (unsigned to = from + 1; to <= N; to++) {
			struct merkle all, run;
			struct id32 leaf, root, want;
			uint64_t pos = from;

			merkle_init(&all, 0);
			merkle_init(&run, from);
			for (unsigned i = 0; i < N; i++) {
				uint8_t b = (uint8_t)i;

				merkle_leaf(&leaf, &b, 1);
				if (i >= from && i < to)
					assert_true(merkle_add(&run, 0, &leaf));
				if (i + 1 == to) {
					assert_int_equal(run.n,
					    merkle_count(from, to));
					for (unsigned k = 0; k < run.n; k++) {
						unsigned l =
						    merkle_level(pos, to);

						assert_int_equal(l,
						    run.level[k]);
						assert_true(merkle_add(&all,
						    l, &run.hash[k]));
						pos += 1u << l;
					}
				}
				if (i < from || i >= to)
					assert_true(merkle_add(&all, 0, &leaf));
			}
			merkle_root(&all, &root);
			mth(&want, 0, N);
			assert_memory_equal(root.b, want.b, 32);
		}
}

static void
line(void *arg, const uint8_t *p, size_t n)
{
	struct trail_line l;
	char out[TRAIL_LINE_MAX];
	size_t k;

	(void)arg;
	if (!trail_line_parse(&l, (const char *)p, n))
		return;
	k = l.is_tomb ? trail_line_tomb(out, sizeof(out), &l.prev, &l.tomb)
		      : trail_line_event(out, sizeof(out), l.seq, &l.prev,
			    l.body, l.body_len);
	assert_int_equal(k, n + 1);
	assert_memory_equal(out, p, n);
}

static void
not_a_line(void *arg, const uint8_t *p, size_t n)
{
	struct trail_line l;

	(void)arg;
	assert_false(trail_line_parse(&l, (const char *)p, n));
}

static void
test_lines(void **state)
{
	static const char body[] = "{\"severity_id\":3,\"x\":\"\\\"severity_id"
				   "\\\":5\"}";
	struct trail_tomb t = {.from = 7, .to = 9, .count = 3, .ntree = 2};
	const struct id32 prev = {{1}};
	struct trail_line l;
	char out[1024];
	size_t n = trail_line_event(out, sizeof(out), 7, &prev, body,
	    sizeof(body) - 1);

	(void)state;
	assert_true(trail_line_parse(&l, out, n - 1));
	assert_int_equal(l.seq, 7);
	assert_int_equal(trail_line_severity(l.body, l.body_len), 3);
	assert_int_equal(trail_line_event(out, n, 7, &prev, body,
	    sizeof(body) - 1), 0);
	n = trail_line_event(out, sizeof(out), 7, &prev, body,
	    sizeof(body) - 1) - 1;
	vec_each_prefix((uint8_t *)out, n, not_a_line, NULL);
	vec_each_flip((uint8_t *)out, n, line, NULL);
	n = trail_line_tomb(out, sizeof(out), &prev, &t) - 1;
	assert_true(trail_line_parse(&l, out, n));
	assert_true(l.is_tomb);
	assert_int_equal(l.tomb.from, 7);
	vec_each_prefix((uint8_t *)out, n, not_a_line, NULL);
	vec_each_flip((uint8_t *)out, n, line, NULL);
	t.ntree = 3; /* more subtrees than the run has */
	n = trail_line_tomb(out, sizeof(out), &prev, &t) - 1;
	assert_false(trail_line_parse(&l, out, n));
	assert_int_equal(trail_line_severity("{}", 2), 0);
	assert_int_equal(trail_line_severity("{\"severity_id\":", 15), 0);
}

static void
bad_note(void *arg, const uint8_t *p, size_t n)
{
	struct note x;

	assert_false(note_parse(&x, (const char *)p, n) &&
	    note_verify(&x, arg));
}

static void
test_note(void **state)
{
	uint8_t seed[32] = {3}, pub[32], sk[64];
	struct note n = {.fp = {{1, 2}}, .size = 12345, .root = {{9}}}, got;
	char body[NOTE_BODY_MAX], text[NOTE_MAX];
	size_t len;

	(void)state;
	(void)crypto_sign_seed_keypair(pub, sk, seed);
	note_set_key(&n, pub);
	len = note_body(body, &n);
	assert_memory_equal(body, "klp-trail/0102000000", 20);
	assert_int_equal(body[len - 1], '\n');
	(void)crypto_sign_detached(n.sig, NULL, (uint8_t *)body, len, sk);
	len = note_put(text, &n);
	assert_true(note_parse(&got, text, len));
	assert_int_equal(got.size, 12345);
	assert_true(note_verify(&got, pub));
	vec_each_prefix((uint8_t *)text, len, bad_note, pub);
	vec_each_flip((uint8_t *)text, len, bad_note, pub);
	pub[0] ^= 1;
	assert_false(note_verify(&got, pub));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_digest),
	    cmocka_unit_test(test_roots),
	    cmocka_unit_test(test_runs),
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
