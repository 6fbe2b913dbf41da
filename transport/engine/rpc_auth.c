/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/rpc_auth.h"

#include <nettle/hmac.h>
#include <sodium.h>
#include <string.h>

#include "common/util.h"

#define WORD_LEN (sizeof(RPC_CHALLENGE) - 1)
#define DIGEST_MAX 48

enum algorithm { ALG_MD5, ALG_SHA256, ALG_SHA384 };

static const struct {
	const char *prefix;
	enum algorithm alg;
	size_t len;
} algorithms[] = {
	{"{md5}", ALG_MD5, 16},
	{"{sha256}", ALG_SHA256, 32},
	{"{sha384}", ALG_SHA384, 48},
};

size_t
rpc_auth_key(const uint8_t **key, struct id32 *derived, const uint8_t *conf,
    size_t conf_len, const uint8_t identity[RNS_KEY])
{
	*key = conf;
	if (conf_len > 0)
		return conf_len;
	rns_sha256(derived, identity, RNS_KEY);
	*key = derived->b;
	return sizeof(*derived);
}

static void
hmac(enum algorithm alg, uint8_t *out, const uint8_t *key, size_t key_len,
    const uint8_t *p, size_t n)
{
	union {
		struct hmac_md5_ctx md5;
		struct hmac_sha256_ctx sha256;
		struct hmac_sha384_ctx sha384;
	} c;

	switch (alg) {
	case ALG_MD5:
		hmac_md5_set_key(&c.md5, key_len, key);
		hmac_md5_update(&c.md5, n, p);
		hmac_md5_digest(&c.md5, 16, out);
		break;
	case ALG_SHA256:
		hmac_sha256_set_key(&c.sha256, key_len, key);
		hmac_sha256_update(&c.sha256, n, p);
		hmac_sha256_digest(&c.sha256, 32, out);
		break;
	case ALG_SHA384:
		hmac_sha384_set_key(&c.sha384, key_len, key);
		hmac_sha384_update(&c.sha384, n, p);
		hmac_sha384_digest(&c.sha384, 48, out);
		break;
	}
	explicit_bzero(&c, sizeof(c));
}

/* Which prefix p begins with; -1: none of them. */
static int
prefix_of(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < NELEM(algorithms); i++) {
		size_t k = strlen(algorithms[i].prefix);

		if (n >= k && memcmp(p, algorithms[i].prefix, k) == 0)
			return (int)i;
	}
	return -1;
}

void
rpc_auth_challenge(uint8_t out[RPC_CHALLENGE_LEN], const uint8_t random[40])
{
	memcpy(out, RPC_CHALLENGE, WORD_LEN);
	memcpy(out + WORD_LEN, "{sha256}", 8);
	memcpy(out + WORD_LEN + 8, random, 40);
}

bool
rpc_auth_check(const uint8_t *key, size_t key_len,
    const uint8_t challenge[RPC_CHALLENGE_LEN], const uint8_t *msg, size_t len)
{
	const uint8_t *over = challenge + WORD_LEN;
	const size_t n = RPC_CHALLENGE_LEN - WORD_LEN;
	uint8_t want[DIGEST_MAX];
	size_t skip = 0;
	int i = 0; /* MD5 without a prefix */

	/*
	 * length first: a raw digest may begin with '{'
	 * (reticulum-transport.md 15.25)
	 */
	if (len != 16) {
		if ((i = prefix_of(msg, len)) < 0)
			return false;
		skip = strlen(algorithms[i].prefix);
		if (len - skip != algorithms[i].len)
			return false;
	}
	hmac(algorithms[i].alg, want, key, key_len, over, n);
	return sodium_memcmp(want, msg + skip, algorithms[i].len) == 0;
}

size_t
rpc_auth_answer(uint8_t out[RPC_AUTH_MAX], const uint8_t *key, size_t key_len,
    const uint8_t *msg, size_t len)
{
	const uint8_t *over;
	size_t n, skip;
	int i;

	if (len <= WORD_LEN || len > RPC_AUTH_MAX ||
	    memcmp(msg, RPC_CHALLENGE, WORD_LEN) != 0)
		return 0;
	over = msg + WORD_LEN;
	n = len - WORD_LEN;
	if (n == 20 || n == 16) { /* Python up to 3.11 */
		hmac(ALG_MD5, out, key, key_len, over, n);
		return 16;
	}
	if ((i = prefix_of(over, n)) < 0)
		return 0;
	skip = strlen(algorithms[i].prefix);
	memcpy(out, algorithms[i].prefix, skip);
	hmac(algorithms[i].alg, out + skip, key, key_len, over, n);
	return skip + algorithms[i].len;
}

/* ---- the server's side ---- */

size_t
rpc_talk_open(struct rpc_talk *t, const uint8_t random[40],
    uint8_t out[RPC_AUTH_MAX])
{
	t->state = RPC_WAIT_RESPONSE;
	rpc_auth_challenge(t->challenge, random);
	memcpy(out, t->challenge, sizeof(t->challenge));
	return sizeof(t->challenge);
}

static size_t
say(uint8_t out[RPC_AUTH_MAX], const char *word)
{
	size_t n = strlen(word);

	memcpy(out, word, n);
	return n;
}

enum rpc_step
rpc_talk_step(struct rpc_talk *t, const uint8_t *key, size_t key_len,
    const uint8_t *msg, size_t len, uint8_t out[RPC_AUTH_MAX], size_t *out_len)
{
	*out_len = 0;
	if (len == 0)
		return RPC_BREAK;
	switch (t->state) {
	case RPC_WAIT_RESPONSE:
		if (!rpc_auth_check(key, key_len, t->challenge, msg, len)) {
			*out_len = say(out, RPC_FAILURE);
			return RPC_REFUSE;
		}
		t->state = RPC_WAIT_CHALLENGE;
		*out_len = say(out, RPC_WELCOME);
		return RPC_SAY;
	case RPC_WAIT_CHALLENGE:
		*out_len = rpc_auth_answer(out, key, key_len, msg, len);
		t->state = RPC_WAIT_VERDICT;
		return *out_len > 0 ? RPC_SAY : RPC_BREAK;
	case RPC_WAIT_VERDICT:
		t->state = RPC_WAIT_REQUEST;
		return len == sizeof(RPC_WELCOME) - 1 &&
		    memcmp(msg, RPC_WELCOME, len) == 0 ? RPC_LISTEN :
		    RPC_BREAK;
	case RPC_WAIT_REQUEST:
		return RPC_ASKS;
	}
	return RPC_BREAK;
}
