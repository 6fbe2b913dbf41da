/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_SIM_MESH_H
#define WARREN_TESTS_SIM_MESH_H

#include "tests/sim/sim.h"

/*
 * A mesh of many nodes, most of which relay, and what must hold of it. mesh.c
 * runs it; mesh_map.c draws it; mesh_check.c compares what the nodes believe
 * with the map; mesh_probe.c opens links across it.
 */
#define MESH_SECOND INT64_C(1000000)
#define MESH_FAR UINT16_MAX /* not to be reached */

struct mesh_edge {
	unsigned a, b, link;
	bool slow; /* a radio, below what its announces would need */
};

struct mesh_node {
	unsigned *edges, degree;
	bool leaf; /* does not relay */
	bool home; /* has a destination */
	uint8_t key[RNS_KEY];
	struct hash16 dest;
	int64_t announce, back; /* when next; 0: not */
	bool keep;
	double x, y;
};

struct mesh_probe { /* a link from one node to another's destination */
	unsigned from, to, tries;
	struct hash16 link;
	bool open, up, done;
	int64_t next; /* what is to be done next, when nothing comes */
};

struct mesh_opts {
	unsigned nodes, homes, restarts, cuts, probes;
	uint32_t loss; /* permille */
	double hours;
	uint64_t seed;
	const char *map;
};

struct mesh {
	struct mesh_opts o;
	struct sim *sim;
	uint64_t rng;
	struct mesh_node *node;
	struct mesh_edge *edge;
	unsigned nedges;
	struct mesh_probe *probe;
};

void mesh_must(bool ok, const char *what);
uint32_t mesh_number(struct mesh *, uint32_t below);

/* Draws nodes and links; false: no such map. */
bool mesh_draw(struct mesh *);
/* Hops of the shortest way from home to each node. */
void mesh_distances(const struct mesh *, unsigned home, uint16_t *out);

struct mesh_paths {
	unsigned wanted, there; /* pairs of a node and a destination */
	unsigned longer;   /* than the shortest: the first copy that came */
	unsigned hops, shortest; /* sums */
	unsigned older;    /* the next hop knows a newer announce */
	unsigned broken;   /* end at a node that has none */
	unsigned wrong;    /* leads elsewhere, in a circle, or is too short */
	unsigned slow_wanted, slow_there; /* of nodes behind slow links */
};
void mesh_paths(const struct mesh *, struct mesh_paths *);

void mesh_probes_start(struct mesh *);
/* Once a second; true: all are done. */
bool mesh_probes_turn(struct mesh *);
void mesh_probe_event(struct mesh *, unsigned node, const struct rns_event *);
void mesh_probes_free(struct mesh *);

#endif
