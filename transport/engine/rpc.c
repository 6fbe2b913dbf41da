/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* struct ucred */

#include "transport/engine/rpc.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/acceptor.h"
#include "common/log.h"
#include "common/wire.h"
#include "transport/engine/engine.h"
#include "transport/engine/rpc_auth.h"
#include "transport/engine/rpc_calls.h"

#define RPC_CLIENTS 64   /* ours: at a time */
#define RPC_UID_MAX 16   /* ours: of one user but root */
#define RPC_TIMEOUT_S 5. /* ours: a call from connect to close */

/* Steps of 13.3, named by what is waited for. */
enum rpc_state {
	RPC_WAIT_RESPONSE,  /* 2: to our challenge */
	RPC_WAIT_CHALLENGE, /* 4: theirs */
	RPC_WAIT_VERDICT,   /* 6 */
	RPC_WAIT_REQUEST,
	RPC_CLOSING, /* the response is on its way */
};

struct call {
	TAILQ_ENTRY(call) entry;
	struct rpc *r;
	int fd;
	uid_t uid;
	enum rpc_state state;
	ev_io rd, wr;
	ev_timer timeout;
	uint8_t challenge[RPC_CHALLENGE_LEN];
	uint8_t in[4 + RPC_REQUEST_MAX];
	size_t in_len;
	uint8_t *out; /* with length prefixes */
	size_t out_len, out_from;
};

struct rpc {
	struct engine *e;
	int fd;
	uint8_t key[64];
	size_t key_len;
	struct acceptor accept;
	TAILQ_HEAD(, call) calls;
	unsigned ncalls;
};

static void
call_free(struct call *c)
{
	struct rpc *r = c->r;

	ev_io_stop(r->e->loop, &c->rd);
	ev_io_stop(r->e->loop, &c->wr);
	ev_timer_stop(r->e->loop, &c->timeout);
	(void)close(c->fd);
	TAILQ_REMOVE(&r->calls, c, entry);
	r->ncalls--;
	free(c->out);
	free(c);
}

/* Queue one message; false: no memory. */
static bool
put(struct call *c, const void *p, size_t n)
{
	size_t waiting = c->out_len - c->out_from;
	uint8_t *buf;

	if ((buf = malloc(waiting + 4 + n)) == NULL)
		return false;
	if (waiting > 0)
		memcpy(buf, c->out + c->out_from, waiting);
	put_u32(buf + waiting, (uint32_t)n);
	memcpy(buf + waiting + 4, p, n);
	free(c->out);
	c->out = buf;
	c->out_len = waiting + 4 + n;
	c->out_from = 0;
	ev_io_start(c->r->e->loop, &c->wr);
	return true;
}

/* The request is here: answer it, or close as the reference does. */
static bool
do_request(struct call *c, const uint8_t *msg, size_t len)
{
	size_t n;
	uint8_t *response = rpc_call(c->r->e, msg, len, &n);
	bool ok;

	if (response == NULL)
		return false;
	ok = put(c, response, n);
	free(response);
	c->state = RPC_CLOSING;
	return ok;
}

/* false: close. */
static bool
on_step(struct call *c, const uint8_t *msg, size_t len)
{
	uint8_t answer[RPC_AUTH_MAX];
	size_t n;

	switch (c->state) {
	case RPC_WAIT_RESPONSE:
		if (!rpc_auth_check(c->r->key, c->r->key_len, c->challenge,
		    msg, len)) {
			/* a program of another folder (trap 13) */
			log_debug("rpc", "wrong key");
			c->state = RPC_CLOSING;
			return put(c, RPC_FAILURE, sizeof(RPC_FAILURE) - 1);
		}
		c->state = RPC_WAIT_CHALLENGE;
		return put(c, RPC_WELCOME, sizeof(RPC_WELCOME) - 1);
	case RPC_WAIT_CHALLENGE:
		n = rpc_auth_answer(answer, c->r->key, c->r->key_len, msg,
		    len);
		c->state = RPC_WAIT_VERDICT;
		return n > 0 && put(c, answer, n);
	case RPC_WAIT_VERDICT:
		c->state = RPC_WAIT_REQUEST;
		return len == sizeof(RPC_WELCOME) - 1 &&
		    memcmp(msg, RPC_WELCOME, len) == 0;
	case RPC_WAIT_REQUEST:
		return do_request(c, msg, len);
	case RPC_CLOSING:
		return true; /* whatever else it says */
	}
	return false;
}

/* Whole messages that have come, in order. false: close. */
static bool
take_messages(struct call *c)
{
	size_t max, len;

	while (c->in_len >= 4) {
		max = c->state == RPC_WAIT_REQUEST ||
		    c->state == RPC_WAIT_VERDICT ? RPC_REQUEST_MAX :
		    RPC_AUTH_MAX;
		len = get_u32(c->in);
		if (len == 0 || len > max)
			return false;
		if (c->in_len < 4 + len)
			return true;
		if (!on_step(c, c->in + 4, len))
			return false;
		c->in_len -= 4 + len;
		memmove(c->in, c->in + 4 + len, c->in_len);
	}
	return true;
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct call *c = w->data;
	ssize_t n;

	(void)loop;
	(void)revents;
	n = read(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		call_free(c);
		return;
	}
	c->in_len += (size_t)n;
	if (!take_messages(c))
		call_free(c);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct call *c = w->data;
	ssize_t n;

	(void)revents;
	n = send(c->fd, c->out + c->out_from, c->out_len - c->out_from,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		call_free(c);
		return;
	}
	c->out_from += (size_t)n;
	if (c->out_from < c->out_len)
		return;
	ev_io_stop(loop, &c->wr);
	if (c->state == RPC_CLOSING)
		call_free(c);
}

static void
on_timeout(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	call_free(w->data);
}

/* (uid_t)-1: not known, as over TCP. */
static uid_t
uid_of(int fd)
{
	struct sockaddr_storage sa;
	struct ucred cred;
	socklen_t len = sizeof(cred), sa_len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &sa_len) == 0 &&
	    sa.ss_family == AF_UNIX &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		return cred.uid;
	return (uid_t)-1;
}

static bool
has_place(const struct rpc *r, uid_t uid)
{
	const struct call *c;
	unsigned same = 0;

	if (r->ncalls >= RPC_CLIENTS)
		return false;
	/* as if_local.c: whom nobody can tell apart, nobody can share among */
	if (uid == 0 || uid == (uid_t)-1)
		return true;
	TAILQ_FOREACH(c, &r->calls, entry)
		same += c->uid == uid;
	return same < RPC_UID_MAX;
}

static void
on_accept(void *ctx, int fd, const struct sockaddr_storage *peer)
{
	struct rpc *r = ctx;
	struct ev_loop *loop = r->e->loop;
	uint8_t random[40];
	uid_t uid = uid_of(fd);
	struct call *c;

	(void)peer;
	if (!has_place(r, uid) || (c = calloc(1, sizeof(*c))) == NULL) {
		(void)close(fd);
		return;
	}
	c->r = r;
	c->fd = fd;
	c->uid = uid;
	ev_io_init(&c->rd, on_readable, fd, EV_READ);
	ev_io_init(&c->wr, on_writable, fd, EV_WRITE);
	ev_timer_init(&c->timeout, on_timeout, RPC_TIMEOUT_S, 0);
	c->rd.data = c->wr.data = c->timeout.data = c;
	TAILQ_INSERT_TAIL(&r->calls, c, entry);
	r->ncalls++;
	ev_io_start(loop, &c->rd);
	ev_timer_start(loop, &c->timeout);
	randombytes_buf(random, sizeof(random));
	rpc_auth_challenge(c->challenge, random);
	if (!put(c, c->challenge, sizeof(c->challenge)))
		call_free(c);
}

struct rpc *
rpc_new(struct engine *e, int fd)
{
	struct rpc *r;

	if ((r = calloc(1, sizeof(*r))) == NULL) {
		(void)close(fd);
		return NULL;
	}
	r->e = e;
	r->fd = fd;
	TAILQ_INIT(&r->calls);
	r->key_len = e->conf->rpc_key_len;
	memcpy(r->key, e->conf->rpc_key, r->key_len);
	if (r->key_len == 0) { /* 13.1 */
		rns_sha256(r->key, e->identity, RNS_KEY);
		r->key_len = RNS_FULL_HASH;
	}
	acceptor_start(&r->accept, e->loop, fd, on_accept, r);
	return r;
}

void
rpc_free(struct rpc *r)
{
	struct call *c;

	if (r == NULL)
		return;
	while ((c = TAILQ_FIRST(&r->calls)) != NULL)
		call_free(c);
	acceptor_stop(&r->accept);
	(void)close(r->fd);
	sodium_memzero(r->key, sizeof(r->key));
	free(r);
}
