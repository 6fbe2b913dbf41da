/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/announce.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/packet.h"
#include "tests/unit/relay_node.h"

static void
node_random(void *arg, uint8_t *out, size_t n)
{
	uint64_t *s = arg;

	for (size_t i = 0; i < n; i++) {
		*s = *s * UINT64_C(6364136223846793005) +
		    UINT64_C(1442695040888963407);
		out[i] = (uint8_t)(*s >> 56);
	}
}

static void
node_start(struct node *n, bool transport, bool attached, bool delta,
    const struct rns_limits *limits, const uint8_t priv[RNS_KEY])
{
	struct rns_config c = {
	    .local_hops_delta = delta,
	    .random = node_random,
	    .random_arg = &n->rng,
	    .wall_us = NODE_WALL_US,
	    .transport = transport,
	    .attached = attached,
	    .implicit_proof = true,
	    .link_mtu_discovery = true,
	};

	memset(n, 0, sizeof(*n));
	n->rng = 7;
	c.limits = *limits;
	memcpy(c.identity, priv, RNS_KEY);
	n->r = rns_new(&c, (struct mono){0});
	assert_non_null(n->r);
}

void
node_open(struct node *n, bool transport, bool attached,
    const uint8_t priv[RNS_KEY])
{
	struct rns_limits limits;

	rns_limits_default(&limits);
	node_start(n, transport, attached, false, &limits, priv);
}

void
node_open_delta(struct node *n, const uint8_t priv[RNS_KEY])
{
	struct rns_limits limits;

	rns_limits_default(&limits);
	node_start(n, true, false, true, &limits, priv);
}

void
node_open_limits(struct node *n, const struct rns_limits *limits,
    const uint8_t priv[RNS_KEY])
{
	node_start(n, true, false, false, limits, priv);
}

void
node_clear(struct node *n)
{
	for (size_t i = 0; i < n->out_count; i++)
		free(n->out[i].data);
	n->out_count = 0;
}

void
node_close(struct node *n)
{
	node_clear(n);
	rns_free(n->r);
	n->r = NULL;
}

static void
node_drain(struct node *n)
{
	struct rns_event ev;
	struct rns_tx tx;

	while (rns_next_tx(n->r, &tx)) {
		struct node_out *o = &n->out[n->out_count];

		if (n->out_count == NODE_OUT_MAX)
			continue;
		n->out_count++;
		*o = (struct node_out){tx.ifid, n->now, malloc(tx.len),
		    tx.len, tx.kind, *tx.dest};
		assert_non_null(o->data);
		memcpy(o->data, tx.data, tx.len);
	}
	while (rns_next_event(n->r, &ev)) {
		n->events[ev.type]++;
		if (ev.type == RNS_EV_RECEIPT)
			n->receipt = ev.receipt.status;
	}
}

void
node_if(struct node *n, unsigned id, enum rns_if_kind kind,
    enum rns_if_mode mode, uint32_t hw_mtu, bool mtu_signal)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {.id = id, .kind = kind, .mode = mode,
	        .bitrate = 10000000, .hw_mtu = hw_mtu,
	        .mtu_signal = mtu_signal, .out = true, .online = true}};

	assert_int_equal(node_submit(n, &c), RNS_OK);
}

int
node_submit(struct node *n, const struct rns_cmd *c)
{
	int err = rns_submit(n->r, c, (struct mono){n->now});

	node_drain(n);
	return err;
}

void
node_in(struct node *n, unsigned ifid, const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	/* Of the exact size, so that a sanitizer sees its end. */
	assert_non_null(copy);
	memcpy(copy, p, len);
	(void)rns_recv(n->r, ifid, copy, len, (struct mono){n->now});
	free(copy);
	node_drain(n);
}

void
node_run(struct node *n, int64_t us)
{
	int64_t end = n->now + us, at;
	unsigned turns = 0;

	while ((at = rns_deadline(n->r).us) <= end) {
		assert_true(++turns < 100000);
		if (at > n->now)
			n->now = at;
		rns_tick(n->r, (struct mono){n->now});
		node_drain(n);
	}
	n->now = end;
}

size_t
node_sent(const struct node *n, unsigned ifid, const uint8_t *p, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < n->out_count; i++)
		if ((ifid == UINT32_MAX || n->out[i].ifid == ifid) &&
		    n->out[i].len == len &&
		    memcmp(n->out[i].data, p, len) == 0)
			count++;
	return count;
}

void
stranger_number(struct stranger *s, unsigned i)
{
	memset(s->priv, 0x55, RNS_KEY);
	memcpy(s->priv + 1, &i, sizeof(i));
	memcpy(s->priv + 33, &i, sizeof(i));
	assert_int_equal(rns_identity_derive(s->pub, &s->id, s->priv), 0);
	assert_int_equal(rns_dest_hash(&s->dest, "test.relay", &s->id), 0);
}

void
stranger_make(struct stranger *s, uint8_t seed)
{
	for (size_t i = 0; i < RNS_KEY; i++)
		s->priv[i] = (uint8_t)(seed + i);
	assert_int_equal(rns_identity_derive(s->pub, &s->id, s->priv), 0);
	assert_int_equal(rns_dest_hash(&s->dest, "test.relay", &s->id), 0);
}

size_t
stranger_announce(const struct stranger *s, uint8_t out[RNS_MTU],
    uint64_t emitted, uint8_t hops, const uint8_t *transport_id,
    bool path_response)
{
	static const uint8_t random[5] = {1, 2, 3, 4, 5};
	uint8_t raw[RNS_MTU], name[RNS_NAME_HASH];
	struct identity id;
	size_t len;

	rns_name_hash(name, "test.relay");
	assert_int_equal(identity_load(&id, s->priv), RNS_OK);
	len = announce_build(raw, &id, &s->dest, name, random, emitted, NULL,
	    (const uint8_t *)"app", 3, path_response);
	assert_true(len > 0);
	raw[1] = hops;
	if (transport_id == NULL) {
		memcpy(out, raw, len);
		return len;
	}
	out[0] = raw[0] | FLAG_HEADER_2 | FLAG_TRANSPORT;
	out[1] = hops;
	memcpy(out + 2, transport_id, RNS_HASH);
	memcpy(out + 2 + RNS_HASH, raw + 2, len - 2);
	return len + RNS_HASH;
}

size_t
stranger_packet(const struct stranger *s, const struct node *relay,
    uint8_t out[RNS_MTU], uint8_t type, const uint8_t *data, size_t n)
{
	out[0] = (uint8_t)(FLAG_HEADER_2 | FLAG_TRANSPORT | type);
	out[1] = 0;
	memcpy(out + 2, rns_identity_hash(relay->r), RNS_HASH);
	memcpy(out + 18, HASH_BYTES(s->dest));
	out[34] = CTX_NONE;
	memcpy(out + HEADER_2_LEN, data, n);
	return HEADER_2_LEN + n;
}

size_t
stranger_proves(const struct stranger *s, const uint8_t *request, size_t len,
    uint8_t out[RNS_MTU], uint8_t hops)
{
	uint8_t signed_[RNS_HASH + 32 + 32], data[LINK_PROOF_LEN];
	struct packet p;
	struct hash16 id;
	size_t n;

	assert_int_equal(packet_parse(&p, request, len), RNS_OK);
	packet_link_id(&id, &p);
	memcpy(signed_, HASH_BYTES(id));
	memset(signed_ + RNS_HASH, 0x77, 32); /* some key of the link */
	memcpy(signed_ + RNS_HASH + 32, s->pub + 32, 32);
	assert_int_equal(rns_identity_sign(data, s->priv, signed_,
	    sizeof(signed_)), RNS_OK);
	memset(data + RNS_SIG, 0x77, 32);
	n = packet_build(out, RNS_MTU, PACKET_FLAGS(DEST_LINK, PACKET_PROOF),
	    &id, CTX_LRPROOF, data, sizeof(data));
	out[1] = hops;
	return n;
}

size_t
path_request_make(uint8_t out[RNS_MTU], const struct hash16 *dest,
    const uint8_t *requestor, uint8_t tag)
{
	uint8_t data[3 * RNS_HASH];
	struct hash16 to;
	size_t n = RNS_HASH;

	memcpy(data, HASH_BYTES(*dest));
	if (requestor != NULL) {
		memcpy(data + n, requestor, RNS_HASH);
		n += RNS_HASH;
	}
	memset(data + n, tag, RNS_HASH);
	assert_int_equal(rns_dest_hash(&to, PATH_REQUEST_NAME, NULL), 0);
	return packet_build(out, RNS_MTU,
	    PACKET_FLAGS(DEST_PLAIN, PACKET_DATA), &to, CTX_NONE, data,
	    n + RNS_HASH);
}

void
node_open_on(struct node *n, const uint8_t priv[RNS_KEY], bool transport,
    unsigned ifs)
{
	node_open(n, transport, false, priv);
	for (unsigned i = 0; i < ifs; i++)
		node_if(n, i, RNS_IF_NET, RNS_MODE_FULL, 500, false);
}

void
stranger_heard(struct node *n, unsigned ifid, unsigned i, uint64_t emitted)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	size_t len;

	stranger_number(&s, i);
	len = stranger_announce(&s, raw, emitted, 0, NULL, false);
	node_in(n, ifid, raw, len);
}

/* `many` of them, from the number `from` on, so many a second. */
void
heard_many(struct node *n, unsigned from, unsigned many, unsigned hz)
{
	for (unsigned i = 0; i < many; i++) {
		stranger_heard(n, 0, from + i, HEARD_FROM);
		node_run(n, NODE_SECOND / hz);
	}
}

/* One from the stranger 1; how often it was passed on within 20 s. */
size_t
rate_step(struct node *n, uint64_t emitted, int64_t after_s)
{
	size_t sent = 0;

	node_clear(n);
	stranger_heard(n, 0, 1, emitted);
	node_run(n, after_s * NODE_SECOND);
	for (size_t i = 0; i < n->out_count; i++)
		sent += n->out[i].ifid == 1;
	return sent;
}

struct rns_rate
rate_of(const struct node *n)
{
	struct hash16 none = {{0}};
	struct rns_rate e;

	assert_true(rns_rate_next(n->r, &none, true, &e));
	return e;
}
