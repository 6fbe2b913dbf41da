/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kte1.h on lines: what tests/oracle/kte1.py asks, and the answers.
 *
 *   edge SOURCE TARGET LEVEL PERMILLE AUTHORITY DEPTH SCOPES ISSUED EXPIRES DAYS
 *   anchor FP MAX_LEVEL SCOPES
 *   revoked FP
 *   ask FP SCOPE NOW           its level
 *   trusted SCOPE NOW          how many have +1 or more, how many of them are
 *                              the first in a pair of fingerprints
 *   end                        of a graph
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "trust/doc/kte1.h"

#define REVOKED_MAX 256

struct lines {
	struct edge edge[GRAPH_EDGES_MAX];
	size_t nedges, nanchors, nrevoked;
	struct level_anchor anchor[LEVEL_ANCHORS_MAX];
	struct fp revoked[REVOKED_MAX];
	struct graph *graph;
	struct kte1 *kte1;
	unsigned now; /* of the last question */
};

static void __attribute__((noreturn))
bad(const char *what)
{
	fprintf(stderr, "kte1_lines: %s\n", what);
	exit(2);
}

static struct fp
fp_text(const char *hex)
{
	struct fp fp;

	if (!hex_decode(HASH_BYTES(fp), hex, strlen(hex)))
		bad(hex);
	return fp;
}

static bool
is_revoked(void *ctx, const struct fp *fp)
{
	const struct lines *l = ctx;

	for (size_t i = 0; i < l->nrevoked; i++)
		if (fp_eq(&l->revoked[i], fp))
			return true;
	return false;
}

static bool
is_even(void *ctx, const struct fp *fp)
{
	(void)ctx;
	return (fp->b[FP_LEN - 1] & 1) == 0;
}

static void
take_edge(struct lines *l, const char *text)
{
	char s[65], t[65];
	unsigned c, auth, d, sc, iss, exp, hl;
	struct edge *e = &l->edge[l->nedges];
	int level;

	if (l->nedges >= GRAPH_EDGES_MAX ||
	    sscanf(text, "%64s %64s %d %u %u %u %u %u %u %u", s, t, &level, &c,
		&auth, &d, &sc, &iss, &exp, &hl) != 10)
		bad(text);
	*e = (struct edge){.source = fp_text(s), .target = fp_text(t),
	    .level = (int8_t)level, .conf = (uint16_t)c,
	    .tags = auth << TAG_AUTHORITY, .depth = (uint8_t)d, .scopes = sc,
	    .issued = iss, .expires = exp, .half_life = (uint16_t)hl};
	l->nedges++;
}

static void
open_graph(struct lines *l)
{
	const struct graph_head head = {.version = 1};

	if (l->graph != NULL)
		return;
	if ((l->graph = graph_make(&head, l->edge, l->nedges)) == NULL ||
	    (l->kte1 = kte1_new(l->graph, l->anchor, l->nanchors)) == NULL)
		bad("no memory");
	kte1_revoked(l->kte1, is_revoked, l);
}

/* What is said to have decided leads from an anchor to the target. */
static void
check_paths(const struct lines *l, const struct kte1_result *r,
    const struct fp *target)
{
	if (r->npaths == 0 && r->level != 0)
		bad("a level without a path");
	for (unsigned i = 0; i < r->npaths; i++) {
		const struct kte1_path *p = &r->path[i];
		const struct graph_edge *e = graph_edge(l->graph, p->edge[0]);
		bool anchor = false;

		for (size_t a = 0; a < l->nanchors; a++)
			anchor |= fp_eq(graph_fp(l->graph, e->source),
			    &l->anchor[a].fp);
		for (unsigned h = 1; h < p->n; h++) {
			if (graph_edge(l->graph, p->edge[h])->source !=
			    e->target)
				bad("a path in pieces");
			e = graph_edge(l->graph, p->edge[h]);
		}
		if (!anchor || !fp_eq(graph_fp(l->graph, e->target), target))
			bad("a path from or to somebody else");
		if (r->valid_until > e->expires)
			bad("valid longer than an edge");
	}
}

static void
ask(struct lines *l, const char *text)
{
	struct kte1_result r, again;
	unsigned scope, now;
	struct fp fp;
	char t[65];

	if (sscanf(text, "%64s %u %u", t, &scope, &now) != 3)
		bad(text);
	open_graph(l);
	/* verdicts are kept for a while: not from one second to another here */
	if (l->now != now)
		kte1_revoked(l->kte1, is_revoked, l);
	l->now = now;
	fp = fp_text(t);
	kte1_ask(l->kte1, &r, &fp, (enum scope)scope, now);
	kte1_ask(l->kte1, &again, &fp, (enum scope)scope, now);
	if (memcmp(&r, &again, sizeof(r)) != 0)
		bad("asked again, another answer");
	check_paths(l, &r, &fp);
	printf("%d\n", r.level);
}

static void
trusted(struct lines *l, const char *text)
{
	unsigned scope, now;
	size_t hits, n;

	if (sscanf(text, "%u %u", &scope, &now) != 2)
		bad(text);
	open_graph(l);
	n = kte1_trusted(l->kte1, &hits, (enum scope)scope, now, is_even, NULL);
	printf("%zu %zu\n", n, hits);
}

static void
take(struct lines *l, const char *verb, const char *rest)
{
	unsigned max, scopes;
	char t[65];

	if (strcmp(verb, "edge") == 0) {
		take_edge(l, rest);
	} else if (strcmp(verb, "anchor") == 0) {
		if (l->nanchors >= LEVEL_ANCHORS_MAX ||
		    sscanf(rest, "%64s %u %u", t, &max, &scopes) != 3)
			bad(rest);
		l->anchor[l->nanchors++] = (struct level_anchor){fp_text(t),
		    (int8_t)max, scopes};
	} else if (strcmp(verb, "revoked") == 0) {
		if (l->nrevoked >= REVOKED_MAX || sscanf(rest, "%64s", t) != 1)
			bad(rest);
		l->revoked[l->nrevoked++] = fp_text(t);
	} else if (strcmp(verb, "ask") == 0) {
		ask(l, rest);
	} else if (strcmp(verb, "trusted") == 0) {
		trusted(l, rest);
	} else if (strcmp(verb, "end") == 0) {
		kte1_free(l->kte1);
		graph_free(l->graph);
		l->kte1 = NULL;
		l->graph = NULL;
		l->nedges = l->nanchors = l->nrevoked = 0;
	} else {
		bad(verb);
	}
}

int
main(void)
{
	static struct lines l;
	char line[512], verb[16];
	int at;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		at = 0;
		if (sscanf(line, "%15s %n", verb, &at) < 1)
			bad(line);
		take(&l, verb, line + at);
	}
	return 0;
}
