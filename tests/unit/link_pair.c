/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/link_pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define WALL_US INT64_C(1700000000000000)

static _Noreturn void
pair_die(const char *what, int rc)
{
	(void)fprintf(stderr, "link_pair: %s: %s\n", what, rns_strerror(rc));
	abort();
}

static void
pair_draw(void *arg, uint8_t *out, size_t n)
{
	struct pair_node *node = arg;
	struct pair_script *s;
	struct id32 block;

	STAILQ_FOREACH(s, &node->script, entry) {
		if (s->n != n)
			continue;
		memcpy(out, s->bytes, n);
		STAILQ_REMOVE(&node->script, s, pair_script, entry);
		free(s);
		return;
	}
	for (size_t at = 0; at < n; at += sizeof(block)) {
		node->seed++;
		rns_sha256(&block, &node->seed, sizeof(node->seed));
		memcpy(out + at, block.b,
		    n - at < sizeof(block) ? n - at : sizeof(block));
	}
}

void
pair_random(struct pair *p, int node, const uint8_t *b, size_t n)
{
	struct pair_script *s = calloc(1, sizeof(*s));

	if (s == NULL || n > sizeof(s->bytes))
		pair_die("script", RNS_ENOMEM);
	s->n = n;
	memcpy(s->bytes, b, n);
	STAILQ_INSERT_TAIL(&p->n[node].script, s, entry);
}

static void
pair_node_new(struct pair *p, int i, const struct pair_opts *o, uint32_t mtu)
{
	struct pair_node *n = &p->n[i];
	struct rns_config cfg = {.random = pair_draw, .random_arg = n,
	    .wall_us = WALL_US, .link_mtu_discovery = true,
	    .implicit_proof = true};
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD};
	int rc;

	n->seed = (uint64_t)(i + 1) << 56;
	STAILQ_INIT(&n->script);
	TAILQ_INIT(&n->events);
	rns_limits_default(&cfg.limits);
	/* small tables: tests and fuzzers make many of these */
	cfg.limits.hashes = 4096;
	if (o->resource_bytes != 0)
		cfg.limits.resource_bytes = o->resource_bytes;
	memset(cfg.identity, i + 1, sizeof(cfg.identity));
	n->r = rns_new(&cfg, p->now);
	if (n->r == NULL)
		pair_die("rns_new", RNS_ENOMEM);
	c.iface.id = PAIR_IF;
	c.iface.kind = RNS_IF_NET;
	c.iface.mode = RNS_MODE_FULL;
	c.iface.bitrate = 10000000;
	c.iface.hw_mtu = mtu != 0 ? mtu : RNS_MTU;
	c.iface.mtu_signal = mtu != 0;
	c.iface.out = c.iface.online = true;
	if ((rc = rns_submit(n->r, &c, p->now)) != RNS_OK)
		pair_die("IF_ADD", rc);
}

void
pair_new(struct pair *p, const struct pair_opts *o)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD};
	uint8_t pub[RNS_KEY];
	struct hash16 hash;
	int rc;

	memset(p, 0, sizeof(*p));
	p->now.us = 1000 * MONO_SECOND;
	p->delay_us = o->delay_us;
	TAILQ_INIT(&p->wire);
	pair_node_new(p, 0, o, o->hw_mtu);
	pair_node_new(p, 1, o,
	    o->responder_mtu != 0 ? o->responder_mtu : o->hw_mtu);
	c.dest.type = RNS_SINGLE;
	c.dest.name = o->name != NULL ? o->name : "test.link";
	if (o->identity != NULL)
		memcpy(c.dest.identity, o->identity, RNS_KEY);
	else
		memset(c.dest.identity, 0x33, RNS_KEY);
	c.dest.has_identity = true;
	c.dest.prove = o->prove;
	c.dest.accept_links = true;
	c.dest.resources = o->resources;
	c.dest.max_request = o->max_request;
	if ((rc = rns_submit(p->n[1].r, &c, p->now)) != RNS_OK)
		pair_die("DEST_ADD", rc);
	(void)rns_identity_derive(pub, &hash, c.dest.identity);
	(void)rns_dest_hash(&p->dest, c.dest.name, &hash);
}

static void
pair_event_free(struct pair_event *e)
{
	free(e->data);
	free(e->metadata);
	free(e);
}

static struct pair_event *taken;

void
pair_forget(struct pair *p)
{
	struct pair_event *e;

	for (int i = 0; i < 2; i++) {
		while ((e = TAILQ_FIRST(&p->n[i].events)) != NULL) {
			TAILQ_REMOVE(&p->n[i].events, e, entry);
			pair_event_free(e);
		}
	}
}

void
pair_free(struct pair *p)
{
	struct pair_frame *f;
	struct pair_script *s;

	if (taken != NULL)
		pair_event_free(taken);
	taken = NULL;
	pair_forget(p);
	while ((f = TAILQ_FIRST(&p->wire)) != NULL) {
		TAILQ_REMOVE(&p->wire, f, entry);
		free(f);
	}
	for (int i = 0; i < 2; i++) {
		rns_free(p->n[i].r);
		while ((s = STAILQ_FIRST(&p->n[i].script)) != NULL) {
			STAILQ_REMOVE_HEAD(&p->n[i].script, entry);
			free(s);
		}
	}
}

static uint8_t *
pair_dup(const uint8_t **p, size_t n)
{
	uint8_t *b;

	if (*p == NULL)
		return NULL;
	if ((b = malloc(n > 0 ? n : 1)) == NULL)
		pair_die("event", RNS_ENOMEM);
	if (n > 0)
		memcpy(b, *p, n);
	*p = b;
	return b;
}

static void
pair_event_copy(struct pair_event *e)
{
	struct rns_event *v = &e->ev;

	switch (v->type) {
	case RNS_EV_LINK_DATA:
	case RNS_EV_PACKET:
		e->data = pair_dup(&v->packet.data, v->packet.len);
		break;
	case RNS_EV_REQUEST:
		e->data = pair_dup(&v->request.data, v->request.len);
		break;
	case RNS_EV_RESPONSE:
		e->data = pair_dup(&v->response.data, v->response.len);
		e->metadata = pair_dup(&v->response.metadata,
		    v->response.metadata_len);
		break;
	case RNS_EV_RESOURCE_DATA:
		e->data = pair_dup(&v->resource.data, v->resource.len);
		e->metadata = pair_dup(&v->resource.metadata,
		    v->resource.metadata_len);
		break;
	case RNS_EV_CHANNEL_MESSAGE:
	case RNS_EV_STREAM_DATA:
		e->data = pair_dup(&v->channel.data, v->channel.len);
		break;
	default:
		break;
	}
}

static void
pair_events(struct pair *p, int node)
{
	struct rns_event ev;
	struct pair_event *e;

	while (rns_next_event(p->n[node].r, &ev)) {
		if (ev.type == RNS_EV_ANNOUNCE)
			continue;
		if ((e = calloc(1, sizeof(*e))) == NULL)
			pair_die("event", RNS_ENOMEM);
		e->ev = ev;
		pair_event_copy(e);
		TAILQ_INSERT_TAIL(&p->n[node].events, e, entry);
	}
}

const struct rns_event *
pair_take(struct pair *p, int node, enum rns_event_type type)
{
	struct pair_event *e;

	pair_events(p, node);
	if (taken != NULL)
		pair_event_free(taken);
	taken = NULL;
	TAILQ_FOREACH(e, &p->n[node].events, entry) {
		if (e->ev.type != type)
			continue;
		TAILQ_REMOVE(&p->n[node].events, e, entry);
		taken = e;
		return &e->ev;
	}
	return NULL;
}

static void
pair_collect(struct pair *p, int node)
{
	struct pair_frame *f;
	struct rns_tx tx;

	while (rns_next_tx(p->n[node].r, &tx)) {
		if (p->tap != NULL &&
		    !p->tap(p->tap_arg, node, tx.data, tx.len))
			continue;
		if ((f = malloc(sizeof(*f) + tx.len)) == NULL)
			pair_die("frame", RNS_ENOMEM);
		f->to = 1 - node;
		f->at = mono_add(p->now, p->delay_us);
		f->len = tx.len;
		memcpy(f->data, tx.data, tx.len);
		TAILQ_INSERT_TAIL(&p->wire, f, entry);
		p->frames++;
	}
	pair_events(p, node);
}

bool
pair_pull(struct pair *p, int node, uint8_t *buf, size_t cap, size_t *n)
{
	struct rns_tx tx;

	if (!rns_next_tx(p->n[node].r, &tx))
		return false;
	if (tx.len > cap)
		pair_die("pull", RNS_EBIG);
	memcpy(buf, tx.data, tx.len);
	*n = tx.len;
	return true;
}

int
pair_submit(struct pair *p, int node, const struct rns_cmd *c)
{
	return rns_submit(p->n[node].r, c, p->now);
}

void
pair_recv(struct pair *p, int node, const uint8_t *raw, size_t n)
{
	/* an exact copy, so that a sanitizer sees a read behind it */
	uint8_t *copy = malloc(n > 0 ? n : 1);

	if (copy == NULL)
		pair_die("recv", RNS_ENOMEM);
	if (n > 0)
		memcpy(copy, raw, n);
	(void)rns_recv(p->n[node].r, PAIR_IF, copy, n, p->now);
	free(copy);
}

void
pair_run(struct pair *p)
{
	struct pair_frame *f;

	for (;;) {
		pair_collect(p, 0);
		pair_collect(p, 1);
		f = TAILQ_FIRST(&p->wire);
		if (f == NULL || f->at.us > p->now.us)
			return;
		TAILQ_REMOVE(&p->wire, f, entry);
		(void)rns_recv(p->n[f->to].r, PAIR_IF, f->data, f->len,
		    p->now);
		free(f);
	}
}

void
pair_wait(struct pair *p, int64_t us)
{
	struct mono end = mono_add(p->now, us), next;
	struct pair_frame *f;

	for (;;) {
		pair_run(p);
		next = mono_min(rns_deadline(p->n[0].r),
		    rns_deadline(p->n[1].r));
		if ((f = TAILQ_FIRST(&p->wire)) != NULL)
			next = mono_min(next, f->at);
		if (next.us > end.us)
			break;
		if (next.us > p->now.us)
			p->now = next;
		rns_tick(p->n[0].r, p->now);
		rns_tick(p->n[1].r, p->now);
	}
	p->now = end;
	rns_tick(p->n[0].r, p->now);
	rns_tick(p->n[1].r, p->now);
	pair_run(p);
}

const struct rns_event *
pair_until(struct pair *p, int node, enum rns_event_type type, int64_t us)
{
	const int64_t step = 10000;
	const struct rns_event *ev;

	for (int64_t t = 0; t <= us; t += step) {
		pair_run(p);
		if ((ev = pair_take(p, node, type)) != NULL)
			return ev;
		pair_wait(p, step);
	}
	return pair_take(p, node, type);
}

void
pair_announce(struct pair *p)
{
	struct rns_cmd c = {.type = RNS_CMD_ANNOUNCE};
	int rc;

	c.announce.dest = p->dest;
	if ((rc = pair_submit(p, 1, &c)) != RNS_OK)
		pair_die("ANNOUNCE", rc);
	pair_wait(p, p->delay_us * 2 + 1);
}

int
pair_open(struct pair *p, enum rns_accept accept)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_OPEN};
	const struct rns_event *ev;
	int rc;

	c.link_open.dest = p->dest;
	c.link_open.tag = 1;
	c.link_open.resources = accept;
	rc = pair_submit(p, 0, &c);
	if (rc != RNS_OK)
		return rc;
	if ((ev = pair_take(p, 0, RNS_EV_LINK_PENDING)) == NULL)
		pair_die("LINK_PENDING", RNS_ESTATE);
	p->link = ev->link.id;
	return RNS_OK;
}

void
pair_up(struct pair *p)
{
	int rc;

	pair_announce(p);
	if ((rc = pair_open(p, RNS_ACCEPT_ALL)) != RNS_OK)
		pair_die("LINK_OPEN", rc);
	pair_wait(p, p->delay_us * 3 + 1);
	if (pair_take(p, 0, RNS_EV_LINK_UP) == NULL ||
	    pair_take(p, 1, RNS_EV_LINK_UP) == NULL)
		pair_die("LINK_UP", RNS_ESTATE);
}

void
pair_handler(struct pair *p, const char *path, enum rns_allow allow,
    const uint8_t *list, size_t list_len, uint64_t compress_max)
{
	struct rns_cmd c = {.type = RNS_CMD_HANDLER_ADD};
	int rc;

	c.handler.dest = p->dest;
	c.handler.path = path;
	c.handler.allow = allow;
	c.handler.list = list;
	c.handler.list_len = list_len;
	c.handler.compress_max = compress_max;
	if ((rc = pair_submit(p, 1, &c)) != RNS_OK)
		pair_die("HANDLER_ADD", rc);
}

uint8_t *
pair_filler(size_t n, unsigned salt)
{
	uint8_t *b = malloc(n > 0 ? n : 1);
	struct id32 h;

	for (size_t i = 0; i < n; i += sizeof(h)) {
		uint64_t seed[2] = {i, salt};

		rns_sha256(&h, seed, sizeof(seed));
		memcpy(b + i, h.b, MIN_OF(sizeof(h), n - i));
	}
	return b;
}

struct rns_cmd
pair_cmd(const struct pair *p, enum rns_cmd_type type)
{
	struct rns_cmd c = {.type = type};

	/* the link id is the first field of each command on a link */
	c.hash = p->link;
	return c;
}
