/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The proof of the RPC socket (reticulum-transport.md 13.3), against recorded
 * sessions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "transport/engine/rpc_auth.h"
#include "tests/unit/vec.h"

static json_t *whole;
static const uint8_t key[32] = {[0] = 1, [31] = 1};

/* The message of a step, without its length prefix. */
static uint8_t *
step(const json_t *session, const char *name, size_t *n)
{
	json_t *wire = vec_array(session, "wire"), *m;
	const json_t *s;
	uint8_t *p;
	size_t i;

	json_array_foreach(wire, i, m) {
		s = json_object_get(m, "step");
		if (s == NULL || strcmp(json_string_value(s), name) != 0)
			continue;
		p = vec_bytes(m, "hex", n);
		if (p == NULL || *n < 4)
			return NULL;
		*n -= 4;
		return vec_copy(p + 4, *n);
	}
	return NULL;
}

/* We are the server: our answer to each client's challenge is what it took. */
static void
answers(void **state)
{
	json_t *list = vec_array(whole, "sessions"), *s;
	uint8_t out[RPC_AUTH_MAX], *challenge, *want, *k;
	size_t i, n, wn, kn, seen = 0;

	(void)state;
	json_array_foreach(list, i, s) {
		challenge = step(s, "client challenge", &n);
		want = step(s, "server digest", &wn);
		k = vec_bytes(s, "server_key_hex", &kn);
		if (challenge == NULL || want == NULL)
			continue; /* ended before */
		/* Python up to 3.11 serves MD5 to everybody; we do not */
		if (wn == 16 && n > 31)
			continue;
		assert_int_equal(rpc_auth_answer(out, k, kn, challenge, n),
		    wn);
		assert_memory_equal(out, want, wn);
		seen++;
	}
	assert_true(seen >= 5);
}

/* The same bytes the other way: what a client said to a challenge is right. */
static void
clients(void **state)
{
	json_t *list = vec_array(whole, "sessions"), *s;
	uint8_t out[RPC_AUTH_MAX], *challenge, *want, *k;
	size_t i, n, wn, kn, len, seen = 0;

	(void)state;
	json_array_foreach(list, i, s) {
		challenge = step(s, "server challenge", &n);
		want = step(s, "client digest", &wn);
		k = vec_bytes(s, "client_key_hex", &kn);
		if (challenge == NULL || want == NULL)
			continue;
		if (n == RPC_CHALLENGE_LEN && memcmp(challenge,
		    RPC_CHALLENGE "{sha256}", 19) == 0) {
			assert_true(rpc_auth_check(k, kn, challenge, want,
			    wn));
			want[wn - 1] ^= 1;
			assert_false(rpc_auth_check(k, kn, challenge, want,
			    wn));
			seen++;
		} else {
			len = rpc_auth_answer(out, k, kn, challenge, n);
			vec_equal(out, len, want, wn);
		}
	}
	assert_true(seen >= 1);
}

static void
refusals(void **state)
{
	uint8_t challenge[RPC_CHALLENGE_LEN], out[RPC_AUTH_MAX];
	uint8_t random[40] = {7}, big[400] = RPC_CHALLENGE;

	(void)state;
	rpc_auth_challenge(challenge, random);
	assert_int_equal(rpc_auth_answer(out, key, 32, challenge,
	    sizeof(challenge)), 8 + 32);
	assert_true(rpc_auth_check(key, 32, challenge, out, 40));
	for (size_t n = 0; n < 40; n++)
		assert_false(rpc_auth_check(key, 32, challenge, out, n));
	assert_false(rpc_auth_check(key, 31, challenge, out, 40));
	assert_int_equal(rpc_auth_answer(out, key, 32, big, sizeof(big)), 0);
	assert_int_equal(rpc_auth_answer(out, key, 32, big, 11), 0);
	assert_int_equal(rpc_auth_answer(out, key, 32, big, 40), 0);
	assert_int_equal(rpc_auth_answer(out, key, 32,
	    (const uint8_t *)"#WELCOME#xxxxxxxxxxxxxxxxxxxxxxx", 31), 0);
}

/* ---- the server's side ---- */

/* A right client's message of that state, for a talk that was just opened. */
static size_t
right(enum rpc_state state, const struct rpc_talk *t, uint8_t out[RPC_AUTH_MAX])
{
	static const uint8_t theirs[] = RPC_CHALLENGE "twenty unpredictable";

	switch (state) {
	case RPC_WAIT_RESPONSE:
		return rpc_auth_answer(out, key, sizeof(key), t->challenge,
		    sizeof(t->challenge));
	case RPC_WAIT_CHALLENGE:
		memcpy(out, theirs, sizeof(theirs) - 1);
		return sizeof(theirs) - 1;
	case RPC_WAIT_VERDICT:
		memcpy(out, RPC_WELCOME, 9);
		return 9;
	default:
		memcpy(out, "\x80", 1);
		return 1;
	}
}

/* Opened, and as far as that state. */
static void
reach(struct rpc_talk *t, enum rpc_state state)
{
	uint8_t random[40] = {7}, out[RPC_AUTH_MAX], msg[RPC_AUTH_MAX];
	size_t n;

	assert_int_equal(rpc_talk_open(t, random, out), RPC_CHALLENGE_LEN);
	for (int s = RPC_WAIT_RESPONSE; s < (int)state; s++) {
		n = right((enum rpc_state)s, t, msg);
		assert_int_not_equal(rpc_talk_step(t, key, sizeof(key), msg, n,
		    out, &n), RPC_BREAK);
	}
	assert_int_equal(t->state, state);
}

static void
talk(void **state)
{
	static const enum rpc_step steps[] = {RPC_SAY, RPC_SAY, RPC_LISTEN,
	    RPC_ASKS};
	uint8_t msg[RPC_AUTH_MAX], out[RPC_AUTH_MAX];
	struct rpc_talk t;
	size_t n, m;

	(void)state;
	for (int s = RPC_WAIT_RESPONSE; s <= RPC_WAIT_REQUEST; s++) {
		reach(&t, (enum rpc_state)s);
		n = right((enum rpc_state)s, &t, msg);
		assert_int_equal(rpc_talk_step(&t, key, sizeof(key), msg, n,
		    out, &m), steps[s]);
		if (s == RPC_WAIT_RESPONSE)
			vec_equal(out, m, RPC_WELCOME, 9);
		if (s == RPC_WAIT_CHALLENGE)
			assert_int_equal(m, 16);
	}
	/* another key, other words */
	reach(&t, RPC_WAIT_RESPONSE);
	n = right(RPC_WAIT_RESPONSE, &t, msg);
	assert_int_equal(rpc_talk_step(&t, key, 31, msg, n, out, &m),
	    RPC_REFUSE);
	vec_equal(out, m, RPC_FAILURE, 9);
	reach(&t, RPC_WAIT_VERDICT);
	assert_int_equal(rpc_talk_step(&t, key, sizeof(key),
	    (const uint8_t *)RPC_FAILURE, 9, out, &m), RPC_BREAK);
}

/* Without the proof no bytes are a request: those of a request neither. */
struct wrong {
	enum rpc_state state;
	const uint8_t *right;
	size_t len;
};

static void
not_asked(void *arg, const uint8_t *p, size_t n)
{
	const struct wrong *w = arg;
	uint8_t out[RPC_AUTH_MAX];
	struct rpc_talk t;
	enum rpc_step got;
	size_t m;

	reach(&t, w->state);
	got = rpc_talk_step(&t, key, sizeof(key), p, n, out, &m);
	assert_true(got == RPC_BREAK || got == RPC_REFUSE ||
	    (w->state == RPC_WAIT_CHALLENGE && got == RPC_SAY));
	assert_true(m <= sizeof(out));
}

static void
nothing_before_the_proof(void **state)
{
	static const char *const requests[] = {
		"81a3676574aa6c696e6b5f636f756e74",
		("80049517000000000000007d948c03676574948c0a6c696e6b5f636f756e"
		"7494732e"), "80", "c1"};
	uint8_t msg[RPC_AUTH_MAX], *p;
	struct rpc_talk t;
	struct wrong w;
	size_t n;

	(void)state;
	for (int s = RPC_WAIT_RESPONSE; s < RPC_WAIT_REQUEST; s++) {
		w.state = (enum rpc_state)s;
		for (size_t i = 0; i < 4; i++) {
			p = vec_unhex(requests[i], &n);
			not_asked(&w, p, n);
			vec_each_prefix(p, n, not_asked, &w);
		}
		reach(&t, w.state);
		n = right(w.state, &t, msg);
		vec_each_prefix(msg, n, not_asked, &w);
		vec_each_flip(msg, n, not_asked, &w);
	}
}

/* reticulum-transport.md 13.1 */
static void
which_key(void **state)
{
	static const uint8_t conf[3] = {1, 2, 3};
	uint8_t identity[RNS_KEY] = {[RNS_KEY - 1] = 7};
	struct id32 derived, want;
	const uint8_t *p;

	(void)state;
	assert_int_equal(rpc_auth_key(&p, &derived, conf, sizeof(conf),
	    identity), sizeof(conf));
	assert_ptr_equal(p, conf);
	rns_sha256(&want, identity, sizeof(identity));
	assert_int_equal(rpc_auth_key(&p, &derived, NULL, 0, identity),
	    sizeof(want));
	assert_memory_equal(p, want.b, sizeof(want));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers), cmocka_unit_test(clients),
		cmocka_unit_test(refusals), cmocka_unit_test(talk),
		cmocka_unit_test(nothing_before_the_proof),
		cmocka_unit_test(which_key),
	};

	whole = vec_load("rpc-handshake.json");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
