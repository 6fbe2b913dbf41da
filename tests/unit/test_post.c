/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two machines on two real cores and a wire, under virtual time; node 1 has a
 * propagation node too, which the test plays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mpk.h"
#include "common/util.h"
#include "tests/unit/link_pair.h"
#include "transport/core/base/crypt.h"
#include "transport/lxmf/lxmf_node.h"
#include "transport/lxmf/post.h"

#define STEP (MONO_SECOND / 10)
#define COST 4 /* bits: what is looked at is whether there is one */

struct side {
	struct world *w;
	int node;
	uint8_t priv[RNS_KEY], pub[RNS_KEY];
	struct post *post;
	unsigned got, ended, looks;
	struct post_message last;
	uint8_t content[300];
	enum post_end end;
	enum post_look look;
	unsigned looked;
	const char *why;
	bool keep;    /* its word of what comes */
	bool silent;  /* it gives none */
	unsigned searches; /* paths that it has asked for */
	bool at_once; /* a packet is proved before it is known to be sent */
	uint64_t packet; /* tag of the last one to a destination */
};

struct world {
	struct pair p;
	struct side s[2];
	struct hash16 one; /* address of the second side */
	/* the propagation node */
	unsigned stored;
	uint8_t sealed[4096];
	size_t sealed_len;
	bool refuses; /* it says who asks may not */
	unsigned deleted;
	struct id32 offered;
	uint8_t answer[8192];
};

static int
do_submit(void *arg, const struct rns_cmd *cmd)
{
	struct side *s = arg;
	struct rns_event ev = {.type = RNS_EV_RECEIPT, .receipt = {
	    .tag = cmd->packet.tag, .status = RNS_RECEIPT_DELIVERED}};
	int rc = pair_submit(&s->w->p, s->node, cmd);

	s->searches += cmd->type == RNS_CMD_PATH_REQUEST &&
	    hash16_eq(&cmd->hash, &s->w->one);
	if (cmd->type == RNS_CMD_PACKET)
		s->packet = cmd->packet.tag;
	if (cmd->type == RNS_CMD_PACKET && s->at_once) /* and so ends */
		assert_true(post_event(s->post, &ev, s->w->p.now));
	return rc;
}

static bool
do_known(void *arg, const struct hash16 *dest, struct rns_known *out)
{
	struct side *s = arg;

	return rns_known_get(s->w->p.n[s->node].r, dest, out);
}

static bool
do_path(void *arg, const struct hash16 *dest)
{
	struct side *s = arg;
	struct rns_path path;

	return rns_path_get(s->w->p.n[s->node].r, dest, &path);
}

static void
do_random(void *arg, uint8_t *out, size_t n)
{
	(void)arg;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(i * 37 + 11);
}

static void
on_message(void *arg, const struct post_message *m)
{
	struct side *s = arg;

	s->got++;
	s->last = *m;
	assert_true(m->m.content.n <= sizeof(s->content));
	memcpy(s->content, m->m.content.p, m->m.content.n);
	assert_true(lxmf_signed_by(&m->m, s->w->s[0].pub));
}

static void
on_ended(void *arg, uint64_t tag, enum post_end end, const char *why)
{
	struct side *s = arg;

	assert_int_equal(tag, 7);
	s->ended++;
	s->end = end;
	s->why = why;
}

static void
on_looked(void *arg, enum post_look how, unsigned n)
{
	struct side *s = arg;

	s->looks++;
	s->look = how;
	s->looked = n;
}

/* Before the real propagation node so many that nobody has heard of. */
static void
side_new(struct world *w, int node, unsigned nbogus, bool real)
{
	struct side *s = &w->s[node];
	struct post_io io = {s, do_submit, do_known, do_path, do_random,
	    on_message, on_ended, on_looked, NULL};
	struct post_conf conf = {.tags = UINT64_C(1) << 59};
	struct hash16 hash;

	s->w = w;
	s->node = node;
	s->keep = true;
	memset(s->priv, 0x41 + node, sizeof(s->priv));
	(void)rns_identity_derive(s->pub, &hash, s->priv);
	memcpy(conf.identity, s->priv, RNS_KEY);
	for (unsigned i = 0; node == 0 && i < nbogus; i++)
		conf.nodes[conf.nnodes++].b[0] = (uint8_t)(i + 1);
	if (node == 0 && real)
		conf.nodes[conf.nnodes++] = w->p.dest;
	s->post = post_new(&conf, &io, w->p.now);
	assert_non_null(s->post);
}

static struct world *
world_of(unsigned nbogus, bool real)
{
	static struct world w;
	const struct pair_opts o = {.name = LXMF_PROPAGATION,
	    .resources = RNS_ACCEPT_ALL, .prove = RNS_PROVE_ALL,
	    .delay_us = STEP / 2};

	memset(&w, 0, sizeof(w));
	pair_new(&w.p, &o);
	pair_handler(&w.p, LXMF_GET, RNS_ALLOW_ALL, NULL, 0, 0);
	side_new(&w, 0, nbogus, real);
	side_new(&w, 1, 0, false);
	w.one = *post_address(w.s[1].post);
	return &w;
}

static struct world *
world_new(void)
{
	return world_of(0, true);
}

static void
world_free(struct world *w)
{
	post_free(w->s[0].post);
	post_free(w->s[1].post);
	pair_free(&w->p);
}

static void
announce_node(struct world *w, bool active)
{
	struct rns_cmd c = {.type = RNS_CMD_ANNOUNCE};
	uint8_t data[64];
	struct wr a = wr_make(data, sizeof(data));

	mpk_put_array(&a, 7);
	mpk_put_bool(&a, false);
	mpk_put_uint(&a, 1700000000);
	mpk_put_bool(&a, active);
	mpk_put_uint(&a, 256);
	mpk_put_uint(&a, 10240);
	mpk_put_array(&a, 3);
	mpk_put_uint(&a, COST);
	mpk_put_uint(&a, 1);
	mpk_put_uint(&a, 18);
	mpk_put_map(&a, 0);
	c.announce.dest = w->p.dest;
	c.announce.app_data = data;
	c.announce.app_data_len = a.len;
	assert_int_equal(pair_submit(&w->p, 1, &c), RNS_OK);
}

/* ---- the propagation node ---- */

static void
node_stores(struct world *w, const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n);
	struct stamp_work work;
	struct id32 id, product;
	const uint8_t *one;
	double time;

	assert_true(mpk_get_array(&r, &n) && n == 2);
	assert_true(mpk_get_number(&r, &time));
	assert_true(mpk_get_array(&r, &n) && n == 1);
	assert_true(mpk_get_bin(&r, &one, &n) && rd_end(&r));
	w->sealed_len = n - STAMP_LEN;
	memcpy(w->sealed, one, w->sealed_len);
	crypt_sha256(&id, one, w->sealed_len);
	stamp_work(&work, &id, sizeof(id), LXMF_NODE_ROUNDS);
	stamp_product(&product, &work, one + w->sealed_len, STAMP_LEN);
	assert_true(stamp_valid(&product, COST * STAMP_BIT));
	w->stored++;
}

/* [nil, nil], [[ids], nil, kB] or [nil, [ids]]. */
static size_t
node_says(struct world *w, const struct rns_event *ev)
{
	struct wr a = wr_make(w->answer, sizeof(w->answer));
	struct rd r = rd_make(ev->request.data, ev->request.len);
	struct id32 id;
	size_t n;

	assert_true(mpk_get_array(&r, &n));
	if (w->refuses || !ev->request.identified) {
		mpk_put_uint(&a, w->refuses ? 0xf1 : 0xf0);
	} else if (!mpk_get_nil(&r)) { /* wanted */
		assert_true(mpk_get_array(&r, &n) && n == 1);
		assert_true(mpk_get_bin_exact(&r, &id, sizeof(id)));
		assert_true(id32_eq(&id, &w->offered));
		mpk_put_array(&a, 1);
		mpk_put_bin(&a, w->sealed, w->sealed_len);
	} else if (mpk_get_nil(&r)) {
		mpk_put_array(&a, w->sealed_len > 0);
		if (w->sealed_len > 0)
			mpk_put_bin(&a, &w->offered, sizeof(w->offered));
	} else {
		assert_true(mpk_get_array(&r, &n) && n == 1);
		assert_true(mpk_get_bin_exact(&r, &id, sizeof(id)));
		assert_true(id32_eq(&id, &w->offered));
		w->deleted++;
		w->sealed_len = 0;
		mpk_put_array(&a, 0);
	}
	return a.len;
}

static void
node_event(struct world *w, const struct rns_event *ev)
{
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};

	if (ev->type == RNS_EV_LINK_DATA)
		node_stores(w, ev->packet.data, ev->packet.len);
	else if (ev->type == RNS_EV_RESOURCE_DATA)
		node_stores(w, ev->resource.data, ev->resource.len);
	if (ev->type != RNS_EV_REQUEST)
		return;
	c.respond.link = ev->request.link;
	c.respond.request_id = ev->request.request_id;
	c.respond.data = w->answer;
	c.respond.len = node_says(w, ev);
	assert_int_equal(pair_submit(&w->p, 1, &c), RNS_OK);
}

/* ---- turns ---- */

static void
word(struct world *w, struct side *s)
{
	uint64_t handle = s->last.handle;

	if (handle == 0 || s->silent)
		return;
	s->last.handle = 0;
	post_taken(s->post, handle, s->keep, w->p.now);
}

static void
turn(struct world *w)
{
	struct pair_event *e;

	pair_wait(&w->p, STEP);
	for (int i = 0; i < 2; i++) {
		struct post *post = w->s[i].post;

		while ((e = TAILQ_FIRST(&w->p.n[i].events)) != NULL) {
			TAILQ_REMOVE(&w->p.n[i].events, e, entry);
			if ((post == NULL ||
				!post_event(post, &e->ev, w->p.now)) && i == 1)
				node_event(w, &e->ev);
			free(e->data);
			free(e->metadata);
			free(e);
		}
		if (post == NULL)
			continue;
		word(w, &w->s[i]);
		while (post_busy(post))
			post_work(post, 1000, w->p.now);
		/* asked for no more often than it says */
		if (mono_reached(w->p.now, post_deadline(post)))
			post_tick(post, w->p.now);
	}
}

/* The other party is not there, and was never heard of. */
static void
goes(struct world *w)
{
	post_free(w->s[1].post);
	w->s[1].post = NULL;
}

static void
run(struct world *w, unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 10; i++)
		turn(w);
}

static void
until(struct world *w, const unsigned *count, unsigned n)
{
	for (unsigned i = 0; i < 36000 && *count < n; i++)
		turn(w);
	assert_int_equal(*count, n);
}

static void
send(struct world *w, size_t content, enum post_way way, bool with_key,
    struct mono end)
{
	static uint8_t text[300], packed[1024];
	struct post_letter l = {.tag = 7, .packed = packed, .way = way,
	    .until = end};
	struct lxmf m = {.time = 1700000000.5, .content = {text, content}};

	memset(text, 'x', sizeof(text));
	lxmf_address(&m.source, w->s[0].pub);
	lxmf_address(&m.dest, w->s[1].pub);
	assert_int_equal(lxmf_pack(packed, &l.len, sizeof(packed), NULL, &m,
			     NULL, w->s[0].priv),
	    RNS_OK);
	l.pub = with_key ? w->s[1].pub : NULL;
	assert_int_equal(post_send(w->s[0].post, &l, w->p.now), RNS_OK);
}

/* ---- to the destination ---- */

static void
direct(void **state)
{
	static const struct {
		size_t content;
		enum post_by by;
		unsigned cost;
	} t[] = {
	    {10, POST_BY_PACKET, 0},
	    {300, POST_BY_LINK, 0},
	    {10, POST_BY_PACKET, COST},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct world *w = world_new();

		assert_int_equal(post_announce(w->s[1].post, "b", t[i].cost),
		    RNS_OK);
		run(w, 1);
		send(w, t[i].content, POST_ANY, false, MONO_NEVER);
		until(w, &w->s[0].ended, 1);
		assert_int_equal(w->s[0].end, POST_DELIVERED);
		assert_int_equal(w->s[1].got, 1);
		assert_int_equal(w->s[1].last.by, t[i].by);
		assert_int_equal(w->s[1].last.m.has_stamp, t[i].cost > 0);
		world_free(w);
	}
}

/* A resource; what does not fit an MDU of 431. */
static void
by_resource(void **state)
{
	struct world *w = world_new();
	static uint8_t data[2000], packed[4096];
	struct post_letter l = {.tag = 7, .packed = packed,
	    .way = POST_DIRECT, .until = MONO_NEVER};
	struct lxmf m = {.time = 1, .has_data = true, .data = {data, 2000}};

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * i >> 3);
	lxmf_address(&m.source, w->s[0].pub);
	lxmf_address(&m.dest, w->s[1].pub);
	assert_int_equal(lxmf_pack(packed, &l.len, sizeof(packed), NULL, &m,
			     NULL, w->s[0].priv),
	    RNS_OK);
	assert_int_equal(post_announce(w->s[1].post, NULL, 0), RNS_OK);
	run(w, 1);
	assert_int_equal(post_send(w->s[0].post, &l, w->p.now), RNS_OK);
	until(w, &w->s[0].ended, 1);
	assert_int_equal(w->s[0].end, POST_DELIVERED);
	until(w, &w->s[1].got, 1);
	assert_int_equal(w->s[1].last.by, POST_BY_LINK);
	world_free(w);
}

/* Without a word it is not proved, and is sent again over a link. */
static void
no_word(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->s[1].keep = false;
	assert_int_equal(post_announce(w->s[1].post, "b", 0), RNS_OK);
	run(w, 1);
	send(w, 10, POST_DIRECT, false, mono_add(w->p.now, 300 * MONO_SECOND));
	run(w, 20);
	assert_int_equal(w->s[0].ended, 0);
	assert_int_equal(w->s[1].got, 1);
	w->s[1].keep = true;
	until(w, &w->s[0].ended, 1);
	assert_int_equal(w->s[1].got, 2);
	assert_int_equal(w->s[0].end, POST_DELIVERED);
	world_free(w);
}

/* Nobody there: its time runs out, and it says what was lacking. */
static void
nobody(void **state)
{
	struct world *w = world_new();

	(void)state;
	goes(w);
	send(w, 10, POST_DIRECT, true, mono_add(w->p.now, 100 * MONO_SECOND));
	run(w, 99);
	assert_int_equal(w->s[0].ended, 0);
	until(w, &w->s[0].ended, 1);
	assert_int_equal(w->s[0].end, POST_FAILED);
	assert_string_equal(w->s[0].why,
	    "there is no path to its destination");
	world_free(w);
}

/* ---- through the node ---- */

static void
stored(void **state)
{
	static const size_t content[] = {10, 300};
	struct post_counts c;

	(void)state;
	for (size_t i = 0; i < NELEM(content); i++) {
		struct world *w = world_new();
		uint8_t plain[4096];
		struct lxmf m;
		size_t n;

		goes(w);
		announce_node(w, true);
		run(w, 1);
		/* it was never heard of: the key is what was given */
		send(w, content[i], POST_ANY, true, MONO_NEVER);
		until(w, &w->s[0].ended, 1);
		assert_int_equal(w->s[0].end, POST_STORED);
		assert_int_equal(w->stored, 1);
		assert_int_equal(lxmf_unseal(plain, &n, sizeof(plain), NULL,
				     w->sealed, w->sealed_len, w->s[1].priv,
				     NULL, 0),
		    RNS_OK);
		assert_int_equal(lxmf_parse(&m, plain, n), RNS_OK);
		assert_true(lxmf_signed_by(&m, w->s[0].pub));
		assert_int_equal(m.content.n, content[i]);
		post_counts(w->s[0].post, &c);
		assert_int_equal(c.stored, 1);
		assert_int_equal(c.waiting, 0);
		world_free(w);
	}
}

/* A message of node 0 to itself lies at the node. */
static void
lies_there(struct world *w)
{
	uint8_t packed[512], random[LXMF_SEAL_RANDOM] = {1};
	struct lxmf m = {.time = 2, .content = {(const uint8_t *)"hi", 2}};
	size_t n;

	lxmf_address(&m.source, w->s[0].pub);
	m.dest = m.source;
	assert_int_equal(lxmf_pack(packed, &n, sizeof(packed), NULL, &m, NULL,
			     w->s[0].priv),
	    RNS_OK);
	assert_int_equal(lxmf_seal(w->sealed, &w->sealed_len,
			     sizeof(w->sealed), &w->offered, packed, n,
			     w->s[0].pub, NULL, random),
	    RNS_OK);
}

/* The next one of several takes what the first ones cannot be given. */
static void
several(void **state)
{
	(void)state;
	for (unsigned bogus = 1; bogus < POST_NODES; bogus++) {
		struct world *w = world_of(bogus, true);
		struct mono at = w->p.now;

		goes(w);
		announce_node(w, true);
		run(w, 1);
		send(w, 10, POST_ANY, true, MONO_NEVER);
		until(w, &w->s[0].ended, 1);
		assert_int_equal(w->s[0].end, POST_STORED);
		assert_int_equal(w->stored, 1);
		/* one search for a path each, and no pause between */
		assert_true(mono_sub(w->p.now, at) <
		    (10 + 16 * (int64_t)bogus) * MONO_SECOND);
		/* a look goes into each of them, and ends once */
		lies_there(w);
		assert_int_equal(post_look(w->s[0].post, w->p.now), RNS_OK);
		until(w, &w->s[0].looks, 1);
		assert_int_equal(w->s[0].look, POST_LOOK_DONE);
		assert_true(w->s[0].looked == 1 && w->deleted == 1);
		run(w, 120);
		assert_int_equal(w->s[0].looks, 1);
		/* letters of that time and a look do not wait for each other */
		send(w, 10, POST_NODE, true, MONO_NEVER);
		assert_int_equal(post_look(w->s[0].post, w->p.now), RNS_OK);
		until(w, &w->s[0].looks, 2);
		until(w, &w->s[0].ended, 2);
		assert_int_equal(w->stored, 2);
		world_free(w);
	}
}

/* All of the mesh is not asked again and again for who is not there. */
static void
searches(void **state)
{
	struct world *w = world_of(2, false);

	(void)state;
	goes(w);
	send(w, 10, POST_ANY, true, MONO_NEVER);
	run(w, 6);
	assert_int_equal(w->s[0].searches, 1);
	run(w, 3594);
	assert_int_equal(w->s[0].ended, 0);
	assert_in_range(w->s[0].searches, 4, 6);
	/* it is heard: at once to it */
	side_new(w, 1, 0, false);
	assert_int_equal(post_announce(w->s[1].post, "b", 0), RNS_OK);
	until(w, &w->s[0].ended, 1);
	assert_int_equal(w->s[0].end, POST_DELIVERED);
	world_free(w);
}

/* A proof counts whenever it comes: at once, or when another way was taken. */
static void
proofs(void **state)
{
	struct world *w = world_new();
	struct rns_event ev = {.type = RNS_EV_RECEIPT};

	(void)state;
	assert_int_equal(post_announce(w->s[1].post, "b", 0), RNS_OK);
	run(w, 1);
	w->s[0].at_once = true;
	send(w, 10, POST_ANY, false, MONO_NEVER);
	until(w, &w->s[0].ended, 1);
	assert_int_equal(w->s[0].end, POST_DELIVERED);
	w->s[0].at_once = false;
	w->s[1].keep = false;
	send(w, 10, POST_DIRECT, false, MONO_NEVER);
	run(w, 12);
	assert_int_equal(w->s[0].ended, 1);
	ev.receipt.tag = w->s[0].packet;
	ev.receipt.status = RNS_RECEIPT_DELIVERED;
	assert_true(post_event(w->s[0].post, &ev, w->p.now));
	assert_true(w->s[0].ended == 2 && w->s[0].end == POST_DELIVERED);
	/* once */
	assert_false(post_event(w->s[0].post, &ev, w->p.now));
	world_free(w);
}

/* Not while it takes nothing; as soon as it does. */
static void
inactive(void **state)
{
	struct world *w = world_new();

	(void)state;
	announce_node(w, false);
	run(w, 1);
	send(w, 10, POST_NODE, true, MONO_NEVER);
	run(w, 60);
	assert_int_equal(w->s[0].ended, 0);
	announce_node(w, true);
	until(w, &w->s[0].ended, 1);
	assert_int_equal(w->s[0].end, POST_STORED);
	world_free(w);
}

/* For nobody that is known. */
static void
keyless(void **state)
{
	struct world *w = world_new();

	(void)state;
	goes(w);
	announce_node(w, true);
	run(w, 1);
	send(w, 10, POST_NODE, false, mono_add(w->p.now, 60 * MONO_SECOND));
	until(w, &w->s[0].ended, 1);
	assert_int_equal(w->s[0].end, POST_FAILED);
	assert_string_equal(w->s[0].why,
	    "the key of its destination is not known");
	world_free(w);
}

/* ---- looking ---- */

static struct world *
looking(void)
{
	struct world *w = world_new();

	announce_node(w, true);
	run(w, 1);
	lies_there(w);
	assert_int_equal(post_look(w->s[0].post, w->p.now), RNS_OK);
	return w;
}

static void
fetched(void **state)
{
	struct world *w = looking();

	(void)state;
	until(w, &w->s[0].looks, 1);
	assert_int_equal(w->s[0].look, POST_LOOK_DONE);
	assert_int_equal(w->s[0].looked, 1);
	assert_int_equal(w->s[0].got, 1);
	assert_int_equal(w->s[0].last.by, POST_BY_NODE);
	assert_true(id32_eq(&w->s[0].last.transient, &w->offered));
	assert_memory_equal(w->s[0].content, "hi", 2);
	assert_int_equal(w->deleted, 1);
	/* nothing is there any more */
	assert_int_equal(post_look(w->s[0].post, w->p.now), RNS_OK);
	until(w, &w->s[0].looks, 2);
	assert_int_equal(w->s[0].looked, 0);
	world_free(w);
}

/* What was not kept stays at the node, and comes with the next look. */
static void
not_kept(void **state)
{
	struct world *w = looking();

	(void)state;
	w->s[0].keep = false;
	until(w, &w->s[0].looks, 1);
	assert_int_equal(w->deleted, 0);
	w->s[0].silent = true; /* no word at all */
	assert_int_equal(post_look(w->s[0].post, w->p.now), RNS_OK);
	until(w, &w->s[0].looks, 2);
	assert_int_equal(w->deleted, 0);
	assert_int_equal(w->s[0].got, 2);
	/* one that comes too late counts for nothing */
	post_taken(w->s[0].post, w->s[0].last.handle, true, w->p.now);
	w->s[0].last.handle = 0;
	w->s[0].silent = false;
	w->s[0].keep = true;
	assert_int_equal(post_look(w->s[0].post, w->p.now), RNS_OK);
	until(w, &w->s[0].looks, 3);
	assert_int_equal(w->s[0].got, 3);
	assert_int_equal(w->deleted, 1);
	world_free(w);
}

/* Bytes that nobody can read are not fetched for ever. */
static void
unreadable(void **state)
{
	struct world *w = looking();
	struct post_counts c;

	(void)state;
	w->sealed[w->sealed_len - 1] ^= 1;
	crypt_sha256(&w->offered, w->sealed, w->sealed_len);
	until(w, &w->s[0].looks, 1);
	assert_int_equal(w->s[0].got, 0);
	assert_int_equal(w->deleted, 1);
	post_counts(w->s[0].post, &c);
	assert_int_equal(c.malformed, 1);
	world_free(w);
}

static void
no_access(void **state)
{
	struct world *w = looking();

	(void)state;
	w->refuses = true;
	until(w, &w->s[0].looks, 1);
	assert_int_equal(w->s[0].look, POST_LOOK_REFUSED);
	world_free(w);
}

static void
no_node(void **state)
{
	struct world *w = world_of(1, false);

	(void)state;
	assert_int_equal(post_look(w->s[1].post, w->p.now), RNS_ENOENT);
	assert_int_equal(post_look(w->s[0].post, w->p.now), RNS_OK);
	until(w, &w->s[0].looks, 1); /* there is none of that name */
	assert_int_equal(w->s[0].look, POST_LOOK_UNREACHED);
	world_free(w);
}

/* ---- bounds ---- */

static void
bounds(void **state)
{
	struct world *w = world_new();
	struct post_letter l = {.tag = 7, .packed = w->answer, .len = 20};
	struct post_counts c;

	(void)state;
	assert_int_equal(post_send(w->s[0].post, &l, w->p.now), RNS_EPARSE);
	l.len = POST_MESSAGE_MAX + 1;
	assert_int_equal(post_send(w->s[0].post, &l, w->p.now), RNS_EBIG);
	for (unsigned i = 0; i < POST_QUEUE; i++)
		send(w, 1, POST_ANY, true, MONO_NEVER);
	post_counts(w->s[0].post, &c);
	assert_int_equal(c.waiting, POST_QUEUE);
	post_cancel(w->s[0].post, 7);
	assert_int_equal(w->s[0].ended, POST_QUEUE);
	assert_int_equal(w->s[0].end, POST_CANCELLED);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(direct),
	    cmocka_unit_test(by_resource),
	    cmocka_unit_test(no_word),
	    cmocka_unit_test(nobody),
	    cmocka_unit_test(stored),
	    cmocka_unit_test(several),
	    cmocka_unit_test(searches),
	    cmocka_unit_test(proofs),
	    cmocka_unit_test(inactive),
	    cmocka_unit_test(keyless),
	    cmocka_unit_test(fetched),
	    cmocka_unit_test(not_kept),
	    cmocka_unit_test(unreadable),
	    cmocka_unit_test(no_access),
	    cmocka_unit_test(no_node),
	    cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
