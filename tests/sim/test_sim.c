/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"
#include "common/util.h"

/*
 * Whole nodes on simulated links: what two programs want of each other must
 * happen, whatever lies between them.
 */
#define NODES 16
#define SECOND 1000000
#define RESOURCE_LEN 60000
#define ECHO_SMALL 100
#define ECHO_LARGE 20000

struct peer {
	struct hash16 dest;
	struct hash16 link;
	bool link_up, link_down;
	unsigned packets, announces;
	bool receipt, receipt_failed;
	bool response, response_failed;
	size_t response_len;
	bool sent, sent_ok, got, got_ok;
	size_t got_len;
	bool got_wrong;
	unsigned requests;
};

struct scene {
	struct sim *sim;
	unsigned count;
	struct peer p[NODES];
	uint8_t payload[RESOURCE_LEN];
	uint8_t echo[ECHO_LARGE + 3];
	int64_t skew_ppm; /* of every other node fast, of the others slow */
};

/* A packed byte string of n bytes in all. */
static size_t
pack_echo(struct scene *s, size_t n)
{
	s->echo[0] = 0xc5;
	s->echo[1] = (uint8_t)((n - 3) >> 8);
	s->echo[2] = (uint8_t)(n - 3);
	return n;
}

static void
on_request(struct scene *s, unsigned node, const struct rns_event *ev)
{
	static uint8_t keep[NODES][ECHO_LARGE + 3];
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};

	assert_true(ev->request.len <= sizeof(keep[0]));
	memcpy(keep[node], ev->request.data, ev->request.len);
	c.respond.link = ev->request.link;
	c.respond.request_id = ev->request.request_id;
	c.respond.data = keep[node];
	c.respond.len = ev->request.len;
	s->p[node].requests++;
	(void)sim_submit(s->sim, node, &c);
}

static void
on_resource(struct scene *s, struct peer *p, const struct rns_event *ev)
{
	if (ev->type == RNS_EV_RESOURCE_DATA) {
		if (ev->resource.offset + ev->resource.len > RESOURCE_LEN ||
		    memcmp(s->payload + ev->resource.offset,
		    ev->resource.data, ev->resource.len) != 0)
			p->got_wrong = true;
		p->got_len += ev->resource.len;
	} else {
		p->got = true;
		p->got_ok = ev->resource.status == RNS_RES_COMPLETE;
	}
}

static void
on_event(struct sim *sim, unsigned node, const struct rns_event *ev,
    void *arg)
{
	struct scene *s = arg;
	struct peer *p = &s->p[node];

	(void)sim;
	switch (ev->type) {
	case RNS_EV_ANNOUNCE:
		p->announces++;
		break;
	case RNS_EV_PACKET:
		p->packets++;
		break;
	case RNS_EV_RECEIPT:
		if (ev->receipt.status == RNS_RECEIPT_DELIVERED)
			p->receipt = true;
		else
			p->receipt_failed = true;
		break;
	case RNS_EV_LINK_PENDING:
		p->link = ev->link.id;
		break;
	case RNS_EV_LINK_UP:
		p->link = ev->link.id;
		p->link_up = true;
		break;
	case RNS_EV_LINK_CLOSED:
		p->link_down = true;
		break;
	case RNS_EV_REQUEST:
		on_request(s, node, ev);
		break;
	case RNS_EV_RESPONSE:
		p->response = true;
		p->response_len = ev->response.len;
		break;
	case RNS_EV_REQUEST_FAILED:
		p->response_failed = true;
		break;
	case RNS_EV_SENT:
		p->sent = true;
		p->sent_ok = ev->sent.status == RNS_RES_COMPLETE;
		break;
	case RNS_EV_RESOURCE_DATA:
	case RNS_EV_RESOURCE_DONE:
		on_resource(s, p, ev);
		break;
	default:
		break;
	}
}

static void
scene_open(struct scene *s, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->sim = sim_new(seed, on_event, s);
	sim_random_bytes(&seed, s->payload, sizeof(s->payload));
	sim_random_bytes(&seed, s->echo, sizeof(s->echo));
}

static void
scene_close(struct scene *s)
{
	sim_free(s->sim);
}

static unsigned
scene_node(struct scene *s, bool transport, bool attached)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "warren.sim",
	        .has_identity = true, .prove = RNS_PROVE_ALL,
	        .accept_links = true, .resources = RNS_ACCEPT_ALL}};
	struct sim_node_opts o = {.transport = transport,
	    .attached = attached,
	    .skew_ppm = s->count % 2 == 0 ? s->skew_ppm : -s->skew_ppm};
	struct rns_cmd h = {.type = RNS_CMD_HANDLER_ADD,
	    .handler = {.path = "echo", .allow = RNS_ALLOW_ALL}};
	uint8_t pub[RNS_KEY];
	struct hash16 id;
	uint64_t seed = sim_random(s->sim);
	unsigned n = sim_node(s->sim, &o);

	s->count = n + 1;
	sim_random_bytes(&seed, c.dest.identity, RNS_KEY);
	assert_int_equal(sim_submit(s->sim, n, &c), RNS_OK);
	assert_int_equal(rns_identity_derive(pub, &id, c.dest.identity), 0);
	assert_int_equal(rns_dest_hash(&s->p[n].dest, "warren.sim", &id), 0);
	h.handler.dest = s->p[n].dest;
	assert_int_equal(sim_submit(s->sim, n, &h), RNS_OK);
	return n;
}

static void
announce(struct scene *s, unsigned node)
{
	struct rns_cmd c = {.type = RNS_CMD_ANNOUNCE};

	c.announce.dest = s->p[node].dest;
	assert_int_equal(sim_submit(s->sim, node, &c), RNS_OK);
}

static unsigned
hops(struct scene *s, unsigned from, unsigned to)
{
	struct rns_path p;

	if (!rns_path_get(sim_rns(s->sim, from), &s->p[to].dest, &p))
		return RNS_HOPS_MAX;
	return p.hops;
}

/* Announce until everybody knows everybody; within `rounds` minutes. */
static void
converge(struct scene *s, unsigned rounds)
{
	bool all = false;

	for (unsigned k = 0; k < rounds && !all; k++) {
		for (unsigned i = 0; i < s->count; i++)
			announce(s, i);
		(void)sim_run(s->sim, 60 * SECOND, NULL, NULL);
		all = true;
		for (unsigned i = 0; i < s->count; i++)
			for (unsigned j = 0; j < s->count; j++)
				if (i != j && hops(s, i, j) == RNS_HOPS_MAX)
					all = false;
	}
	assert_true(all);
}

static bool
is_true(void *arg)
{
	return *(bool *)arg;
}

/* A lost packet is sent again by whoever wants it; tries times. */
static void
packet_with_proof(struct scene *s, unsigned from, unsigned to, unsigned tries)
{
	struct rns_cmd c = {.type = RNS_CMD_PACKET,
	    .packet = {.type = RNS_SINGLE, .data = s->payload, .len = 200,
	        .receipt = true}};
	struct peer *p = &s->p[from];

	c.packet.dest = s->p[to].dest;
	p->receipt = false;
	for (unsigned k = 0; k < tries && !p->receipt; k++) {
		assert_int_equal(sim_submit(s->sim, from, &c), RNS_OK);
		(void)sim_run(s->sim, 20 * SECOND, is_true, &p->receipt);
	}
	assert_true(p->receipt);
	assert_true(s->p[to].packets > 0);
}

static void
link_open(struct scene *s, unsigned from, unsigned to, unsigned tries)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_OPEN,
	    .link_open = {.resources = RNS_ACCEPT_ALL}};
	struct peer *p = &s->p[from];

	c.link_open.dest = s->p[to].dest;
	for (unsigned k = 0; k < tries && !p->link_up; k++) {
		p->link_down = p->link_up = false;
		assert_int_equal(sim_submit(s->sim, from, &c), RNS_OK);
		(void)sim_run(s->sim, 120 * SECOND, is_true, &p->link_up);
	}
	assert_true(p->link_up);
	/* The other end is up one packet later. */
	(void)sim_run(s->sim, 60 * SECOND, is_true, &s->p[to].link_up);
}

static void
request(struct scene *s, unsigned from, unsigned to, size_t len,
    unsigned tries)
{
	struct rns_cmd c = {.type = RNS_CMD_REQUEST,
	    .request = {.path = "echo", .data = s->echo,
	        .timeout_us = 300 * SECOND}};
	struct peer *p = &s->p[from];

	c.request.len = pack_echo(s, len);
	p->response = false;
	for (unsigned k = 0; k < tries && !p->response; k++) {
		if (p->link_down) {
			p->link_up = false;
			link_open(s, from, to, tries);
		}
		p->response_failed = false;
		c.request.link = p->link;
		if (sim_submit(s->sim, from, &c) != RNS_OK)
			p->link_down = true;
		(void)sim_run(s->sim, 320 * SECOND, is_true, &p->response);
	}
	assert_true(p->response);
	assert_int_equal(p->response_len, len);
}

static void
resource(struct scene *s, unsigned from, unsigned to, unsigned tries)
{
	struct rns_cmd c = {.type = RNS_CMD_RESOURCE_SEND,
	    .resource = {.data = s->payload, .len = RESOURCE_LEN}};
	struct peer *p = &s->p[from], *q = &s->p[to];

	p->sent_ok = false;
	for (unsigned k = 0; k < tries && !p->sent_ok; k++) {
		if (p->link_down) {
			p->link_up = false;
			link_open(s, from, to, tries);
		}
		p->sent = false;
		q->got = q->got_ok = false;
		q->got_len = 0;
		c.resource.link = p->link;
		if (sim_submit(s->sim, from, &c) != RNS_OK) {
			p->link_down = true;
			continue;
		}
		(void)sim_run(s->sim, 600 * SECOND, is_true, &p->sent);
	}
	assert_true(p->sent_ok);
	(void)sim_run(s->sim, 60 * SECOND, is_true, &q->got);
	assert_true(q->got_ok);
	assert_false(q->got_wrong);
	assert_int_equal(q->got_len, RESOURCE_LEN);
}

static void
everything(struct scene *s, unsigned from, unsigned to, unsigned tries)
{
	packet_with_proof(s, from, to, tries);
	link_open(s, from, to, tries);
	request(s, from, to, ECHO_SMALL, tries);
	request(s, from, to, ECHO_LARGE, tries);
	resource(s, from, to, tries);
	resource(s, to, from, 1 + tries / 2);
}

/* ---- two ---- */

static void
two_cores(void **state)
{
	struct sim_link_opts o = {.bitrate = 1000000, .delay_us = 5000,
	    .hw_mtu = 2048, .mtu_signal = true};
	struct scene *s = *state;

	scene_open(s, 1);
	(void)scene_node(s, false, false);
	(void)scene_node(s, false, false);
	(void)sim_link(s->sim, 0, 1, &o);
	converge(s, 1);
	assert_int_equal(hops(s, 0, 1), 1);
	assert_int_equal(hops(s, 1, 0), 1);
	everything(s, 0, 1, 1);
	scene_close(s);
}

static void
two_cores_access_code(void **state)
{
	struct sim_link_opts o = {.bitrate = 1000000, .delay_us = 5000,
	    .hw_mtu = 2048, .mtu_signal = true};
	struct scene *s = *state;
	uint8_t key[64];

	assert_int_equal(rns_ifac_key(key, "net", "pass"), RNS_OK);
	o.ifac_key = key;
	scene_open(s, 2);
	(void)scene_node(s, false, false);
	(void)scene_node(s, false, false);
	(void)sim_link(s->sim, 0, 1, &o);
	converge(s, 1);
	everything(s, 0, 1, 1);
	scene_close(s);
}

static void
two_cores_lossy_radio(void **state)
{
	struct sim_link_opts o = {.bitrate = 9600, .delay_us = 20000,
	    .loss_permille = 30, .half_duplex = true};
	struct scene *s = *state;

	scene_open(s, 3);
	(void)scene_node(s, false, false);
	(void)scene_node(s, false, false);
	(void)sim_link(s->sim, 0, 1, &o);
	converge(s, 5);
	everything(s, 0, 1, 8);
	scene_close(s);
}

/* ---- ten ---- */

static void
make_line(struct scene *s, uint64_t seed, unsigned n,
    const struct sim_link_opts *o)
{
	scene_open(s, seed);
	for (unsigned i = 0; i < n; i++)
		(void)scene_node(s, i != 0 && i != n - 1, false);
	for (unsigned i = 0; i + 1 < n; i++)
		(void)sim_link(s->sim, i, i + 1, o);
}

static void
line(void **state)
{
	struct sim_link_opts o = {.bitrate = 10000000, .delay_us = 3000,
	    .hw_mtu = 16384, .mtu_signal = true};
	struct scene *s = *state;

	make_line(s, 4, 10, &o);
	converge(s, 1);
	for (unsigned i = 0; i < 10; i++)
		for (unsigned j = 0; j < 10; j++)
			if (i != j)
				assert_int_equal(hops(s, i, j),
				    i > j ? i - j : j - i);
	everything(s, 0, 9, 1);
	everything(s, 7, 2, 1);
	scene_close(s);
}

static void
line_lossy(void **state)
{
	struct sim_link_opts o = {.bitrate = 1000000, .delay_us = 10000,
	    .loss_permille = 20, .hw_mtu = 1064, .mtu_signal = true};
	struct scene *s = *state;

	make_line(s, 5, 5, &o);
	converge(s, 10);
	everything(s, 0, 4, 10);
	scene_close(s);
}

static void
star(void **state)
{
	struct sim_link_opts o = {.bitrate = 1000000, .delay_us = 2000,
	    .hw_mtu = 2048, .mtu_signal = true};
	struct scene *s = *state;

	scene_open(s, 6);
	(void)scene_node(s, true, false);
	for (unsigned i = 1; i < 10; i++) {
		(void)scene_node(s, false, false);
		(void)sim_link(s->sim, 0, i, &o);
	}
	converge(s, 2);
	for (unsigned i = 1; i < 10; i++)
		for (unsigned j = 1; j < 10; j++)
			if (i != j)
				assert_int_equal(hops(s, i, j), 2);
	for (unsigned i = 1; i < 9; i++)
		packet_with_proof(s, i, i + 1, 1);
	everything(s, 3, 8, 1);
	scene_close(s);
}

static void
ring(void **state)
{
	struct sim_link_opts o = {.bitrate = 1000000, .delay_us = 2000,
	    .hw_mtu = 2048, .mtu_signal = true};
	struct scene *s = *state;

	scene_open(s, 7);
	for (unsigned i = 0; i < 10; i++)
		(void)scene_node(s, true, false);
	for (unsigned i = 0; i < 10; i++)
		(void)sim_link(s->sim, i, (i + 1) % 10, &o);
	converge(s, 2);
	/* An announce goes both ways round; the first copy makes the path. */
	for (unsigned i = 0; i < 10; i++)
		for (unsigned j = 0; j < 10; j++)
			if (i != j)
				assert_in_range(hops(s, i, j), 1, 9);
	for (unsigned i = 0; i < 10; i++)
		packet_with_proof(s, i, (i + 5) % 10, 1);
	everything(s, 0, 5, 1);
	scene_close(s);
}

/* The other way round takes over when a link of the ring is cut. */
static void
ring_cut(void **state)
{
	struct sim_link_opts o = {.bitrate = 1000000, .delay_us = 2000,
	    .hw_mtu = 2048, .mtu_signal = true};
	struct scene *s = *state;
	unsigned links[4];

	scene_open(s, 8);
	for (unsigned i = 0; i < 4; i++)
		(void)scene_node(s, true, false);
	for (unsigned i = 0; i < 4; i++)
		links[i] = sim_link(s->sim, i, (i + 1) % 4, &o);
	converge(s, 1);
	sim_unlink(s->sim, links[0]);
	assert_int_equal(hops(s, 0, 1), RNS_HOPS_MAX);
	converge(s, 2);
	assert_int_equal(hops(s, 0, 1), 3);
	everything(s, 0, 1, 1);
	scene_close(s);
}

/*
 * Oscillators as bad as two in a hundred, one fast and the next one slow: in a
 * day they are an hour apart, and links, paths and requests last as with good
 * ones, on a fast way and on a slow one.
 */
static void
clocks_apart(void **state)
{
	struct sim_link_opts fast = {.bitrate = 10000000, .delay_us = 3000};
	struct sim_link_opts slow = {.bitrate = 2000, .delay_us = 100000,
	    .half_duplex = true};
	struct scene *s = *state;

	scene_open(s, 12);
	s->skew_ppm = 20000;
	for (unsigned i = 0; i < 4; i++)
		(void)scene_node(s, i == 1, false);
	(void)sim_link(s->sim, 0, 1, &fast);
	(void)sim_link(s->sim, 1, 2, &fast);
	(void)sim_link(s->sim, 1, 3, &slow);
	converge(s, 3);
	link_open(s, 0, 2, 1);
	link_open(s, 3, 2, 1);
	for (unsigned hour = 0; hour < 24; hour++) {
		(void)sim_run(s->sim, INT64_C(3600) * SECOND, NULL, NULL);
		request(s, hour % 2 == 0 ? 0 : 3, 2, 300, 1);
	}
	for (unsigned i = 0; i < s->count; i++)
		assert_false(s->p[i].link_down);
	packet_with_proof(s, 3, 2, 1);
	scene_close(s);
}

/* ---- path requests ---- */

static void
path_request(struct scene *s, unsigned node, unsigned to)
{
	struct rns_cmd c = {.type = RNS_CMD_PATH_REQUEST};

	c.hash = s->p[to].dest;
	assert_int_equal(sim_submit(s->sim, node, &c), RNS_OK);
}

/* Comes too late for the announce, asks, and is answered by the relay. */
static void
late_comer(void **state)
{
	struct sim_link_opts o = {.bitrate = 1000000, .delay_us = 2000};
	struct scene *s = *state;

	make_line(s, 9, 3, &o);
	converge(s, 1);
	(void)scene_node(s, false, false);
	(void)sim_link(s->sim, 1, 3, &o);
	(void)sim_run(s->sim, 30 * SECOND, NULL, NULL);
	assert_int_equal(hops(s, 3, 0), RNS_HOPS_MAX);
	path_request(s, 3, 0);
	(void)sim_run(s->sim, 5 * SECOND, NULL, NULL);
	assert_int_equal(hops(s, 3, 0), 2);
	announce(s, 3);
	(void)sim_run(s->sim, 5 * SECOND, NULL, NULL);
	packet_with_proof(s, 3, 0, 1);
	scene_close(s);
}

/* Nobody ever announced: gateways search, the owner itself answers. */
static void
recursive_search(void **state)
{
	struct sim_link_opts o = {.bitrate = 1000000, .delay_us = 2000,
	    .mode = RNS_MODE_GATEWAY};
	struct scene *s = *state;

	make_line(s, 10, 6, &o);
	path_request(s, 0, 5);
	(void)sim_run(s->sim, 10 * SECOND, NULL, NULL);
	assert_int_equal(hops(s, 0, 5), 5);
	path_request(s, 5, 0);
	(void)sim_run(s->sim, 10 * SECOND, NULL, NULL);
	packet_with_proof(s, 0, 5, 1);
	scene_close(s);
}

/* ---- programs on a shared instance ---- */

static void
shared_instance(struct scene *s, uint64_t seed, bool transport)
{
	struct sim_link_opts net = {.bitrate = 10000000, .delay_us = 2000,
	    .hw_mtu = 16384, .mtu_signal = true};
	struct sim_link_opts local = {.bitrate = 1000000000, .delay_us = 20,
	    .hw_mtu = 262144, .mtu_signal = true, .local = true};

	scene_open(s, seed);
	(void)scene_node(s, transport, false);
	(void)scene_node(s, false, true);
	(void)scene_node(s, false, true);
	(void)scene_node(s, false, false);
	(void)sim_link(s->sim, 0, 1, &local);
	(void)sim_link(s->sim, 0, 2, &local);
	(void)sim_link(s->sim, 0, 3, &net);
	(void)sim_run(s->sim, 15 * SECOND, NULL, NULL);
	/*
	 * Both said who they are (reticulum-transport.md 12.2), nobody outside
	 * was told.
	 */
	assert_int_equal(hops(s, 0, 1), 0);
	assert_int_equal(hops(s, 0, 2), 0);
	assert_int_equal(hops(s, 2, 1), 0);
	assert_int_equal(hops(s, 3, 1), RNS_HOPS_MAX);
	path_request(s, 3, 1);
	(void)sim_run(s->sim, 5 * SECOND, NULL, NULL);
	assert_int_equal(hops(s, 3, 1), 1);
	converge(s, 1);
	assert_int_equal(hops(s, 1, 3), 1);
	assert_int_equal(hops(s, 3, 2), 1);
	everything(s, 1, 2, 1); /* two programs */
	s->p[1].link_up = s->p[2].link_up = false;
	everything(s, 1, 3, 1); /* a program and the outside */
	s->p[2].link_up = s->p[3].link_up = false;
	everything(s, 3, 2, 1);
	s->p[1].link_up = s->p[0].link_up = false;
	everything(s, 1, 0, 1); /* a program and the daemon itself */
	scene_close(s);
}

static void
programs_with_transport(void **state)
{
	shared_instance(*state, 11, true);
}

static void
programs_without_transport(void **state)
{
	shared_instance(*state, 12, false);
}

/* ---- the same again ---- */

static void
run_for_digest(struct scene *s, uint64_t seed, struct id32 *out)
{
	struct sim_link_opts o = {.bitrate = 500000, .delay_us = 7000,
	    .loss_permille = 50, .hw_mtu = 1064, .mtu_signal = true};

	make_line(s, seed, 4, &o);
	converge(s, 20);
	packet_with_proof(s, 0, 3, 30);
	link_open(s, 0, 3, 30);
	request(s, 0, 3, ECHO_SMALL, 30);
	sim_digest(s->sim, out);
	scene_close(s);
}

static void
one_seed_one_run(void **state)
{
	struct id32 a, b, c;

	run_for_digest(*state, 13, &a);
	run_for_digest(*state, 13, &b);
	run_for_digest(*state, 14, &c);
	assert_memory_equal(a.b, b.b, sizeof(a));
	assert_memory_not_equal(a.b, c.b, sizeof(a));
}

/* ---- small ceilings ---- */

static void
ceilings_hold(void **state)
{
	struct rns_limits l;
	struct sim_node_opts small = {.transport = true, .limits = &l};
	struct sim_link_opts o = {.bitrate = 10000000};
	struct scene *s = *state;
	struct rns_counts n;

	rns_limits_default(&l);
	l.paths = 4;
	l.known = 4;
	l.reverse = 8;
	l.hashes = 16;
	l.tx_packets = 8;
	l.link_table = 2;
	scene_open(s, 15);
	(void)sim_node(s->sim, &small);
	s->count = 1;
	for (unsigned i = 1; i < NODES; i++) {
		(void)scene_node(s, false, false);
		(void)sim_link(s->sim, 0, i, &o);
	}
	for (unsigned k = 0; k < 3; k++) {
		for (unsigned i = 1; i < NODES; i++)
			announce(s, i);
		(void)sim_run(s->sim, 10 * SECOND, NULL, NULL);
	}
	rns_counts(sim_rns(s->sim, 0), &n);
	assert_true(n.paths <= 4 && n.known <= 4 && n.announces_waiting <= 4);
	assert_true(n.reverse <= 128 && n.link_table <= 2);
	assert_true(rns_drops(sim_rns(s->sim, 0), RNS_DROP_PATHS_FULL) > 0);
	assert_true(rns_drops(sim_rns(s->sim, 0), RNS_DROP_KNOWN_FULL) > 0);
	scene_close(s);
}

int
main(void)
{
	static struct scene scene;
	static void *state = &scene;
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_prestate(two_cores, state),
	    cmocka_unit_test_prestate(two_cores_access_code, state),
	    cmocka_unit_test_prestate(two_cores_lossy_radio, state),
	    cmocka_unit_test_prestate(line, state),
	    cmocka_unit_test_prestate(line_lossy, state),
	    cmocka_unit_test_prestate(star, state),
	    cmocka_unit_test_prestate(ring, state),
	    cmocka_unit_test_prestate(ring_cut, state),
	    cmocka_unit_test_prestate(clocks_apart, state),
	    cmocka_unit_test_prestate(late_comer, state),
	    cmocka_unit_test_prestate(recursive_search, state),
	    cmocka_unit_test_prestate(programs_with_transport, state),
	    cmocka_unit_test_prestate(programs_without_transport, state),
	    cmocka_unit_test_prestate(one_seed_one_run, state),
	    cmocka_unit_test_prestate(ceilings_hold, state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
