/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Announces of new destinations at a relay, 50 a second, while two others work
 * over it: burst [SECONDS [SEED]]. Their path and their link must stay as they
 * are, each request must be answered, memory must stay what it may be, and the
 * counters must say where every announce is. Afterwards what was held is let
 * in, and the relay is as it was. Prints one line of TAP for each claim.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "tests/sim/sim.h"
#include "transport/core/base/announce.h"

#define HZ 50
#define SECOND INT64_C(1000000)
#define HELD_MAX 256	  /* ic_max_held_announces */
#define ROOM (4u << 20)	  /* bytes more than before it began */

enum { A, RELAY, B, LOUD, NODES };

struct burst {
	struct sim *sim;
	uint64_t rng;
	unsigned wire[3]; /* A-RELAY, RELAY-B, LOUD-RELAY */
	struct hash16 dest, link;
	bool up;
	unsigned asked, answered, lost;
};

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "burst: %s\n", what);
	exit(1);
}

static void
on_event(struct sim *sim, unsigned node, const struct rns_event *ev, void *arg)
{
	static const uint8_t body[4] = {0x93, 0, 0x80, 0xc0};
	struct burst *b = arg;
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};

	if (ev->type == RNS_EV_REQUEST && node == B) {
		c.respond.link = ev->request.link;
		c.respond.request_id = ev->request.request_id;
		c.respond.data = body;
		c.respond.len = sizeof(body);
		(void)sim_submit(sim, node, &c);
	} else if (node == A && ev->type == RNS_EV_RESPONSE) {
		b->answered++;
	} else if (node == A && ev->type == RNS_EV_LINK_UP) {
		b->link = ev->link.id;
		b->up = true;
	} else if (node == A && ev->type == RNS_EV_LINK_CLOSED) {
		b->lost++;
	}
}

static bool
is_up(void *arg)
{
	return ((struct burst *)arg)->up;
}

static void
make_b(struct burst *b)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "burst.honest",
	        .has_identity = true, .accept_links = true}};
	struct rns_cmd h = {.type = RNS_CMD_HANDLER_ADD,
	    .handler = {.path = "ask", .allow = RNS_ALLOW_ALL}};
	struct rns_cmd tell = {.type = RNS_CMD_ANNOUNCE};
	struct rns_cmd open = {.type = RNS_CMD_LINK_OPEN};
	uint8_t pub[RNS_KEY];
	struct hash16 id;

	sim_random_bytes(&b->rng, c.dest.identity, RNS_KEY);
	must(sim_submit(b->sim, B, &c) == RNS_OK &&
	    rns_identity_derive(pub, &id, c.dest.identity) == RNS_OK &&
	    rns_dest_hash(&b->dest, "burst.honest", &id) == RNS_OK,
	    "a destination");
	h.handler.dest = tell.announce.dest = open.link_open.dest = b->dest;
	must(sim_submit(b->sim, B, &h) == RNS_OK &&
	    sim_submit(b->sim, B, &tell) == RNS_OK, "a handler");
	(void)sim_run(b->sim, 3 * SECOND, NULL, NULL);
	must(sim_submit(b->sim, A, &open) == RNS_OK &&
	    sim_run(b->sim, 5 * SECOND, is_up, b), "a link");
}

static void
net_make(struct burst *b, uint64_t seed)
{
	static const unsigned ends[3][2] = {{A, RELAY}, {RELAY, B},
	    {LOUD, RELAY}};
	struct sim_link_opts fast = {.delay_us = 1000, .bitrate = 10000000};

	b->rng = seed + 1;
	b->sim = sim_new(seed, on_event, b);
	for (unsigned i = 0; i < NODES; i++) {
		struct sim_node_opts o = {.transport = i == RELAY};

		(void)sim_node(b->sim, &o);
	}
	for (unsigned i = 0; i < NELEM(ends); i++)
		b->wire[i] = sim_link(b->sim, ends[i][0], ends[i][1], &fast);
	make_b(b);
}

static void
ask(struct burst *b)
{
	struct rns_cmd c = {.type = RNS_CMD_REQUEST};

	c.request.link = b->link;
	c.request.path = "ask";
	c.request.data = (const uint8_t *)"\x01";
	c.request.len = 1;
	must(sim_submit(b->sim, A, &c) == RNS_OK, "a request");
	b->asked++;
}

static void
announce(struct burst *b)
{
	uint8_t raw[RNS_MTU], priv[RNS_KEY], name[RNS_NAME_HASH], random[5];
	struct hash16 dest;
	struct identity id;
	size_t len;

	sim_random_bytes(&b->rng, priv, sizeof(priv));
	sim_random_bytes(&b->rng, random, sizeof(random));
	must(identity_load(&id, priv) == RNS_OK &&
	    rns_dest_hash(&dest, "burst.new", &id.hash) == RNS_OK, "a key");
	rns_name_hash(name, "burst.new");
	len = announce_build(raw, &id, &dest, name, random, 1800000000, NULL,
	    NULL, 0, false);
	sim_inject(b->sim, RELAY, b->wire[2], raw, len);
}

static bool
claim(bool ok, const char *what)
{
	printf("%s burst: %s\n", ok ? "ok" : "not ok", what);
	return ok;
}

static struct rns_if_stats
loud(const struct burst *b)
{
	struct rns_if_stats s;

	must(rns_if_stats(sim_rns(b->sim, RELAY), b->wire[2], &s) == RNS_OK,
	    "figures");
	return s;
}

/* What the relay says of it, while it lasts. */
static bool
explained(struct burst *b, uint64_t sent)
{
	const struct rns *r = sim_rns(b->sim, RELAY);
	struct rns_if_stats s = loud(b);
	struct rns_counts c;
	char text[200];
	bool good;

	rns_counts(r, &c);
	(void)snprintf(text, sizeof(text), "%llu announces: %u learned, %u "
	    "held, %llu refused; a burst", (unsigned long long)sent,
	    c.paths - 1, s.held_announces, (unsigned long long)
	    rns_if_drops(r, b->wire[2], RNS_DROP_HOLD_FULL));
	good = claim(s.bursts == 1 && s.held_announces <= HELD_MAX &&
	    s.announces_rx.packets == sent && sent == c.paths - 1 +
	    s.held_announces + rns_if_drops(r, b->wire[2],
	    RNS_DROP_HOLD_FULL) && c.paths < sent / 2 + 10, text);
	return good;
}

/* Quiet again: one every 5 s, and then nothing is left of it. */
static bool
released(struct burst *b)
{
	struct rns_if_stats s = loud(b);
	uint32_t had = s.held_announces;
	char text[100];

	(void)sim_run(b->sim, 120 * SECOND, NULL, NULL);
	s = loud(b);
	if (!claim(s.bursts == 0 && had - s.held_announces >= 15 &&
	    had - s.held_announces <= 24, "it ends, and one is let in "
	    "every 5 s"))
		return false;
	(void)sim_run(b->sim, (int64_t)had * 5 * SECOND, NULL, NULL);
	s = loud(b);
	(void)snprintf(text, sizeof(text), "%u were held, %u still are", had,
	    s.held_announces);
	return claim(s.held_announces == 0, text);
}

int
main(int argc, char *argv[])
{
	static struct burst b;
	uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 30;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint64_t before, most = 0;
	struct rns_path path;
	char text[160];
	bool good = true;

	net_make(&b, seed);
	before = (uint64_t)mallinfo2().uordblks;
	for (uint64_t i = 0; i < seconds * HZ; i++) {
		announce(&b);
		(void)sim_run(b.sim, SECOND / HZ, NULL, NULL);
		if (i % HZ == 0)
			ask(&b);
		most = MAX_OF(most, (uint64_t)mallinfo2().uordblks);
	}
	good &= explained(&b, seconds * HZ);
	good &= claim(rns_path_get(sim_rns(b.sim, RELAY), &b.dest, &path) &&
	    path.ifid == b.wire[1] && path.hops == 1, "the path is as it was");
	good &= released(&b);
	(void)snprintf(text, sizeof(text), "%u requests, %u answered, %u "
	    "links lost", b.asked, b.answered, b.lost);
	good &= claim(b.answered == b.asked && b.lost == 0, text);
	(void)snprintf(text, sizeof(text), "memory at most %llu kB more "
	    "(bound %u kB)", (unsigned long long)(most - before) / 1024,
	    ROOM / 1024);
	good &= claim(most - before < ROOM, text);
	sim_free(b.sim);
	return good ? 0 : 1;
}
