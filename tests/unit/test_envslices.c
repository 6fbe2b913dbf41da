/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large envelopes in turns: what a turn does is bounded, and all turns together
 * say what one look says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/doc/envcheck.h"
#include "common/util.h"

#define T "application/vnd.klp.trust-graph+json"
#define BIG (300u << 10)
#define KEYS 6

static struct klp_secret secret[KEYS];
static struct klp_key key[KEYS];
static uint8_t payload[BIG], text[BIG * 2];

static int
setup(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	randombytes_buf_deterministic(payload, sizeof(payload),
	    (const uint8_t[32]){7});
	for (unsigned i = 0; i < KEYS; i++) {
		secret[i].kind = i % 3 == 0 ? KEY_ED25519 : KEY_SECP256K1;
		secret[i].bip340 = i % 3 == 1;
		secret[i].raw[0] = (uint8_t)(i + 1);
		if (!secret_public(&key[i], &secret[i]))
			return -1;
	}
	return 0;
}

/* ---- opening ---- */

static size_t
build(const char *before, const char *b64, const char *behind)
{
	size_t n = 0;

	n += (size_t)snprintf((char *)text, sizeof(text), "%s", before);
	memcpy(text + n, b64, strlen(b64));
	n += strlen(b64);
	n += (size_t)snprintf((char *)text + n, sizeof(text) - n, "%s", behind);
	return n;
}

static char sig88[89];

/* In turns; *turns: how many. */
static int
opened(struct env *e, size_t n, size_t budget, unsigned *turns,
    const char **why)
{
	struct env_opening o;
	int rc = env_open(&o, e, text, n, sizeof(text), BIG, why);

	*turns = 0;
	if (rc == 0)
		do {
			size_t was = o.at;

			rc = env_open_step(&o, e, budget, why);
			if (o.at - was > budget)
				fail_msg("a turn of %zu bytes", o.at - was);
			++*turns;
		} while (rc > 0);
	return rc;
}

static void
test_open(void **state)
{
	static char b64[BIG * 3 / 2], pad[BIG];
	static const char *const before[] = {
	    "{\"payload\":\"",
	    "{\"payloadType\":\"t\",\"x\":{\"payload\":\"no\"},\"payload\":\"",
	    "{ \"payloadType\" : \"t\" ,\n \"payload\"\t: \"",
	};
	char behind[512], type[32];
	unsigned turns;
	const char *why;
	struct env e;
	size_t n;

	(void)state;
	memset(sig88, 'A', 86);
	memcpy(sig88 + 86, "==", 3);
	for (size_t k = 0; k < 3 * NELEM(before); k++) {
		size_t size = BIG - k / NELEM(before);

		(void)sodium_bin2base64(b64, sizeof(b64), payload, size,
		    sodium_base64_VARIANT_ORIGINAL);
		(void)snprintf(type, sizeof(type), "%s", k % NELEM(before) == 0 ?
			",\"payloadType\":\"t\"" : "");
		(void)snprintf(behind, sizeof(behind), "\"%s,\"signatures\":"
		    "[{\"keyid\":\"x\",\"sig\":\"%s\"}]}", type, sig88);
		n = build(before[k % NELEM(before)], b64, behind);
		if (opened(&e, n, 4096, &turns, &why) != 0)
			fail_msg("%zu: %s", k, why);
		assert_true(turns >= BIG / 4096);
		assert_int_equal(e.payload_len, size);
		assert_memory_equal(e.payload, payload, size);
		assert_int_equal(e.nsigs, 1);
		env_clear(&e);
		assert_int_equal(env_parse(&e, text, n, sizeof(text), BIG,
		    &why), 0);
		assert_memory_equal(e.payload, payload, size);
		env_clear(&e);
		/* one byte more than is allowed */
		assert_int_equal(env_parse(&e, text, n, sizeof(text), size - 1,
		    &why), -1);
		env_clear(&e);
	}
	/* nothing but the payload is large */
	memset(pad, 'p', sizeof(pad) - 1);
	(void)snprintf(behind, sizeof(behind), "\",\"payloadType\":\"t\","
	    "\"signatures\":[{\"keyid\":\"x\",\"sig\":\"%s\"}],\"y\":\"", sig88);
	n = build("{\"payload\":\"YQ==", behind, pad);
	n += (size_t)snprintf((char *)text + n, sizeof(text) - n, "\"}");
	assert_int_equal(opened(&e, n, 4096, &turns, &why), -1);
	assert_string_equal(why, "too much around its payload");
	env_clear(&e);
	n = build("{\"a\":\"", pad, "\",\"payload\":\"YQ==\"}");
	assert_int_equal(opened(&e, n, 4096, &turns, &why), -1);
	env_clear(&e);
}

/* Each wrong byte at each place of a turn's edge. */
static void
test_open_hostile(void **state)
{
	static char b64[BIG * 3 / 2];
	static const char wrong[] = "=\"\\-_ \n\0,";
	unsigned turns;
	char behind[256];
	const char *why;
	struct env e;
	size_t n, at;

	(void)state;
	(void)sodium_bin2base64(b64, sizeof(b64), payload, BIG - 1,
	    sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(behind, sizeof(behind), "\",\"payloadType\":\"t\","
	    "\"signatures\":[{\"keyid\":\"x\",\"sig\":\"%s\"}]}", sig88);
	n = build("{\"payload\":\"", b64, behind);
	for (size_t i = 0; i < sizeof(wrong) - 1; i++)
		for (int d = -3; d < 4; d++) {
			uint8_t was;

			at = (size_t)((int)sizeof("{\"payload\":\"") - 1 +
			    4096 * 7 + d);
			was = text[at];
			text[at] = (uint8_t)wrong[i];
			assert_int_equal(opened(&e, n, 4096, &turns, &why), -1);
			env_clear(&e);
			text[at] = was;
		}
	/* cut anywhere near an edge */
	for (size_t cut = n - 300; cut < n; cut++) {
		assert_int_equal(opened(&e, cut, 65536, &turns, &why), -1);
		env_clear(&e);
	}
}

/* ---- signatures ---- */

static void
signed_by(struct env *e, unsigned mask, unsigned lies, unsigned flips)
{
	memset(e, 0, sizeof(*e));
	(void)snprintf(e->type, sizeof(e->type), "%s", T);
	e->payload = payload;
	e->payload_len = BIG;
	for (unsigned i = 0; i < KEYS; i++) {
		struct env_sig *g = &e->sigs[e->nsigs];
		struct fp fp;

		if ((mask >> i & 1) == 0)
			continue;
		assert_true(pae_sign(g->sig, &secret[i], T, payload, BIG, NULL));
		key_fp(&fp, &key[(lies >> i & 1) != 0 ? (i + 1) % KEYS : i]);
		g->hint = fp;
		g->hint_len = FP_LEN;
		if ((flips >> i & 1) != 0)
			g->sig[i * 9 % SIG_LEN] ^= 1;
		e->nsigs++;
	}
}

/* Every set of signers, lying about who they are or not, some broken. */
static void
test_check(void **state)
{
	struct env_check c;
	struct env e;

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		unsigned mask = randombytes_uniform(1u << KEYS) | 1u;
		unsigned lies = randombytes_uniform(1u << KEYS) & (round / 10 % 2
			? ~0u : 0);
		unsigned flips = randombytes_uniform(1u << KEYS) &
		    randombytes_uniform(1u << KEYS);
		unsigned threshold = 1 + randombytes_uniform(KEYS), turns = 0;
		size_t nkeys = 1 + randombytes_uniform(KEYS);
		uint64_t who;

		signed_by(&e, mask, lies, flips);
		env_check_begin(&c, &e, T, key, nkeys, threshold);
		while (env_check_step(&c, 64 << 10))
			turns++;
		assert_int_equal(env_check_good(&c),
		    env_signers(&e, T, key, nkeys, &who, NULL) >= threshold);
		assert_int_equal(c.who & ~who, 0);
		/* a piece a turn, or a check of Ed25519 */
		assert_true(turns + 1 >= ((c.who & 066) != 0 ?
			BIG / (64 << 10) : c.count));
	}
	/* another type, too many keys: nobody */
	env_check_begin(&c, &e, "t", key, KEYS, 1);
	assert_false(env_check_step(&c, 1 << 20));
	assert_false(env_check_good(&c));
	env_check_begin(&c, &e, T, key, ENV_KEYS_MAX + 1, 1);
	assert_false(env_check_step(&c, 1 << 20));
	assert_false(env_check_good(&c));
}

/* A turn hashes no more than it may. */
static void
test_check_bounded(void **state)
{
	struct env_check c;
	struct env e;
	bool more = true;

	(void)state;
	signed_by(&e, (1u << KEYS) - 1, (1u << KEYS) - 1, 0);
	env_check_begin(&c, &e, T, key, KEYS, KEYS);
	while (more) {
		size_t was = c.summing ? c.at : 0;

		more = env_check_step(&c, 10000);
		if (c.summing && c.at > was)
			assert_true(c.at - was <= 10000);
	}
	assert_true(env_check_good(&c));
	/* those who are named are enough: nobody else is tried */
	signed_by(&e, 7, 4, 0);
	env_check_begin(&c, &e, T, key, KEYS, 2);
	while (env_check_step(&c, BIG))
		continue;
	assert_int_equal(c.who, 3);
}

/* ---- one sum, many keys; M in one piece ---- */

static bool
in_pieces(const struct klp_key *k, const uint8_t sig[SIG_LEN], size_t n,
    size_t piece)
{
	struct pae_sum s;

	assert_true(pae_sum_begin(&s, k->bip340, T, n));
	for (size_t i = 0; i < n; i += piece)
		pae_sum_add(&s, payload + i, MIN_OF(piece, n - i));
	pae_sum_end(&s);
	return pae_sum_holds(&s, k, sig);
}

static bool
in_one(const struct klp_key *k, const uint8_t sig[SIG_LEN], size_t n)
{
	uint8_t *room = malloc(PAE_HEAD_MAX + n);
	size_t head;
	bool ok;

	assert_non_null(room);
	memcpy(room + PAE_HEAD_MAX, payload, n);
	head = pae_front(room + PAE_HEAD_MAX, T, n);
	assert_true(head > 0 && head <= PAE_HEAD_MAX);
	ok = pae_whole_holds(k, sig, room + PAE_HEAD_MAX - head, head + n);
	free(room);
	return ok;
}

static bool
either(const struct klp_key *k, const uint8_t sig[SIG_LEN], size_t n,
    size_t piece)
{
	return k->kind == KEY_ED25519 ? in_one(k, sig, n) :
	    in_pieces(k, sig, n, piece);
}

static void
test_pieces(void **state)
{
	uint8_t sig[SIG_LEN], bad[SIG_LEN];

	(void)state;
	for (unsigned i = 0; i < KEYS; i++) {
		size_t n = i * 1000;

		assert_true(pae_sign(sig, &secret[i], T, payload, n, NULL));
		assert_true(either(&key[i], sig, n, 1 + i * 77));
		assert_false(either(&key[(i + 3) % KEYS], sig, n, 100));
		/* by another scheme than the key's */
		assert_false(key[i].kind == KEY_ED25519 ?
			in_pieces(&key[i], sig, n, 100) :
			in_one(&key[i], sig, n));
		for (unsigned bit = 0; bit < 8 * SIG_LEN; bit++) {
			memcpy(bad, sig, SIG_LEN);
			bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (either(&key[i], bad, n, 4096) !=
			    pae_verify(&key[i], bad, T, payload, n))
				fail_msg("key %u bit %u", i, bit);
		}
	}
}

/* What env_open_step() leaves is M as pae_make() makes it, in each form. */
static void
test_whole(void **state)
{
	static const size_t size[] = {0, 1, 5000, BIG};
	static uint8_t out[2 * BIG];

	(void)state;
	for (size_t i = 0; i < 2 * NELEM(size); i++) {
		size_t n = size[i / 2], len, m_len;
		struct env_opening o;
		struct env_signed s;
		const char *why;
		unsigned turns = 1;
		struct env e;
		uint8_t *m;

		assert_true(pae_sign(s.sig, &secret[0], T, payload, n, NULL));
		key_fp(&s.fp, &key[0]);
		len = i % 2 == 0 ?
		    env_build_binary(out, sizeof(out), T, payload, n, &s, 1) :
		    env_build_json(out, sizeof(out), T, payload, n, &s, 1);
		assert_true(len > 0);
		assert_int_equal(env_open(&o, &e, out, len, len, n, &why), 0);
		while (env_open_step(&o, &e, 4096, &why) > 0)
			turns++;
		assert_true(turns >= (len > ENV_WHOLE ? BIG / 4096 : 1));
		/* nothing of it is borrowed */
		memset(out, 0, len);
		m = pae_make(&m_len, T, payload, n);
		assert_int_equal(e.head + e.payload_len, m_len);
		assert_memory_equal(e.payload - e.head, m, m_len);
		assert_true(env_holds(&e, &e.sigs[0], &key[0]));
		assert_false(env_holds(&e, &e.sigs[0], &key[3]));
		free(m);
		env_clear(&e);
	}
}

/* An Ed25519 check of more than the budget is a turn of its own. */
static void
test_check_alone(void **state)
{
	struct env_check c;
	struct env e;
	unsigned turns = 1;

	(void)state;
	/* two of Ed25519, two others */
	signed_by(&e, 1 | 2 | 4 | 8, 0, 0);
	env_check_begin(&c, &e, T, key, KEYS, 4);
	while (env_check_step(&c, BIG / 2)) {
		turns++;
		/* the sum of a turn before may be done, not two checks */
		assert_true(c.count <= turns);
	}
	assert_int_equal(c.count, 4);
	assert_true(turns >= 2 + 2 * 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_open),
	    cmocka_unit_test(test_open_hostile),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_check_bounded),
	    cmocka_unit_test(test_pieces),
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_check_alone),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
