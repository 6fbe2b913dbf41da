/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose an alarm is that came as a packet, as warren-trust says it (klp.md 7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/util.h"
#include "trust/alarms.h"
#include "trust/doc/alert.h"
#include "trust/doc/tlv.h"

#define NOW 1800000000u
#define PEOPLE 3

static struct person {
	struct klp_secret secret;
	struct klp_key key;
	struct fp fp;
	uint8_t rns[RNS_PUBLIC_LEN], seed[32];
	struct hash16 rns_hash;
} who[PEOPLE];

static struct alarms a;
static struct hub_conf hub;
static struct level_pin pins[1];
static struct standing st;
static struct verdicts v;
static struct msg_V_ALERTED out;

static int
setup(void **state)
{
	uint8_t sk[64];

	(void)state;
	for (uint8_t i = 0; i < PEOPLE; i++) {
		struct person *p = &who[i];

		p->secret = (struct klp_secret){.kind = KEY_SECP256K1,
		    .raw = {(uint8_t)(i + 1), 7}};
		assert_true(secret_public(&p->key, &p->secret));
		key_fp(&p->fp, &p->key);
		memset(p->rns, i, 32);
		memset(p->seed, 0x60 + i, 32);
		(void)crypto_sign_seed_keypair(p->rns + 32, sk, p->seed);
		rns_hash_of(&p->rns_hash, p->rns);
	}
	memset(&a, 0, sizeof(a));
	memset(&hub, 0, sizeof(hub));
	hub.accept[0].by_rns = true; /* the first by his identity */
	memcpy(hub.accept[0].id.b, who[0].rns_hash.b, 16);
	hub.accept[1].id = who[1].fp; /* the second by his key */
	hub.naccept = 2;
	alarms_use(&a, &hub);
	st = (struct standing){.levels = {pins, 0, NULL, 0}};
	v = (struct verdicts){.s = &st, .live_from = 3,
	    .store = bindstore_new(16)};
	return v.store == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	bindstore_free(v.store);
	return 0;
}

static struct binding
binding_of(const struct person *p, uint32_t serial)
{
	struct binding b = {.serial = serial, .not_before = NOW - 100,
	    .not_after = NOW + 1000};

	memcpy(b.secp, p->key.raw, sizeof(b.secp));
	memcpy(b.rns, p->rns, sizeof(b.rns));
	assert_true(binding_sign_secp(&b, &p->secret, NULL));
	assert_true(binding_sign_rns(&b, p->seed));
	return b;
}

/* He announces this binding; flip: a bit of its signature is another. */
static void
hear(const struct person *p, const struct binding *b, bool flip)
{
	struct msg_M_HEARD m = {.identity = p->rns_hash, .hops = 1};
	uint8_t tlv[BINDING_ANNOUNCE_LEN];

	memcpy(m.rns_public, p->rns, sizeof(m.rns_public));
	binding_put_announce(tlv, b);
	if (flip)
		tlv[sizeof(tlv) - 1] ^= 1;
	m.data[0] = 1;
	m.data[1] = 0;
	m.data[2] = sizeof(tlv);
	memcpy(m.data + 3, tlv, sizeof(tlv));
	m.data_len = 3 + sizeof(tlv);
	alarms_heard(&a, &m, NOW);
}

static struct msg_V_ALERT
alarm_of(const struct person *p)
{
	struct alert al = {.severity = 5, .class_uid = 2004, .time = NOW,
	    .seq = 9, .count = 1};
	struct msg_V_ALERT m = {.packet = {{7}}};

	assert_true(alert_sign(m.frame, &al, &p->secret, NULL));
	return m;
}

static bool
good(const struct person *p)
{
	struct msg_V_ALERT m = alarm_of(p);
	const char *why = alarms_check(&a, &v, &out, &m, NOW);

	assert_int_equal(why == NULL, out.ok);
	assert_true(id32_eq(&out.packet, &m.packet));
	assert_memory_equal(out.frame, m.frame, sizeof(m.frame));
	if (out.ok) {
		assert_true(fp_eq(&out.fp, &p->fp));
		assert_true(hash16_eq(&out.rns, &p->rns_hash));
	}
	return out.ok;
}

/* By announces: of those alone who are named. */
static void
test_heard(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PEOPLE; i++) {
		struct binding b = binding_of(&who[i], 1);

		assert_false(good(&who[i]));
		hear(&who[i], &b, true);
		assert_false(good(&who[i]));
		hear(&who[i], &b, false);
		assert_int_equal(good(&who[i]), i < 2);
	}
	/* node.yaml is read again: who stays named stays known */
	hub.accept[0] = hub.accept[1];
	hub.naccept = 1;
	alarms_use(&a, &hub);
	assert_false(good(&who[0]));
	assert_true(good(&who[1]));
	alarms_use(&a, NULL);
	assert_false(good(&who[1]));
}

/* By a binding that was shown, where the hub has it already. */
static void
test_shown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PEOPLE; i++) {
		struct binding b = binding_of(&who[i], 1);
		bool fresh;

		assert_null(bindstore_take(v.store, &b, NOW, true, &fresh));
		assert_int_equal(good(&who[i]), i < 2);
	}
}

/* A key that is another's: announced by his identity, who cannot sign with it. */
static void
test_theft(void **state)
{
	struct binding b = binding_of(&who[1], 5);

	(void)state;
	memcpy(b.rns, who[2].rns, sizeof(b.rns));
	hear(&who[2], &b, false);
	assert_false(good(&who[1]));
	/* an older serial takes nothing away, a newer key the older one */
	b = binding_of(&who[0], 5);
	hear(&who[0], &b, false);
	b = binding_of(&who[2], 4);
	memcpy(b.rns, who[0].rns, sizeof(b.rns));
	assert_true(binding_sign_secp(&b, &who[2].secret, NULL));
	hear(&who[0], &b, false);
	assert_true(good(&who[0]));
	b.serial = 6;
	assert_true(binding_sign_secp(&b, &who[2].secret, NULL));
	hear(&who[0], &b, false);
	assert_false(good(&who[0]));
	/* there are bounds on signatures that are looked at */
	a.checks = ALARMS_CHECKS;
	b = binding_of(&who[0], 7);
	hear(&who[0], &b, false);
	assert_false(good(&who[0]));
	a.second = 0;
	hear(&who[0], &b, false);
	assert_true(good(&who[0]));
}

static void
test_bad(void **state)
{
	struct binding b = binding_of(&who[0], 1);
	struct msg_V_ALERT m = alarm_of(&who[0]);

	(void)state;
	hear(&who[0], &b, false);
	for (size_t i = 0; i < sizeof(m.frame); i++) {
		m.frame[i] ^= 1;
		assert_non_null(alarms_check(&a, &v, &out, &m, NOW));
		assert_false(out.ok);
		m.frame[i] ^= 1;
	}
	assert_null(alarms_check(&a, &v, &out, &m, NOW));
	assert_non_null(alarms_check(&a, &v, &out, &m, NOW + 1000));
	assert_non_null(alarms_check(&a, &v, &out, &m, NOW - 500));
	pins[0] = (struct level_pin){.id = who[0].fp, .level = -2};
	st = (struct standing){.levels = {pins, 1, NULL, 0}};
	assert_non_null(alarms_check(&a, &v, &out, &m, NOW));
	assert_false(out.ok);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_heard), T(test_shown), T(test_theft), T(test_bad),
	};

	if (sodium_init() < 0 || !secp_init(NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
