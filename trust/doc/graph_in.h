/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_GRAPH_IN_H
#define WARREN_TRUST_DOC_GRAPH_IN_H

#include "trust/doc/graph.h"
#include "trust/doc/sorting.h"

/*
 * What a graph is made of, for graph.c and graph_make.c alone. Everything is a
 * flat array: 50,000 edges and 20,000 names are 5 MB. out_first[n] and
 * in_first[n] have one more than there are names.
 */
struct graph {
	struct graph_head head;
	uint32_t n, nedges;
	struct fp *fp;
	struct graph_edge *edge;
	uint32_t *out_first, *in_first;
	uint32_t *in, *by_time; /* edge numbers */
	struct sigset *known;
};

/*
 * Making one in turns, from edges none of which has edge_bad(). They are
 * borrowed to the end. step: 1: more to do; 0: *out, the caller's; -1: no
 * memory.
 */
struct graph_making;
struct graph_making *graph_making_new(const struct graph_head *,
    const struct edge *, size_t nedges);
int graph_making_step(struct graph_making *, size_t budget,
    struct graph **out);
void graph_making_free(struct graph_making *);

#endif
