/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile frames by the million at a relay and at an endpoint, while two
 * others work over that relay: flood [FRAMES [SEED]]. What the attacker sends
 * is made of what it hears: frames as they were, late or cut, with bits or
 * fields changed; and of its own announces, link requests, proofs, noise. Every
 * request of the two must be answered, each link be opened unless the way was
 * stolen just then, and memory must stay what the limits say. Prints one line
 * of TAP for each claim.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"
#include "transport/core/base/announce.h"
#include "transport/core/base/packet.h"
#include "common/util.h"

#define FRAMES 50000
#define STEP_US 200	  /* between two frames */
#define ASK_FRAMES 500	  /* a request every so many */
#define LINK_ASKS 10	  /* a new link every so many of those */
#define HEARD 4096	  /* frames that the attacker remembers */
#define FRAME 600
#define LATE_US 5000	  /* the attacker is no faster than the wires */
#define WHO 4096	  /* identities that it has */
#define ANNOUNCE_US INT64_C(20000000) /* B says where it is */
#define ASTRAY_US INT64_C(120000000) /* it steals the way again and again */
#define ROOM (48u << 20) /* bytes, of all five cores with these limits */

enum { A, RELAY, B, X, Y, NODES }; /* X, Y: whose links the attacker uses */

struct frame {
	int64_t at; /* when it was heard */
	size_t len;
	uint8_t data[FRAME];
};

struct flood {
	struct sim *sim;
	uint64_t rng;
	unsigned wire[4]; /* A-RELAY, RELAY-B, X-RELAY, Y-B */
	struct hash16 dest, link, pending;
	bool up;
	enum { STRAIGHT = 1, ASTRAY } way; /* of the link, see is_astray() */
	unsigned turn, vain, asked, answered, failed, wanted, opened, lost;
	unsigned refused; /* links, by A itself */
	unsigned astray; /* links wanted in vain, requests, while is_astray() */
	int64_t since, longest; /* how long the relay's path was another's */
	bool closing;
	struct frame heard[HEARD];
	size_t nheard;
	struct frame mine[WHO]; /* announces, signed once */
	size_t nmine;
};

static uint32_t
number(struct flood *f, uint32_t below)
{
	uint64_t v;

	sim_random_bytes(&f->rng, (uint8_t *)&v, sizeof(v));
	return (uint32_t)(v % below);
}

static void
hear(void *arg, const uint8_t *p, size_t n)
{
	struct flood *f = arg;
	struct frame *h = &f->heard[f->nheard++ % HEARD];

	h->at = sim_now(f->sim).us;
	h->len = MIN_OF(n, (size_t)FRAME);
	memcpy(h->data, p, h->len);
}

static void
on_event(struct sim *sim, unsigned node, const struct rns_event *ev, void *arg)
{
	static const uint8_t body[4] = {0x93, 0, 0x80, 0xc0};
	struct flood *f = arg;
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};

	if (node == A && ev->type == RNS_EV_LINK_UP &&
	    ev->link.tag != f->wanted) {
		c.type = RNS_CMD_LINK_CLOSE; /* too late */
		c.hash = ev->link.id;
		(void)sim_submit(sim, node, &c);
	} else if (node == A && ev->type == RNS_EV_LINK_PENDING) {
		f->pending = ev->link.id;
	} else if (ev->type == RNS_EV_REQUEST && node == B) {
		c.respond.link = ev->request.link;
		c.respond.request_id = ev->request.request_id;
		c.respond.data = body;
		c.respond.len = sizeof(body);
		(void)sim_submit(sim, node, &c);
	} else if (node == A && ev->type == RNS_EV_RESPONSE) {
		f->answered += ev->response.tag == STRAIGHT;
	} else if (node == A && ev->type == RNS_EV_REQUEST_FAILED) {
		f->failed += ev->response.tag == STRAIGHT;
	} else if (node == A && ev->type == RNS_EV_LINK_UP) {
		f->link = ev->link.id;
		f->up = true;
		f->opened++;
	} else if (node == A && ev->type == RNS_EV_LINK_CLOSED &&
	    hash16_eq(&ev->link.id, &f->link)) {
		f->up = false;
		f->lost += !f->closing && f->way == STRAIGHT;
	}
}

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "flood: %s\n", what);
	exit(1);
}

static void
make_b(struct flood *f)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "flood.honest",
	        .has_identity = true, .prove = RNS_PROVE_ALL,
	        .accept_links = true, .resources = RNS_ACCEPT_ALL}};
	struct rns_cmd h = {.type = RNS_CMD_HANDLER_ADD,
	    .handler = {.path = "ask", .allow = RNS_ALLOW_ALL}};
	uint8_t pub[RNS_KEY];
	struct hash16 id;

	sim_random_bytes(&f->rng, c.dest.identity, RNS_KEY);
	must(sim_submit(f->sim, B, &c) == RNS_OK &&
	    rns_identity_derive(pub, &id, c.dest.identity) == RNS_OK &&
	    rns_dest_hash(&f->dest, "flood.honest", &id) == RNS_OK,
	    "a destination");
	h.handler.dest = f->dest;
	must(sim_submit(f->sim, B, &h) == RNS_OK, "a handler");
}

static void
announce(struct flood *f)
{
	struct rns_cmd c = {.type = RNS_CMD_ANNOUNCE};

	c.announce.dest = f->dest;
	(void)sim_submit(f->sim, B, &c);
}

static void
net_make(struct flood *f, uint64_t seed)
{
	/* a relayed link that was proved stays in its table for 15 min */
	struct rns_limits small = {.interfaces = 16,
	    .destinations = 16, .known = 1024, .paths = 1024, .tunnels = 16,
	    .links = 64, .link_table = 2048, .reverse = 1024, .hashes = 8192,
	    .receipts = 64, .events = 1024, .tx_packets = 4096,
	    .resource_bytes = 4 << 20, .event_bytes = 4 << 20};
	static const unsigned ends[4][2] = {{A, RELAY}, {RELAY, B}, {X, RELAY},
	    {Y, B}};
	struct sim_link_opts fast = {.delay_us = 1000};

	f->rng = seed + 1;
	f->sim = sim_new(seed, on_event, f);
	for (unsigned i = 0; i < NODES; i++) {
		struct sim_node_opts o = {.transport = i == RELAY,
		    .limits = &small};

		(void)sim_node(f->sim, &o);
	}
	for (unsigned i = 0; i < NELEM(ends); i++)
		f->wire[i] = sim_link(f->sim, ends[i][0], ends[i][1], &fast);
	sim_tap(f->sim, hear, f);
	make_b(f);
}

static bool
is_up(void *arg)
{
	return ((struct flood *)arg)->up;
}

static bool
has_path(void *arg)
{
	struct flood *f = arg;
	struct rns_path p;

	return rns_path_get(sim_rns(f->sim, A), &f->dest, &p);
}

/*
 * X and Y work together: a path request at Y makes B announce there, and X
 * plays that back as its own neighbour's. Hop counts are not signed, so the
 * relay has to believe it until a link over there is not proved. Looked at
 * after every frame: how long that lasts.
 */
static bool
is_astray(struct flood *f)
{
	struct rns_path p;
	bool is = rns_path_get(sim_rns(f->sim, RELAY), &f->dest, &p) &&
	    p.ifid != f->wire[1];

	if (!is)
		f->since = 0;
	else if (f->since == 0)
		f->since = sim_now(f->sim).us;
	else
		f->longest = MAX_OF(f->longest,
		    sim_now(f->sim).us - f->since);
	return is;
}

/* As programs do: first the path, when there is none. */
static void
want_path(struct flood *f)
{
	struct rns_cmd c = {.type = RNS_CMD_PATH_REQUEST};

	if (has_path(f))
		return;
	c.hash = f->dest;
	(void)sim_submit(f->sim, A, &c);
	(void)sim_run(f->sim, 1000000, has_path, f);
}

/*
 * A link that does not come up holds one of A's places, and for as long as the
 * hops of its path give it: of one that was played back these are up to 128,
 * and some minutes. So do programs that ask no longer.
 */
static void
give_up(struct flood *f)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_CLOSE, .hash = f->pending};

	(void)sim_submit(f->sim, A, &c);
}

/* Now and then a link, often a request over it, whatever goes on beside it. */
static void
ask(struct flood *f)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_CLOSE};
	if (f->up && f->turn % LINK_ASKS == 0) {
		(void)sim_run(f->sim, 100000, NULL, NULL);
		c.hash = f->link;
		f->closing = true;
		(void)sim_submit(f->sim, A, &c);
		(void)sim_run(f->sim, 10000, NULL, NULL);
		f->closing = f->up = false;
	}
	memset(&c, 0, sizeof(c));
	if (!f->up) {
		want_path(f);
		c.type = RNS_CMD_LINK_OPEN;
		c.link_open.dest = f->dest;
		f->wanted++;
		c.link_open.tag = f->wanted;
		f->way = is_astray(f) ? ASTRAY : STRAIGHT;
		f->refused += sim_submit(f->sim, A, &c) != RNS_OK;
		if (!sim_run(f->sim, 1000000, is_up, f)) {
			f->vain += f->way == ASTRAY;
			f->astray += f->way == ASTRAY;
			give_up(f);
			return;
		}
		memset(&c, 0, sizeof(c));
	}
	c.type = RNS_CMD_REQUEST;
	c.request.link = f->link;
	c.request.path = "ask";
	c.request.data = (const uint8_t *)"\x01";
	c.request.len = 1;
	c.request.tag = f->way;
	if (sim_submit(f->sim, A, &c) != RNS_OK)
		return;
	f->asked += f->way == STRAIGHT;
	f->astray += f->way == ASTRAY;
	f->turn++;
}

static void
one_announce(struct flood *f, struct frame *to)
{
	uint8_t priv[RNS_KEY], name[RNS_NAME_HASH], random[5];
	struct hash16 dest;
	struct identity id;

	sim_random_bytes(&f->rng, priv, sizeof(priv));
	sim_random_bytes(&f->rng, random, sizeof(random));
	must(identity_load(&id, priv) == RNS_OK &&
	    rns_dest_hash(&dest, "flood.mine", &id.hash) == RNS_OK, "a key");
	rns_name_hash(name, "flood.mine");
	to->len = announce_build(to->data, &id, &dest, name, random,
	    1800000000 + number(f, 1000), NULL, priv, number(f, 64), false);
}

/* ---- kinds of frames ---- */

static void
noise(struct flood *f, struct frame *o)
{
	o->len = number(f, FRAME + 1);
	sim_random_bytes(&f->rng, o->data, o->len);
}

static void
heard(struct flood *f, struct frame *o)
{
	size_t n = MIN_OF(f->nheard, (size_t)HEARD);

	if (n > 0)
		*o = f->heard[number(f, (uint32_t)n)];
	if (n == 0 || o->at + LATE_US > sim_now(f->sim).us)
		noise(f, o);
}

static void
changed(struct flood *f, struct frame *o)
{
	heard(f, o);
	for (uint32_t i = number(f, 4); o->len > 0 && i < 4; i++)
		o->data[number(f, (uint32_t)o->len)] ^=
		    (uint8_t)(1u << number(f, 8));
}

/* Flags, hops, context, or another destination's address. */
static void
field(struct flood *f, struct frame *o)
{
	struct frame other;

	heard(f, o);
	heard(f, &other);
	if (o->len < HEADER_2_LEN || other.len < HEADER_2_LEN)
		return;
	switch (number(f, 5)) {
	case 0:
		o->data[0] = (uint8_t)number(f, 256);
		break;
	case 1:
		o->data[1] = (uint8_t)number(f, 256);
		break;
	case 2:
		o->data[HEADER_1_LEN - 1] = (uint8_t)number(f, 256);
		break;
	case 3:
		memcpy(o->data + 2, other.data + 2, RNS_HASH);
		break;
	default:
		memcpy(o->data + 2, rns_identity_hash(sim_rns(f->sim, RELAY)),
		    RNS_HASH);
		o->data[0] |= 0x50;
		break;
	}
}

static void
cut(struct flood *f, struct frame *o)
{
	heard(f, o);
	o->len = number(f, (uint32_t)o->len + 1);
}

static void
own_announce(struct flood *f, struct frame *o)
{
	if (f->nmine < WHO && number(f, 4) == 0)
		one_announce(f, &f->mine[f->nmine++]);
	if (f->nmine == 0) {
		noise(f, o);
		return;
	}
	*o = f->mine[number(f, (uint32_t)f->nmine)];
	if (o->len > 1)
		o->data[1] = (uint8_t)number(f, 130);
}

static void
built(struct flood *f, struct frame *o)
{
	uint8_t data[400];
	struct hash16 dest = f->dest;
	uint8_t type = (uint8_t)number(f, 4);
	size_t n = type == 2 ? 64 + 3 * number(f, 2) : number(f, 400);

	if (number(f, 3) == 0)
		dest = f->link;
	else if (number(f, 3) == 0)
		sim_random_bytes(&f->rng, HASH_BYTES(dest));
	sim_random_bytes(&f->rng, data, n);
	o->len = packet_build(o->data, RNS_MTU,
	    (uint8_t)((number(f, 4) << 2) | type), &dest,
	    (uint8_t)number(f, 256), data, n);
}

static void
frame_make(struct flood *f, struct frame *o)
{
	static void (*const kinds[])(struct flood *, struct frame *) = {noise,
	    heard, changed, changed, field, field, cut, own_announce, built,
	    built};

	kinds[number(f, NELEM(kinds))](f, o);
}

/* ---- */

static bool
claim(bool ok, const char *what)
{
	printf("%s %s\n", ok ? "ok" : "not ok", what);
	return ok;
}

/* Where it went, when something did. */
static void
tell(const struct flood *f)
{
	static const char *const names[] = {"a", "relay", "b"};

	for (unsigned i = A; i <= B; i++) {
		const struct rns *r = sim_rns(f->sim, i);
		struct rns_counts c;

		rns_counts(r, &c);
		printf("# %s: links %u, link table %u (%u up), reverse %u, "
		    "paths %u, known %u\n", names[i], c.links, c.link_table,
		    c.link_table_active, c.reverse, c.paths, c.known);
		for (unsigned d = 0; d < RNS_DROP_COUNT; d++)
			if (rns_drops(r, d) > 0)
				printf("# %s: %llu %s\n", names[i],
				    (unsigned long long)rns_drops(r, d),
				    rns_drop_text(d));
	}
}

int
main(int argc, char *argv[])
{
	static struct flood f;
	uint64_t frames = argc > 1 ? strtoull(argv[1], NULL, 10) : FRAMES;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, most = 0;
	int64_t next = 0;
	char text[200];
	struct frame o;
	bool good = true;

	net_make(&f, seed);
	announce(&f);
	(void)sim_run(f.sim, 2000000, NULL, NULL);
	for (uint64_t i = 0; i < frames; i++) {
		bool at_b = number(&f, 4) == 0;

		frame_make(&f, &o);
		sim_inject(f.sim, at_b ? B : RELAY, f.wire[at_b ? 3 : 2],
		    o.data, o.len);
		(void)sim_run(f.sim, STEP_US, NULL, NULL);
		(void)is_astray(&f);
		if (i % ASK_FRAMES == 0)
			ask(&f);
		/* by the clock: what is asked in vain takes a second */
		if (sim_now(f.sim).us >= next) {
			announce(&f);
			next = sim_now(f.sim).us + ANNOUNCE_US;
		}
		if (i % 4096 == 0)
			most = MAX_OF(most, (uint64_t)mallinfo2().uordblks);
	}
	(void)sim_run(f.sim, 30000000, NULL, NULL);
	(void)snprintf(text, sizeof(text), "flood: %llu frames, %u requests "
	    "beside them, %u answered", (unsigned long long)frames, f.asked,
	    f.answered);
	good &= claim(f.asked + f.astray > frames / ASK_FRAMES * 9 / 10 &&
	    f.answered == f.asked && f.failed == 0, text);
	(void)snprintf(text, sizeof(text), "flood: memory at most %llu kB "
	    "(bound %u kB)", (unsigned long long)most / 1024, ROOM / 1024);
	good &= claim(most < ROOM, text);
	(void)snprintf(text, sizeof(text), "flood: %u links wanted, %u opened, "
	    "%u lost, %u in vain while the relay's path was another's, for "
	    "%lld s at most", f.wanted, f.opened, f.lost, f.vain,
	    (long long)(f.longest / 1000000));
	good &= claim(f.opened + f.vain == f.wanted && f.lost == 0 &&
	    f.refused == 0 &&
	    f.astray < frames / ASK_FRAMES / 4 && f.longest < ASTRAY_US, text);
	if (!good)
		tell(&f);
	sim_free(f.sim);
	return good ? 0 : 1;
}
