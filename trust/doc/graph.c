/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* qsort_r */
#include "trust/doc/graph.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire.h"

/*
 * Everything is a flat array: 50,000 edges and 20,000 names are 5 MB.
 * out_first[n] and in_first[n] have one more than there are names.
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

/* ---- making ---- */

/* Places 0 to 2 * nedges - 1: sources, then targets. */
struct names {
	const struct edge *edge;
	size_t nedges;
};

/* One of them; its first bytes are here, since memory is what sorting costs. */
struct name {
	uint64_t head;
	uint32_t place;
};

static const struct fp *
name_at(const struct names *s, uint32_t i)
{
	return i < s->nedges ? &s->edge[i].source
			     : &s->edge[i - s->nedges].target;
}

static int
name_order(const void *a, const void *b, void *arg)
{
	const struct name *x = a, *y = b;

	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	return fp_cmp(name_at(arg, x->place), name_at(arg, y->place));
}

/* Numbers everybody in the order of fingerprints: number[i] is of place i. */
static bool
make_names(struct graph *g, struct names *s, uint32_t *number)
{
	uint32_t total = (uint32_t)(2 * s->nedges);
	struct name *name = calloc((size_t)total + 1, sizeof(*name));

	if (name == NULL)
		return false;
	for (uint32_t i = 0; i < total; i++)
		name[i] = (struct name){get_u64(name_at(s, i)->b), i};
	qsort_r(name, total, sizeof(*name), name_order, s);
	g->n = 0;
	for (uint32_t i = 0; i < total; i++) {
		g->n += i == 0 || name_order(&name[i - 1], &name[i], s) != 0;
		number[name[i].place] = g->n - 1;
	}
	free(name);
	if ((g->fp = calloc((size_t)g->n + 1, sizeof(*g->fp))) == NULL)
		return false;
	for (uint32_t i = 0; i < total; i++)
		g->fp[number[i]] = *name_at(s, i);
	return true;
}

static int
by_number(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* Newest first, then the lowest level, then the one that was written first. */
static int
edge_order(const void *a, const void *b, void *arg)
{
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct graph_edge *all = arg, *x = &all[i], *y = &all[j];

	if (x->source != y->source)
		return by_number(x->source, y->source);
	if (x->target != y->target)
		return by_number(x->target, y->target);
	if (x->issued != y->issued)
		return by_number(y->issued, x->issued);
	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	return by_number(i, j);
}

/* Edge numbers are in edge_order() by now, so they say the rest. */
static int
time_order(const void *a, const void *b, void *arg)
{
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct graph_edge *all = arg, *x = &all[i], *y = &all[j];

	if (x->source != y->source)
		return by_number(x->source, y->source);
	if (x->issued != y->issued)
		return by_number(x->issued, y->issued);
	return by_number(i, j);
}

static void
edge_from(struct graph_edge *out, const struct edge *e, uint32_t source,
    uint32_t target)
{
	*out = (struct graph_edge){.source = source, .target = target,
	    .scopes = edge_covers(e), .issued = e->issued,
	    .expires = e->expires, .conf = e->conf, .half_life = e->half_life,
	    .level = e->level, .depth = e->depth,
	    .authority = (e->tags >> TAG_AUTHORITY & 1) != 0};
}

/* raw: in the order of the document; order: room for as many numbers. */
static void
make_edges(struct graph *g, struct graph_edge *raw, uint32_t *order)
{
	for (uint32_t i = 0; i < g->nedges; i++)
		order[i] = i;
	qsort_r(order, g->nedges, sizeof(*order), edge_order, raw);
	for (uint32_t i = 0; i < g->nedges; i++) {
		g->edge[i] = raw[order[i]];
		g->by_time[i] = i;
		g->out_first[g->edge[i].source + 1]++;
		g->in_first[g->edge[i].target + 1]++;
	}
	qsort_r(g->by_time, g->nedges, sizeof(*g->by_time), time_order,
	    g->edge);
	for (uint32_t n = 0; n < g->n; n++) {
		g->out_first[n + 1] += g->out_first[n];
		g->in_first[n + 1] += g->in_first[n];
	}
	/* order is free now: how many of a target's places are filled */
	memset(order, 0, ((size_t)g->nedges + 1) * sizeof(*order));
	for (uint32_t i = 0; i < g->nedges; i++) {
		uint32_t t = g->edge[i].target;

		g->in[g->in_first[t] + order[g->in_first[t]]++] = i;
	}
}

/* Leaves out what can count at no time; false: no memory. */
static bool
make(struct graph *g, const struct edge *good, size_t n)
{
	struct names s = {good, n};
	size_t room = n + 1;
	uint32_t *order = calloc(room, sizeof(*order));
	uint32_t *number = calloc(2 * room, sizeof(*number));
	struct graph_edge *raw = calloc(room, sizeof(*raw));
	bool ok = order != NULL && number != NULL && raw != NULL;

	g->nedges = (uint32_t)n;
	if (ok && (ok = make_names(g, &s, number))) {
		g->edge = calloc(room, sizeof(*g->edge));
		g->in = calloc(room, sizeof(*g->in));
		g->by_time = calloc(room, sizeof(*g->by_time));
		g->out_first = calloc((size_t)g->n + 1, sizeof(uint32_t));
		g->in_first = calloc((size_t)g->n + 1, sizeof(uint32_t));
		ok = g->edge != NULL && g->in != NULL && g->by_time != NULL &&
		    g->out_first != NULL && g->in_first != NULL;
	}
	if (ok) {
		for (size_t i = 0; i < n; i++)
			edge_from(&raw[i], &good[i], number[i], number[n + i]);
		make_edges(g, raw, order);
	}
	free(order);
	free(number);
	free(raw);
	return ok;
}

struct graph *
graph_make(const struct graph_head *head, const struct edge *edge,
    size_t nedges)
{
	struct graph *g = calloc(1, sizeof(*g));
	struct edge *good = calloc(nedges + 1, sizeof(*good));
	size_t n = 0;

	for (size_t i = 0; good != NULL && i < nedges; i++)
		if (edge_bad(&edge[i]) == NULL)
			good[n++] = edge[i];
	if (g != NULL && good != NULL && nedges <= GRAPH_EDGES_MAX &&
	    make(g, good, n)) {
		g->head = *head;
	} else {
		graph_free(g);
		g = NULL;
	}
	free(good);
	return g;
}
