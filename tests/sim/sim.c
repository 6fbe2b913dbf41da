/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "transport/core/base/const.h"

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
	struct sim_sent sent;
	int64_t paid; /* when what its announces took of 2 % is over */
};

struct sim_wire {
	bool up;
	struct sim_link_opts o;
	struct sim_side side[2];
	struct air *air;
	sim_port_fn *port; /* it has one side only, and is this */
	void *port_arg;
};

struct sim_peer {
	RB_ENTRY(sim_peer) node;
	TAILQ_ENTRY(sim_peer) entry;
	unsigned id;
	struct rns *r;
	struct rns_config cfg;
	uint64_t rng;
	int64_t due;
	int64_t skew_ppm;
	bool off, touched; /* in the list of those */
};
RB_HEAD(dues, sim_peer);

struct sim {
	uint64_t rng, seq;
	int64_t now;
	sim_event_fn *fn;
	void *arg;
	struct sim_peer **nodes;
	unsigned node_count;
	struct sim_wire *wires;
	unsigned wire_count;
	bool has_air; /* some of them */
	struct dues dues;
	TAILQ_HEAD(, sim_peer) touched; /* from outside their turn */
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

static int
due_cmp(const struct sim_peer *a, const struct sim_peer *b)
{
	if (a->due != b->due)
		return a->due < b->due ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

TREE_PROTOTYPE(dues, sim_peer, node, due_cmp)
TREE_GENERATE(dues, sim_peer, node, due_cmp)

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
	RB_INIT(&s->dues);
	TAILQ_INIT(&s->touched);
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
	for (unsigned i = 0; i < s->node_count; i++) {
		rns_free(s->nodes[i]->r);
		free(s->nodes[i]);
	}
	free(s->nodes);
	for (unsigned i = 0; i < s->wire_count; i++)
		air_free(s->wires[i].air);
	free(s->wires);
	free(s);
}

/* One more of n things, where room doubles. */
static void *
room(void *p, unsigned n, size_t size)
{
	if (n != 0 && (n & (n - 1)) != 0)
		return p;
	p = reallocarray(p, n == 0 ? 1 : 2 * (size_t)n, size);
	if (p == NULL)
		die("out of memory");
	return p;
}

/* ---- clocks that are not alike ---- */

static int64_t
own(const struct sim_peer *p, int64_t at)
{
	return at + at / 1000000 * p->skew_ppm +
	    at % 1000000 * p->skew_ppm / 1000000;
}

static struct mono
own_now(const struct sim *s, const struct sim_peer *p)
{
	return (struct mono){own(p, s->now)};
}

/* The first moment at which its own clock is so far. */
static int64_t
due_of(const struct sim_peer *p)
{
	int64_t at = rns_deadline(p->r).us, per = 1000000 + p->skew_ppm, t;

	if (p->skew_ppm == 0 || at == INT64_MAX)
		return at;
	t = at / per * 1000000 + at % per * 1000000 / per;
	while (own(p, t) < at)
		t++;
	return t;
}

unsigned
sim_node(struct sim *s, const struct sim_node_opts *o)
{
	unsigned n = s->node_count;
	struct sim_peer *p = calloc(1, sizeof(*p));

	if (p == NULL)
		die("out of memory");
	p->cfg = (struct rns_config){
	    .random = sim_random_bytes,
	    .random_arg = &p->rng,
	    .wall_us = SIM_WALL_US + s->now,
	    .transport = o->transport,
	    .attached = o->attached,
	    .implicit_proof = true,
	    .link_mtu_discovery = true,
	};
	p->id = n;
	p->rng = next_random(&s->rng);
	rns_limits_default(&p->cfg.limits);
	if (o->limits != NULL)
		p->cfg.limits = *o->limits;
	sim_random_bytes(&p->rng, p->cfg.identity, sizeof(p->cfg.identity));
	p->skew_ppm = o->skew_ppm;
	p->r = rns_new(&p->cfg, own_now(s, p));
	if (p->r == NULL)
		die("rns_new failed");
	s->nodes = room(s->nodes, n, sizeof(struct sim_peer *));
	s->nodes[n] = p;
	s->node_count++;
	p->due = due_of(p);
	(void)RB_INSERT(dues, &s->dues, p);
	return n;
}

struct rns *
sim_rns(struct sim *s, unsigned node)
{
	return s->nodes[node]->r;
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

/* Announces, but not its own nor answers to path requests. */
static bool
passed_on(const uint8_t *p, size_t n)
{
	size_t context = (p[0] & FLAG_HEADER_2) != 0 ? HEADER_2_LEN - 1 :
						       HEADER_1_LEN - 1;

	return (p[0] & FLAG_IFAC) == 0 && (p[0] & 3) == PACKET_ANNOUNCE &&
	    n > context && p[1] > 0 && p[context] != CTX_PATH_RESPONSE;
}

static void
account(struct sim *s, const struct sim_wire *w, struct sim_side *me,
    const struct rns_tx *tx)
{
	me->sent.bytes += tx->len;
	if (!passed_on(tx->data, tx->len))
		return;
	me->sent.announces += tx->len;
	if (w->o.bitrate == 0)
		return;
	me->sent.ahead_us = MAX_OF(me->sent.ahead_us, me->paid - s->now);
	me->paid = MAX_OF(me->paid, s->now) +
	    (int64_t)(tx->len * 8 * 1000000 * 50 / w->o.bitrate);
}

struct sim_sent
sim_sent(const struct sim *s, unsigned link, unsigned node)
{
	const struct sim_wire *w = &s->wires[link];

	return w->side[w->side[0].node == node ? 0 : 1].sent;
}

struct air_sum
sim_air(const struct sim *s, unsigned link, unsigned node)
{
	const struct sim_wire *w = &s->wires[link];

	return air_sum(w->air, w->side[0].node == node ? 0 : 1);
}

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
	if (w->port != NULL) {
		w->port(w->port_arg, tx->data, tx->len);
		return;
	}
	me = w->side[0].node == from ? &w->side[0] : &w->side[1];
	account(s, w, me, tx);
	if (w->air != NULL) {
		if (!air_put(w->air, me == &w->side[0] ? 0 : 1, tx->data,
			tx->len, s->now))
			die("out of memory");
		return;
	}
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

/* Everything that a call left in a node, and when it wants the next one. */
static void
drain(struct sim *s, struct sim_peer *p)
{
	struct rns_event ev;
	struct rns_tx tx;
	int64_t due;
	bool more;

	if (p->off)
		return;
	do {
		more = false;
		while (rns_next_tx(p->r, &tx)) {
			send_packet(s, p->id, &tx);
			more = true;
		}
		while (rns_next_event(p->r, &ev)) {
			digest_event(s, p->id, &ev);
			if (s->fn != NULL)
				s->fn(s, p->id, &ev, s->arg);
			more = true;
		}
	} while (more);
	due = due_of(p);
	if (due == p->due)
		return;
	RB_REMOVE(dues, &s->dues, p);
	p->due = due;
	(void)RB_INSERT(dues, &s->dues, p);
}

static void
touch(struct sim *s, struct sim_peer *p)
{
	if (!p->touched)
		TAILQ_INSERT_TAIL(&s->touched, p, entry);
	p->touched = true;
}

static void
drain_touched(struct sim *s)
{
	struct sim_peer *p;

	while ((p = TAILQ_FIRST(&s->touched)) != NULL) {
		TAILQ_REMOVE(&s->touched, p, entry);
		p->touched = false;
		drain(s, p);
	}
}

/* From within an event, what it makes is drained by the caller's loop. */
int
sim_submit(struct sim *s, unsigned node, const struct rns_cmd *cmd)
{
	struct sim_peer *p = s->nodes[node];

	if (p->off)
		return RNS_ESTATE;
	touch(s, p);
	return rns_submit(p->r, cmd, own_now(s, p));
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

	if (o->air != NULL)
		c.iface.frame = (uint32_t)o->air->frame;
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
	(void)rns_recv(s->nodes[node]->r, link, p, n,
	    own_now(s, s->nodes[node]));
	drain(s, s->nodes[node]);
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

	s->wires = room(s->wires, id, sizeof(*s->wires));
	w = &s->wires[id];
	*w = (struct sim_wire){.up = true, .o = *o,
	    .side = {{.node = a}, {.node = b}}};
	if (w->o.queue_us == 0)
		w->o.queue_us = 60000000;
	s->wire_count++;
	if (o->air != NULL) {
		if ((w->air = air_new(o->air, next_random(&s->rng))) == NULL)
			die("out of memory");
		s->has_air = true;
	}
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
		if (!s->nodes[w->side[i].node]->off &&
		    sim_submit(s, w->side[i].node, &c) != RNS_OK)
			die("IF_DEL failed");
}

unsigned
sim_port(struct sim *s, unsigned node, sim_port_fn *fn, void *arg)
{
	const struct sim_link_opts o = {.local = true, .hw_mtu = 262144,
	    .mtu_signal = true};
	unsigned id = s->wire_count;

	s->wires = room(s->wires, id, sizeof(*s->wires));
	s->wires[id] = (struct sim_wire){.up = true, .o = o,
	    .side = {{.node = node}, {.node = node}}, .port = fn,
	    .port_arg = arg};
	s->wire_count++;
	link_end(s, node, id, &o, RNS_IF_LOCAL_CLIENT);
	return id;
}

void
sim_port_close(struct sim *s, unsigned port)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_DEL, .ifid = port};

	s->wires[port].up = false;
	if (sim_submit(s, s->wires[port].side[0].node, &c) != RNS_OK)
		die("IF_DEL failed");
}

void
sim_carry(struct sim *s, unsigned link, bool on)
{
	s->wires[link].up = on;
}

/* ---- programs that end and begin ---- */

void
sim_off(struct sim *s, unsigned node)
{
	struct sim_peer *p = s->nodes[node];

	drain(s, p);
	p->off = true;
	RB_REMOVE(dues, &s->dues, p);
	p->due = INT64_MAX;
	(void)RB_INSERT(dues, &s->dues, p);
}

bool
sim_is_off(const struct sim *s, unsigned node)
{
	return s->nodes[node]->off;
}

static void
give(struct sim *s, struct sim_peer *p, const struct rns_cmd *c)
{
	/* what has become too old is refused, as it is when it is loaded */
	(void)rns_submit(p->r, c, own_now(s, p));
}

static void
give_paths(struct sim *s, struct sim_peer *p, const struct rns *from)
{
	struct rns_cmd c;
	struct rns_path o = {.hops = 0};

	for (bool first = true; rns_path_next(from, &o.dest, first, &o);
	    first = false) {
		c = (struct rns_cmd){.type = RNS_CMD_PATH_ADD,
		    .path = {.dest = o.dest,
		        .next_hop = o.next_hop,
		        .hops = o.hops,
		        .learned_us = o.learned_us,
		        .expires_us = o.expires_us,
		        .ifid = o.ifid,
		        .blobs = o.blobs,
		        .blob_count = o.blob_count,
		        .announce = o.announce,
		        .announce_len = o.announce_len}};
		give(s, p, &c);
	}
}

static void
give_known(struct sim *s, struct sim_peer *p, const struct rns *from)
{
	struct rns_cmd c;
	struct rns_known k = {.heard_us = 0};

	for (bool first = true; rns_known_next(from, &k.dest, first, &k);
	    first = false) {
		c = (struct rns_cmd){.type = RNS_CMD_KNOWN_ADD,
		    .known = {.dest = k.dest,
		        .packet_hash = k.packet_hash,
		        .app_data = k.app_data,
		        .app_data_len = k.app_data_len,
		        .heard_us = k.heard_us,
		        .used_us = k.used_us}};
		memcpy(c.known.public_key, k.public_key, RNS_KEY);
		give(s, p, &c);
	}
}

static void
give_hashes(struct sim *s, struct sim_peer *p, const struct rns *from)
{
	size_t n = rns_hashes(from, NULL, 0);
	uint8_t *all = malloc(n * 32 + 1);
	struct rns_cmd c = {.type = RNS_CMD_HASHES_ADD};

	if (all == NULL)
		die("out of memory");
	c.bytes.len = rns_hashes(from, all, n) * 32;
	c.bytes.data = all;
	give(s, p, &c);
	free(all);
}

void
sim_on(struct sim *s, unsigned node, bool keep)
{
	struct sim_peer *p = s->nodes[node];
	struct rns *old = p->r;

	p->cfg.wall_us = SIM_WALL_US + s->now;
	p->r = rns_new(&p->cfg, own_now(s, p));
	if (p->r == NULL)
		die("rns_new failed");
	p->off = false;
	for (unsigned i = 0; i < s->wire_count; i++) {
		const struct sim_wire *w = &s->wires[i];

		for (unsigned k = 0; w->port == NULL && k < 2; k++)
			if (w->side[k].node == node)
				link_end(s, node, i, &w->o, !w->o.local ?
				    RNS_IF_NET : k == 0 ? RNS_IF_LOCAL_CLIENT :
				    RNS_IF_SHARED);
	}
	if (keep) {
		give_known(s, p, old);
		give_paths(s, p, old);
		give_hashes(s, p, old);
	}
	rns_free(old);
	drain(s, p);
}

/* The next moment at which anything happens. */
static int64_t
next_moment(struct sim *s)
{
	struct flight *f = RB_MIN(flights, &s->flights);
	struct sim_peer *p = RB_MIN(dues, &s->dues);
	int64_t at = f != NULL ? f->at : INT64_MAX;

	if (p != NULL)
		at = MIN_OF(at, p->due);
	for (unsigned i = 0; s->has_air && i < s->wire_count; i++)
		if (s->wires[i].air != NULL)
			at = MIN_OF(at, air_at(s->wires[i].air));
	return MAX_OF(at, s->now);
}

/* What comes through the air. */
static void
airs(struct sim *s)
{
	const uint8_t *b;
	unsigned side;
	size_t len;

	for (unsigned i = 0; s->has_air && i < s->wire_count; i++) {
		struct sim_wire *w = &s->wires[i];

		while (w->air != NULL &&
		    air_turn(w->air, &side, &b, &len, s->now))
			if (w->up && !s->nodes[w->side[side].node]->off)
				sim_inject(s, w->side[side].node, i, b, len);
	}
}

static void
one_moment(struct sim *s)
{
	struct sim_peer *p;
	struct flight *f;

	while ((f = RB_MIN(flights, &s->flights)) != NULL &&
	    f->at <= s->now) {
		RB_REMOVE(flights, &s->flights, f);
		p = s->nodes[f->to];
		if (s->wires[f->link].up && !p->off) {
			s->stats.delivered++;
			(void)rns_recv(p->r, f->link, f->data, f->len,
			    own_now(s, p));
			drain(s, p);
		}
		free(f);
	}
	airs(s);
	p = RB_MIN(dues, &s->dues);
	while (p != NULL && p->due <= s->now) {
		rns_tick(p->r, own_now(s, p));
		drain(s, p);
		if (p->due <= s->now)
			break; /* at once again: sim_run() counts those */
		p = RB_MIN(dues, &s->dues);
	}
}

bool
sim_run(struct sim *s, int64_t us, bool (*stop)(void *), void *arg)
{
	int64_t end = s->now + us, at;
	unsigned stuck = 0;

	drain_touched(s);
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
		drain_touched(s);
	}
	return true;
}
