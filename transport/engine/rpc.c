/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/rpc.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "transport/engine/engine.h"
#include "transport/engine/rpc_auth.h"
#include "transport/engine/rpc_calls.h"

#define RPC_CLIENTS 64   /* ours: at a time */
#define RPC_UID_MAX 16   /* ours: of one user but root */
#define RPC_ANSWER_MAX (64u << 20) /* ours: above a full table of paths */
#define RPC_TIMEOUT_S 5. /* ours: a call from connect to close */

/* Steps of reticulum-transport.md 13.3, named by what is waited for. */
enum rpc_state {
	RPC_WAIT_RESPONSE,  /* 2: to our challenge */
	RPC_WAIT_CHALLENGE, /* 4: theirs */
	RPC_WAIT_VERDICT,   /* 6 */
	RPC_WAIT_REQUEST,
};

struct call {
	enum rpc_state state;
	uint8_t challenge[RPC_CHALLENGE_LEN];
};

struct rpc {
	struct engine *e;
	struct id32 derived;
	const uint8_t *key; /* derived, or the configuration's */
	size_t key_len;
	struct asksock *sock;
};

static bool
put(struct asker *k, const char *word)
{
	return asker_put(k, word, strlen(word));
}

/* The request is here: answer it, or close as the reference does. */
static bool
do_request(struct rpc *r, struct asker *k, const uint8_t *msg, size_t len)
{
	size_t n;
	uint8_t *response = rpc_call(r->e, msg, len, &n);
	bool ok = response != NULL && asker_put(k, response, n);

	free(response);
	asker_end(k);
	return ok;
}

/* A program of another folder has another key. */
static bool
refuse(struct rpc *r, struct asker *k)
{
	r->e->counts.rpc_keys_refused++;
	log_debug("rpc", "wrong key");
	asker_end(k);
	return put(k, RPC_FAILURE);
}

/* One message of reticulum-transport.md 13.3; false: close. */
static bool
on_step(void *ctx, struct asker *k, const uint8_t *msg, size_t len)
{
	struct call *c = asker_state(k);
	uint8_t answer[RPC_AUTH_MAX];
	struct rpc *r = ctx;
	size_t n;

	if (len == 0)
		return false;
	switch (c->state) {
	case RPC_WAIT_RESPONSE:
		if (!rpc_auth_check(r->key, r->key_len, c->challenge, msg,
		    len))
			return refuse(r, k);
		c->state = RPC_WAIT_CHALLENGE;
		return put(k, RPC_WELCOME);
	case RPC_WAIT_CHALLENGE:
		n = rpc_auth_answer(answer, r->key, r->key_len, msg, len);
		c->state = RPC_WAIT_VERDICT;
		asker_limit(k, RPC_REQUEST_MAX);
		return n > 0 && asker_put(k, answer, n);
	case RPC_WAIT_VERDICT:
		c->state = RPC_WAIT_REQUEST;
		return len == sizeof(RPC_WELCOME) - 1 &&
		    memcmp(msg, RPC_WELCOME, len) == 0;
	case RPC_WAIT_REQUEST:
		return do_request(r, k, msg, len);
	}
	return false;
}

static bool
on_opened(void *ctx, struct asker *k)
{
	struct call *c = asker_state(k);
	uint8_t random[40];

	(void)ctx;
	c->state = RPC_WAIT_RESPONSE;
	asker_limit(k, RPC_AUTH_MAX);
	randombytes_buf(random, sizeof(random));
	rpc_auth_challenge(c->challenge, random);
	return asker_put(k, c->challenge, sizeof(c->challenge));
}

/* Every local program may ask; the key says which of them is answered. */
static const struct asksock_rules rules = {
	.name = "rpc",
	.framing = ASKSOCK_PREFIXED,
	.question_max = RPC_REQUEST_MAX,
	.waiting_max = RPC_ANSWER_MAX,
	.clients_max = RPC_CLIENTS,
	.user_max = RPC_UID_MAX,
	.whole_s = RPC_TIMEOUT_S,
	.state_size = sizeof(struct call),
	.opened = on_opened,
	.question = on_step,
};

struct rpc *
rpc_new(struct engine *e, int fd)
{
	struct rpc *r;

	if ((r = calloc(1, sizeof(*r))) == NULL) {
		(void)close(fd);
		return NULL;
	}
	r->e = e;
	r->key = e->conf->rpc_key;
	r->key_len = e->conf->rpc_key_len;
	if (r->key_len == 0) { /* reticulum-transport.md 13.1 */
		rns_sha256(&r->derived, e->identity, RNS_KEY);
		r->key = r->derived.b;
		r->key_len = sizeof(r->derived);
	}
	if ((r->sock = asksock_new(e->loop, fd, &rules, r)) == NULL) {
		rpc_free(r);
		return NULL;
	}
	return r;
}

void
rpc_free(struct rpc *r)
{
	if (r == NULL)
		return;
	asksock_free(r->sock);
	explicit_bzero(&r->derived, sizeof(r->derived));
	free(r);
}

const struct asksock *
rpc_sock(const struct rpc *r)
{
	return r->sock;
}
