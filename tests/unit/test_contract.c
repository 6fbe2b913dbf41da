/* SPDX-License-Identifier: BSD-2-Clause */
/* Behaviour contracts: klp-contract.json, their record, who signed them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/contracts.h"
#include "trust/doc/contract.h"
#include "common/util.h"
#include "tests/unit/vec.h"

#define NOW 1800000000u

static json_t *
rows(void)
{
	return vec_array(vec_load("klp-contract.json"), "schema");
}

static void
test_schema(void **state)
{
	static struct contract c;
	char why[CONTRACT_WHY];
	json_t *row;
	size_t i, n;

	(void)state;
	json_array_foreach(rows(), i, row)
	{
		uint8_t *buf = vec_bytes(row, "payload", &n);
		const char *want = vec_str(row, "why");
		bool ok;

		why[0] = '\0';
		ok = contract_parse(&c, n == 0 ? (const uint8_t *)"" : buf, n,
		    why) == 0;
		if (ok != vec_bool(row, "valid") ||
		    (!ok && strncmp(why, want, strlen(want)) != 0))
			fail_msg("%s: %s", vec_str(row, "name"), why);
	}
}

/* The specification's own, member by member, also through the record. */
static void
test_whole(void **state)
{
	static struct contract made, c;
	static uint8_t rec[CONTRACT_RECORD_MAX];
	char why[CONTRACT_WHY];
	size_t n, len;
	uint8_t *buf = vec_bytes(json_array_get(rows(), 0), "payload", &n);

	(void)state;
	assert_int_equal(contract_parse(&made, buf, n, why), 0);
	len = contract_record_put(rec, sizeof(rec), &made);
	assert_true(len > 0);
	assert_true(contract_record_get(&c, rec, len));
	assert_int_equal(c.version, 3);
	assert_int_equal(c.issued, NOW);
	assert_int_equal(c.agent.b[31], 0xaa);
	assert_int_equal(c.image.b[0], 0x11);
	assert_int_equal(c.napis, 1);
	assert_true(c.read.given && c.write.given && c.exec.given);
	assert_int_equal(c.read.n, 1);
	assert_string_equal(c.read.v[0].path, "/agent/data");
	assert_true(c.read.v[0].beneath);
	assert_string_equal(c.write.v[0].path, "/agent/tmp");
	assert_int_equal(c.write.v[0].max_bytes, 16777216);
	assert_int_equal(c.write.v[0].max_files, 128);
	assert_string_equal(c.exec.v[0].path, "/agent/bin/run");
	assert_false(c.exec.v[0].beneath);
	assert_int_equal(c.max_read_bytes, 268435456);
	assert_int_equal(c.max_write_rate, 1048576);
	assert_int_equal(c.typical, 67108864);
	assert_int_equal(c.memory, 268435456);
	assert_int_equal(c.max_pids, 16);
	assert_false(c.anonymous_exec);
	assert_int_equal(c.cpu_milli, 500);
	assert_int_equal(c.max_seconds, 60);
	assert_int_equal(c.burst_seconds, 5);
	assert_string_equal(c.profile, "kai-default");
	assert_int_equal(c.ndeny, 1);
	assert_string_equal(c.deny[0], "ptrace");
	assert_int_equal(c.action[RULE_DISK_WRITE_RATE], ACTION_THROTTLE);
	assert_int_equal(c.action[RULE_APIS_RATE], ACTION_DENY);
	assert_int_equal(c.action[RULE_DISK_EXEC], ACTION_KILL);
	assert_int_equal(c.action[RULE_DISK_READ], ACTION_KILL);
	/* whole or not at all, and hostile bytes stay inside */
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = vec_copy(rec, cut);

		assert_false(contract_record_get(&c, copy, cut));
	}
	for (size_t bit = 0; bit < 8 * len; bit++) {
		rec[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)contract_record_get(&c, rec, len);
		rec[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(contract_record_put(rec, len - 1, &made), 0);
	/* nothing said: nothing restricted, and a violation kills */
	buf = vec_bytes(json_array_get(rows(), 1), "payload", &n);
	assert_int_equal(contract_parse(&c, buf, n, why), 0);
	assert_false(c.read.given || c.write.given || c.exec.given);
	assert_true(c.anonymous_exec);
	assert_int_equal(c.action[RULE_SYSCALLS], ACTION_KILL);
	/* but for what is of class 2 */
	for (unsigned r = 1; r < RULE_COUNT; r++)
		assert_int_equal(c.action[r], r == RULE_DISK_READ ||
		    r == RULE_DISK_MAX_BYTES || r == RULE_DISK_MAX_FILES ?
		    ACTION_DENY : ACTION_KILL);
	assert_null(contract_times(&c, NOW));
	assert_null(contract_times(&c, NOW - 300));
	assert_non_null(contract_times(&c, NOW - 301));
	assert_null(contract_times(&c, 1814999999));
	assert_non_null(contract_times(&c, 1815000000));
}

static void
test_names(void **state)
{
	(void)state;
	for (unsigned r = 1; r < RULE_COUNT; r++) {
		char want[64];

		(void)snprintf(want, sizeof(want), "violation:%s",
		    contract_rule_name(r));
		assert_string_equal(contract_violation(r), want);
	}
	assert_null(contract_rule_name(0));
	assert_null(contract_rule_name(RULE_COUNT));
	assert_string_equal(contract_violation(0), "violation");
	assert_string_equal(contract_violation(255), "violation");
}

/* ---- who signed it ---- */

static struct klp_secret secret = {.kind = KEY_SECP256K1, .raw = {1, 9}};
static uint8_t seed[32] = {7};

static size_t
envelope(uint8_t *out, size_t cap, const char *type,
    const struct klp_secret *s, unsigned which)
{
	struct env_signed one;
	struct klp_key k;
	size_t n;
	uint8_t *p = vec_bytes(json_array_get(rows(), which), "payload", &n);

	assert_true(secret_public(&k, s));
	key_fp(&one.fp, &k);
	assert_true(pae_sign(one.sig, s, type, p, n, NULL));
	return env_build_json(out, cap, type, p, n, &one, 1);
}

static void
test_judge(void **state)
{
	static uint8_t env[8192];
	static struct msg_V_CONTRACTED out;
	static struct contract c;
	struct level_pin pins[2] = {{.level = 2}, {.level = 0}};
	struct standing st = {.levels = {pins, 2, NULL, 0}};
	struct verdicts v = {.s = &st, .store = bindstore_new(4)};
	struct msg_V_CONTRACT m = {.qid = 6};
	struct binding b = {.serial = 1, .not_before = NOW - 100,
	    .not_after = NOW + 100000};
	struct klp_key k;
	uint8_t sk[64];
	bool fresh;
	size_t n;

	(void)state;
	assert_true(secret_public(&k, &secret));
	key_fp(&pins[0].id, &k);
	memset(&pins[1].id, 0xaa, sizeof(pins[1].id)); /* the agent */
	memcpy(b.secp, k.raw, 33);
	(void)crypto_sign_seed_keypair(b.rns + 32, sk, seed);
	n = envelope(env, sizeof(env), TYPE_CONTRACT, &secret, 1);
	contract_judge(&v, &out, &m, env, n, NOW);
	assert_int_equal(out.status, CONTRACT_BAD); /* no binding yet */
	assert_true(binding_sign_secp(&b, &secret, NULL));
	assert_true(binding_sign_rns(&b, seed));
	assert_null(bindstore_take(v.store, &b, NOW, true, &fresh));
	contract_judge(&v, &out, &m, env, n, NOW);
	assert_int_equal(out.status, CONTRACT_OK);
	assert_int_equal(out.qid, 6);
	assert_int_equal(out.level, 2);
	assert_true(fp_eq(&out.signer, &pins[0].id));
	assert_true(contract_record_get(&c, out.record, out.record_len));
	contract_judge(&v, &out, &m, env, n, 1815000000 - 86400 * 200);
	assert_int_equal(out.status, CONTRACT_BAD); /* its binding has ended */
	/* the agent is distrusted; the signer is */
	pins[1].level = -2;
	contract_judge(&v, &out, &m, env, n, NOW);
	assert_int_equal(out.status, CONTRACT_REVOKED);
	pins[1].level = 0;
	pins[0].level = -3;
	contract_judge(&v, &out, &m, env, n, NOW);
	assert_int_equal(out.status, CONTRACT_REVOKED);
	pins[0].level = 1;
	contract_judge(&v, &out, &m, env, n, NOW);
	assert_int_equal(out.level, 1);
	/* signed as something else; not signed at all; cut; not there */
	n = envelope(env, sizeof(env), TYPE_MANIFEST, &secret, 1);
	contract_judge(&v, &out, &m, env, n, NOW);
	assert_int_equal(out.status, CONTRACT_BAD);
	n = envelope(env, sizeof(env), TYPE_CONTRACT, &secret, 2);
	contract_judge(&v, &out, &m, env, n, NOW);
	assert_int_equal(out.status, CONTRACT_BAD);
	assert_memory_equal(out.why, "_type:", 6);
	n = envelope(env, sizeof(env), TYPE_CONTRACT, &secret, 1);
	for (size_t cut = 0; cut < n; cut += 7) {
		contract_judge(&v, &out, &m, env, cut, NOW);
		assert_int_equal(out.status, CONTRACT_BAD);
	}
	contract_judge(&v, &out, &m, NULL, 0, NOW);
	assert_int_equal(out.status, CONTRACT_BAD);
	bindstore_free(v.store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_schema),
	    cmocka_unit_test(test_whole), cmocka_unit_test(test_names),
	    cmocka_unit_test(test_judge)};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
