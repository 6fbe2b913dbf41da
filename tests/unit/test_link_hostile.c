/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/crypt.h"
#include "transport/core/link/resource.h"
#include "tests/unit/link_pair.h"
#include "tests/unit/vec.h"

/*
 * Every truncation and every single-bit flip of good packets of each context,
 * into a live pair: as they stand on the wire, where nothing may come of them,
 * and of their plaintext, sealed again with the link's own key, where anything
 * may but a fault, a leak, or memory beyond the limits.
 */

#define RESOURCE_BYTES 200000
#define CAUGHT_MAX 64

struct caught {
	int to;
	uint8_t *raw;
	size_t len;
};

struct scene {
	struct pair p;
	struct caught caught[CAUGHT_MAX];
	size_t count;
	const struct caught *now;
};

static struct rns_cmd
on_link(const struct pair *p, enum rns_cmd_type type)
{
	struct rns_cmd c = {.type = type};

	c.hash = p->link;
	return c;
}

static bool
catch(void *arg, int from, const uint8_t *raw, size_t n)
{
	struct scene *s = arg;
	unsigned same = 0;

	for (size_t i = 0; i < s->count; i++)
		same += s->caught[i].raw[18] == raw[18] &&
		    s->caught[i].to == 1 - from &&
		    s->caught[i].raw[0] == raw[0];
	if (s->count < CAUGHT_MAX && same < 1) {
		s->caught[s->count].to = 1 - from;
		s->caught[s->count].raw = vec_copy(raw, n);
		s->caught[s->count++].len = n;
	}
	return true;
}

static void
scene_up(struct scene *s)
{
	struct rns_cmd c;

	pair_new(&s->p, &(struct pair_opts){.delay_us = 1000,
	    .resources = RNS_ACCEPT_ALL, .prove = RNS_PROVE_ALL,
	    .resource_bytes = RESOURCE_BYTES});
	pair_handler(&s->p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
	pair_up(&s->p);
	c = on_link(&s->p, RNS_CMD_STREAM_OPEN);
	c.stream.stream = 3;
	assert_int_equal(pair_submit(&s->p, 0, &c), RNS_OK);
	assert_int_equal(pair_submit(&s->p, 1, &c), RNS_OK);
}

/* Some of everything, both ways, with transfers left open. */
static void
scene_traffic(struct scene *s)
{
	static uint8_t data[60000];
	static const uint8_t text[] = "\xa5hello";
	struct pair *p = &s->p;
	const struct rns_event *ev;
	struct rns_cmd c;
	size_t taken;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	c = on_link(p, RNS_CMD_LINK_IDENTIFY);
	memset(c.identify.identity, 0x42, RNS_KEY);
	assert_int_equal(pair_submit(p, 0, &c), RNS_OK);
	c = on_link(p, RNS_CMD_LINK_SEND);
	c.packet.data = text;
	c.packet.len = sizeof(text) - 1;
	c.packet.receipt = true;
	assert_int_equal(pair_submit(p, 0, &c), RNS_OK);
	c = on_link(p, RNS_CMD_REQUEST);
	c.request.path = "/echo";
	c.request.data = text;
	c.request.len = sizeof(text) - 1;
	assert_int_equal(pair_submit(p, 0, &c), RNS_OK);
	pair_wait(p, 5000);
	ev = pair_take(p, 1, RNS_EV_REQUEST);
	assert_non_null(ev);
	c = on_link(p, RNS_CMD_RESPOND);
	c.respond.request_id = ev->request.request_id;
	c.respond.data = text;
	c.respond.len = sizeof(text) - 1;
	assert_int_equal(pair_submit(p, 1, &c), RNS_OK);
	c = on_link(p, RNS_CMD_CHANNEL_SEND);
	c.channel.msgtype = 1;
	c.channel.data = text;
	c.channel.len = 6;
	assert_int_equal(pair_submit(p, 0, &c), RNS_OK);
	c = on_link(p, RNS_CMD_STREAM_SEND);
	c.stream.stream = 3;
	c.stream.data = data;
	c.stream.len = 1000;
	c.stream.taken = &taken;
	assert_int_equal(pair_submit(p, 1, &c), RNS_OK);
	for (int from = 0; from < 2; from++) {
		c = on_link(p, RNS_CMD_RESOURCE_SEND);
		c.resource.data = data;
		c.resource.len = sizeof(data);
		c.resource.tag = 1;
		assert_int_equal(pair_submit(p, from, &c), RNS_OK);
	}
	pair_wait(p, 20000);
}

static void
scene_rest(struct scene *s)
{
	struct pair *p = &s->p;
	struct rns_cmd c = on_link(p, RNS_CMD_RESOURCE_CANCEL);
	const struct res_in *x;

	pair_wait(p, 20 * MONO_SECOND); /* keepalives, proofs */
	c.cancel.tag = 1;
	(void)pair_submit(p, 0, &c);
	static uint8_t more[30000];
	struct rns_cmd d = on_link(p, RNS_CMD_RESOURCE_SEND);
	d.resource.data = more;
	d.resource.len = sizeof(more);
	d.resource.tag = 2;
	assert_int_equal(pair_submit(p, 0, &d), RNS_OK);
	pair_wait(p, 8000);
	c.cancel.tag = 2;
	assert_int_equal(pair_submit(p, 0, &c), RNS_OK);
	pair_wait(p, 5000);
	assert_int_equal(pair_submit(p, 0, &d), RNS_OK);
	pair_wait(p, 8000);
	x = TAILQ_FIRST(&link_find(p->n[1].r, &p->link)->res_in);
	assert_non_null(x);
	c.cancel.incoming = true;
	c.cancel.hash = x->orig;
	assert_int_equal(pair_submit(p, 1, &c), RNS_OK);
	pair_wait(p, 5000);
	c = on_link(p, RNS_CMD_LINK_CLOSE);
	assert_int_equal(pair_submit(p, 0, &c), RNS_OK);
	pair_wait(p, 5000);
}

static void
scene_down(struct scene *s)
{
	pair_wait(&s->p, 2 * MONO_SECOND);
	for (int i = 0; i < 2; i++)
		assert_true(s->p.n[i].r->resource_bytes <= RESOURCE_BYTES);
	pair_free(&s->p);
}

/* The header is not sealed: a turned context may close the link, data not. */
static void
feed(void *arg, const uint8_t *raw, size_t n)
{
	struct scene *s = arg;
	struct link *l = link_find(s->p.n[s->now->to].r, &s->p.link);

	if (l == NULL) {
		scene_down(s);
		scene_up(s);
		scene_traffic(s);
	}
	pair_recv(&s->p, s->now->to, raw, n);
	if (n >= HEADER_1_LEN && memcmp(raw, s->now->raw, HEADER_1_LEN) == 0)
		assert_non_null(link_find(s->p.n[s->now->to].r, &s->p.link));
	s->p.now.us += 10;
	pair_forget(&s->p);
}

/* The same of the plaintext, with the key of the link. */
static void
feed_sealed(void *arg, const uint8_t *plain, size_t n)
{
	struct scene *s = arg;
	static uint64_t count;
	uint8_t raw[2048], iv[16] = {0};
	struct link *l = link_find(s->p.n[s->now->to].r, &s->p.link);
	size_t len;

	if (l == NULL) { /* something closed it, as it may */
		scene_down(s);
		scene_up(s);
		scene_traffic(s);
		l = link_find(s->p.n[s->now->to].r, &s->p.link);
	}
	put_u64(iv, ++count);
	(void)packet_head(raw, s->now->raw[0], &s->p.link, s->now->raw[18]);
	assert_int_equal(token_encrypt(raw + HEADER_1_LEN, &len,
	    sizeof(raw) - HEADER_1_LEN, l->key, 64, iv, plain, n), RNS_OK);
	pair_recv(&s->p, s->now->to, raw, HEADER_1_LEN + len);
	if (count % 16 == 0)
		pair_wait(&s->p, 3000);
	pair_forget(&s->p);
}

static bool
sealed(const struct caught *c)
{
	uint8_t x = c->raw[18];

	return c->raw[0] == 0x0c && x != CTX_RESOURCE && x != CTX_KEEPALIVE &&
	    x != CTX_CACHE_REQUEST;
}

static void
record(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	scene_up(s);
	s->p.tap = catch;
	s->p.tap_arg = s;
	scene_traffic(s);
	scene_rest(s);
	assert_true(s->count >= 20);
	scene_down(s);
}

/* The recorded bytes in the very scene they come from. */
static void
test_wire(void **state)
{
	static struct scene s;

	(void)state;
	record(&s);
	for (size_t i = 0; i < s.count; i++) {
		s.now = &s.caught[i];
		scene_up(&s);
		scene_traffic(&s);
		vec_each_prefix(s.now->raw, s.now->len, feed, &s);
		vec_each_flip(s.now->raw, s.now->len, feed, &s);
		scene_down(&s);
	}
}

static void
test_plaintext(void **state)
{
	static struct scene s;
	uint8_t plain[2048];
	size_t n;

	(void)state;
	record(&s);
	for (size_t i = 0; i < s.count; i++) {
		s.now = &s.caught[i];
		if (!sealed(s.now))
			continue;
		scene_up(&s);
		scene_traffic(&s);
		assert_int_equal(token_decrypt(plain, &n, sizeof(plain),
		    link_find(s.p.n[0].r, &s.p.link)->key, 64,
		    s.now->raw + HEADER_1_LEN, s.now->len - HEADER_1_LEN),
		    RNS_OK);
		vec_each_prefix(plain, n, feed_sealed, &s);
		vec_each_flip(plain, n, feed_sealed, &s);
		scene_down(&s);
	}
}

/*
 * The struct outlives its link until the next call, the keys do not: a packet
 * of before, come late or again, can be read by nobody any more.
 */
static void
test_keys_end_with_the_link(void **state)
{
	static const uint8_t none[64];
	struct scene s = {.count = 0};
	const struct link *l;
	struct rns_cmd c;

	(void)state;
	pair_new(&s.p, &(struct pair_opts){.delay_us = 1000});
	pair_up(&s.p);
	l = link_find(s.p.n[0].r, &s.p.link);
	assert_non_null(l);
	assert_memory_not_equal(l->key, none, sizeof(l->key));
	/* its half of the exchange went when the key was there */
	assert_memory_equal(l->x_priv, none, sizeof(l->x_priv));
	s.p.tap = catch;
	s.p.tap_arg = &s;
	c = on_link(&s.p, RNS_CMD_LINK_SEND);
	c.packet.data = (const uint8_t *)"late";
	c.packet.len = 4;
	assert_int_equal(pair_submit(&s.p, 1, &c), RNS_OK);
	pair_run(&s.p);
	assert_int_equal(s.count, 1);
	c = on_link(&s.p, RNS_CMD_LINK_CLOSE);
	assert_int_equal(pair_submit(&s.p, 0, &c), RNS_OK);
	assert_int_equal(l->status, LINK_CLOSED);
	assert_memory_equal(l->key, none, sizeof(l->key));
	assert_memory_equal(l->sign_sk, none, sizeof(l->sign_sk));
	assert_null(link_find(s.p.n[0].r, &s.p.link));
	pair_recv(&s.p, 0, s.caught[0].raw, s.caught[0].len);
	pair_wait(&s.p, MONO_SECOND);
	assert_null(pair_take(&s.p, 0, RNS_EV_LINK_DATA));
	scene_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wire),
	    cmocka_unit_test(test_plaintext),
	    cmocka_unit_test(test_keys_end_with_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
