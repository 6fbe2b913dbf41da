/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/crypt.h"
#include "transport/core/table/known.h"
#include "tests/unit/vec.h"
#include "common/wire.h"

#define WALL INT64_C(1700000000000000)
#define S MONO_SECOND

static const struct mono t0 = {1000};

static void
sevens(void *arg, uint8_t *out, size_t n)
{
	(void)arg;
	memset(out, 7, n);
}

static struct rns *
ctx(uint32_t known)
{
	struct rns_config c = {.random = sevens, .wall_us = WALL};
	struct rns *r;

	rns_limits_default(&c.limits);
	c.limits.known = known;
	memset(c.identity, 9, sizeof(c.identity));
	r = rns_new(&c, t0);
	assert_non_null(r);
	return r;
}

/* An announce of the n-th of many destinations, learned now. */
static int
learn(struct rns *r, unsigned n, const char *app, const uint8_t *ratchet,
    struct hash16 *dest)
{
	uint8_t raw[RNS_MTU], priv[64] = {1}, name[10] = {0}, rnd[5] = {0};
	struct identity id;
	struct announce a;
	struct packet p;
	size_t len;

	put_u32(name, n);
	assert_int_equal(identity_load(&id, priv), RNS_OK);
	crypt_sha256(id32_into(raw), name, 10);
	*dest = *hash16_at(raw); /* known_learn() does not look at step 4 */
	len = announce_build(raw, &id, dest, name, rnd, 1, ratchet,
	    (const uint8_t *)app, app != NULL ? strlen(app) : 0, false);
	assert_int_equal(packet_parse(&p, raw, len), RNS_OK);
	assert_int_equal(announce_parse(&a, &p), RNS_OK);
	return known_learn(r, &a, &p);
}

static void
test_learn(void **state)
{
	struct rns *r = ctx(10);
	struct hash16 dest;
	uint8_t ratchet[32] = {3}, newer[32] = {4};
	struct rns_known k;

	(void)state;
	assert_int_equal(learn(r, 1, NULL, NULL, &dest), RNS_OK);
	assert_true(rns_known_get(r, &dest, &k));
	assert_true(k.heard_us == WALL && k.used_us == 0);
	assert_null(k.app_data);
	assert_null(k.ratchet);
	assert_null(known_ratchet(r, known_find(r, &dest)));
	/* a ratchet without app data: empty, not nil */
	assert_int_equal(learn(r, 1, NULL, ratchet, &dest), RNS_OK);
	assert_true(rns_known_get(r, &dest, &k));
	assert_non_null(k.app_data);
	assert_int_equal(k.app_data_len, 0);
	assert_memory_equal(k.ratchet, ratchet, 32);
	/* the newest replaces; without one the last stays */
	assert_int_equal(learn(r, 1, "abc", newer, &dest), RNS_OK);
	assert_int_equal(learn(r, 1, "abc", NULL, &dest), RNS_OK);
	assert_true(rns_known_get(r, &dest, &k));
	vec_equal(k.app_data, k.app_data_len, "abc", 3);
	assert_memory_equal(known_ratchet(r, known_find(r, &dest)), newer, 32);
	rns_free(r);
}

static void
test_other_key(void **state)
{
	struct rns *r = ctx(10);
	struct known *k;
	struct rns_cmd c = {.type = RNS_CMD_KNOWN_ADD};
	struct hash16 dest;

	(void)state;
	assert_int_equal(learn(r, 1, NULL, NULL, &dest), RNS_OK);
	c.known.dest = dest;
	c.known.heard_us = WALL + 1;
	assert_int_equal(rns_submit(r, &c, t0), RNS_EEXIST);
	memset(&c.known.dest, 1, sizeof(c.known.dest));
	memset(c.known.public_key, 2, 64);
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	k = known_find(r, &dest);
	k->heard->raw[k->key_at] ^= 1;
	assert_int_equal(learn(r, 1, NULL, NULL, &dest), RNS_EAUTH);
	rns_free(r);
}

static void
test_storage(void **state)
{
	struct rns *r = ctx(10);
	struct rns_cmd c = {.type = RNS_CMD_KNOWN_ADD};
	struct rns_cmd m = {.type = RNS_CMD_RATCHET_ADD};
	struct rns_known k;

	(void)state;
	memset(&c.known.dest, 1, sizeof(c.known.dest));
	memset(&m.ratchet.dest, 1, sizeof(m.ratchet.dest));
	m.ratchet.received_us = WALL;
	assert_int_equal(rns_submit(r, &m, t0), RNS_ENOENT);
	c.known.heard_us = WALL - 5;
	c.known.used_us = -2;
	assert_int_equal(rns_submit(r, &c, t0), RNS_EINVAL);
	c.known.used_us = -1;
	c.known.heard_us = INT64_MIN;
	assert_int_equal(rns_submit(r, &c, t0), RNS_EINVAL);
	c.known.heard_us = WALL - 5;
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	known_mark_used(r, known_find(r, &c.known.dest)); /* -1 stays */
	/* older data do not replace, the mark does */
	c.known.heard_us = WALL - 9;
	c.known.used_us = 77;
	c.known.app_data = (const uint8_t *)"x";
	c.known.app_data_len = 1;
	assert_true(rns_known_get(r, &c.known.dest, &k) && k.used_us == -1);
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	assert_true(rns_known_get(r, &c.known.dest, &k));
	assert_true(k.used_us == 77 && k.heard_us == WALL - 5);
	assert_null(k.app_data);
	m.ratchet.received_us = WALL - (INT64_C(2592000) * S) - 1;
	assert_int_equal(rns_submit(r, &m, t0), RNS_EINVAL);
	m.ratchet.received_us++;
	assert_int_equal(rns_submit(r, &m, t0), RNS_OK);
	assert_non_null(known_ratchet(r, known_find(r, &c.known.dest)));
	rns_tick(r, (struct mono){t0.us + 1});
	assert_null(known_ratchet(r, known_find(r, &c.known.dest)));
	rns_free(r);
}

static void
test_next(void **state)
{
	struct rns *r = ctx(100);
	struct hash16 dest, after = {0};
	struct rns_known k;
	unsigned seen = 0;

	(void)state;
	assert_false(rns_known_next(r, &after, true, &k));
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(learn(r, i, NULL, NULL, &dest), RNS_OK);
	while (rns_known_next(r, &after, seen == 0, &k)) {
		assert_true(seen == 0 || hash16_cmp(&after, &k.dest) < 0);
		after = k.dest;
		seen++;
	}
	assert_int_equal(seen, 40);
	rns_free(r);
}

/* At the ceiling the longest unheard of those never used goes. */
static void
test_ceiling(void **state)
{
	struct rns *r = ctx(4);
	struct hash16 dest[5], last;
	struct rns_counts counts;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(learn(r, i, NULL, NULL, &dest[i]), RNS_OK);
	known_mark_used(r, known_find(r, &dest[0]));
	assert_int_equal(learn(r, 1, NULL, NULL, &dest[1]), RNS_OK);
	assert_int_equal(learn(r, 9, NULL, NULL, &dest[4]), RNS_OK);
	assert_non_null(known_find(r, &dest[0]));
	assert_non_null(known_find(r, &dest[1]));
	assert_null(known_find(r, &dest[2]));
	assert_non_null(known_find(r, &dest[3]));
	known_mark_used(r, known_find(r, &dest[1]));
	known_mark_used(r, known_find(r, &dest[3]));
	known_mark_used(r, known_find(r, &dest[4]));
	assert_int_equal(learn(r, 10, NULL, NULL, &last), RNS_ELIMIT);
	assert_null(known_find(r, &last));
	rns_counts(r, &counts);
	assert_int_equal(counts.known, 4);
	rns_free(r);
}

static void
run_until(struct rns *r, int64_t at_s)
{
	struct mono end = {t0.us + at_s * S}, next;

	while (next = rns_deadline(r), next.us <= end.us)
		rns_tick(r, next);
	rns_tick(r, end);
}

static void
test_cleaning(void **state)
{
	struct rns *r = ctx(10000);
	struct hash16 idle, used, kept, dest;
	struct rns_cmd c = {.type = RNS_CMD_KNOWN_ADD};
	struct rns_counts counts;

	(void)state;
	for (unsigned i = 100; i < 5100; i++) /* more than one step */
		assert_int_equal(learn(r, i, NULL, NULL, &dest), RNS_OK);
	assert_int_equal(learn(r, 1, NULL, NULL, &idle), RNS_OK);
	assert_int_equal(learn(r, 2, NULL, NULL, &used), RNS_OK);
	memset(&kept, 0xfe, sizeof(kept));
	c.known.dest = kept;
	c.known.used_us = -1;
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	known_mark_used(r, known_find(r, &used));
	run_until(r, 310);
	assert_non_null(known_find(r, &idle)); /* younger than 360 s */
	run_until(r, 620);
	assert_null(known_find(r, &idle));
	assert_non_null(known_find(r, &used));
	rns_counts(r, &counts);
	assert_int_equal(counts.known, 2);
	run_until(r, 756000);
	assert_non_null(known_find(r, &used));
	run_until(r, 756700);
	assert_null(known_find(r, &used));
	assert_non_null(known_find(r, &kept));
	rns_free(r);
}

static void
test_encrypt(void **state)
{
	struct rns *r = ctx(10);
	struct hash16 dest;
	uint8_t priv[64] = {1}, data[200], out[200];
	uint8_t ratchet[1][32] = {{5}}, pub[32];
	struct identity id;
	size_t n, len;
	int used = 5;

	(void)state;
	assert_int_equal(identity_load(&id, priv), RNS_OK);
	crypt_x25519_public(pub, ratchet[0]);
	assert_int_equal(learn(r, 1, NULL, pub, &dest), RNS_OK);
	assert_int_equal(known_encrypt(r, known_find(r, &dest), data, &n,
	    sizeof(data), (const uint8_t *)"hi", 2), RNS_OK);
	assert_int_equal(identity_decrypt(out, &len, sizeof(out), &id,
	    (const uint8_t(*)[32])ratchet, 1, true, &used, data, n), RNS_OK);
	vec_equal(out, len, "hi", 2);
	assert_int_equal(used, 0);
	assert_true(known_find(r, &dest)->used_us == WALL);
	assert_int_equal(known_encrypt(r, known_find(r, &dest), data, &n, 40,
	    (const uint8_t *)"hi", 2), RNS_EBIG);
	rns_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_learn),
	    cmocka_unit_test(test_other_key),
	    cmocka_unit_test(test_storage),
	    cmocka_unit_test(test_next),
	    cmocka_unit_test(test_ceiling),
	    cmocka_unit_test(test_cleaning),
	    cmocka_unit_test(test_encrypt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
