/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A revocation on its way through a mixed mesh, under virtual time:
 *   revoke [-n NODES] [-m MINUTES] [-s SEED] [-l LOSS] [-r RESTARTS] [-2]
 * A twentieth are hubs on cables; of the others two thirds hang on cables and a
 * third on LoRa radios of 1,200 bit/s, some of these behind another radio. The
 * authority's mirror announces a delta as klp.md 4.3 says, everybody else goes
 * by trust/doc/spread.c, applies what he hears by trust/doc/delta.c, and asks
 * over a link for what he has missed; signatures, which the judge checks, are
 * left out. RESTARTS nodes are away when it begins. Prints when how many have
 * it and what it took of the air; -2: all of it twice, with equal digests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/mpk.h"
#include "common/util.h"
#include "common/wire.h"
#include "tests/sim/sim.h"
#include "trust/doc/delta.h"
#include "trust/doc/frame.h"
#include "trust/doc/spread.h"
#include "trust/doc/tlv.h"

#define SECOND INT64_C(1000000)
#define RADIO 1200 /* bit/s */
#define WIRE 10000000
#define HUB_OF 20
#define LINKS_MAX 64
#define ANNOUNCE_BYTES 190
#define ANNOUNCE_HEAD (19 + 64 + 10 + 10 + 64) /* without a ratchet */
#define PATH "/klp/v1/delta"
#define ASK_AGAIN_S 60

struct who {
	uint8_t key[RNS_KEY];
	struct hash16 dest;
	struct spread spread;
	struct revlist list;
	int64_t got;  /* us after it was published; -1: not yet */
	int64_t back; /* it comes back then; 0: it is there */
	int64_t was_back; /* it was away; 0: never */
	int64_t asked;
	unsigned heard_on; /* a link; 0: none */
	unsigned pass_not;
	struct hash16 link; /* that it asks on */
	unsigned nlinks, links[LINKS_MAX];
	struct mono air[LINKS_MAX];
};

static struct opts {
	unsigned nodes, minutes, restarts;
	uint32_t loss;
	uint64_t seed;
} opt = {80, 60, 4, 5, 1};

static struct sim *sim;
static uint64_t rng;
static struct who *who;
static struct {
	unsigned a, b, link;
	uint64_t bitrate;
} *wires;
static unsigned nwires, hubs;
static int64_t begun;
static uint8_t frame[DELTA_BYTES];
static size_t frame_len, on_air; /* an announce with it */
static uint64_t announces, urgent, passed, spared, questions;

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "revoke: %s\n", what);
	exit(1);
}

static uint32_t
number(uint32_t below)
{
	uint64_t v;

	sim_random_bytes(&rng, (uint8_t *)&v, sizeof(v));
	return (uint32_t)(v % below);
}

/* ---- the mesh ---- */

static void
join(unsigned a, unsigned b, uint64_t bitrate)
{
	struct sim_link_opts o = {.bitrate = bitrate,
	    .delay_us = 1000 + number(40000), .half_duplex = bitrate == RADIO,
	    .loss_permille = bitrate == RADIO ? 4 * opt.loss : opt.loss};
	unsigned link = sim_link(sim, a, b, &o);

	wires = reallocarray(wires, nwires + 1, sizeof(*wires));
	must(wires != NULL && who[a].nlinks < LINKS_MAX &&
	    who[b].nlinks < LINKS_MAX, "room for links");
	wires[nwires].link = link;
	must(link == wires[0].link + nwires, "links are numbered");
	wires[nwires].a = a;
	wires[nwires].b = b;
	wires[nwires++].bitrate = bitrate;
	who[a].links[who[a].nlinks++] = link;
	who[b].links[who[b].nlinks++] = link;
}

static void
draw(void)
{
	unsigned radio = 0; /* the last that hangs on a hub by one */

	hubs = MAX_OF(3u, opt.nodes / HUB_OF);
	for (unsigned i = 0; i < opt.nodes; i++) {
		struct sim_node_opts o = {.transport = i < hubs ||
		    i % 9 == 0};

		(void)sim_node(sim, &o);
	}
	for (unsigned i = 0; i < hubs; i++)
		join(i, (i + 1) % hubs, WIRE);
	for (unsigned i = 0; i + 3 < hubs; i += 3)
		join(i, i + 2 + number(hubs - i - 2), WIRE);
	for (unsigned i = hubs; i < opt.nodes; i++) {
		if (i % 3 != 0) {
			join(number(hubs), i, WIRE);
		} else if (i % 9 == 0 || radio == 0) {
			join(i % hubs, i, RADIO);
			radio = i % 9 == 0 ? i : radio;
		} else if (who[radio].nlinks < 6) {
			join(radio, i, RADIO);
		} else {
			join(i % hubs, i, RADIO);
		}
	}
}

static void
dest_add(unsigned i)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "klp.node",
		.has_identity = true, .accept_links = true}};

	memcpy(c.dest.identity, who[i].key, RNS_KEY);
	must(sim_submit(sim, i, &c) == RNS_OK, "a destination");
	c.type = RNS_CMD_HANDLER_ADD;
	memset(&c.handler, 0, sizeof(c.handler));
	c.handler.dest = who[i].dest;
	c.handler.path = PATH;
	c.handler.allow = RNS_ALLOW_ALL;
	must(sim_submit(sim, i, &c) == RNS_OK, "a handler");
}

static void
people(void)
{
	for (unsigned i = 0; i < opt.nodes; i++) {
		uint8_t pub[RNS_KEY];
		struct hash16 id;

		sim_random_bytes(&rng, who[i].key, RNS_KEY);
		must(rns_identity_derive(pub, &id, who[i].key) == RNS_OK &&
		    rns_dest_hash(&who[i].dest, "klp.node", &id) == RNS_OK,
		    "a key");
		dest_add(i);
		who[i].got = -1;
		who[i].list.version = 1;
		spread_begin(&who[i].spread, sim_now(sim), number(1 << 20));
	}
}

/* ---- what a node says ---- */

/* Over slow links, but for the one where it came from. */
static void
pass_on(unsigned i, struct rns_cmd *c)
{
	c->announce.one_interface = true;
	for (unsigned k = 0; k < who[i].nlinks; k++) {
		unsigned link = who[i].links[k];

		if (wires[link - wires[0].link].bitrate >= SPREAD_SLOW ||
		    link == who[i].pass_not)
			continue;
		c->announce.ifid = link;
		passed++;
		(void)sim_submit(sim, i, c);
	}
}

static void
announce(unsigned i, enum spread_say say)
{
	struct app_data a = {.has_caps = true, .nheads = 1,
	    .heads = {{.atag = {7}, .version = who[i].list.version}}};
	uint8_t bytes[TLV_APP_DATA_MAX];
	struct rns_cmd c = {.type = RNS_CMD_ANNOUNCE};
	struct mono now = sim_now(sim);

	if (say == SPREAD_DELTA || say == SPREAD_PASS) {
		a.delta = who[i].spread.frame;
		a.delta_len = who[i].spread.frame_len;
		urgent += say == SPREAD_DELTA;
	}
	c.announce.dest = who[i].dest;
	c.announce.app_data = bytes;
	c.announce.app_data_len = app_data_build(bytes, sizeof(bytes), &a);
	must(c.announce.app_data_len > 0, "it fits an announce");
	if (a.delta != NULL)
		on_air = ANNOUNCE_HEAD + c.announce.app_data_len;
	announces++;
	if (say == SPREAD_PASS) {
		pass_on(i, &c);
		return;
	}
	if (say == SPREAD_DELTA) {
		(void)sim_submit(sim, i, &c);
		return;
	}
	c.announce.one_interface = true;
	for (unsigned k = 0; k < who[i].nlinks; k++) {
		c.announce.ifid = who[i].links[k];
		if (spread_afford(&who[i].air[k], now, wires[who[i].links[k] -
		    wires[0].link].bitrate, ANNOUNCE_BYTES +
		    c.announce.app_data_len))
			(void)sim_submit(sim, i, &c);
		else
			spared++;
	}
}

static void
turn(void)
{
	for (unsigned i = 0; i < opt.nodes; i++) {
		struct mono now = sim_now(sim);
		enum spread_say say;

		if (who[i].back != 0 && who[i].back <= now.us) {
			who[i].back = 0;
			sim_on(sim, i, true);
			dest_add(i);
			spread_begin(&who[i].spread, now, number(1 << 20));
		}
		if (who[i].back != 0 ||
		    !mono_reached(now, spread_next(&who[i].spread)))
			continue;
		say = spread_due(&who[i].spread, now, number(1 << 20));
		if (say != SPREAD_NOTHING)
			announce(i, say);
	}
}

/* ---- what it hears ---- */

static void
apply(unsigned i, const uint8_t *p, size_t len)
{
	struct revlist next;
	struct delta d;
	struct env e;

	if (delta_parse(&d, &e, p, len) != NULL ||
	    d.from != who[i].list.version ||
	    delta_apply(&next, &who[i].list, &d) != NULL)
		return;
	revlist_clear(&who[i].list);
	who[i].list = next;
	who[i].got = sim_now(sim).us - begun;
	spread_news(&who[i].spread, sim_now(sim), number(1 << 20));
	who[i].pass_not = who[i].heard_on;
	if (i != 0)
		spread_pass(&who[i].spread, sim_now(sim), p, len);
}

/* He says that he has something newer. */
static void
ask(unsigned i, const struct hash16 *dest)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_OPEN};
	int64_t now = sim_now(sim).us;

	if (who[i].asked != 0 && now - who[i].asked < ASK_AGAIN_S * SECOND)
		return;
	who[i].asked = now;
	questions++;
	c.link_open.dest = *dest;
	c.link_open.tag = 1;
	(void)sim_submit(sim, i, &c);
}

static void
heard(unsigned i, const struct rns_event *ev)
{
	struct app_data a;

	if (!app_data_parse(&a, ev->announce.app_data,
	    ev->announce.app_data_len))
		return;
	who[i].heard_on = ev->announce.ifid;
	if (a.delta != NULL)
		apply(i, a.delta, a.delta_len);
	who[i].heard_on = 0;
	for (unsigned k = 0; k < a.nheads; k++) {
		uint32_t theirs = a.heads[k].version;

		if (theirs == who[i].list.version)
			spread_same(&who[i].spread);
		else
			spread_news(&who[i].spread, sim_now(sim),
			    number(1 << 20));
		if (theirs > who[i].list.version)
			ask(i, &ev->announce.dest);
	}
}

static void
request(unsigned i, const struct rns_event *ev)
{
	uint8_t bytes[DELTA_BYTES + 16];
	struct wr w = wr_make(bytes, sizeof(bytes));
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};

	if (who[i].list.version == 2)
		mpk_put_bin(&w, frame, frame_len);
	else
		mpk_put_nil(&w);
	c.respond.link = ev->request.link;
	c.respond.request_id = ev->request.request_id;
	c.respond.data = bytes;
	c.respond.len = w.len;
	(void)sim_submit(sim, i, &c);
}

static void
on_event(struct sim *s, unsigned i, const struct rns_event *ev, void *arg)
{
	struct rns_cmd c = {.type = RNS_CMD_REQUEST};
	const uint8_t *p;
	struct rd r;
	size_t n;

	(void)s;
	(void)arg;
	switch (ev->type) {
	case RNS_EV_ANNOUNCE:
		heard(i, ev);
		break;
	case RNS_EV_LINK_UP:
		if (!ev->link.initiator)
			break;
		c.request.link = ev->link.id;
		c.request.path = PATH;
		c.request.max_response = 4096;
		(void)sim_submit(sim, i, &c);
		break;
	case RNS_EV_REQUEST:
		request(i, ev);
		break;
	case RNS_EV_RESPONSE:
		r = rd_make(ev->response.data, ev->response.len);
		if (mpk_get_bin(&r, &p, &n))
			apply(i, p, n);
		c.type = RNS_CMD_LINK_CLOSE;
		c.hash = ev->response.link;
		(void)sim_submit(sim, i, &c);
		break;
	default:
		break;
	}
}

/* ---- a run ---- */

static void
publish(void)
{
	struct rev_entry e = {.kind = REV_KEY, .reason = 2, .id = {0xde}};
	struct delta d = {.atag = {7}, .from = 1, .to = 2, .n = 1};
	struct env_signed sig = {.sig = {1}};
	uint8_t bytes[DELTA_BYTES];
	size_t n;

	d.op[0].action = DELTA_REVOKE;
	d.op[0].kind = REV_KEY;
	d.op[0].reason = 2;
	memcpy(d.op[0].id, e.id, 16);
	revlist_digest(&d.after, &e, 1);
	n = delta_put(bytes, sizeof(bytes), &d);
	frame_len = frame_put(frame, sizeof(frame), bytes, n, &sig, 1);
	must(frame_len > 0 && frame_len <= SPREAD_FRAME, "a delta");
	begun = sim_now(sim).us;
	apply(0, frame, frame_len);
	must(who[0].got == 0, "the mirror has it");
	spread_urgent(&who[0].spread, sim_now(sim), frame, frame_len, true);
}

static void
run_for(int64_t seconds)
{
	for (int64_t s = 0; s < seconds; s++) {
		turn();
		(void)sim_run(sim, SECOND, NULL, NULL);
	}
}

/* Seconds of air that the radios have used until now; the most of one. */
static double
air(double *most)
{
	double sum = 0;

	*most = 0;
	for (unsigned i = 0; i < nwires; i++) {
		double s;

		if (wires[i].bitrate != RADIO)
			continue;
		s = (double)(sim_sent(sim, wires[i].link,
			wires[i].a).bytes + sim_sent(sim, wires[i].link,
			wires[i].b).bytes) * 8 / RADIO;
		sum += s;
		*most = MAX_OF(*most, s);
	}
	return sum;
}

static int
by_time(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of those that were there all the time, or that were away, since then. */
static unsigned
times(bool away)
{
	int64_t *t = calloc(opt.nodes, sizeof(*t));
	unsigned n = 0, all = 0;

	must(t != NULL, "memory");
	for (unsigned i = 0; i < opt.nodes; i++) {
		if ((who[i].was_back != 0) != away)
			continue;
		all++;
		if (who[i].got >= 0)
			t[n++] = away ? begun + who[i].got -
			    who[i].was_back : who[i].got;
	}
	qsort(t, n, sizeof(*t), by_time);
	if (n > 0)
		(void)printf("# revocation: %u of %u nodes %s: 50 %% after "
		    "%.1f s, 99 %% after %.1f s, the last after %.1f s\n", n,
		    all, away ? "that were away, since they are back" :
		    "that were there", (double)t[n / 2] / SECOND,
		    (double)t[(n - 1) * 99 / 100] / SECOND,
		    (double)t[n - 1] / SECOND);
	free(t);
	return n;
}

static bool
report(double before)
{
	unsigned n = times(false) + times(true), radios = 0;
	double most, sum = air(&most) - before;

	for (unsigned i = 0; i < nwires; i++)
		radios += wires[i].bitrate == RADIO;
	(void)printf("# on the air in %u min: %u radios of %u bit/s, %.1f s "
	    "each (%.2f %%), at most %.1f s; announces: %llu, of them %llu "
	    "urgent, %llu passed on, %llu kept back; %llu asked over a link; the delta is "
	    "%zu bytes, an announce with it %zu\n", opt.minutes, radios, RADIO, sum / radios,
	    sum / radios / opt.minutes / 60 * 100, most,
	    (unsigned long long)announces, (unsigned long long)urgent,
	    (unsigned long long)passed, (unsigned long long)spared, (unsigned long long)questions,
	    frame_len, on_air);
	return n == opt.nodes;
}

static bool
run(struct id32 *digest)
{
	double most, before;
	bool all;

	announces = urgent = passed = spared = questions = nwires = 0;
	wires = NULL;
	rng = opt.seed;
	sim = sim_new(opt.seed, on_event, NULL);
	who = calloc(opt.nodes, sizeof(*who));
	must(who != NULL, "memory");
	draw();
	people();
	run_for(600); /* they have got to know each other's heads */
	before = air(&most);
	for (unsigned i = 0; i < opt.restarts; i++) {
		unsigned k = hubs + number(opt.nodes - hubs);

		if (who[k].back != 0 || k % 9 == 0)
			continue; /* nobody hangs on it alone */
		sim_off(sim, k);
		who[k].was_back = who[k].back = sim_now(sim).us + (60 + number(opt.minutes *
			20)) * SECOND;
	}
	publish();
	run_for((int64_t)opt.minutes * 60);
	all = report(before);
	sim_digest(sim, digest);
	for (unsigned i = 0; i < opt.nodes; i++)
		revlist_clear(&who[i].list);
	sim_free(sim);
	free(who);
	free(wires);
	return all;
}

int
main(int argc, char **argv)
{
	struct id32 one, two;
	bool twice = false, all;
	clock_t from = clock();
	int c;

	while ((c = getopt(argc, argv, "n:m:s:l:r:2")) != -1) {
		unsigned long v = optarg == NULL ? 0 : strtoul(optarg, NULL, 0);

		switch (c) {
		case 'n':
			opt.nodes = MAX_OF((unsigned)v, 40u);
			break;
		case 'm':
			opt.minutes = MAX_OF((unsigned)v, 1u);
			break;
		case 's':
			opt.seed = v;
			break;
		case 'l':
			opt.loss = (uint32_t)v;
			break;
		case 'r':
			opt.restarts = (unsigned)v;
			break;
		case '2':
			twice = true;
			break;
		default:
			return 2;
		}
	}
	all = run(&one);
	(void)printf("%s revoke: all %u nodes have the revocation, seed %llu\n",
	    all ? "ok" : "not ok", opt.nodes, (unsigned long long)opt.seed);
	if (twice) {
		(void)run(&two);
		twice = !id32_eq(&one, &two);
		(void)printf("%s revoke: the same seed is the same run\n",
		    twice ? "not ok" : "ok");
	}
	(void)printf("# %.1f s of work\n", (double)(clock() - from) /
	    CLOCKS_PER_SEC);
	return !all || twice;
}
