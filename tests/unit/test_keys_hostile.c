/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-keys among neighbours that were taken over (THREATS.md 1): each says
 * what it may say in the worst way, and what it may not say. No signature comes
 * back that holds over bytes that the asker chose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <poll.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/doc/binding.h"
#include "trust/doc/receipt.h"
#include "trust/doc/secp.h"
#include "tests/unit/prog_peer.h"
#include "tests/until.h"
#include "common/util.h"

static uint8_t rns_public[64], rns_seed[32];

struct house {
	struct prog p;
	struct ipc *node, *transport, *audit;
	struct klp_key key; /* public, of the binding */
};

static int
keys_of_rns(void **state)
{
	uint8_t sk[64], seed[32] = {3};

	(void)state;
	if (sodium_init() < 0 || !secp_init(seed))
		return -1;
	memset(rns_seed, 5, sizeof(rns_seed));
	memset(rns_public, 6, 32);
	return crypto_sign_seed_keypair(rns_public + 32, sk, rns_seed);
}

static struct msg_B_SIGNED
half(const struct msg_B_SIGN *m)
{
	struct binding b = {.bip340 = m->flags & 1, .serial = m->serial,
	    .not_before = m->not_before, .not_after = m->not_after};
	struct msg_B_SIGNED out = {.serial = m->serial};

	memcpy(b.secp, m->secp, 33);
	memcpy(b.rns, rns_public, 64);
	assert_true(binding_sign_rns(&b, rns_seed));
	memcpy(out.sig, b.sig_rns, 64);
	return out;
}

/* keys, running, with its binding unless the test wants to make it. */
static void
move_in(struct house *h, bool bound)
{
	struct msg_KEY_MATERIAL m = {.mesh = {1, 2, 3}, .audit = {4}};
	struct msg_BINDING_MADE made;
	struct msg_K_BINDING told;
	struct msg_B_SIGNED answer;
	struct msg_B_SIGN ask;
	struct binding b;

	prog_start(&h->p, PROGRAM_KEYS, NULL, -1);
	prog_params(&h->p, rns_public);
	memcpy(m.rns_public, rns_public, 64);
	assert_int_equal(ipc_send_KEY_MATERIAL(h->p.parent, &m, NULL, 0), 0);
	prog_begin(&h->p);
	h->transport = prog_neighbour(&h->p, PROGRAM_TRANSPORT);
	h->node = h->audit = NULL;
	if (!bound)
		return;
	PROG_GET(B_SIGN, h->transport, &ask);
	answer = half(&ask);
	assert_int_equal(ipc_send_B_SIGNED(h->transport, &answer, NULL, 0), 0);
	PROG_GET(BINDING_MADE, h->p.parent, &made);
	assert_true(binding_parse(&b, made.binding, BINDING_LEN));
	assert_true(binding_key(&h->key, &b));
	h->node = prog_neighbour(&h->p, PROGRAM_NODE);
	PROG_GET(K_BINDING, h->node, &told);
	h->audit = prog_neighbour(&h->p, PROGRAM_AUDIT);
	PROG_GET(K_BINDING, h->audit, &told);
}

/* Is it a signature of that key over this, as it stands or hashed? */
static bool
holds(const struct klp_key *k, const uint8_t sig[64], const void *p, size_t n)
{
	struct id32 d;

	if (n == sizeof(d)) {
		memcpy(d.b, p, n);
		if (secp_verify(k, sig, &d))
			return true;
	}
	crypto_hash_sha256(d.b, p, n);
	return secp_verify(k, sig, &d);
}

static void
test_receipt(void **state)
{
	struct house h;
	struct msg_K_RECEIPT m = {.qid = 1};
	struct msg_K_SIGNED out;
	struct job_receipt r;
	struct id32 *fields[] = {&m.job, &m.image, &m.outputs, &m.logs,
	    &m.policy, &m.trail};

	(void)state;
	move_in(&h, true);
	for (size_t i = 0; i < NELEM(fields); i++) {
		/* a digest that the asker would like to have signed */
		memset(&m, 0, sizeof(m));
		crypto_hash_sha256(fields[i]->b, (const uint8_t *)"evil", 4);
		assert_int_equal(ipc_send_K_RECEIPT(h.node, &m, NULL, 0), 0);
		PROG_GET(K_SIGNED, h.node, &out);
		assert_true(out.ok);
		assert_true(job_receipt_parse(&r, out.receipt,
		    JOB_RECEIPT_LEN));
		assert_true(job_receipt_verify(&r, &h.key));
		assert_false(holds(&h.key, r.sig, fields[i]->b, 32));
		/* nor over the frame without the words of its type */
		assert_false(holds(&h.key, r.sig, out.receipt,
		    JOB_RECEIPT_FRAME));
	}
	/* what goes with no outcome is not signed */
	for (unsigned outcome = 0; outcome < 256; outcome++) {
		memset(&m, 0, sizeof(m));
		m.outcome = (uint8_t)outcome;
		m.code = outcome < JOB_OUTCOMES ? 0x7fffffff : 0;
		assert_int_equal(ipc_send_K_RECEIPT(h.node, &m, NULL, 0), 0);
		PROG_GET(K_SIGNED, h.node, &out);
		if (!out.ok)
			assert_true(sodium_is_zero(out.receipt,
			    sizeof(out.receipt)));
		else
			assert_true(outcome < JOB_OUTCOMES);
	}
	prog_stop(&h.p);
}

static void
test_challenge(void **state)
{
	struct house h;
	struct msg_K_CHALLENGE m = {.qid = 1, .link = {{1}}};
	struct msg_K_CHALLENGED first, again;
	unsigned signed_ = 0;

	(void)state;
	move_in(&h, true);
	crypto_hash_sha256(m.n, (const uint8_t *)"evil", 4);
	memcpy(m.initiator, m.n, 32);
	/* one of a thousand askings on one link */
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(ipc_send_K_CHALLENGE(h.node, &m, NULL, 0), 0);
		PROG_GET(K_CHALLENGED, h.node, &again);
		if (!again.ok) {
			assert_true(sodium_is_zero(again.s, sizeof(again.s)));
			continue;
		}
		signed_++;
		first = again;
	}
	assert_int_equal(signed_, 1);
	assert_false(holds(&h.key, first.s, m.n, 32));
	/* keys has a part in what is signed that nobody can foretell */
	m.link.b[0] = 2;
	assert_int_equal(ipc_send_K_CHALLENGE(h.node, &m, NULL, 0), 0);
	PROG_GET(K_CHALLENGED, h.node, &again);
	assert_true(again.ok);
	assert_memory_not_equal(first.m, again.m, sizeof(first.m));
	assert_memory_not_equal(first.s, again.s, sizeof(first.s));
	prog_stop(&h.p);
}

static void
test_checkpoint(void **state)
{
	static const uint64_t sizes[] = {9, 9, 8, 0, UINT64_MAX, 10,
	    UINT64_MAX};
	static const bool signs[] = {true, false, false, false, true, false,
	    false};
	struct house h;
	struct msg_C_SIGN m = {.size = 0};
	struct msg_C_SIGNED out;

	(void)state;
	move_in(&h, true);
	crypto_hash_sha256(m.root.b, (const uint8_t *)"evil", 4);
	for (size_t i = 0; i < NELEM(sizes); i++) {
		m.size = sizes[i];
		assert_int_equal(ipc_send_C_SIGN(h.audit, &m, NULL, 0), 0);
		PROG_GET(C_SIGNED, h.audit, &out);
		assert_int_equal(out.ok, signs[i]);
		if (!out.ok)
			assert_true(sodium_is_zero(out.sig, sizeof(out.sig)));
		else
			assert_int_not_equal(crypto_sign_verify_detached(
			    out.sig, m.root.b, 32, out.key), 0);
	}
	prog_stop(&h.p);
}

/* Transport's half of another binding is not completed. */
static void
test_binding(void **state)
{
	struct house h;
	struct msg_B_SIGN ask, other;
	struct msg_B_SIGNED wrong;
	struct msg_BINDING_MADE made;

	(void)state;
	move_in(&h, false);
	PROG_GET(B_SIGN, h.transport, &ask);
	for (int i = 0; i < 6; i++) {
		other = ask;
		if (i == 0)
			other.not_after += 86400 * 365;
		if (i == 1)
			other.not_before = 0;
		if (i == 2)
			other.secp[4] ^= 1;
		if (i == 3)
			other.serial++;
		if (i == 4)
			other.flags ^= 1;
		wrong = half(&other);
		if (i == 5)
			memset(wrong.sig, 0, sizeof(wrong.sig));
		assert_int_equal(ipc_send_B_SIGNED(h.transport, &wrong, NULL,
		    0), 0);
	}
	prog_quiet(h.p.parent, 100);
	/* the right one is; a second time it is not */
	wrong = half(&ask);
	assert_int_equal(ipc_send_B_SIGNED(h.transport, &wrong, NULL, 0), 0);
	PROG_GET(BINDING_MADE, h.p.parent, &made);
	assert_int_equal(ipc_send_B_SIGNED(h.transport, &wrong, NULL, 0), 0);
	prog_quiet(h.p.parent, 100);
	prog_stop(&h.p);
}

/* The channel ends, and nothing was answered before. */
static void
ends_unanswered(struct ipc *c)
{
	struct until u = until_begin("the end of the channel", 10000);
	struct ipc_in in;
	int rv;

	while ((rv = ipc_recv(c, &in)) >= 0 && until_step(&u)) {
		if (rv == 0)
			continue;
		assert_int_not_equal(in.type, IPC_K_SIGNED);
		assert_int_not_equal(in.type, IPC_K_CHALLENGED);
		assert_int_not_equal(in.type, IPC_C_SIGNED);
		ipc_in_done(&in);
	}
	assert_true(rv < 0);
}

/*
 * Every type of the table, of the size it has, from each neighbour: what is
 * not its to say ends the channel; what is not whole is dropped.
 */
static void
test_strangers_words(void **state)
{
	static const enum program who[] = {PROGRAM_NODE, PROGRAM_TRANSPORT,
	    PROGRAM_AUDIT};
	static uint8_t buf[IPC_MAX];
	struct house h;
	struct msg_K_RECEIPT good = {.qid = 7};
	struct msg_K_SIGNED out;
	struct msg_K_BINDING told;
	unsigned ended = 0;

	(void)state;
	move_in(&h, true);
	for (size_t w = 0; w < NELEM(who); w++)
		for (unsigned t = IPC_NONE + 1; t < IPC_TYPES + 3; t++) {
			const struct ipc_row *r = ipc_row(t);
			struct ipc *c;

			if (r != NULL && (r->senders & 1u << who[w]) != 0 &&
			    (r->receivers & 1u << PROGRAM_KEYS) != 0)
				continue;
			c = prog_neighbour(&h.p, who[w]);
			memset(buf, 0x41, sizeof(buf));
			put_u16(buf, (uint16_t)t);
			assert_true(write(ipc_fd(c), buf, 2u +
			    (r == NULL ? 9 : r->size_min)) > 0);
			ends_unanswered(c);
			ended++;
		}
	assert_true(ended > 100);
	/* it still serves who speaks as he may */
	h.node = prog_neighbour(&h.p, PROGRAM_NODE);
	PROG_GET(K_BINDING, h.node, &told);
	assert_int_equal(ipc_send_K_RECEIPT(h.node, &good, NULL, 0), 0);
	PROG_GET(K_SIGNED, h.node, &out);
	assert_int_equal(out.qid, 7);
	assert_true(out.ok);
	prog_stop(&h.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_receipt),
	    cmocka_unit_test(test_challenge),
	    cmocka_unit_test(test_checkpoint),
	    cmocka_unit_test(test_binding),
	    cmocka_unit_test(test_strangers_words),
	};

	return cmocka_run_group_tests(tests, keys_of_rns, NULL);
}
