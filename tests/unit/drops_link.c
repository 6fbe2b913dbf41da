/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/drops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mpk.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/link.h"
#include "transport/core/link/link_state.h"
#include "tests/unit/link_pair.h"

/* Reasons that need a link of our own: node 0 opened it, node 1 has it. */

static struct pair p;

static struct link *
end(int node)
{
	return link_find(p.n[node].r, &p.link);
}

/* Sealed by one end as it would seal what is right. */
static void
say(int from, uint8_t context, const void *data, size_t n)
{
	assert_int_equal(link_send(p.n[from].r, end(from), context, data, n,
	    NULL), RNS_OK);
	pair_wait(&p, 10000);
}

static void
up_with(enum rns_accept resources, uint32_t max_request)
{
	pair_new(&p, &(struct pair_opts){.delay_us = 1000,
	    .resources = resources, .max_request = max_request});
	pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
	pair_up(&p);
}

static void
up(void)
{
	up_with(RNS_ACCEPT_ALL, 0);
}

/* A packet on the wire, to node 1. */
static void
wire(uint8_t flags, const struct hash16 *dest, uint8_t context,
    const void *data, size_t n)
{
	uint8_t raw[RNS_MTU];
	size_t len = packet_build(raw, sizeof(raw), flags, dest, context, data,
	    n);

	assert_true(len > 0);
	pair_recv(&p, 1, raw, len);
	pair_run(&p);
}

static const uint8_t junk[100] = {0x93, 1, 2, 3};

static void
link_state(void)
{
	up();
	/* its RTT packet came long ago */
	say(0, CTX_LRRTT, "\xcb\x3f\xf0\0\0\0\0\0\0", 9);
}

static void
link_edge(void)
{
	up();
	(void)link_set_state(p.n[0].r, end(0), LINK_PENDING);
}

static void
no_link(void)
{
	struct hash16 other = {{1}};

	up();
	wire(PACKET_FLAGS(DEST_LINK, PACKET_DATA), &other, CTX_NONE, junk, 48);
}

static void
link_request(void)
{
	up();
	wire(PACKET_FLAGS(DEST_SINGLE, PACKET_LINKREQUEST), &p.dest, CTX_NONE,
	    junk, 70);
}

static void
link_mode(void)
{
	uint8_t data[LINK_KEYS_LEN + LINK_SIGNALLING_LEN] = {7};

	up();
	signalling_put(data + LINK_KEYS_LEN, RNS_MTU, 2);
	wire(PACKET_FLAGS(DEST_SINGLE, PACKET_LINKREQUEST), &p.dest, CTX_NONE,
	    data, sizeof(data));
}

static bool
forge(void *arg, int from, const uint8_t *raw, size_t n)
{
	uint8_t copy[RNS_MTU];

	(void)arg;
	if (from != 1 || (raw[0] & 3) != PACKET_PROOF)
		return true;
	memcpy(copy, raw, n);
	copy[n - 10] ^= 1;
	pair_recv(&p, 0, copy, n);
	return false;
}

static void
link_proof(void)
{
	pair_new(&p, &(struct pair_opts){.delay_us = 1000});
	pair_announce(&p);
	p.tap = forge;
	(void)pair_open(&p, RNS_ACCEPT_NONE);
	pair_wait(&p, MONO_SECOND);
}

static void
decrypt(void)
{
	up();
	wire(PACKET_FLAGS(DEST_LINK, PACKET_DATA), &p.link, CTX_NONE, junk,
	    96);
}

static void
context(void)
{
	up();
	say(0, 0x55, junk, 4);
}

static void
identify(void)
{
	up();
	say(0, CTX_LINKIDENTIFY, junk, 4);
}

static void
request(void)
{
	up();
	say(0, CTX_REQUEST, junk, 4);
}

static void
ask(size_t size, uint64_t max_response)
{
	static uint8_t body[3000], zeros[2500];
	struct wr w = wr_make(body, sizeof(body));
	struct rns_cmd c = pair_cmd(&p, RNS_CMD_REQUEST);

	mpk_put_bin(&w, zeros, size);
	c.request.path = "/echo";
	c.request.data = body;
	c.request.len = w.len;
	c.request.max_response = max_response;
	assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
	pair_run(&p);
}

static void
request_big(void)
{
	up_with(RNS_ACCEPT_ALL, 10);
	ask(2000, 0);
	pair_wait(&p, MONO_SECOND);
}

static void
response(void)
{
	up();
	say(1, CTX_RESPONSE, junk, 4);
}

static void
response_big(void)
{
	const struct rns_event *ev;
	struct rns_cmd c;
	uint8_t *big = pair_filler(3000, 1);

	up();
	ask(4, 100);
	ev = pair_until(&p, 1, RNS_EV_REQUEST, MONO_SECOND);
	assert_non_null(ev);
	c = pair_cmd(&p, RNS_CMD_RESPOND);
	c.respond.request_id = ev->request.request_id;
	c.respond.data = big;
	c.respond.len = 3000;
	assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
	pair_wait(&p, MONO_SECOND);
	free(big);
}

static void
resource(void)
{
	up();
	say(0, CTX_RESOURCE_REQ, junk, 60);
}

static void
resource_adv(void)
{
	up();
	say(0, CTX_RESOURCE_ADV, junk, 60);
}

static void
resource_refused(void)
{
	uint8_t *data = pair_filler(2000, 2);
	struct rns_cmd c;

	up_with(RNS_ACCEPT_NONE, 0);
	c = pair_cmd(&p, RNS_CMD_RESOURCE_SEND);
	c.resource.data = data;
	c.resource.len = 2000;
	assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
	pair_wait(&p, MONO_SECOND);
	free(data);
}

/* One part, as advertised, that does not decrypt. */
static void
resource_corrupt(void)
{
	uint8_t adv[256], part[100] = {5};
	struct wr w = wr_make(adv, sizeof(adv));
	static const struct id32 hash = {{9}};
	struct id32 map;

	up();
	memcpy(part + 96, "rand", 4);
	rns_sha256(&map, part, sizeof(part));
	mpk_put_map(&w, 11);
	mpk_put_str(&w, "t");
	mpk_put_uint(&w, 96);
	mpk_put_str(&w, "d");
	mpk_put_uint(&w, 40);
	mpk_put_str(&w, "n");
	mpk_put_uint(&w, 1);
	mpk_put_str(&w, "h");
	mpk_put_bin(&w, HASH_BYTES(hash));
	mpk_put_str(&w, "r");
	mpk_put_bin(&w, "rand", 4);
	mpk_put_str(&w, "o");
	mpk_put_bin(&w, HASH_BYTES(hash));
	mpk_put_str(&w, "i");
	mpk_put_uint(&w, 1);
	mpk_put_str(&w, "l");
	mpk_put_uint(&w, 1);
	mpk_put_str(&w, "q");
	mpk_put_nil(&w);
	mpk_put_str(&w, "f");
	mpk_put_uint(&w, RES_FLAG_ENCRYPTED);
	mpk_put_str(&w, "m");
	mpk_put_bin(&w, map.b, RES_MAPHASH);
	assert_true(wr_ok(&w));
	say(0, CTX_RESOURCE_ADV, adv, w.len);
	wire(PACKET_FLAGS(DEST_LINK, PACKET_DATA), &p.link, CTX_RESOURCE, part,
	    96);
}

static void
channel(void)
{
	up();
	say(0, CTX_CHANNEL, junk, 4);
}

drop_trigger *const drops_link[RNS_DROP_COUNT] = {
    [RNS_DROP_NO_LINK] = no_link,
    [RNS_DROP_LINK_STATE] = link_state,
    [RNS_DROP_LINK_REQUEST] = link_request,
    [RNS_DROP_LINK_PROOF] = link_proof,
    [RNS_DROP_LINK_MODE] = link_mode,
    [RNS_DROP_LINK_EDGE] = link_edge,
    [RNS_DROP_DECRYPT] = decrypt,
    [RNS_DROP_CONTEXT] = context,
    [RNS_DROP_IDENTIFY] = identify,
    [RNS_DROP_REQUEST] = request,
    [RNS_DROP_REQUEST_BIG] = request_big,
    [RNS_DROP_RESPONSE] = response,
    [RNS_DROP_RESPONSE_BIG] = response_big,
    [RNS_DROP_RESOURCE] = resource,
    [RNS_DROP_RESOURCE_ADV] = resource_adv,
    [RNS_DROP_RESOURCE_REFUSED] = resource_refused,
    [RNS_DROP_RESOURCE_CORRUPT] = resource_corrupt,
    [RNS_DROP_CHANNEL] = channel,
};

uint64_t
drops_link_count(drop_trigger *t, enum rns_drop why)
{
	uint64_t n;

	t();
	n = rns_drops(p.n[0].r, why) + rns_drops(p.n[1].r, why);
	pair_free(&p);
	return n;
}
