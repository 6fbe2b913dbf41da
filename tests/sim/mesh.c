/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mesh of nodes under virtual time, and what must hold of it:
 *   mesh [-n NODES] [-d DESTINATIONS] [-H HOURS] [-s SEED] [-t MAP]
 *        [-l LOSS] [-r RESTARTS] [-c CUTS] [-p PROBES] [-2]
 * MAP: chain, ring, grid, geo (random places) or star (hubs with slow radios).
 * LOSS in packets of 1,000; a cut separates half of the nodes for 5 minutes;
 * -2 runs all of it twice, and the digests must be equal. Each destination is
 * announced in the first quarter of the time and again in the third; nodes end
 * and come back in the second; the last is quiet. Prints one line of TAP for
 * each claim; the same options and seed give the same run.
 */
#include "tests/sim/mesh.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/util.h"

#define CUT_S 300
#define AHEAD_US 55000 /* announces of a tick of 50 ms leave together */
#define QUIET_S 2500 /* links are stale, then forgotten where relayed */
/* bytes of a node, half of them its one block of waiting announces */
#define NODE_ROOM 262144
#define PATH_ROOM 1024 /* of each path of it */

void
mesh_must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "mesh: %s\n", what);
	exit(1);
}

uint32_t
mesh_number(struct mesh *m, uint32_t below)
{
	uint64_t v;

	sim_random_bytes(&m->rng, (uint8_t *)&v, sizeof(v));
	return (uint32_t)(v % below);
}

static int64_t
quarter(const struct mesh *m)
{
	return (int64_t)(m->o.hours * 900) * MESH_SECOND;
}

static void
on_event(struct sim *sim, unsigned node, const struct rns_event *ev, void *arg)
{
	(void)sim;
	if (ev->type == RNS_EV_LINK_UP || ev->type == RNS_EV_LINK_CLOSED ||
	    ev->type == RNS_EV_RECEIPT)
		mesh_probe_event(arg, node, ev);
}

static void
dest_add(struct mesh *m, unsigned node)
{
	struct mesh_node *n = &m->node[node];
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "mesh.home",
	        .has_identity = true, .prove = RNS_PROVE_ALL,
	        .accept_links = true}};

	if (!n->home)
		return;
	memcpy(c.dest.identity, n->key, RNS_KEY);
	mesh_must(sim_submit(m->sim, node, &c) == RNS_OK, "a destination");
}

static void
homes_make(struct mesh *m)
{
	uint8_t pub[RNS_KEY];
	struct hash16 id;
	unsigned i;

	for (unsigned k = 0; k < m->o.homes; k++) {
		do
			i = mesh_number(m, m->o.nodes);
		while (m->node[i].home);
		m->node[i].home = true;
		sim_random_bytes(&m->rng, m->node[i].key, RNS_KEY);
		mesh_must(rns_identity_derive(pub, &id, m->node[i].key) ==
		    RNS_OK && rns_dest_hash(&m->node[i].dest, "mesh.home",
		    &id) == RNS_OK, "a key");
		dest_add(m, i);
	}
}

/* ---- what happens, once a second ---- */

static void
announces_plan(struct mesh *m)
{
	int64_t now = sim_now(m->sim).us;

	for (unsigned i = 0; i < m->o.nodes; i++)
		if (m->node[i].home)
			m->node[i].announce = now + MESH_SECOND +
			    mesh_number(m, (uint32_t)(quarter(m) * 3 / 4 /
			    MESH_SECOND)) * MESH_SECOND;
}

static void
nodes_turn(struct mesh *m)
{
	int64_t now = sim_now(m->sim).us;
	struct rns_cmd c = {.type = RNS_CMD_ANNOUNCE};

	for (unsigned i = 0; i < m->o.nodes; i++) {
		struct mesh_node *n = &m->node[i];

		if (n->back != 0 && n->back <= now) {
			n->back = 0;
			sim_on(m->sim, i, n->keep);
			dest_add(m, i);
			if (n->home)
				n->announce = now + 2 * MESH_SECOND;
		}
		if (n->announce == 0 || n->announce > now ||
		    sim_is_off(m->sim, i))
			continue;
		n->announce = 0;
		c.announce.dest = n->dest;
		(void)sim_submit(m->sim, i, &c);
	}
}

static void
restart_one(struct mesh *m)
{
	unsigned i = mesh_number(m, m->o.nodes);

	if (m->node[i].back != 0)
		return;
	sim_off(m->sim, i);
	m->node[i].keep = mesh_number(m, 2) == 0;
	m->node[i].back = sim_now(m->sim).us +
	    (5 + mesh_number(m, 60)) * MESH_SECOND;
}

static void
cut(struct mesh *m, bool on)
{
	for (unsigned i = 0; i < m->nedges; i++)
		if ((m->edge[i].a < m->o.nodes / 2) !=
		    (m->edge[i].b < m->o.nodes / 2))
			sim_carry(m->sim, m->edge[i].link, !on);
}

/* Faults evenly over its first nine tenths; quiet after that. */
static void
run(struct mesh *m, int64_t us, unsigned restarts, unsigned cuts)
{
	int64_t begin = sim_now(m->sim).us, at, open_at = 0;
	unsigned done = 0, made = 0;

	for (at = begin; at < begin + us; at = sim_now(m->sim).us) {
		int64_t part = (at - begin) * 10 / 9;

		for (; done < restarts && part > us / restarts * done; done++)
			restart_one(m);
		if (open_at != 0 && at >= open_at) {
			cut(m, false);
			open_at = 0;
		}
		if (made < cuts && open_at == 0 &&
		    part > us / cuts * made) {
			cut(m, true);
			made++;
			open_at = MIN_OF(at + CUT_S * MESH_SECOND,
			    begin + us * 19 / 20);
		}
		nodes_turn(m);
		(void)sim_run(m->sim, MESH_SECOND, NULL, NULL);
	}
	if (open_at != 0)
		cut(m, false);
}

/* ---- claims ---- */

static bool
claim(bool ok, const char *what)
{
	printf("%s mesh: %s\n", ok ? "ok" : "not ok", what);
	return ok;
}

static bool
converged(const struct mesh *m)
{
	struct mesh_paths p;
	char text[240];
	bool good;
	/* two announces with their repetitions may be lost on the way */
	unsigned may = m->o.loss == 0 ? 0 : 5;

	mesh_paths(m, &p);
	(void)snprintf(text, sizeof(text), "%u of %u paths are there; behind "
	    "slow radios %u of %u", p.there, p.wanted, p.slow_there,
	    p.slow_wanted);
	good = claim((p.wanted - p.there) * 1000ull <= (uint64_t)may *
	    p.wanted, text);
	(void)snprintf(text, sizeof(text), "%u paths are wrong, %u broken; "
	    "%u hops of at least %u, %u longer than the shortest, %u older "
	    "than the next hop's", p.wrong, p.broken, p.hops, p.shortest,
	    p.longer, p.older);
	good &= claim(p.wrong == 0 && p.hops <= p.shortest * 2 &&
	    (p.older + p.broken) * 1000ull <= (uint64_t)(p.there +
	    p.slow_there) * may * 10, text);
	return good;
}

static bool
probed(const struct mesh *m)
{
	unsigned done = 0, tries = 0;
	char text[100];

	for (unsigned i = 0; i < m->o.probes; i++) {
		done += m->probe[i].done;
		tries += m->probe[i].tries;
		if (!m->probe[i].done)
			printf("# no link from %u to %u\n", m->probe[i].from,
			    m->probe[i].to);
	}
	(void)snprintf(text, sizeof(text), "%u of %u links, in %u tries", done,
	    m->o.probes, tries);
	/*
	 * With loss: an unproved link makes a relay take the same announce from
	 * further away (reticulum-transport.md 4.3), be it from a node whose own
	 * path leads through it. Such a circle lasts until the next announce.
	 */
	return claim((m->o.probes - done) * 50 <= (m->o.loss == 0 ? 0 :
	    m->o.probes), text);
}

static bool
airtime(const struct mesh *m)
{
	uint64_t all = 0, announces = 0;
	int64_t ahead = 0;
	char text[160];

	for (unsigned i = 0; i < m->nedges; i++)
		for (unsigned k = 0; k < 2; k++) {
			struct sim_sent s = sim_sent(m->sim, m->edge[i].link,
			    k == 0 ? m->edge[i].a : m->edge[i].b);

			all += s.bytes;
			announces += s.announces;
			ahead = MAX_OF(ahead, s.ahead_us);
		}
	(void)snprintf(text, sizeof(text), "%llu kB sent, %llu kB of announces"
	    " passed on, never more than %lld ms ahead of their 2 %%",
	    (unsigned long long)all / 1000, (unsigned long long)announces /
	    1000, (long long)ahead / 1000);
	return claim(announces > 0 && ahead <= AHEAD_US, text);
}

static bool
bounded(const struct mesh *m)
{
	uint64_t used = mallinfo2().uordblks + mallinfo2().hblkhd;
	uint64_t paths = 0, left = 0;
	struct rns_counts c;
	char text[160];

	for (unsigned i = 0; i < m->o.nodes; i++) {
		rns_counts(sim_rns(m->sim, i), &c);
		paths += c.paths;
		left += c.links + c.link_table + c.reverse + c.receipts +
		    c.held + rns_tx_waiting(sim_rns(m->sim, i));
	}
	(void)snprintf(text, sizeof(text), "%llu kB of memory, %llu paths; %llu"
	    " links and packets that nobody waits for",
	    (unsigned long long)used / 1000, (unsigned long long)paths,
	    (unsigned long long)left);
	return claim(left == 0 && used < m->o.nodes * (uint64_t)NODE_ROOM +
	    paths * PATH_ROOM, text);
}

static bool
whole(const struct mesh_opts *o, struct id32 *digest)
{
	struct mesh m = {.o = *o, .rng = o->seed + 1};
	bool good;

	m.sim = sim_new(o->seed, on_event, &m);
	m.node = calloc(o->nodes, sizeof(*m.node));
	mesh_must(m.node != NULL, "nodes");
	mesh_must(mesh_draw(&m), "no such map");
	homes_make(&m);
	announces_plan(&m);
	run(&m, quarter(&m), 0, 0);
	run(&m, quarter(&m), o->restarts, o->cuts);
	announces_plan(&m);
	run(&m, quarter(&m) * 2, 0, 0);
	good = converged(&m);
	mesh_probes_start(&m);
	while (!mesh_probes_turn(&m))
		(void)sim_run(m.sim, MESH_SECOND, NULL, NULL);
	good &= probed(&m);
	(void)sim_run(m.sim, QUIET_S * MESH_SECOND, NULL, NULL);
	good &= airtime(&m);
	good &= bounded(&m);
	sim_digest(m.sim, digest);
	mesh_probes_free(&m);
	sim_free(m.sim);
	for (unsigned i = 0; i < o->nodes; i++)
		free(m.node[i].edges);
	free(m.node);
	free(m.edge);
	return good;
}

static int
usage(void)
{
	(void)fprintf(stderr, "usage: mesh [-2] [-n nodes] [-d destinations] "
	    "[-H hours] [-s seed] [-t map]\n            [-l loss] "
	    "[-r restarts] [-c cuts] [-p probes]\n");
	return 2;
}

static bool
option(struct mesh_opts *o, int c, const char *arg)
{
	unsigned n = (unsigned)strtoul(arg, NULL, 10);

	switch (c) {
	case 'n':
		o->nodes = n;
		return true;
	case 'd':
		o->homes = n;
		return true;
	case 'H':
		o->hours = strtod(arg, NULL);
		return true;
	case 's':
		o->seed = strtoull(arg, NULL, 10);
		return true;
	case 't':
		o->map = arg;
		return true;
	case 'l':
		o->loss = n;
		return true;
	case 'r':
		o->restarts = n;
		return true;
	case 'c':
		o->cuts = n;
		return true;
	case 'p':
		o->probes = n;
		return true;
	default:
		return false;
	}
}

int
main(int argc, char *argv[])
{
	struct mesh_opts o = {.nodes = 50, .homes = 0, .hours = 0.5,
	    .seed = 1, .map = "geo", .restarts = 5, .cuts = 1, .probes = 20};
	bool twice = argc == 1, good;
	struct id32 first, second;
	char hex[17];
	int c;

	while ((c = getopt(argc, argv, "2n:d:H:s:t:l:r:c:p:")) != -1)
		if (c == '2')
			twice = true;
		else if (!option(&o, c, optarg))
			return usage();
	if (o.homes == 0 || o.homes > o.nodes)
		o.homes = MIN_OF(o.nodes, 250u);
	if (o.nodes < 4 || o.homes < 2 || o.hours * 3600 < 600)
		return usage();
	good = whole(&o, &first);
	if (twice) {
		good &= whole(&o, &second);
		good &= claim(id32_eq(&first, &second),
		    "the same seed, the same run");
	}
	hex_encode(hex, first.b, 8);
	printf("# mesh: %u nodes, %u destinations, %g hours, %s, loss %u, "
	    "%u restarts, %u cuts, seed %llu: %s, %.1f s of CPU\n", o.nodes,
	    o.homes, o.hours, o.map, o.loss, o.restarts, o.cuts,
	    (unsigned long long)o.seed, hex,
	    (double)clock() / CLOCKS_PER_SEC);
	return good ? 0 : 1;
}
