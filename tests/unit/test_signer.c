/* SPDX-License-Identifier: BSD-2-Clause */
/* What warren-keys signs and refuses (THREATS.md 1), and the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/doc/alert.h"
#include "trust/doc/approval.h"
#include "trust/doc/note.h"
#include "trust/doc/note_read.h"
#include "tests/unit/prog_peer.h"
#include "trust/doc/receipt.h"
#include "trust/signer.h"
#include "common/util.h"

#define NOW 1800000000u

static const uint8_t aux[32] = {7};
static struct signer_secret secret = {.mesh = {1, 2, 3}, .audit = {4}};
static uint8_t rns_public[64], rns_seed[32];

static int
setup(void **state)
{
	uint8_t sk[64];

	(void)state;
	memset(rns_seed, 5, sizeof(rns_seed));
	memset(rns_public, 6, 32);
	return crypto_sign_seed_keypair(rns_public + 32, sk, rns_seed);
}

/* Transport's half of what keys asked for. */
static struct msg_B_SIGNED
half(const struct msg_B_SIGN *m, const uint8_t rns[64])
{
	struct binding b = {.bip340 = m->flags & 1, .serial = m->serial,
	    .not_before = m->not_before, .not_after = m->not_after};
	struct msg_B_SIGNED out = {.serial = m->serial};

	memcpy(b.secp, m->secp, 33);
	memcpy(b.rns, rns, 64);
	assert_true(binding_sign_rns(&b, rns_seed));
	memcpy(out.sig, b.sig_rns, 64);
	return out;
}

static void
make_binding(struct signer *s, uint32_t now)
{
	struct msg_B_SIGN ask;
	struct msg_B_SIGNED answer;

	signer_binding_ask(s, &ask, now);
	answer = half(&ask, rns_public);
	assert_null(signer_binding_answer(s, &answer, aux));
}

/* stored: a binding, or NULL. */
static const char *
init(struct signer *s, const struct signer_secret *k, const uint8_t rns[64],
    const uint8_t *stored, uint32_t now)
{
	struct msg_KEY_MATERIAL m = {.end_ = 0};

	memcpy(m.rns_public, rns, sizeof(m.rns_public));
	if (stored != NULL) {
		memcpy(m.binding, stored, sizeof(m.binding));
		m.binding_len = sizeof(m.binding);
	}
	return signer_init(s, k, &m, now);
}

static void
test_binding(void **state)
{
	static struct signer s, t;
	struct msg_B_SIGN ask, again;
	struct msg_B_SIGNED answer;
	uint8_t stored[BINDING_LEN], other[64];
	uint32_t renew;

	(void)state;
	assert_null(init(&s, &secret, rns_public, NULL, NOW));
	assert_true(signer_binding_due(&s, NOW));
	signer_binding_ask(&s, &ask, NOW);
	assert_int_equal(ask.serial, NOW);
	assert_int_equal(ask.not_after - ask.not_before, BINDING_LIFE);
	signer_binding_ask(&s, &again, NOW + 30);
	assert_memory_equal(&ask, &again, sizeof(ask));
	/* not asked for; another key's half; a bad half */
	answer = half(&ask, rns_public);
	answer.serial++;
	assert_non_null(signer_binding_answer(&s, &answer, aux));
	memcpy(other, rns_public, 64);
	other[0] ^= 1;
	answer = half(&ask, other);
	assert_non_null(signer_binding_answer(&s, &answer, aux));
	answer = half(&ask, rns_public);
	answer.sig[5] ^= 1;
	assert_non_null(signer_binding_answer(&s, &answer, aux));
	assert_false(s.have_binding);
	answer = half(&ask, rns_public);
	assert_null(signer_binding_answer(&s, &answer, aux));
	assert_non_null(signer_binding_answer(&s, &answer, aux)); /* once */
	assert_null(binding_check(&s.binding, rns_public, NOW));
	assert_false(signer_binding_due(&s, NOW));
	renew = binding_renew_at(&s.binding);
	assert_false(signer_binding_due(&s, renew - 1));
	assert_true(signer_binding_due(&s, renew));
	assert_int_equal(signer_binding_wait(&s, NOW), SIGNER_RETRY_MAX);
	assert_int_equal(signer_binding_wait(&s, renew - 5), 5);

	/* a restart keeps it; renewal has a higher serial, even at one time */
	binding_put(stored, &s.binding);
	assert_null(init(&t, &secret, rns_public, stored, NOW));
	assert_true(t.have_binding);
	signer_binding_ask(&t, &ask, NOW - 1000);
	assert_int_equal(ask.serial, NOW + 1);
	/* another Reticulum identity, a clock before it, a flipped byte */
	assert_null(init(&t, &secret, other, stored, NOW));
	assert_false(t.have_binding);
	assert_null(init(&t, &secret, rns_public, stored, NOW - 5000));
	assert_false(t.have_binding);
	stored[200] ^= 1;
	assert_null(init(&t, &secret, rns_public, stored, NOW));
	assert_false(t.have_binding);
}

static void
test_bip340_stays(void **state)
{
	static struct signer s;
	struct binding b = {.bip340 = true, .serial = 3, .not_before = NOW - 9,
	    .not_after = NOW - 1};
	uint8_t stored[BINDING_LEN];
	struct msg_B_SIGN ask;

	(void)state;
	assert_null(init(&s, &secret, rns_public, NULL, NOW));
	memcpy(b.secp, s.mesh.raw, 33);
	memcpy(b.rns, rns_public, 64);
	binding_put(stored, &b);
	/* expired and unsigned, but it says which scheme the key has */
	assert_null(init(&s, &secret, rns_public, stored, NOW));
	signer_binding_ask(&s, &ask, NOW);
	assert_int_equal(ask.flags, BINDING_FLAG_BIP340);
	make_binding(&s, NOW);
	assert_null(binding_check(&s.binding, rns_public, NOW));
}

static void
test_receipt(void **state)
{
	static struct signer s;
	struct msg_K_RECEIPT m = {.qid = 9, .outcome = 2, .code = 2,
	    .attempts = 1, .started = NOW, .job = {{1}}, .trail = {{2}}};
	struct msg_K_SIGNED out;
	struct job_receipt r;

	(void)state;
	assert_null(init(&s, &secret, rns_public, NULL, NOW));
	assert_null(signer_receipt(&s, &out, &m, aux));
	assert_true(out.ok);
	assert_int_equal(out.qid, 9);
	assert_true(job_receipt_parse(&r, out.receipt, JOB_RECEIPT_LEN));
	assert_true(job_receipt_verify(&r, &s.mesh));
	assert_memory_equal(r.node, s.fp.b, FP16_LEN);
	assert_int_equal(r.code, 2);
	/* with what contained it, when that was not the node's own */
	m.runner = RUNNER_CRUN;
	m.runner_2 = 8;
	assert_null(signer_receipt(&s, &out, &m, aux));
	assert_int_equal(job_receipt_len(out.receipt), JOB_RECEIPT_MAX);
	assert_true(job_receipt_parse(&r, out.receipt, JOB_RECEIPT_MAX));
	assert_true(job_receipt_verify(&r, &s.mesh));
	assert_int_equal(r.runner, RUNNER_CRUN);
	assert_int_equal(r.version[1], 8);
	m.code = 99;
	assert_non_null(signer_receipt(&s, &out, &m, aux));
	assert_false(out.ok);
	assert_true(sodium_is_zero(out.receipt, sizeof(out.receipt)));
}

static void
test_challenge(void **state)
{
	static struct signer s;
	struct msg_K_CHALLENGE m = {.qid = 1, .link = {{1}}, .n = {2}};
	struct msg_K_CHALLENGED out;
	struct id32 d;

	(void)state;
	assert_null(init(&s, &secret, rns_public, NULL, NOW));
	assert_non_null(signer_challenge(&s, &out, &m, aux, aux));
	make_binding(&s, NOW);
	assert_null(signer_challenge(&s, &out, &m, aux, aux));
	challenge_digest(&d, &m.link, m.n, out.m, m.initiator, rns_public);
	assert_true(secp_verify(&s.mesh, out.s, &d));
	/* at most one a link, also with another n */
	m.n[0] = 3;
	assert_non_null(signer_challenge(&s, &out, &m, aux, aux));
	assert_false(out.ok);
	assert_true(sodium_is_zero(out.s, sizeof(out.s)));
	for (int i = 0; i < 50; i++) {
		m.link.b[1] = (uint8_t)(i + 1);
		assert_null(signer_challenge(&s, &out, &m, aux, aux));
	}
}

static void
test_checkpoint(void **state)
{
	static struct signer s, t;
	struct msg_KEY_MATERIAL made = {.end_ = 0};
	struct msg_C_SIGN m = {.size = 5, .root = {{1}}};
	struct msg_C_SIGNED out;
	struct note n = {.size = 5, .root = {{1}}};

	(void)state;
	assert_null(init(&s, &secret, rns_public, NULL, NOW));
	assert_null(signer_checkpoint(&s, &out, &m));
	n.fp = s.fp;
	memcpy(n.sig, out.sig, 64);
	note_set_key(&n, out.key);
	assert_true(note_verify(&n, s.audit));
	assert_non_null(signer_checkpoint(&s, &out, &m));
	m.size = 4;
	assert_non_null(signer_checkpoint(&s, &out, &m));
	assert_true(sodium_is_zero(out.sig, sizeof(out.sig)));
	m.size = 6;
	assert_null(signer_checkpoint(&s, &out, &m));
	/* a restart, with the last one from the parent: it still must grow */
	made.size = s.checkpoint.size;
	made.root = s.checkpoint.root;
	memcpy(made.sig, s.checkpoint.sig, sizeof(made.sig));
	memcpy(made.rns_public, rns_public, sizeof(made.rns_public));
	assert_null(signer_init(&t, &secret, &made, NOW));
	assert_non_null(signer_checkpoint(&t, &out, &m));
	assert_memory_equal(&t.checkpoint, &s.checkpoint,
	    sizeof(t.checkpoint));
	m.size = 7;
	assert_null(signer_checkpoint(&t, &out, &m));
}

static void
test_approval(void **state)
{
	static struct signer s;
	struct msg_K_APPROVE m = {.qid = 7, .job = {{3}}, .approve = true,
	    .expires = NOW + 30 * 86400};
	struct msg_K_APPROVED out;
	struct approval a;
	const char *why;
	struct env e;

	(void)state;
	assert_null(init(&s, &secret, rns_public, NULL, NOW));
	assert_null(signer_approval(&s, &out, &m, NOW, aux));
	assert_true(out.ok);
	assert_int_equal(out.qid, 7);
	assert_int_equal(approval_parse(&a, &e, out.approval,
	    sizeof(out.approval), &why), 0);
	assert_true(a.approve);
	assert_int_equal(a.issued, NOW);
	assert_int_equal(a.expires, m.expires);
	assert_int_equal(a.job.b[0], 3);
	assert_int_equal(env_verify(&e, TYPE_APPROVAL, &s.mesh, 1, NULL), 1);
	/* for no job, for too long, for no time: nothing is signed */
	m.expires++;
	assert_non_null(signer_approval(&s, &out, &m, NOW, aux));
	assert_false(out.ok);
	assert_true(sodium_is_zero(out.approval, sizeof(out.approval)));
	m.expires = NOW;
	assert_non_null(signer_approval(&s, &out, &m, NOW, aux));
	m.expires = NOW + 1;
	m.job.b[0] = 0;
	assert_non_null(signer_approval(&s, &out, &m, NOW, aux));
	assert_true(sodium_is_zero(out.approval, sizeof(out.approval)));
}

/* What it signs is what it was told, and nothing that is no alarm. */
static void
test_alert(void **state)
{
	static struct signer s;
	struct msg_K_ALERT m = {.seq = 7, .severity = 5, .class_uid = 2004,
	    .activity = 1, .disposition = 2, .time = NOW, .line = 77,
	    .count = 3, .subject = {9}, .chain = {8}};
	struct msg_K_ALERTED out;
	struct alert a;
	struct env e;

	(void)state;
	assert_null(init(&s, &secret, rns_public, NULL, NOW));
	assert_null(signer_alert(&s, &out, &m, aux));
	assert_true(out.ok);
	assert_int_equal(out.seq, 7);
	assert_null(alert_parse(&a, &e, out.frame, sizeof(out.frame)));
	assert_int_equal(env_verify(&e, TYPE_ALERT, &s.mesh, 1, NULL), 1);
	assert_true(a.severity == 5 && a.class_uid == 2004 && a.activity == 1 &&
	    a.disposition == 2 && a.time == NOW && a.seq == 77 && a.count == 3);
	assert_true(a.subject[0] == 9 && a.chain[0] == 8);
	m.count = 0;
	assert_non_null(signer_alert(&s, &out, &m, aux));
	assert_false(out.ok);
	assert_true(sodium_is_zero(out.frame, sizeof(out.frame)));
	m.count = 1;
	for (m.severity = 0; m.severity < 8; m.severity++)
		assert_int_equal(signer_alert(&s, &out, &m, aux) == NULL,
		    m.severity == 4 || m.severity == 5);
}

static void
test_bad_key(void **state)
{
	static struct signer s;
	struct signer_secret zero = {{0}, {0}};

	(void)state;
	assert_non_null(init(&s, &zero, rns_public, NULL, NOW));
	memset(zero.mesh, 0xff, 32);
	assert_non_null(init(&s, &zero, rns_public, NULL, NOW));
}

/* ---- the program ---- */

static void
material(struct prog *p, const uint8_t *binding, size_t n)
{
	struct msg_KEY_MATERIAL m = {.binding_len = (uint16_t)n};

	memcpy(m.mesh, secret.mesh, 32);
	memcpy(m.audit, secret.audit, 32);
	memcpy(m.rns_public, rns_public, 64);
	if (n > 0)
		memcpy(m.binding, binding, n);
	assert_int_equal(ipc_send_KEY_MATERIAL(p->parent, &m, NULL, 0), 0);
}

static void
test_program(void **state)
{
	struct msg_K_RECEIPT receipt = {.qid = 1, .job = {{9}}};
	struct msg_K_CHALLENGE challenge = {.qid = 2, .link = {{3}}};
	struct msg_C_SIGN check = {.size = 1};
	struct msg_CHECKPOINT last;
	struct msg_K_APPROVE approve = {.qid = 3, .job = {{4}},
	    .expires = (uint32_t)time(NULL) + 1000};
	struct msg_K_APPROVED approved;
	struct msg_BINDING_MADE made;
	struct msg_K_CHALLENGED challenged;
	struct msg_C_SIGNED checked;
	struct msg_K_SIGNED signed_;
	struct msg_K_BINDING bound;
	struct msg_B_SIGNED answer;
	struct msg_B_SIGN ask;
	struct msg_EVENT e;
	struct ipc *node, *transport, *audit;
	struct binding b;
	struct job_receipt r;
	struct klp_key k;
	struct prog p;

	(void)state;
	prog_start(&p, PROGRAM_KEYS, NULL, -1);
	prog_params(&p, rns_public);
	material(&p, NULL, 0);
	prog_begin(&p);
	node = prog_neighbour(&p, PROGRAM_NODE);
	prog_quiet(node, 50); /* no binding, nothing to tell */
	transport = prog_neighbour(&p, PROGRAM_TRANSPORT);
	PROG_GET(B_SIGN, transport, &ask);
	answer = half(&ask, rns_public);
	assert_int_equal(ipc_send_B_SIGNED(transport, &answer, NULL, 0), 0);
	PROG_GET(BINDING_MADE, p.parent, &made);
	PROG_GET(K_BINDING, node, &bound);
	assert_memory_equal(made.binding, bound.binding, BINDING_LEN);
	assert_true(binding_parse(&b, made.binding, BINDING_LEN));
	assert_null(binding_check(&b, rns_public, (uint32_t)time(NULL)));
	assert_true(binding_key(&k, &b));

	assert_int_equal(ipc_send_K_RECEIPT(node, &receipt, NULL, 0), 0);
	PROG_GET(K_SIGNED, node, &signed_);
	assert_true(signed_.ok);
	assert_true(job_receipt_parse(&r, signed_.receipt, 317));
	assert_true(job_receipt_verify(&r, &k));
	assert_int_equal(ipc_send_K_CHALLENGE(node, &challenge, NULL, 0), 0);
	PROG_GET(K_CHALLENGED, node, &challenged);
	assert_true(challenged.ok);
	assert_int_equal(ipc_send_K_CHALLENGE(node, &challenge, NULL, 0), 0);
	PROG_GET(K_CHALLENGED, node, &challenged);
	assert_false(challenged.ok);

	assert_int_equal(ipc_send_K_APPROVE(node, &approve, NULL, 0), 0);
	PROG_GET(K_APPROVED, node, &approved);
	assert_true(approved.ok);

	/* audit comes late and hears of all of it, each signature an event */
	audit = prog_neighbour(&p, PROGRAM_AUDIT);
	PROG_GET(K_BINDING, audit, &bound);
	PROG_GET(EVENT, audit, &e);
	assert_string_equal(e.code, "binding");
	PROG_GET(EVENT, audit, &e);
	assert_string_equal(e.code, "receipt");
	assert_int_equal(e.kind, EVK_SIGNED);
	assert_memory_equal(e.job, receipt.job.b, 32);
	PROG_GET(EVENT, audit, &e);
	assert_int_equal(e.kind, EVK_SIGNED);
	PROG_GET(EVENT, audit, &e);
	assert_int_equal(e.kind, EVK_SIGN_REFUSED);
	PROG_GET(EVENT, audit, &e);
	assert_string_equal(e.code, "approval");
	assert_int_equal(e.kind, EVK_SIGNED);
	assert_memory_equal(e.job, approve.job.b, 32);
	assert_int_equal(ipc_send_C_SIGN(audit, &check, NULL, 0), 0);
	PROG_GET(C_SIGNED, audit, &checked);
	assert_true(checked.ok);
	/* it is the parent's to keep, and a new audit hears of it */
	PROG_GET(CHECKPOINT, p.parent, &last);
	assert_int_equal(last.size, 1);
	assert_memory_equal(last.sig, checked.sig, sizeof(last.sig));
	audit = prog_neighbour(&p, PROGRAM_AUDIT);
	PROG_GET(K_BINDING, audit, &bound);
	PROG_GET(CHECKPOINT, audit, &last);
	assert_int_equal(last.size, 1);
	prog_stop(&p);
}

static void
test_program_refuses(void **state)
{
	struct msg_START_DONE done = {.end_ = 0};
	struct prog p;

	(void)state;
	prog_start(&p, PROGRAM_KEYS, NULL, -1);
	prog_params(&p, rns_public);
	assert_int_equal(ipc_send_START_DONE(p.parent, &done, NULL, 0), 0);
	assert_int_equal(prog_end(&p), 1);
	/* the parent goes: it ends by itself */
	prog_start(&p, PROGRAM_KEYS, NULL, -1);
	prog_params(&p, rns_public);
	material(&p, NULL, 0);
	prog_begin(&p);
	ipc_free(p.parent);
	p.parent = NULL;
	assert_int_equal(prog_end(&p), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_binding),
	    cmocka_unit_test(test_bip340_stays),
	    cmocka_unit_test(test_receipt),
	    cmocka_unit_test(test_challenge),
	    cmocka_unit_test(test_checkpoint),
	    cmocka_unit_test(test_approval),
	    cmocka_unit_test(test_alert),
	    cmocka_unit_test(test_bad_key),
	    cmocka_unit_test(test_program),
	    cmocka_unit_test(test_program_refuses),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
