/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose word on a held job counts (klp.md 6.1), as warren-trust says it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/doc/approval.h"
#include "trust/review.h"
#include "common/util.h"

#define NOW 1800000000u
#define PEOPLE 4

/* Each with a secp256k1 key, a Reticulum identity and a binding of both. */
static struct person {
	struct klp_secret secret;
	struct klp_key key;
	struct fp fp;
	uint8_t rns[RNS_PUBLIC_LEN], seed[32];
	struct hash16 rns_hash;
} who[PEOPLE];
enum { REVIEWER, NOBODY, MEMBER, EDWARD };

static struct level_pin pins[4];
static struct klp_key board_keys[2];
static struct verdict_board board = {.text = "Board", .keys = board_keys,
    .nkeys = 1, .threshold = 1};
static struct standing st;
static struct verdicts v;

static void
bind(const struct person *p)
{
	struct binding b = {.serial = 1, .not_before = NOW - 100,
	    .not_after = NOW + 100000};
	bool fresh;

	memcpy(b.secp, p->key.raw, sizeof(b.secp));
	memcpy(b.rns, p->rns, sizeof(b.rns));
	assert_true(binding_sign_secp(&b, &p->secret, NULL));
	assert_true(binding_sign_rns(&b, p->seed));
	assert_null(bindstore_take(v.store, &b, NOW, true, &fresh));
}

static int
setup(void **state)
{
	uint8_t sk[64];

	(void)state;
	for (uint8_t i = 0; i < PEOPLE; i++) {
		struct person *p = &who[i];

		p->secret = (struct klp_secret){.kind = KEY_SECP256K1,
		    .raw = {(uint8_t)(i + 1), 7}};
		if (!secret_public(&p->key, &p->secret))
			return -1;
		key_fp(&p->fp, &p->key);
		memset(p->rns, i, 32);
		memset(p->seed, 0x60 + i, 32);
		(void)crypto_sign_seed_keypair(p->rns + 32, sk, p->seed);
		rns_hash_of(&p->rns_hash, p->rns);
	}
	memset(pins, 0, sizeof(pins));
	pins[0] = (struct level_pin){.id = who[REVIEWER].fp, .level = 2};
	pins[1] = (struct level_pin){.id = who[NOBODY].fp, .level = 1};
	pins[2] = (struct level_pin){.is_rns = true, .level = 3};
	memcpy(pins[2].id.b, HASH_BYTES(who[EDWARD].rns_hash));
	board_keys[0] = who[MEMBER].key;
	st = (struct standing){.levels = {pins, 3, NULL, 0}};
	v = (struct verdicts){.s = &st, .live_from = 3,
	    .store = bindstore_new(16), .boards = &board, .nboards = 1};
	bind(&who[REVIEWER]);
	bind(&who[NOBODY]);
	return v.store == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	bindstore_free(v.store);
	return 0;
}

static struct msg_V_APPROVAL
frame_of(const struct klp_secret *const *s, unsigned n, bool approve,
    const uint8_t *brought)
{
	struct approval a = {.approve = approve, .job = {{9}},
	    .issued = NOW - 5, .expires = NOW + 500};
	struct env_signed sigs[ENV_SIGS_MAX];
	uint8_t frame[APPROVAL_FRAME];
	struct msg_V_APPROVAL m = {.qid = 3};
	struct klp_key k;

	approval_frame(frame, &a);
	for (unsigned i = 0; i < n; i++) {
		assert_true(secret_public(&k, s[i]));
		key_fp(&sigs[i].fp, &k);
		assert_true(pae_sign(sigs[i].sig, s[i], TYPE_APPROVAL, frame,
		    sizeof(frame), NULL));
	}
	m.frame_len = (uint16_t)frame_put(m.frame, sizeof(m.frame), frame,
	    sizeof(frame), sigs, n);
	if (brought != NULL)
		memcpy(m.rns_public, brought, RNS_PUBLIC_LEN);
	return m;
}

static struct msg_V_APPROVED
by(const struct klp_secret *s)
{
	struct msg_V_APPROVAL m = frame_of(&s, 1, true, who[NOBODY].rns);
	struct msg_V_APPROVED out;

	review_approval(&v, &out, &m, NOW);
	return out;
}

static void
test_who(void **state)
{
	struct msg_V_APPROVED out = by(&who[REVIEWER].secret);
	struct klp_secret ed = {.kind = KEY_ED25519};
	const struct klp_secret *eds = &ed;
	struct msg_V_APPROVAL m;

	(void)state;
	assert_int_equal(out.status, APPROVAL_OK);
	assert_int_equal(out.qid, 3);
	assert_true(out.approve);
	assert_int_equal(out.job.b[0], 9);
	assert_int_equal(out.issued, NOW - 5);
	assert_int_equal(out.expires, NOW + 500);
	assert_int_equal(out.signers_len, IPC_SIGNER);
	assert_memory_equal(out.signers, who[REVIEWER].fp.b, FP_LEN);
	assert_memory_equal(out.signers + FP_LEN, who[REVIEWER].rns_hash.b, 16);
	/* level +1; a board's key without a binding; a key nobody has shown */
	assert_int_equal(by(&who[NOBODY].secret).status, APPROVAL_TRUST);
	out = by(&who[MEMBER].secret);
	assert_int_equal(out.status, APPROVAL_OK);
	assert_memory_equal(out.signers, who[MEMBER].fp.b, FP_LEN);
	assert_true(sodium_is_zero(out.signers + FP_LEN, 16));
	assert_int_equal(by(&who[EDWARD].secret).status, APPROVAL_TRUST);
	/* pinned by the identity: its own key, when it comes itself */
	memcpy(ed.raw, who[EDWARD].seed, 32);
	assert_int_equal(by(&ed).status, APPROVAL_TRUST);
	m = frame_of(&eds, 1, false, who[EDWARD].rns);
	review_approval(&v, &out, &m, NOW);
	assert_int_equal(out.status, APPROVAL_OK);
	assert_false(out.approve);
	assert_memory_equal(out.signers + FP_LEN, who[EDWARD].rns_hash.b, 16);
	/* revoked, whatever else it was */
	pins[0].level = -3;
	assert_int_equal(by(&who[REVIEWER].secret).status, APPROVAL_REVOKED);
	pins[0].level = -1;
	assert_int_equal(by(&who[REVIEWER].secret).status, APPROVAL_TRUST);
}

static void
test_several(void **state)
{
	const struct klp_secret *all[] = {&who[NOBODY].secret,
	    &who[MEMBER].secret, &who[REVIEWER].secret, &who[REVIEWER].secret};
	struct msg_V_APPROVAL m = frame_of(all, 4, true, NULL), bad;
	struct msg_V_APPROVED out;

	(void)state;
	review_approval(&v, &out, &m, NOW);
	assert_int_equal(out.status, APPROVAL_OK);
	/* each once, and only whose word counts */
	assert_int_equal(out.signers_len, 2 * IPC_SIGNER);
	/* a signature that does not hold names nobody */
	bad = m;
	bad.frame[FRAME_LEN(APPROVAL_FRAME, 2) + 10] ^= 1;
	bad.frame[FRAME_LEN(APPROVAL_FRAME, 3) + 10] ^= 1;
	review_approval(&v, &out, &bad, NOW);
	assert_int_equal(out.status, APPROVAL_OK);
	assert_int_equal(out.signers_len, IPC_SIGNER);
	assert_memory_equal(out.signers, who[MEMBER].fp.b, FP_LEN);
	/* nor does one with another's name on it */
	bad = frame_of(all, 1, true, NULL);
	memcpy(bad.frame + APPROVAL_FRAME + 1, who[REVIEWER].fp.b, FP4_LEN);
	review_approval(&v, &out, &bad, NOW);
	assert_int_equal(out.status, APPROVAL_TRUST);
	/* form and time */
	m.frame_len--;
	review_approval(&v, &out, &m, NOW);
	assert_int_equal(out.status, APPROVAL_FORM);
	m.frame_len++;
	review_approval(&v, &out, &m, NOW + 500);
	assert_int_equal(out.status, APPROVAL_TRUST);
	review_approval(&v, &out, &m, NOW - 306);
	assert_int_equal(out.status, APPROVAL_TRUST);
	review_approval(&v, &out, &m, NOW - 305);
	assert_int_equal(out.status, APPROVAL_OK);
	/* to the last second */
	review_approval(&v, &out, &m, NOW + 499);
	assert_int_equal(out.signers_len, 2 * IPC_SIGNER);
}

static void
put(struct msg_V_REVIEW *m, const struct fp *fp, const struct hash16 *rns)
{
	memcpy(m->signers + m->signers_len, HASH_BYTES(*fp));
	if (rns != NULL)
		memcpy(m->signers + m->signers_len + FP_LEN, HASH_BYTES(*rns));
	m->signers_len = (uint16_t)(m->signers_len + IPC_SIGNER);
}

static void
test_worth(void **state)
{
	struct msg_V_REVIEW m = {.qid = 8, .board = "Board"};
	struct msg_V_REVIEWED out;

	(void)state;
	put(&m, &who[REVIEWER].fp, NULL);
	put(&m, &who[NOBODY].fp, NULL);
	put(&m, &who[MEMBER].fp, NULL);
	put(&m, &who[EDWARD].fp, &who[EDWARD].rns_hash);
	review_job(&v, &out, &m, NOW);
	assert_int_equal(out.qid, 8);
	assert_int_equal(out.threshold, 1);
	assert_int_equal(out.reviewers, 0x9);
	assert_int_equal(out.members, 0x4);
	assert_int_equal(out.revoked, 0);
	pins[1].level = -2;
	review_job(&v, &out, &m, NOW);
	assert_int_equal(out.revoked, 0x2);
	/* another board, none, one whose keys nobody knows */
	m.board[0] = 'b';
	review_job(&v, &out, &m, NOW);
	assert_int_equal(out.threshold, 0);
	assert_int_equal(out.members, 0);
	m.board[0] = '\0';
	review_job(&v, &out, &m, NOW);
	assert_int_equal(out.members, 0);
	assert_int_equal(out.reviewers, 0x9);
	/* an identity that is pinned and bound: the binding leads to it */
	pins[2].level = -3;
	memcpy(pins[2].id.b, HASH_BYTES(who[REVIEWER].rns_hash));
	review_job(&v, &out, &m, NOW);
	assert_int_equal(out.revoked, 0x3);
}

static void
test_full(void **state)
{
	struct msg_V_REVIEW m = {.qid = 8};
	struct msg_V_REVIEWED out;

	(void)state;
	for (unsigned i = 0; i < IPC_JOB_SIGNERS_MAX; i++)
		put(&m, &who[REVIEWER].fp, NULL);
	review_job(&v, &out, &m, NOW);
	assert_int_equal(out.reviewers, UINT32_MAX);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_who), T(test_several),
	    T(test_worth), T(test_full)};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
