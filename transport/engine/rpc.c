/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/rpc.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mpk.h"
#include "common/util.h"
#include "transport/engine/engine.h"
#include "transport/engine/rpc_auth.h"
#include "transport/engine/rpc_calls.h"
#include "transport/engine/rpc_request.h"
#include "transport/engine/rpc_stats.h"
#include "transport/engine/switching.h"

#define RPC_CLIENTS 64   /* ours: at a time */
#define RPC_UID_MAX 16   /* ours: of one user but root */
#define RPC_ANSWER_MAX (64u << 20) /* ours: above a full table of paths */
#define RPC_TIMEOUT_S 5. /* ours: a call from connect to close */

struct rpc {
	struct engine *e;
	struct id32 derived;
	const uint8_t *key; /* derived, or the configuration's */
	size_t key_len;
	struct asksock *sock;
};

/* Of a connection: how far its proof is, and for what it waits. */
struct call {
	struct rpc_talk talk;
	char what[24], name[128]; /* empty: nothing */
	uint32_t seq; /* of the reload that what waits for */
	bool measures; /* of the statistics: for what the programs take */
};

static bool
tell(struct asker *k, enum switched s)
{
	uint8_t out[4];
	struct wr w = wr_make(out, sizeof(out));

	if (s == SWITCHED_NONE)
		mpk_put_nil(&w);
	else
		mpk_put_bool(&w, s == SWITCHED_DONE);
	asker_end(k);
	return asker_put(k, out, w.len);
}

/* reticulum-transport.md 18.6; what needs config anew is answered later. */
static bool
do_manage(struct rpc *r, struct asker *k, const struct rpc_request *q)
{
	static const char *const calls[] = {"attach_interface",
	    "detach_interface", "reload_interface"};
	struct call *c = asker_state(k);
	enum switched s;
	size_t i = 0;

	while (i < NELEM(calls) && strcmp(q->manage, calls[i]) != 0)
		i++;
	if (i == NELEM(calls) || q->name[0] == '\0')
		return false;
	if ((s = switching_ask(r->e, q->manage, q->name)) != SWITCHED_LATER)
		return tell(k, s);
	memcpy(c->what, q->manage, sizeof(c->what));
	memcpy(c->name, q->name, sizeof(c->name));
	asker_limit(k, 0); /* it has asked */
	c->seq = reload_ask(r->e);
	return !reload_answered(&r->e->reload, c->seq) ||
	    tell(k, SWITCHED_NONE); /* nobody is there to read it */
}

static void
config_read(void *ctx, struct asker *k)
{
	struct rpc *r = ctx;
	struct call *c = asker_state(k);

	if (c->what[0] == '\0' || !reload_answered(&r->e->reload, c->seq))
		return;
	(void)tell(k, switching_read(r->e, c->what, c->name,
	    r->e->reload.ok));
	asker_go(k);
}

void
rpc_config_read(struct rpc *r)
{
	if (r != NULL)
		asksock_each(r->sock, config_read, r);
}

static bool
do_stats(struct rpc *r, struct asker *k)
{
	uint8_t *response;
	size_t n = 0;
	bool ok;

	response = rpc_stats(r->e, &n);
	ok = response != NULL && asker_put(k, response, n);
	free(response);
	asker_end(k);
	return ok;
}

static void
measured(void *ctx, struct asker *k)
{
	struct call *c = asker_state(k);

	if (!c->measures)
		return;
	c->measures = false;
	if (!do_stats(ctx, k))
		asker_end(k);
	asker_go(k);
}

void
rpc_measured(struct rpc *r)
{
	if (r != NULL)
		asksock_each(r->sock, measured, r);
}

/*
 * The request is here: answer it, or close as the reference does. Nothing else
 * that comes over this socket reaches a decoder.
 */
static bool
do_request(struct rpc *r, struct asker *k, const uint8_t *msg, size_t len)
{
	struct call *c = asker_state(k);
	struct rpc_request q;
	size_t n;
	uint8_t *response;
	bool ok;

	r->e->counts.rpc_requests++;
	if (rpc_request_parse(&q, msg, len)) {
		if (q.manage[0] != '\0')
			return do_manage(r, k, &q);
		c->measures = strcmp(q.get, "interface_stats") == 0 &&
		    measure_ask(&r->e->measure);
		if (c->measures) {
			asker_limit(k, 0); /* it has asked */
			return true;
		}
	}
	response = rpc_call(r->e, msg, len, &n);
	ok = response != NULL && asker_put(k, response, n);
	free(response);
	asker_end(k);
	return ok;
}

/* One message of reticulum-transport.md 13.3, or a request; false: close. */
static bool
on_message(void *ctx, struct asker *k, const uint8_t *msg, size_t len)
{
	uint8_t out[RPC_AUTH_MAX];
	struct rpc *r = ctx;
	struct call *c = asker_state(k);
	struct rpc_talk *t = &c->talk;
	size_t n;

	switch (rpc_talk_step(t, r->key, r->key_len, msg, len, out, &n)) {
	case RPC_SAY:
		return asker_put(k, out, n);
	case RPC_LISTEN:
		asker_known(k); /* it has the key */
		asker_limit(k, RPC_REQUEST_MAX);
		return true;
	case RPC_REFUSE: /* a program of another folder has another key */
		r->e->counts.rpc_keys_refused++;
		log_debug("rpc", "wrong key");
		asker_end(k);
		return asker_put(k, out, n);
	case RPC_ASKS:
		return do_request(r, k, msg, len);
	case RPC_BREAK:
		break;
	}
	return false;
}

static bool
on_opened(void *ctx, struct asker *k)
{
	uint8_t random[40], out[RPC_AUTH_MAX];
	struct call *c = asker_state(k);

	(void)ctx;
	asker_limit(k, RPC_AUTH_MAX);
	randombytes_buf(random, sizeof(random));
	return asker_put(k, out, rpc_talk_open(&c->talk, random, out));
}

/* Every local program may ask; the key says which of them is answered. */
static const struct asksock_rules rules = {
	.name = "rpc",
	.framing = ASKSOCK_PREFIXED,
	.question_max = RPC_REQUEST_MAX,
	.waiting_max = RPC_ANSWER_MAX,
	.clients_max = RPC_CLIENTS,
	.user_max = RPC_UID_MAX,
	.makes_room = true,
	.whole_s = RPC_TIMEOUT_S,
	.state_size = sizeof(struct call),
	.opened = on_opened,
	.question = on_message,
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
	r->key_len = rpc_auth_key(&r->key, &r->derived, e->conf->rpc_key,
	    e->conf->rpc_key_len, e->identity);
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
