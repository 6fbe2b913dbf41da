/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a graph. Sorting 100,000 names and twice 50,000 edges takes 50 ms, in
 * which nobody would get a verdict: so it goes in turns. Each pass over an
 * array is one turn, each sorting as many as it needs.
 */
#include "trust/doc/graph_in.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire.h"

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

/* ---- turn by turn ---- */

struct graph_making {
	int (*turn)(struct graph_making *, size_t budget); /* NULL: done */
	struct graph *g;
	struct names s;
	struct name *name;	/* in order */
	uint32_t *number;	/* of each place */
	struct graph_edge *raw; /* in the order of the document */
	uint32_t *order;
	struct sorting sort;
};

typedef int turn_fn(struct graph_making *, size_t);
static turn_fn sort_names, count_names, put_names, put_edges, sort_edges,
    take_edges, sort_times, put_incoming;

/* What the next turn does; the present one has an end. */
static int
then(struct graph_making *m, turn_fn *next)
{
	m->turn = next;
	return 1;
}

/* Sorting comes next; -1: no memory. */
static int
then_sort(struct graph_making *m, turn_fn *next, void *v, size_t n,
    size_t size, sorting_cmp *cmp, void *arg)
{
	return sorting_begin(&m->sort, v, n, size, cmp, arg) ? then(m, next) :
	    -1;
}

/* Goes on sorting; when it is over, what comes then. */
static int
sort_on(struct graph_making *m, size_t budget, turn_fn *next)
{
	if (sorting_step(&m->sort, budget))
		return 1;
	sorting_free(&m->sort);
	return then(m, next);
}

static int
list_names(struct graph_making *m, size_t budget)
{
	uint32_t total = (uint32_t)(2 * m->s.nedges);

	(void)budget;
	for (uint32_t i = 0; i < total; i++)
		m->name[i] = (struct name){get_u64(name_at(&m->s, i)->b), i};
	return then_sort(m, sort_names, m->name, total, sizeof(*m->name),
	    name_order, &m->s);
}

static int
sort_names(struct graph_making *m, size_t budget)
{
	return sort_on(m, budget, count_names);
}

/* Numbers everybody in the order of fingerprints: number[i] is of place i. */
static int
count_names(struct graph_making *m, size_t budget)
{
	uint32_t total = (uint32_t)(2 * m->s.nedges), n = 0;

	(void)budget;
	for (uint32_t i = 0; i < total; i++) {
		n += i == 0 || name_order(&m->name[i - 1], &m->name[i],
		    &m->s) != 0;
		m->number[m->name[i].place] = n - 1;
	}
	m->g->n = n;
	m->g->fp = calloc((size_t)n + 1, sizeof(*m->g->fp));
	m->g->out_first = calloc((size_t)n + 1, sizeof(uint32_t));
	m->g->in_first = calloc((size_t)n + 1, sizeof(uint32_t));
	free(m->name);
	m->name = NULL;
	return m->g->fp == NULL || m->g->out_first == NULL ||
	    m->g->in_first == NULL ? -1 : then(m, put_names);
}

static int
put_names(struct graph_making *m, size_t budget)
{
	(void)budget;
	for (uint32_t i = 0; i < 2 * m->s.nedges; i++)
		m->g->fp[m->number[i]] = *name_at(&m->s, i);
	return then(m, put_edges);
}

static int
put_edges(struct graph_making *m, size_t budget)
{
	(void)budget;
	for (uint32_t i = 0; i < m->g->nedges; i++) {
		edge_from(&m->raw[i], &m->s.edge[i], m->number[i],
		    m->number[m->g->nedges + i]);
		m->order[i] = i;
	}
	return then_sort(m, sort_edges, m->order, m->g->nedges,
	    sizeof(*m->order), edge_order, m->raw);
}

static int
sort_edges(struct graph_making *m, size_t budget)
{
	return sort_on(m, budget, take_edges);
}

static int
take_edges(struct graph_making *m, size_t budget)
{
	struct graph *g = m->g;

	(void)budget;
	for (uint32_t i = 0; i < g->nedges; i++) {
		g->edge[i] = m->raw[m->order[i]];
		g->by_time[i] = i;
		g->out_first[g->edge[i].source + 1]++;
		g->in_first[g->edge[i].target + 1]++;
	}
	for (uint32_t n = 0; n < g->n; n++) {
		g->out_first[n + 1] += g->out_first[n];
		g->in_first[n + 1] += g->in_first[n];
	}
	return then_sort(m, sort_times, g->by_time, g->nedges,
	    sizeof(*g->by_time), time_order, g->edge);
}

static int
sort_times(struct graph_making *m, size_t budget)
{
	return sort_on(m, budget, put_incoming);
}

static int
put_incoming(struct graph_making *m, size_t budget)
{
	struct graph *g = m->g;

	(void)budget;
	/* order is free now: how many of a target's places are filled */
	memset(m->order, 0, ((size_t)g->nedges + 1) * sizeof(*m->order));
	for (uint32_t i = 0; i < g->nedges; i++) {
		uint32_t t = g->edge[i].target;

		g->in[g->in_first[t] + m->order[g->in_first[t]]++] = i;
	}
	m->turn = NULL;
	return 0;
}

int
graph_making_step(struct graph_making *m, size_t budget, struct graph **out)
{
	int rc = m->turn == NULL ? -1 : m->turn(m, budget);

	if (rc == 0) {
		*out = m->g;
		m->g = NULL;
	}
	return rc;
}

struct graph_making *
graph_making_new(const struct graph_head *head, const struct edge *edge,
    size_t n)
{
	struct graph_making *m = calloc(1, sizeof(*m));
	struct graph *g = calloc(1, sizeof(*g));
	size_t room = n + 1;

	if (m == NULL || g == NULL) {
		free(m);
		free(g);
		return NULL;
	}
	m->turn = list_names;
	m->g = g;
	m->s = (struct names){edge, n};
	g->head = *head;
	g->nedges = (uint32_t)n;
	m->name = calloc(2 * room, sizeof(*m->name));
	m->number = calloc(2 * room, sizeof(*m->number));
	m->raw = calloc(room, sizeof(*m->raw));
	m->order = calloc(room, sizeof(*m->order));
	g->edge = calloc(room, sizeof(*g->edge));
	g->in = calloc(room, sizeof(*g->in));
	g->by_time = calloc(room, sizeof(*g->by_time));
	if (m->name != NULL && m->number != NULL && m->raw != NULL &&
	    m->order != NULL && g->edge != NULL && g->in != NULL &&
	    g->by_time != NULL)
		return m;
	graph_making_free(m);
	return NULL;
}

void
graph_making_free(struct graph_making *m)
{
	if (m == NULL)
		return;
	sorting_free(&m->sort);
	graph_free(m->g);
	free(m->name);
	free(m->number);
	free(m->raw);
	free(m->order);
	free(m);
}

/* ---- made at once ---- */

struct graph *
graph_make(const struct graph_head *head, const struct edge *edge,
    size_t nedges)
{
	struct edge *good = calloc(nedges + 1, sizeof(*good));
	struct graph_making *m = NULL;
	struct graph *g = NULL;
	size_t n = 0;

	for (size_t i = 0; good != NULL && i < nedges; i++)
		if (edge_bad(&edge[i]) == NULL)
			good[n++] = edge[i];
	if (good != NULL && nedges <= GRAPH_EDGES_MAX)
		m = graph_making_new(head, good, n);
	while (m != NULL && graph_making_step(m, nedges + 1, &g) > 0)
		continue;
	graph_making_free(m);
	free(good);
	return g;
}
