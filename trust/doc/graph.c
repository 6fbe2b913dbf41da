/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/graph_in.h"

#include <stdlib.h>


void
graph_free(struct graph *g)
{
	if (g == NULL)
		return;
	free(g->fp);
	free(g->edge);
	free(g->out_first);
	free(g->in_first);
	free(g->in);
	free(g->by_time);
	sigset_free(g->known);
	free(g);
}

const struct graph_head *
graph_head(const struct graph *g)
{
	return &g->head;
}

uint32_t
graph_count(const struct graph *g)
{
	return g->n;
}

const struct fp *
graph_fp(const struct graph *g, uint32_t n)
{
	return &g->fp[n];
}

static int
fp_order(const void *a, const void *b)
{
	return fp_cmp(a, b);
}

bool
graph_find(const struct graph *g, const struct fp *fp, uint32_t *n)
{
	const struct fp *at;

	if (g->n == 0 || (at = bsearch(fp, g->fp, g->n, sizeof(*fp),
			      fp_order)) == NULL)
		return false;
	*n = (uint32_t)(at - g->fp);
	return true;
}

uint32_t
graph_edges(const struct graph *g)
{
	return g->nedges;
}

const struct graph_edge *
graph_edge(const struct graph *g, uint32_t e)
{
	return &g->edge[e];
}

uint32_t
graph_out(const struct graph *g, uint32_t n, uint32_t *first)
{
	*first = g->out_first[n];
	return g->out_first[n + 1] - g->out_first[n];
}

const uint32_t *
graph_in(const struct graph *g, uint32_t n, uint32_t *count)
{
	*count = g->in_first[n + 1] - g->in_first[n];
	return g->in + g->in_first[n];
}

const uint32_t *
graph_by_time(const struct graph *g, uint32_t n)
{
	return g->by_time + g->out_first[n];
}

void
graph_set_known(struct graph *g, struct sigset *known)
{
	sigset_free(g->known);
	g->known = known;
}

const struct sigset *
graph_known(const struct graph *g)
{
	return g->known;
}
