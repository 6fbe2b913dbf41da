/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/mesh.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "transport/core/base/const.h"

/* What one node believes of one destination. */
struct belief {
	bool has;
	uint8_t hops;
	unsigned via; /* the node at the other end of its link */
	struct hash16 next;
	uint8_t blob[ANNOUNCE_BLOB]; /* of the newest announce */
};

static bool
is_slow(const struct mesh *m, unsigned node)
{
	const struct mesh_node *n = &m->node[node];

	for (unsigned i = 0; i < n->degree; i++)
		if (!m->edge[n->edges[i]].slow)
			return false;
	return true;
}

static struct belief
believes(const struct mesh *m, unsigned node, const struct hash16 *dest)
{
	const struct mesh_node *n = &m->node[node];
	struct belief b = {.via = node};
	struct rns_path p;

	if (!rns_path_get(sim_rns(m->sim, node), dest, &p))
		return b;
	b.has = true;
	b.hops = p.hops;
	b.next = p.next_hop;
	if (p.blob_count > 0)
		memcpy(b.blob, p.blobs + (p.blob_count - 1) * ANNOUNCE_BLOB,
		    ANNOUNCE_BLOB);
	for (unsigned i = 0; i < n->degree; i++) {
		const struct mesh_edge *e = &m->edge[n->edges[i]];

		if (e->link == p.ifid)
			b.via = e->a == node ? e->b : e->a;
	}
	return b;
}

enum way { HOME, BROKEN, WRONG };

/*
 * The next hop is whom the link leads to, and the way ends at home; broken: at
 * a node that has no path, since it has lost it or never had it.
 */
static enum way
leads(const struct mesh *m, const struct belief *all, unsigned from,
    unsigned home)
{
	unsigned at = from;

	for (unsigned steps = 0; steps <= m->o.nodes; steps++) {
		const struct belief *b = &all[at];
		const struct hash16 *want = b->via == home && b->hops == 1 ?
		    &m->node[home].dest :
		    hash16_at(rns_identity_hash(sim_rns(m->sim, b->via)));

		if (at == home)
			return HOME;
		if (!b->has)
			return BROKEN;
		if (b->via == at || !hash16_eq(&b->next, want))
			return WRONG;
		at = b->via;
	}
	return WRONG; /* in a circle */
}

/*
 * A path is that of the first copy of an announce that came, so it may be
 * longer than the shortest; but then the next hop has the same announce one
 * hop nearer. It is never shorter.
 */
static void
one_path(const struct mesh *m, const struct belief *all, unsigned node,
    unsigned home, uint16_t shortest, struct mesh_paths *out)
{
	const struct belief *b = &all[node], *next = &all[b->via];
	enum way way = leads(m, all, node, home);

	out->there++;
	out->hops += b->hops;
	out->shortest += shortest;
	out->longer += b->hops > shortest;
	if (b->hops < shortest || way == WRONG)
		out->wrong++;
	else if (way == BROKEN)
		out->broken++;
	else if (b->via != home &&
	    memcmp(b->blob, next->blob, ANNOUNCE_BLOB) != 0)
		out->older++;
	else if (b->hops != (b->via == home ? 1 : next->hops + 1))
		out->wrong++;
}

void
mesh_paths(const struct mesh *m, struct mesh_paths *out)
{
	struct belief *all = calloc(m->o.nodes, sizeof(*all));
	uint16_t *d = calloc(m->o.nodes, sizeof(*d));

	mesh_must(all != NULL && d != NULL, "what they believe");
	memset(out, 0, sizeof(*out));
	for (unsigned home = 0; home < m->o.nodes; home++) {
		if (!m->node[home].home)
			continue;
		mesh_distances(m, home, d);
		for (unsigned i = 0; i < m->o.nodes; i++)
			all[i] = believes(m, i, &m->node[home].dest);
		for (unsigned i = 0; i < m->o.nodes; i++) {
			if (i == home || d[i] > RNS_HOPS_MAX)
				continue;
			if (is_slow(m, i)) {
				out->slow_wanted++;
				out->slow_there += all[i].has;
			} else {
				out->wanted++;
			}
			if (all[i].has)
				one_path(m, all, i, home, d[i], out);
		}
	}
	out->there -= out->slow_there;
	free(all);
	free(d);
}
