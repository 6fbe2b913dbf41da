/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/mesh.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define HUB_OF 20	 /* nodes of a star for each hub */
#define NEAREST 3	 /* whom a node of geo is linked with */

static void
join(struct mesh *m, unsigned a, unsigned b, const struct sim_link_opts *o)
{
	struct mesh_edge *e;
	const struct mesh_node *n = &m->node[a];

	for (unsigned i = 0; i < n->degree; i++) {
		e = &m->edge[n->edges[i]];
		if (e->a == b || e->b == b)
			return;
	}
	m->edge = reallocarray(m->edge, m->nedges + 1, sizeof(*m->edge));
	mesh_must(m->edge != NULL && a != b, "an edge");
	e = &m->edge[m->nedges];
	*e = (struct mesh_edge){.a = a, .b = b,
	    .link = sim_link(m->sim, a, b, o), .slow = o->bitrate < 50000};
	for (unsigned k = 0; k < 2; k++) {
		struct mesh_node *end = &m->node[k == 0 ? a : b];

		end->edges = reallocarray(end->edges, end->degree + 1,
		    sizeof(*end->edges));
		mesh_must(end->edges != NULL, "an end");
		end->edges[end->degree++] = m->nedges;
	}
	m->nedges++;
}

static struct sim_link_opts
cable(struct mesh *m)
{
	return (struct sim_link_opts){.bitrate = 10000000,
	    .delay_us = 1000 + mesh_number(m, 40000),
	    .loss_permille = m->o.loss};
}

static void
wire(struct mesh *m, unsigned a, unsigned b)
{
	struct sim_link_opts o = cable(m);

	join(m, a, b, &o);
}

static void
radio(struct mesh *m, unsigned a, unsigned b, uint64_t bitrate)
{
	struct sim_link_opts o = cable(m);

	o.bitrate = bitrate;
	o.half_duplex = true;
	o.loss_permille = 2 * m->o.loss;
	join(m, a, b, &o);
}

static void
chain(struct mesh *m)
{
	for (unsigned i = 1; i < m->o.nodes; i++)
		wire(m, i - 1, i);
}

static void
ring(struct mesh *m)
{
	chain(m);
	wire(m, m->o.nodes - 1, 0);
}

static void
grid(struct mesh *m)
{
	unsigned w = 1;

	while (w * w < m->o.nodes)
		w++;
	for (unsigned i = 1; i < m->o.nodes; i++) {
		if (i % w != 0)
			wire(m, i - 1, i);
		if (i >= w)
			wire(m, i - w, i);
	}
}

/* The nearest of the first n that is none of those taken. */
static unsigned
nearest(const struct mesh *m, unsigned to, unsigned n, const unsigned *taken,
    unsigned ntaken)
{
	unsigned best = to;
	double d, least = 3;

	for (unsigned i = 0; i < n; i++) {
		bool is = i == to;

		for (unsigned k = 0; k < ntaken; k++)
			is |= taken[k] == i;
		d = (m->node[i].x - m->node[to].x) *
		    (m->node[i].x - m->node[to].x) +
		    (m->node[i].y - m->node[to].y) *
		    (m->node[i].y - m->node[to].y);
		if (!is && d < least) {
			least = d;
			best = i;
		}
	}
	return best;
}

/* Places in a square; a third of the links are radios. */
static void
geo(struct mesh *m)
{
	unsigned taken[NEAREST];

	for (unsigned i = 0; i < m->o.nodes; i++) {
		m->node[i].x = mesh_number(m, 1000000) / 1e6;
		m->node[i].y = mesh_number(m, 1000000) / 1e6;
	}
	for (unsigned i = 1; i < m->o.nodes; i++)
		wire(m, i, nearest(m, i, i, NULL, 0)); /* all hang together */
	for (unsigned i = 0; i < m->o.nodes; i++)
		for (unsigned k = 0; k < NEAREST && k + 1 < m->o.nodes; k++) {
			taken[k] = nearest(m, i, m->o.nodes, taken, k);
			if (mesh_number(m, 3) == 0)
				radio(m, i, taken[k], 200000);
			else
				wire(m, i, taken[k]);
		}
}

/* Hubs in a ring with some chords; the others hang on slow radios. */
static void
star(struct mesh *m)
{
	unsigned hubs = MAX_OF(3u, m->o.nodes / HUB_OF);

	for (unsigned i = 0; i < hubs; i++)
		wire(m, i, (i + 1) % hubs);
	for (unsigned i = 0; i + 3 < hubs; i += 3)
		wire(m, i, i + 2 + mesh_number(m, hubs - i - 2));
	for (unsigned i = hubs; i < m->o.nodes; i++)
		radio(m, i % hubs, i, 5000);
}

bool
mesh_draw(struct mesh *m)
{
	static const struct {
		const char *name;
		void (*draw)(struct mesh *);
	} maps[] = {{"chain", chain}, {"ring", ring}, {"grid", grid},
	    {"geo", geo}, {"star", star}};
	bool leaves = strcmp(m->o.map, "star") == 0;

	for (unsigned i = 0; i < m->o.nodes; i++) {
		struct sim_node_opts o = {.transport = !leaves ||
		    i < MAX_OF(3u, m->o.nodes / HUB_OF)};

		m->node[i].leaf = !o.transport;
		(void)sim_node(m->sim, &o);
	}
	for (size_t i = 0; i < NELEM(maps); i++)
		if (strcmp(m->o.map, maps[i].name) == 0) {
			maps[i].draw(m);
			return true;
		}
	return false;
}

void
mesh_distances(const struct mesh *m, unsigned home, uint16_t *out)
{
	unsigned *queue = calloc(m->o.nodes, sizeof(*queue));
	unsigned head = 0, tail = 0;

	mesh_must(queue != NULL, "a queue");
	for (unsigned i = 0; i < m->o.nodes; i++)
		out[i] = MESH_FAR;
	out[home] = 0;
	queue[tail++] = home;
	while (head < tail) {
		unsigned at = queue[head++];
		const struct mesh_node *n = &m->node[at];

		if (n->leaf && at != home)
			continue; /* passes nothing on */
		for (unsigned i = 0; i < n->degree; i++) {
			const struct mesh_edge *e = &m->edge[n->edges[i]];
			unsigned to = e->a == at ? e->b : e->a;

			if (out[to] != MESH_FAR)
				continue;
			out[to] = (uint16_t)(out[at] + 1);
			queue[tail++] = to;
		}
	}
	free(queue);
}
