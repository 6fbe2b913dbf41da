/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/link/link.h"
#include "tests/unit/link_pair.h"
#include "common/mpk.h"

/* Two live cores: what each side sees of the other. */

#define MS INT64_C(1000)

static void
test_up_data_close(void **state)
{
	struct pair p;
	struct rns_cmd c;
	const struct rns_event *ev;
	struct rns_link_info info;
	struct rns_if_use use;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = 50 * MS,
	    .prove = RNS_PROVE_ALL, .hw_mtu = 8192});
	pair_up(&p);
	assert_true(rns_link_get(p.n[0].r, &p.link, &info));
	assert_int_equal(info.mtu, 8192);
	assert_int_equal(info.status, LINK_ACTIVE);
	assert_int_equal(info.rtt_us, 100 * MS);
	c = pair_cmd(&p, RNS_CMD_LINK_SEND);
	c.packet.data = (const uint8_t *)"hello";
	c.packet.len = 5;
	c.packet.receipt = true;
	c.packet.tag = 7;
	assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
	pair_wait(&p, 200 * MS);
	ev = pair_take(&p, 1, RNS_EV_LINK_DATA);
	assert_non_null(ev);
	assert_int_equal(ev->packet.len, 5);
	ev = pair_take(&p, 0, RNS_EV_RECEIPT);
	assert_non_null(ev);
	assert_int_equal(ev->receipt.tag, 7);
	assert_int_equal(ev->receipt.status, RNS_RECEIPT_DELIVERED);
	assert_int_equal(ev->receipt.rtt_us, 100 * MS);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rns_if_use(p.n[i].r, PAIR_IF, &use), RNS_OK);
		assert_true(use.linked.us >= 0);
	}
	c = pair_cmd(&p, RNS_CMD_LINK_CLOSE);
	assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
	pair_wait(&p, 100 * MS);
	for (int i = 0; i < 2; i++) {
		ev = pair_take(&p, i, RNS_EV_LINK_CLOSED);
		assert_non_null(ev);
		assert_int_equal(ev->link.reason, RNS_CLOSE_DESTINATION);
		assert_false(rns_link_get(p.n[i].r, &p.link, &info));
	}
	pair_free(&p);
}

static int
ask(struct pair *p, const char *path, const uint8_t *data, size_t n,
    uint64_t max)
{
	struct rns_cmd c = pair_cmd(p, RNS_CMD_REQUEST);

	c.request.path = path;
	c.request.data = data;
	c.request.len = n;
	c.request.tag = 9;
	c.request.max_response = max;
	return pair_submit(p, 0, &c);
}

static uint8_t *
packed_bin(size_t n, unsigned salt, size_t *len)
{
	uint8_t *body = pair_filler(n, salt), *b = malloc(n + 8);
	struct wr w = wr_make(b, n + 8);

	mpk_put_bin(&w, body, n);
	free(body);
	*len = w.len;
	return b;
}

static void
exchange(struct pair *p, size_t ask_n, size_t answer_n)
{
	size_t qn, an;
	uint8_t *q = packed_bin(ask_n, 1, &qn), *a = packed_bin(answer_n, 2, &an);
	const struct rns_event *ev;
	struct rns_cmd c = pair_cmd(p, RNS_CMD_RESPOND);
	bool resource = false;

	assert_int_equal(ask(p, "/echo", q, qn, 0), RNS_OK);
	ev = pair_until(p, 1, RNS_EV_REQUEST, 9 * MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->request.len, qn);
	assert_memory_equal(ev->request.data, q, qn);
	c.respond.request_id = ev->request.request_id;
	c.respond.data = a;
	c.respond.len = an;
	c.respond.tag = 77;
	c.respond.as_resource = &resource;
	assert_int_equal(pair_submit(p, 1, &c), RNS_OK);
	ev = pair_until(p, 0, RNS_EV_RESPONSE, 9 * MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->response.tag, 9);
	assert_int_equal(ev->response.len, an);
	assert_memory_equal(ev->response.data, a, an);
	pair_wait(p, 100 * MS);
	ev = pair_take(p, 1, RNS_EV_SENT);
	assert_int_equal(ev != NULL, resource);
	assert_int_equal(pair_submit(p, 1, &c), RNS_ENOENT);
	assert_int_equal(p->n[0].r->resource_bytes, 0);
	assert_int_equal(p->n[1].r->resource_bytes, 0);
	free(q);
	free(a);
	pair_forget(p);
}

static void
test_requests(void **state)
{
	static const uint32_t mtus[] = {0, 1064, 16384};
	static const size_t sizes[] = {0, 100, 396, 420, 20000, 1048575,
	    2500000};
	struct pair p;

	(void)state;
	for (size_t m = 0; m < NELEM(mtus); m++) {
		pair_new(&p, &(struct pair_opts){.hw_mtu = mtus[m],
		    .delay_us = MS});
		pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
		pair_up(&p);
		for (size_t i = 0; i < NELEM(sizes); i++) {
			exchange(&p, 10, sizes[i]);
			exchange(&p, sizes[i], 10);
		}
		pair_free(&p);
	}
}

/* Losses. every: one in so many; count alone: the first so many. */
struct lossy {
	unsigned n, every;
	uint8_t context; /* 0: any but the handshake */
	unsigned skip;   /* first so many of that context */
	unsigned count;  /* lose at most so many, 0: no end */
};

static bool
lose(void *arg, int from, const uint8_t *raw, size_t n)
{
	struct lossy *l = arg;

	(void)from;
	(void)n;
	if (raw[18] == CTX_LRRTT || raw[18] == CTX_LRPROOF || raw[0] == 2)
		return true;
	if (l->context != 0 && raw[18] != l->context)
		return true;
	if (l->skip > 0) {
		l->skip--;
		return true;
	}
	if (l->count != 0 && l->n >= l->count)
		return true;
	l->n++;
	return l->every != 0 && l->n % l->every != 0;
}

static uint64_t
send_plain(struct pair *p, int node, const uint8_t *data, size_t n,
    const char *metadata, bool compress)
{
	struct rns_cmd c = pair_cmd(p, RNS_CMD_RESOURCE_SEND);
	static uint64_t tag = 100;

	c.resource.data = data;
	c.resource.len = n;
	if (metadata != NULL) {
		c.resource.metadata = (const uint8_t *)metadata;
		c.resource.metadata_len = strlen(metadata);
	}
	c.resource.compress = compress;
	c.resource.tag = ++tag;
	assert_int_equal(pair_submit(p, node, &c), RNS_OK);
	return tag;
}

/* All data arrived at node in order; the hash in the events is one and the same. */
static void
check_plain(struct pair *p, int node, const uint8_t *data, size_t n,
    const char *metadata)
{
	const struct rns_event *ev;
	size_t at = 0;

	while ((ev = pair_take(p, node, RNS_EV_RESOURCE_DATA)) != NULL) {
		assert_true(ev->resource.offset == (at == 0 ? 0 : at +
		    (metadata != NULL ? strlen(metadata) + 3 : 0)));
		if (at == 0 && metadata != NULL)
			assert_memory_equal(ev->resource.metadata, metadata,
			    strlen(metadata));
		assert_true(at + ev->resource.len <= n);
		if (ev->resource.len > 0)
			assert_memory_equal(ev->resource.data, data + at,
			    ev->resource.len);
		at += ev->resource.len;
	}
	assert_int_equal(at, n);
	ev = pair_take(p, node, RNS_EV_RESOURCE_DONE);
	assert_non_null(ev);
	assert_int_equal(ev->resource.status, RNS_RES_COMPLETE);
	ev = pair_take(p, 1 - node, RNS_EV_SENT);
	assert_non_null(ev);
	assert_int_equal(ev->sent.status, RNS_RES_COMPLETE);
	assert_int_equal(p->n[0].r->resource_bytes, 0);
	assert_int_equal(p->n[1].r->resource_bytes, 0);
	pair_forget(p);
}

static void
test_resources_sizes(void **state)
{
	static const uint32_t mtus[] = {0, 1064, 16384};
	static const size_t sizes[] = {0, 1, 443, 444, 1048575, 1048576,
	    2097150, 2200000};
	struct pair p;

	(void)state;
	for (size_t m = 0; m < NELEM(mtus); m++) {
		pair_new(&p, &(struct pair_opts){.hw_mtu = mtus[m],
		    .delay_us = MS, .resources = RNS_ACCEPT_ALL});
		pair_up(&p);
		for (size_t i = 0; i < NELEM(sizes); i++) {
			uint8_t *data = pair_filler(sizes[i], 3);
			const char *meta = sizes[i] > 0 && i % 2 == 0 ?
			    "\x81\xa1x\x01" : NULL;

			for (int from = 0; from < 2; from++) {
				(void)send_plain(&p, from, data, sizes[i],
				    meta, i == 2);
				pair_wait(&p, 60 * MONO_SECOND);
				check_plain(&p, 1 - from, data, sizes[i],
				    meta);
			}
			free(data);
		}
		pair_free(&p);
	}
}

static void
test_resources_lossy(void **state)
{
	static const struct lossy losses[] = {
	    {.every = 7}, {.every = 5, .context = CTX_RESOURCE},
	    {.context = CTX_RESOURCE_HMU, .count = 2},
	    {.context = CTX_RESOURCE_REQ, .count = 3},
	    {.context = CTX_RESOURCE_ADV, .count = 3},
	    {.context = CTX_RESOURCE_PRF, .count = 2}};
	uint8_t *data = pair_filler(150000, 4);
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NELEM(losses); i++) {
		struct lossy l = losses[i];

		pair_new(&p, &(struct pair_opts){.delay_us = 5 * MS,
		    .resources = RNS_ACCEPT_ALL});
		pair_up(&p);
		p.tap = lose;
		p.tap_arg = &l;
		(void)send_plain(&p, 0, data, 150000, NULL, false);
		pair_wait(&p, 400 * MONO_SECOND);
		check_plain(&p, 1, data, 150000, NULL);
		pair_free(&p);
	}
	free(data);
}

static void
test_channel_lossy(void **state)
{
	struct lossy l = {.every = 9};
	const struct rns_event *ev;
	unsigned sent = 0, got = 0;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = 10 * MS});
	pair_up(&p);
	struct rns_cmd c = pair_cmd(&p, RNS_CMD_CHANNEL_OPEN);
	assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
	p.tap = lose;
	p.tap_arg = &l;
	for (int i = 0; got < 200; i++) {
		assert_true(i < 20000);
		uint8_t b[2] = {(uint8_t)(sent >> 8), (uint8_t)sent};

		c = pair_cmd(&p, RNS_CMD_CHANNEL_SEND);
		c.channel.msgtype = 0x101;
		c.channel.data = b;
		c.channel.len = 2;
		c.channel.tag = sent;
		if (sent < 200 && pair_submit(&p, 0, &c) == RNS_OK) {
			sent++;
			continue;
		}
		pair_wait(&p, 100 * MS);
		assert_null(pair_take(&p, 0, RNS_EV_LINK_CLOSED));
		while ((ev = pair_take(&p, 1, RNS_EV_CHANNEL_MESSAGE)) != NULL)
			assert_int_equal(get_u16(ev->channel.data), got++);
	}
	assert_non_null(pair_take(&p, 0, RNS_EV_CHANNEL_READY));
	pair_wait(&p, 5 * MONO_SECOND);
	for (got = 0; pair_take(&p, 0, RNS_EV_CHANNEL_DELIVERED) != NULL;)
		got++;
	assert_int_equal(got, 200);
	pair_free(&p);
}

static void
test_channel_gives_up(void **state)
{
	struct lossy l = {.context = CTX_CHANNEL};
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = 10 * MS});
	pair_up(&p);
	p.tap = lose;
	p.tap_arg = &l;
	struct rns_cmd c = pair_cmd(&p, RNS_CMD_CHANNEL_SEND);
	c.channel.msgtype = 1;
	assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
	pair_wait(&p, 10 * MONO_SECOND);
	assert_int_equal(l.n, 5);
	assert_non_null(pair_take(&p, 0, RNS_EV_LINK_CLOSED));
	assert_non_null(pair_take(&p, 1, RNS_EV_LINK_CLOSED));
	pair_free(&p);
}

/* ---- timers of the link ---- */

static bool
cut(void *arg, int from, const uint8_t *raw, size_t n)
{
	(void)arg;
	(void)from;
	(void)raw;
	(void)n;
	return false;
}

static bool
count_keepalives(void *arg, int from, const uint8_t *raw, size_t n)
{
	unsigned *count = arg;

	(void)n;
	if (raw[18] == CTX_KEEPALIVE)
		count[from]++;
	return true;
}

static void
test_keepalive_and_stale(void **state)
{
	const struct rns_event *ev;
	unsigned count[2] = {0};
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS});
	pair_up(&p);
	p.tap = count_keepalives;
	p.tap_arg = count;
	pair_wait(&p, 60 * MONO_SECOND);
	assert_true(count[0] >= 8 && count[0] <= 13);
	assert_true(count[1] >= 8 && count[1] <= 13);
	assert_null(pair_take(&p, 0, RNS_EV_LINK_CLOSED));
	p.tap = cut;
	pair_wait(&p, 9 * MONO_SECOND);
	assert_null(pair_take(&p, 0, RNS_EV_LINK_CLOSED));
	pair_wait(&p, 12 * MONO_SECOND);
	for (int i = 0; i < 2; i++) {
		ev = pair_take(&p, i, RNS_EV_LINK_CLOSED);
		assert_non_null(ev);
		assert_int_equal(ev->link.reason, RNS_CLOSE_TIMEOUT);
	}
	assert_int_equal(p.n[0].r->counts.links, 0);
	pair_free(&p);
}

static void
test_establish_timeout(void **state)
{
	const struct rns_event *ev;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS});
	pair_announce(&p);
	p.tap = cut;
	assert_int_equal(pair_open(&p, RNS_ACCEPT_NONE), RNS_OK);
	pair_wait(&p, 11 * MONO_SECOND);
	assert_null(pair_take(&p, 0, RNS_EV_LINK_CLOSED));
	pair_wait(&p, 2 * MONO_SECOND);
	ev = pair_take(&p, 0, RNS_EV_LINK_CLOSED);
	assert_non_null(ev);
	assert_int_equal(ev->link.reason, RNS_CLOSE_TIMEOUT);
	pair_free(&p);
}

/* A forged proof first must not hurt (reticulum-endpoint.md 16.23). */
static bool
forge_first(void *arg, int from, const uint8_t *raw, size_t n)
{
	struct pair *p = arg;
	uint8_t bad[118];

	if (from != 1 || raw[18] != CTX_LRPROOF || n != sizeof(bad))
		return true;
	for (size_t bit = 19 * 8; bit < n * 8; bit += 5) {
		memcpy(bad, raw, n);
		bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
		pair_recv(p, 0, bad, n);
	}
	return true;
}

static void
test_forged_proof(void **state)
{
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS});
	p.tap = forge_first;
	p.tap_arg = &p;
	pair_up(&p);
	assert_true(rns_drops(p.n[0].r, RNS_DROP_LINK_PROOF) > 100);
	pair_free(&p);
}

/* ---- identify ---- */

static void
test_identify(void **state)
{
	const struct rns_event *ev;
	struct rns_cmd c;
	uint8_t pub[RNS_KEY];
	struct hash16 hash;
	struct pair p;

	(void)state;
	for (int black = 0; black < 2; black++) {
		pair_new(&p, &(struct pair_opts){.delay_us = MS});
		pair_up(&p);
		c = pair_cmd(&p, RNS_CMD_LINK_IDENTIFY);
		memset(c.identify.identity, 0x42, RNS_KEY);
		(void)rns_identity_derive(pub, &hash, c.identify.identity);
		if (black) {
			struct rns_cmd b = {.type = RNS_CMD_BLACKHOLE};

			b.blackhole.identity = hash;
			b.blackhole.on = true;
			assert_int_equal(pair_submit(&p, 1, &b), RNS_OK);
		}
		assert_int_equal(pair_submit(&p, 1, &c), RNS_ESTATE);
		assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
		pair_wait(&p, 10 * MS);
		ev = pair_take(&p, 1, RNS_EV_LINK_IDENTIFIED);
		assert_int_equal(ev == NULL, black);
		if (ev != NULL)
			assert_memory_equal(ev->link.identity_hash.b, hash.b,
			    16);
		else
			assert_non_null(pair_take(&p, 0,
			    RNS_EV_LINK_CLOSED));
		pair_free(&p);
	}
}

/* ---- requests that come to nothing ---- */

static void
test_request_failures(void **state)
{
	const struct rns_event *ev;
	uint8_t *big = pair_filler(5000, 9);
	struct rns_cmd c;
	struct pair p;
	size_t n;
	uint8_t *packed = packed_bin(5000, 9, &n);

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS,
	    .max_request = 1000});
	pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
	pair_up(&p);
	/* no handler: it times out */
	assert_int_equal(ask(&p, "/none", NULL, 0, 0), RNS_OK);
	pair_wait(&p, 11 * MONO_SECOND);
	assert_null(pair_take(&p, 0, RNS_EV_REQUEST_FAILED));
	pair_wait(&p, MONO_SECOND);
	ev = pair_take(&p, 0, RNS_EV_REQUEST_FAILED);
	assert_non_null(ev);
	assert_false(ev->response.too_large);
	/* over max_request: rejected at its advertisement */
	assert_int_equal(ask(&p, "/echo", packed, n, 0), RNS_OK);
	ev = pair_until(&p, 0, RNS_EV_REQUEST_FAILED, MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(rns_drops(p.n[1].r, RNS_DROP_REQUEST_BIG), 1);
	/* the answer is over max_response */
	assert_int_equal(ask(&p, "/echo", NULL, 0, 100), RNS_OK);
	ev = pair_until(&p, 1, RNS_EV_REQUEST, MONO_SECOND);
	assert_non_null(ev);
	c = pair_cmd(&p, RNS_CMD_RESPOND);
	c.respond.request_id = ev->request.request_id;
	c.respond.data = packed;
	c.respond.len = n;
	c.respond.tag = 3;
	assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
	ev = pair_until(&p, 0, RNS_EV_REQUEST_FAILED, MONO_SECOND);
	assert_non_null(ev);
	assert_true(ev->response.too_large);
	ev = pair_until(&p, 1, RNS_EV_SENT, MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->sent.status, RNS_RES_REJECTED);
	/* the link closes while one waits */
	assert_int_equal(ask(&p, "/echo", NULL, 0, 0), RNS_OK);
	c = pair_cmd(&p, RNS_CMD_LINK_CLOSE);
	assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
	assert_non_null(pair_take(&p, 0, RNS_EV_REQUEST_FAILED));
	pair_free(&p);
	free(packed);
	free(big);
}

static void
test_file_response(void **state)
{
	static const char meta[] = "\x81\xa4name\xc4\x01x";
	uint8_t *data = pair_filler(1200000, 5);
	const struct rns_event *ev;
	struct rns_cmd c;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS, .hw_mtu = 8192});
	pair_handler(&p, "/f", RNS_ALLOW_ALL, NULL, 0, 0);
	pair_up(&p);
	assert_int_equal(ask(&p, "/f", NULL, 0, 0), RNS_OK);
	ev = pair_until(&p, 1, RNS_EV_REQUEST, MONO_SECOND);
	assert_non_null(ev);
	c = pair_cmd(&p, RNS_CMD_RESPOND);
	c.respond.request_id = ev->request.request_id;
	c.respond.data = data;
	c.respond.len = 1200000;
	c.respond.metadata = (const uint8_t *)meta;
	c.respond.metadata_len = sizeof(meta) - 1;
	assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
	ev = pair_until(&p, 0, RNS_EV_RESPONSE, 30 * MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->response.len, 1200000);
	assert_memory_equal(ev->response.data, data, 1200000);
	assert_int_equal(ev->response.metadata_len, sizeof(meta) - 1);
	assert_memory_equal(ev->response.metadata, meta, sizeof(meta) - 1);
	assert_non_null(pair_take(&p, 0, RNS_EV_PROGRESS));
	pair_free(&p);
	free(data);
}

/* What samples show to be dense goes as it is; the rest gets shorter. */
static void
test_compression(void **state)
{
	uint8_t *data = pair_filler(150000, 8);
	uint64_t frames[2];
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.resources = RNS_ACCEPT_ALL});
	pair_up(&p);
	for (size_t i = 0; i < 2; i++, memset(data + 75000, 0, 75000)) {
		frames[i] = p.frames;
		(void)send_plain(&p, 0, data, 150000, NULL, true);
		pair_wait(&p, 9 * MONO_SECOND);
		check_plain(&p, 1, data, 150000, NULL);
		frames[i] = p.frames - frames[i];
	}
	assert_true(frames[1] < frames[0] * 2 / 3);
	pair_free(&p);
	free(data);
}

/* ---- limits, hold, cancel ---- */

static void
test_memory_limit(void **state)
{
	uint8_t *data = pair_filler(200000, 6);
	const struct rns_event *ev;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS,
	    .resources = RNS_ACCEPT_ALL, .resource_bytes = 100000});
	pair_up(&p);
	(void)send_plain(&p, 0, data, 200000, NULL, false);
	ev = pair_until(&p, 0, RNS_EV_SENT, MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->sent.status, RNS_RES_REJECTED);
	assert_int_equal(p.n[1].r->resource_bytes, 0);
	/* 64 KiB of zeros fit compressed, but not when they come out */
	memset(data, 0, 200000);
	(void)send_plain(&p, 0, data, 200000, NULL, true);
	ev = pair_until(&p, 0, RNS_EV_SENT, MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->sent.status, RNS_RES_REJECTED);
	assert_int_equal(p.n[1].r->resource_bytes, 0);
	(void)send_plain(&p, 0, data, 20000, NULL, true);
	pair_wait(&p, MONO_SECOND);
	pair_forget(&p);
	pair_free(&p);
	free(data);
}

static void
test_hold(void **state)
{
	uint8_t *data = pair_filler(100000, 7);
	struct pair p;
	struct rns_cmd c;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS,
	    .resources = RNS_ACCEPT_ALL});
	pair_up(&p);
	c = pair_cmd(&p, RNS_CMD_LINK_HOLD);
	c.hold.until = mono_add(p.now, 40 * MONO_SECOND);
	assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
	(void)send_plain(&p, 0, data, 100000, NULL, false);
	pair_wait(&p, 100 * MS);
	assert_null(pair_take(&p, 1, RNS_EV_RESOURCE_DATA));
	c.hold.until = p.now;
	assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
	pair_wait(&p, 5 * MONO_SECOND);
	check_plain(&p, 1, data, 100000, NULL);
	pair_free(&p);
	free(data);
}

static void
test_cancel_and_queue(void **state)
{
	uint8_t *data = pair_filler(300000, 8);
	const struct rns_event *ev;
	struct rns_cmd c;
	uint64_t one, two;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = 10 * MS,
	    .resources = RNS_ACCEPT_APP});
	pair_up(&p);
	one = send_plain(&p, 0, data, 300000, NULL, false);
	two = send_plain(&p, 0, data, 1000, NULL, false);
	ev = pair_until(&p, 1, RNS_EV_RESOURCE_ADV, MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->resource.size, 300000);
	c = pair_cmd(&p, RNS_CMD_RESOURCE_ANSWER);
	c.answer.hash = ev->resource.hash;
	c.answer.accept = true;
	assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
	pair_wait(&p, 100 * MS);
	c = pair_cmd(&p, RNS_CMD_RESOURCE_CANCEL);
	c.cancel.tag = one;
	assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
	ev = pair_take(&p, 0, RNS_EV_SENT);
	assert_non_null(ev);
	assert_int_equal(ev->sent.status, RNS_RES_FAILED);
	ev = pair_until(&p, 1, RNS_EV_RESOURCE_DONE, MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->resource.status, RNS_RES_FAILED);
	/* the second one had waited */
	ev = pair_until(&p, 1, RNS_EV_RESOURCE_ADV, MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->resource.size, 1000);
	c = pair_cmd(&p, RNS_CMD_RESOURCE_ANSWER);
	c.answer.hash = ev->resource.hash;
	c.answer.accept = true;
	assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
	ev = pair_until(&p, 0, RNS_EV_SENT, MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->sent.tag, two);
	assert_int_equal(ev->sent.status, RNS_RES_COMPLETE);
	pair_free(&p);
	free(data);
}

/* A dead sender between two segments does not hold memory for ever. */
static void
test_segment_gap(void **state)
{
	struct lossy l = {.context = CTX_RESOURCE_ADV, .skip = 1};
	uint8_t *data = pair_filler(1100000, 8);
	const struct rns_event *ev;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS, .hw_mtu = 16384,
	    .resources = RNS_ACCEPT_ALL});
	pair_up(&p);
	p.tap = lose;
	p.tap_arg = &l;
	(void)send_plain(&p, 0, data, 1100000, NULL, false);
	pair_wait(&p, 200 * MONO_SECOND);
	ev = pair_take(&p, 0, RNS_EV_SENT);
	assert_non_null(ev);
	assert_int_equal(ev->sent.status, RNS_RES_FAILED);
	ev = pair_take(&p, 1, RNS_EV_RESOURCE_DONE);
	assert_non_null(ev);
	assert_int_equal(ev->resource.status, RNS_RES_FAILED);
	assert_int_equal(p.n[1].r->resource_bytes, 0);
	pair_free(&p);
	free(data);
}

static void
test_interface_gone(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_DEL, .ifid = PAIR_IF};
	const struct rns_event *ev;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS});
	pair_up(&p);
	assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
	ev = pair_take(&p, 0, RNS_EV_LINK_CLOSED);
	assert_non_null(ev);
	assert_int_equal(ev->link.reason, RNS_CLOSE_INTERFACE);
	pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_up_data_close),
	    cmocka_unit_test(test_requests),
	    cmocka_unit_test(test_resources_sizes),
	    cmocka_unit_test(test_resources_lossy),
	    cmocka_unit_test(test_channel_lossy),
	    cmocka_unit_test(test_channel_gives_up),
	    cmocka_unit_test(test_keepalive_and_stale),
	    cmocka_unit_test(test_establish_timeout),
	    cmocka_unit_test(test_forged_proof),
	    cmocka_unit_test(test_identify),
	    cmocka_unit_test(test_request_failures),
	    cmocka_unit_test(test_file_response),
	    cmocka_unit_test(test_memory_limit),
	    cmocka_unit_test(test_compression),
	    cmocka_unit_test(test_hold),
	    cmocka_unit_test(test_cancel_and_queue),
	    cmocka_unit_test(test_segment_gap),
	    cmocka_unit_test(test_interface_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
