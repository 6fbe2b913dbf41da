/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/announce.h"
#include "transport/core/base/crypt.h"
#include "tests/unit/vec.h"

static bool
accept(const uint8_t *raw, size_t n, struct announce *a, struct packet *p)
{
	return packet_parse(p, raw, n) == RNS_OK &&
	    announce_parse(a, p) == RNS_OK && announce_signature_ok(a, p) &&
	    announce_dest_ok(a, p);
}

static void
must_refuse(void *arg, const uint8_t *raw, size_t n)
{
	struct announce a;
	struct packet p;

	(void)arg;
	assert_false(accept(raw, n, &a, &p));
}

/* Not signed: IFAC flag, hops, transport, the context byte. */
static void
flip(void *arg, const uint8_t *raw, size_t n)
{
	const uint8_t *good = arg;
	struct announce a;
	struct packet p;

	if (accept(raw, n, &a, &p)) {
		assert_int_equal(raw[0] & 0x6f, good[0] & 0x6f);
		assert_memory_equal(raw + 2, good + 2, 16);
		assert_memory_equal(raw + 19, good + 19, n - 19);
	}
}

static void
check_valid(const json_t *v, const struct announce *a, const struct packet *p)
{
	uint8_t want[64];
	size_t n, app_len;
	uint8_t *app = vec_bytes(v, "app_data", &app_len);
	uint8_t *ratchet = vec_bytes(v, "ratchet", &n);

	if (vec_is_null(v, "public_key"))
		return; /* made by hand: the verdict only */
	vec_exact(v, "public_key", want, 64);
	assert_memory_equal(a->public_key, want, 64);
	vec_exact(v, "name_hash", want, 10);
	assert_memory_equal(a->name_hash, want, 10);
	vec_exact(v, "random_hash", want, 10);
	assert_memory_equal(a->random_hash, want, 10);
	vec_exact(v, "signature", want, 64);
	assert_memory_equal(a->signature, want, 64);
	vec_exact(v, "destination_hash", want, 16);
	assert_memory_equal(p->dest->b, want, 16);
	if (!vec_is_null(v, "emitted"))
		assert_int_equal(a->emitted, vec_int(v, "emitted"));
	assert_int_equal(a->ratchet != NULL, ratchet != NULL);
	if (ratchet != NULL)
		assert_memory_equal(a->ratchet, ratchet, 32);
	vec_equal(a->app_data, a->app_data_len, app, app_len);
	/* reticulum-endpoint.md 5.5 step 6 */
	assert_int_equal(a->app_data == NULL, p->data_len <= 148);
}

static void
check_build(const json_t *v, const struct announce *a, const struct packet *p)
{
	uint8_t priv[64], made[RNS_MTU];
	struct identity id;

	if (vec_is_null(v, "private_key") || p->header_2)
		return;
	vec_exact(v, "private_key", priv, 64);
	assert_int_equal(identity_load(&id, priv), RNS_OK);
	assert_int_equal(announce_build(made, &id, p->dest, a->name_hash,
	    a->random_hash, a->emitted, a->ratchet, a->app_data,
	    a->app_data_len, p->context == CTX_PATH_RESPONSE), p->raw_len);
	assert_memory_equal(made, p->raw, p->raw_len);
}

static void
test_announces(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("announces.json"), "announces"),
	    i, v) {
		size_t n;
		uint8_t *raw = vec_bytes(v, "raw", &n);
		struct announce a;
		struct packet p;
		bool ok = accept(raw, n, &a, &p);

		if (!vec_is_null(v, "known_public_key")) {
			/* step 5 is the known table's; the rest is right */
			assert_true(ok);
			continue;
		}
		assert_int_equal(ok, vec_bool(v, "valid"));
		if (!ok)
			continue;
		check_valid(v, &a, &p);
		check_build(v, &a, &p);
		if (n < 182 && i < 3) {
			vec_each_prefix(raw, n, must_refuse, NULL);
			vec_each_flip(raw, n, flip, raw);
		}
	}
}

static void
test_limits(void **state)
{
	uint8_t priv[64] = {1}, out[RNS_MTU], app[400] = {0};
	struct hash16 dest = {0};
	uint8_t name[10] = {2}, rnd[5] = {3}, big[600] = {0x01};
	struct identity id;
	struct announce a;
	struct packet p;

	(void)state;
	assert_int_equal(identity_load(&id, priv), RNS_OK);
	assert_int_equal(announce_build(out, &id, &dest, name, rnd, 1, NULL,
	    app, 333, false), 500);
	assert_int_equal(announce_build(out, &id, &dest, name, rnd, 1, NULL,
	    app, 334, false), 0);
	assert_int_equal(announce_build(out, &id, &dest, name, rnd, 1, app, app,
	    301, false), 500);
	assert_int_equal(announce_build(out, &id, &dest, name, rnd, 1, app, app,
	    302, false), 0);
	assert_int_equal(announce_build(out, &id, &dest, name, rnd, 1, NULL,
	    app, 400, false), 0);
	assert_int_equal(packet_parse(&p, big, sizeof(big)), RNS_OK);
	assert_int_equal(announce_parse(&a, &p), RNS_EPARSE);
	big[0] = 0x0d; /* not SINGLE */
	assert_int_equal(packet_parse(&p, big, 300), RNS_OK);
	assert_int_equal(announce_parse(&a, &p), RNS_EPARSE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_announces),
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
