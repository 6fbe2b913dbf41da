/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

struct flight { /* a packet under way */
	RB_ENTRY(flight) node;
	int64_t at;
	uint64_t seq;
	unsigned to, link;
	size_t len;
	uint8_t data[];
};
RB_HEAD(flights, flight);

struct sim_side {
	unsigned node;
	int64_t busy_until;
};

struct sim_wire {
	bool up;
	struct sim_link_opts o;
	struct sim_side side[2];
};

struct sim {
	uint64_t rng, seq;
	int64_t now;
	sim_event_fn *fn;
	void *arg;
	struct rns *nodes[SIM_NODES];
	uint64_t node_rng[SIM_NODES];
	unsigned node_count;
	struct sim_wire wires[SIM_NODES * 4];
	unsigned wire_count;
	struct flights flights;
	struct sim_stats stats;
	struct id32 digest;
	sim_tap_fn *tap;
	void *tap_arg;
};

static int
flight_cmp(const struct flight *a, const struct flight *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

TREE_PROTOTYPE(flights, flight, node, flight_cmp)
TREE_GENERATE(flights, flight, node, flight_cmp)

static void
die(const char *what)
{
	(void)fprintf(stderr, "sim: %s\n", what);
	exit(1);
}

/* splitmix64 */
static uint64_t
next_random(uint64_t *s)
{
	uint64_t z = *s += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void
sim_random_bytes(void *arg, uint8_t *out, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (i % 8 == 0)
			v = next_random(arg);
		out[i] = (uint8_t)(v >> 8 * (i % 8));
	}
}

uint64_t
sim_random(struct sim *s)
{
	return next_random(&s->rng);
}

struct sim *
sim_new(uint64_t seed, sim_event_fn *fn, void *arg)
{
	struct sim *s = calloc(1, sizeof(*s));

	if (s == NULL)
		die("out of memory");
	s->rng = seed;
	s->fn = fn;
	s->arg = arg;
	RB_INIT(&s->flights);
	return s;
}

void
sim_free(struct sim *s)
{
	struct flight *f;

	while ((f = RB_ROOT(&s->flights)) != NULL) {
		RB_REMOVE(flights, &s->flights, f);
		free(f);
	}
	for (unsigned i = 0; i < s->node_count; i++)
		rns_free(s->nodes[i]);
	free(s);
}

unsigned
sim_node(struct sim *s, const struct sim_node_opts *o)
{
	unsigned n = s->node_count;
	struct rns_config c = {
	    .random = sim_random_bytes,
	    .random_arg = &s->node_rng[n],
	    .wall_us = SIM_WALL_US + s->now,
	    .transport = o->transport,
	    .attached = o->attached,
	    .implicit_proof = true,
	    .link_mtu_discovery = true,
	};

	if (n == SIM_NODES)
		die("too many nodes");
	s->node_rng[n] = next_random(&s->rng);
	rns_limits_default(&c.limits);
	if (o->limits != NULL)
		c.limits = *o->limits;
	sim_random_bytes(&s->node_rng[n], c.identity, sizeof(c.identity));
	s->nodes[n] = rns_new(&c, (struct mono){s->now});
	if (s->nodes[n] == NULL)
		die("rns_new failed");
	s->node_count++;
	return n;
}

struct rns *
sim_rns(struct sim *s, unsigned node)
{
	return s->nodes[node];
}

struct mono
sim_now(const struct sim *s)
{
	return (struct mono){s->now};
}

struct sim_stats
sim_stats(const struct sim *s)
{
	return s->stats;
}

void
sim_digest(const struct sim *s, struct id32 *out)
{
	*out = s->digest;
}

/* ---- packets ---- */

static void
send_packet(struct sim *s, unsigned from, const struct rns_tx *tx)
{
	struct sim_wire *w;
	struct sim_side *me, *line;
	int64_t start, took = 0;
	struct flight *f;

	if (tx->ifid >= s->wire_count)
		die("packet for an unknown interface");
	w = &s->wires[tx->ifid];
	if (s->tap != NULL)
		s->tap(s->tap_arg, tx->data, tx->len);
	if (!w->up)
		return;
	me = w->side[0].node == from ? &w->side[0] : &w->side[1];
	line = w->o.half_duplex ? &w->side[0] : me;
	if (w->o.bitrate != 0)
		took = (int64_t)(tx->len * 8 * 1000000 / w->o.bitrate);
	start = MAX_OF(s->now, line->busy_until);
	s->stats.sent++;
	s->stats.bytes += tx->len;
	if (start - s->now > w->o.queue_us) {
		s->stats.lost++;
		return;
	}
	line->busy_until = start + took;
	if (next_random(&s->rng) % 1000 < w->o.loss_permille) {
		s->stats.lost++;
		return;
	}
	f = malloc(sizeof(*f) + tx->len);
	if (f == NULL)
		die("out of memory");
	f->at = start + took + w->o.delay_us;
	f->seq = ++s->seq;
	f->link = tx->ifid;
	f->to = w->side[me == &w->side[0]].node;
	f->len = tx->len;
	memcpy(f->data, tx->data, tx->len);
	(void)RB_INSERT(flights, &s->flights, f);
}

/* ---- events ---- */

static void
digest_add(struct sim *s, const void *p, size_t n)
{
	uint8_t buf[64];

	rns_sha256(id32_into(buf + 32), p, n);
	memcpy(buf, HASH_BYTES(s->digest));
	rns_sha256(&s->digest, buf, sizeof(buf));
}

static void
digest_event(struct sim *s, unsigned node, const struct rns_event *ev)
{
	int64_t head[3] = {s->now, node, ev->type};

	digest_add(s, head, sizeof(head));
	switch (ev->type) {
	case RNS_EV_ANNOUNCE:
		digest_add(s, ev->announce.raw, ev->announce.raw_len);
		break;
	case RNS_EV_PACKET:
	case RNS_EV_LINK_DATA:
		digest_add(s, ev->packet.data, ev->packet.len);
		break;
	case RNS_EV_RECEIPT:
		digest_add(s, &ev->receipt.rtt_us,
		    sizeof(ev->receipt.rtt_us));
		break;
	case RNS_EV_LINK_UP:
	case RNS_EV_LINK_CLOSED:
		digest_add(s, HASH_BYTES(ev->link.id));
		break;
	case RNS_EV_REQUEST:
		digest_add(s, ev->request.data, ev->request.len);
		break;
	case RNS_EV_RESPONSE:
		digest_add(s, ev->response.data, ev->response.len);
		break;
	case RNS_EV_RESOURCE_DATA:
		digest_add(s, ev->resource.data, ev->resource.len);
		break;
	case RNS_EV_CHANNEL_MESSAGE:
	case RNS_EV_STREAM_DATA:
		digest_add(s, ev->channel.data, ev->channel.len);
		break;
	default:
		break;
	}
}

/* Everything that a call left in a node. */
static void
drain(struct sim *s, unsigned node)
{
	struct rns_event ev;
	struct rns_tx tx;
	bool more;

	do {
		more = false;
		while (rns_next_tx(s->nodes[node], &tx)) {
			send_packet(s, node, &tx);
			more = true;
		}
		while (rns_next_event(s->nodes[node], &ev)) {
			digest_event(s, node, &ev);
			if (s->fn != NULL)
				s->fn(s, node, &ev, s->arg);
			more = true;
		}
	} while (more);
}

/* From within an event, what it makes is drained by the caller's loop. */
int
sim_submit(struct sim *s, unsigned node, const struct rns_cmd *cmd)
{
	return rns_submit(s->nodes[node], cmd, (struct mono){s->now});
}

static void
link_end(struct sim *s, unsigned node, unsigned id,
    const struct sim_link_opts *o, enum rns_if_kind kind)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {
	        .id = id,
	        .kind = kind,
	        .mode = o->mode != 0 ? o->mode : RNS_MODE_FULL,
	        .bitrate = o->bitrate,
	        .hw_mtu = o->hw_mtu != 0 ? o->hw_mtu : RNS_MTU,
	        .mtu_signal = o->mtu_signal,
	        .out = true,
	        .online = true,
	        .announce_cap_permille = 20,
	    }};

	if (o->ifac_key != NULL) {
		c.iface.ifac_size = 8;
		memcpy(c.iface.ifac_key, o->ifac_key, 64);
	}
	if (sim_submit(s, node, &c) != RNS_OK)
		die("IF_ADD failed");
}

void
sim_inject(struct sim *s, unsigned node, unsigned link, const uint8_t *p,
    size_t n)
{
	(void)rns_recv(s->nodes[node], link, p, n, (struct mono){s->now});
	drain(s, node);
}

void
sim_tap(struct sim *s, sim_tap_fn *tap, void *arg)
{
	s->tap = tap;
	s->tap_arg = arg;
}

unsigned
sim_link(struct sim *s, unsigned a, unsigned b, const struct sim_link_opts *o)
{
	unsigned id = s->wire_count;
	struct sim_wire *w;

	if (id == NELEM(s->wires))
		die("too many links");
	w = &s->wires[id];
	*w = (struct sim_wire){.up = true, .o = *o,
	    .side = {{.node = a}, {.node = b}}};
	if (w->o.queue_us == 0)
		w->o.queue_us = 60000000;
	s->wire_count++;
	link_end(s, a, id, o, o->local ? RNS_IF_LOCAL_CLIENT : RNS_IF_NET);
	link_end(s, b, id, o, o->local ? RNS_IF_SHARED : RNS_IF_NET);
	return id;
}

void
sim_unlink(struct sim *s, unsigned link)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_DEL, .ifid = link};
	struct sim_wire *w = &s->wires[link];

	w->up = false;
	for (unsigned i = 0; i < 2; i++)
		if (sim_submit(s, w->side[i].node, &c) != RNS_OK)
			die("IF_DEL failed");
}

void
sim_carry(struct sim *s, unsigned link, bool on)
{
	s->wires[link].up = on;
}

/* The next moment at which anything happens. */
static int64_t
next_moment(struct sim *s)
{
	struct flight *f = RB_MIN(flights, &s->flights);
	int64_t at = f != NULL ? f->at : INT64_MAX;

	for (unsigned i = 0; i < s->node_count; i++)
		at = MIN_OF(at, rns_deadline(s->nodes[i]).us);
	return MAX_OF(at, s->now);
}

static void
one_moment(struct sim *s)
{
	struct mono now = {s->now};
	struct flight *f;

	while ((f = RB_MIN(flights, &s->flights)) != NULL &&
	    f->at <= s->now) {
		RB_REMOVE(flights, &s->flights, f);
		if (s->wires[f->link].up) {
			s->stats.delivered++;
			(void)rns_recv(s->nodes[f->to], f->link, f->data,
			    f->len, now);
			drain(s, f->to);
		}
		free(f);
	}
	for (unsigned i = 0; i < s->node_count; i++) {
		if (rns_deadline(s->nodes[i]).us > s->now)
			continue;
		rns_tick(s->nodes[i], now);
		drain(s, i);
	}
}

bool
sim_run(struct sim *s, int64_t us, bool (*stop)(void *), void *arg)
{
	int64_t end = s->now + us, at;
	unsigned stuck = 0;

	for (unsigned i = 0; i < s->node_count; i++)
		drain(s, i);
	while (stop == NULL || !stop(arg)) {
		at = next_moment(s);
		if (at > end) {
			s->now = end;
			return false;
		}
		/* A core that always wants to be called again at once. */
		stuck = at == s->now ? stuck + 1 : 0;
		if (stuck > 100000)
			die("time stands still");
		s->now = at;
		one_moment(s);
		for (unsigned i = 0; i < s->node_count; i++)
			drain(s, i);
	}
	return true;
}
