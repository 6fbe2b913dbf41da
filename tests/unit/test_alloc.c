/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocation torture: two cores live through announce, packet, link, request,
 * response, resource, channel and stream once for each allocation that the
 * library makes, and that one fails. Nothing may crash, and nothing may be
 * left when both are gone. Linked with --wrap of the allocator.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rns/rns.h>

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void __real_free(void *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
void __wrap_free(void *);

static unsigned long calls, fail_at; /* 0: never */
static long live;

static bool
must_fail(void)
{
	return ++calls == fail_at;
}

void *
__wrap_malloc(size_t n)
{
	void *p = must_fail() ? NULL : __real_malloc(n);

	live += p != NULL;
	return p;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	void *p = must_fail() ? NULL : __real_calloc(n, size);

	live += p != NULL;
	return p;
}

void *
__wrap_realloc(void *old, size_t n)
{
	void *p = must_fail() ? NULL : __real_realloc(old, n);

	live += old == NULL && p != NULL;
	return p;
}

void
__wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

#define FRAMES 64
#define FRAME_MAX 1200
#define TICKS 40
#define TICK_US 500000

struct frame {
	int to;
	size_t len;
	uint8_t data[FRAME_MAX];
};

static struct frame wire[FRAMES];
static struct rns *node[2];
static struct mono now;
static struct hash16 dest, link_id[2];
static uint8_t answer[2003], content[5000];
static struct {
	bool up, response, resource, message, stream, receipt;
} seen;

static void
numbers(void *arg, uint8_t *out, size_t n)
{
	uint32_t *state = arg;

	for (size_t i = 0; i < n; i++) {
		*state = *state * 1664525u + 1013904223u;
		out[i] = (uint8_t)(*state >> 24);
	}
}

static void
submit(int i, const struct rns_cmd *c)
{
	(void)rns_submit(node[i], c, now); /* may fail: that is the test */
}

static void
on_event(int i, const struct rns_event *ev)
{
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};

	switch (ev->type) {
	case RNS_EV_LINK_UP:
		link_id[i] = ev->link.id;
		seen.up |= i == 0;
		break;
	case RNS_EV_REQUEST:
		c.respond.link = ev->request.link;
		c.respond.request_id = ev->request.request_id;
		c.respond.data = answer;
		c.respond.len = sizeof(answer);
		submit(i, &c);
		break;
	case RNS_EV_RESPONSE:
		seen.response |= ev->response.len == sizeof(answer);
		break;
	case RNS_EV_RESOURCE_DONE:
		seen.resource |= ev->resource.status == RNS_RES_COMPLETE;
		break;
	case RNS_EV_CHANNEL_MESSAGE:
		seen.message = true;
		break;
	case RNS_EV_STREAM_DATA:
		seen.stream = true;
		break;
	case RNS_EV_RECEIPT:
		seen.receipt |= ev->receipt.status == RNS_RECEIPT_DELIVERED;
		break;
	default:
		break;
	}
}

static size_t
collect(void)
{
	struct rns_event ev;
	struct rns_tx tx;
	size_t n = 0;

	for (int i = 0; i < 2; i++) {
		while (rns_next_tx(node[i], &tx)) {
			if (n == FRAMES || tx.len > FRAME_MAX)
				continue; /* lost */
			wire[n].to = 1 - i;
			wire[n].len = tx.len;
			memcpy(wire[n++].data, tx.data, tx.len);
		}
		while (rns_next_event(node[i], &ev))
			on_event(i, &ev);
	}
	return n;
}

static void
run(int ticks)
{
	size_t n;

	for (int t = 0; t < ticks; t++) {
		for (int round = 0; round < 100 && (n = collect()) > 0; round++)
			for (size_t i = 0; i < n; i++)
				(void)rns_recv(node[wire[i].to], 1,
				    wire[i].data, wire[i].len, now);
		now.us += TICK_US;
		for (int i = 0; i < 2; i++)
			rns_tick(node[i], now);
	}
}

static bool
make_node(int i, uint32_t *seed)
{
	struct rns_config cfg = {.random = numbers, .random_arg = seed,
	    .wall_us = INT64_C(1700000000000000), .implicit_proof = true};
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD};

	rns_limits_default(&cfg.limits);
	cfg.limits.hashes = 1024;
	memset(cfg.identity, i + 1, sizeof(cfg.identity));
	node[i] = rns_new(&cfg, now);
	if (node[i] == NULL)
		return false;
	c.iface.id = 1;
	c.iface.kind = RNS_IF_NET;
	c.iface.mode = RNS_MODE_FULL;
	c.iface.bitrate = 10000000;
	c.iface.hw_mtu = 1064;
	c.iface.out = c.iface.online = true;
	submit(i, &c);
	return true;
}

static void
make_dest(void)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD};
	uint8_t pub[RNS_KEY];
	struct hash16 id;

	memset(c.dest.identity, 0x33, RNS_KEY);
	(void)rns_identity_derive(pub, &id, c.dest.identity);
	(void)rns_dest_hash(&dest, "test.alloc", &id);
	c.dest.name = "test.alloc";
	c.dest.has_identity = true;
	c.dest.prove = RNS_PROVE_ALL;
	c.dest.accept_links = true;
	c.dest.resources = RNS_ACCEPT_ALL;
	c.dest.ratchets = true;
	submit(1, &c);
	c = (struct rns_cmd){.type = RNS_CMD_HANDLER_ADD};
	c.handler.dest = dest;
	c.handler.path = "/x";
	c.handler.allow = RNS_ALLOW_ALL;
	submit(1, &c);
	c = (struct rns_cmd){.type = RNS_CMD_APP_DATA};
	c.announce.dest = dest;
	c.announce.app_data = (const uint8_t *)"app";
	c.announce.app_data_len = 3;
	submit(1, &c);
	c.type = RNS_CMD_ANNOUNCE;
	submit(1, &c);
	c = (struct rns_cmd){.type = RNS_CMD_BLACKHOLE};
	c.blackhole.on = true;
	submit(1, &c);
}

static void
use_link(void)
{
	struct rns_cmd c = {.type = RNS_CMD_REQUEST};
	size_t taken;

	c.request.link = link_id[0];
	c.request.path = "/x";
	submit(0, &c);
	run(TICKS);
	c = (struct rns_cmd){.type = RNS_CMD_RESOURCE_SEND};
	c.resource.link = link_id[0];
	c.resource.data = content;
	c.resource.len = sizeof(content);
	c.resource.compress = true;
	submit(0, &c);
	run(TICKS);
	c = (struct rns_cmd){.type = RNS_CMD_CHANNEL_OPEN};
	c.hash = link_id[1];
	submit(1, &c);
	c = (struct rns_cmd){.type = RNS_CMD_STREAM_OPEN};
	c.stream.link = link_id[1];
	c.stream.stream = 7;
	submit(1, &c);
	c = (struct rns_cmd){.type = RNS_CMD_CHANNEL_SEND};
	c.channel.link = link_id[0];
	c.channel.msgtype = 5;
	c.channel.data = content;
	c.channel.len = 20;
	submit(0, &c);
	c = (struct rns_cmd){.type = RNS_CMD_STREAM_SEND};
	c.stream.link = link_id[0];
	c.stream.stream = 7;
	c.stream.data = content;
	c.stream.len = 100;
	c.stream.taken = &taken;
	submit(0, &c);
	run(TICKS);
	c = (struct rns_cmd){.type = RNS_CMD_LINK_CLOSE};
	c.hash = link_id[0];
	submit(0, &c);
	run(4);
}

static void
scenario(void)
{
	uint32_t seeds[2] = {1, 2};
	struct rns_cmd c = {.type = RNS_CMD_PACKET};

	memset(&seen, 0, sizeof(seen));
	now = (struct mono){MONO_SECOND};
	node[0] = node[1] = NULL;
	if (make_node(0, &seeds[0]) && make_node(1, &seeds[1])) {
		make_dest();
		run(4);
		c.packet.dest = dest;
		c.packet.data = content;
		c.packet.len = 50;
		c.packet.receipt = true;
		submit(0, &c);
		run(4);
		c = (struct rns_cmd){.type = RNS_CMD_LINK_OPEN};
		c.link_open.dest = dest;
		submit(0, &c);
		run(TICKS);
		use_link();
	}
	rns_free(node[0]);
	rns_free(node[1]);
}

static void
test_all_failures(void **state)
{
	unsigned long total;

	(void)state;
	answer[0] = 0xc5; /* bin 16 of 2,000 bytes */
	answer[1] = 2000 >> 8;
	answer[2] = 2000 & 0xff;
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i * i >> 3);
	calls = fail_at = 0;
	scenario();
	assert_int_equal(live, 0);
	total = calls;
	assert_true(seen.receipt);
	assert_true(seen.up);
	assert_true(seen.response);
	assert_true(seen.resource);
	assert_true(seen.message);
	assert_true(seen.stream);
	assert_true(total > 50);
	for (fail_at = 1; fail_at <= total; fail_at++) {
		calls = 0;
		scenario();
		if (live != 0)
			fail_msg("allocation %lu of %lu: %ld left", fail_at,
			    total, live);
	}
	fail_at = 0;
}

static void
test_deframer(void **state)
{
	static const uint8_t frame[] = {0x7e, 1, 2, 3};
	struct rns_deframer *d;

	(void)state;
	calls = 0;
	fail_at = 1;
	assert_null(rns_deframer_new(RNS_FRAME_HDLC, 500));
	calls = 0;
	fail_at = 2;
	d = rns_deframer_new(RNS_FRAME_HDLC, 500);
	assert_non_null(d);
	assert_int_equal(rns_deframer_feed(d, frame, sizeof(frame)),
	    RNS_ENOMEM);
	assert_int_equal(rns_deframer_feed(d, frame, sizeof(frame)), RNS_OK);
	rns_deframer_free(d);
	fail_at = 0;
	assert_int_equal(live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_deframer),
	    cmocka_unit_test(test_all_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
