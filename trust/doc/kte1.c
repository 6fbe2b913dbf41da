/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/kte1.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define DAY 86400u
#define EARLY 300u    /* s that an edge may be issued ahead (klp.md 3.2) */
#define QUOTA 64      /* positive edges of one that is no anchor (klp.md 3.2) */
#define CONF_NEG 500  /* permille; for distrust (klp.md 3.4) */
#define HALVES_MAX 15 /* half-lives that are counted one by one (klp.md 3.2) */
#define ANCHOR_VETO 2 /* least max_level of an anchor that may (klp.md 3.4) */
#define KEPT 4096     /* verdicts, ours: 0.7 MB */
#define NONE UINT32_MAX
#define DEAD (-1) /* an edge that does not count now */

/* Least confidence by level, permille (klp.md 3.4); [0] is not used. */
static const int16_t conf_min[] = {0, 500, 700, 850};
static const unsigned quorum[] = {0, 1, 2, 3};

struct voter {
	uint32_t node; /* NONE: not in the graph, but it counts for the quorum */
	int8_t max_level;
};

struct kept {
	uint32_t node;
	enum scope scope;
	uint32_t made; /* valid from here to result.valid_until */
	struct kte1_result result;
};

/*
 * The view is what of the graph counts for one scope at one second; verdicts
 * of many targets share it. Arrays are by node, left is by edge.
 */
struct kte1 {
	const struct graph *g;
	uint32_t n;
	size_t nanchors;
	struct level_anchor anchor[LEVEL_ANCHORS_MAX]; /* as configured */
	bool *revoked;

	bool viewed;
	enum scope scope;
	uint32_t now;
	unsigned nvoters, need[LEVEL_MAX + 1];
	struct voter voter[LEVEL_ANCHORS_MAX]; /* in order of fingerprints */
	int16_t *left;	  /* permille by now, or DEAD */
	int8_t *vote;	  /* an anchor's max_level + 1, or 0 */
	int8_t *veto;	  /* lowest word of an anchor, below 0; or 0 */
	uint32_t *veto_by; /* that edge */
	uint8_t *rem;	  /* edges that may follow (klp.md 3.4 step 5) */
	uint32_t *parent; /* the edge that brought rem */
	uint32_t *queue;

	/* matching, by node on the right; each holds where its stamp is */
	uint32_t round, turn;
	uint32_t *final_round, *final; /* the edge from it to the target */
	uint32_t *seen;
	uint32_t *taken_round, *taken_by, *via; /* voter, and its edge */

	struct kept *kept; /* KEPT */
};

const char *
kte1_why_text(enum kte1_why why)
{
	static const char *const text[] = {
		[KTE1_NOBODY] = "no anchor's edges lead there",
		[KTE1_REACHED] = "reached from an anchor by introducers",
		[KTE1_DISJOINT] = "reached from anchors on separate paths",
		[KTE1_ANCHORS] = "named by the anchors themselves",
		[KTE1_CAPPED] = "distrusted at -1, which allows +1 at most",
		[KTE1_ANCHOR_VETO] = "distrusted by an anchor",
		[KTE1_VETO] = "distrusted by two separate introducers",
	};

	return text[why];
}

/* ---- memory ---- */

void
kte1_free(struct kte1 *k)
{
	if (k == NULL)
		return;
	free(k->revoked);
	free(k->left);
	free(k->vote);
	free(k->veto);
	free(k->veto_by);
	free(k->rem);
	free(k->parent);
	free(k->queue);
	free(k->final_round);
	free(k->final);
	free(k->seen);
	free(k->taken_round);
	free(k->taken_by);
	free(k->via);
	free(k->kept);
	free(k);
}

static void
forget(struct kte1 *k)
{
	k->viewed = false;
	for (unsigned i = 0; i < KEPT; i++)
		k->kept[i].node = NONE;
}

struct kte1 *
kte1_new(const struct graph *g, const struct level_anchor *anchor,
    size_t nanchors)
{
	struct kte1 *k = calloc(1, sizeof(*k));
	size_t n = (size_t)graph_count(g) + 1;

	if (k == NULL)
		return NULL;
	k->g = g;
	k->n = graph_count(g);
	k->nanchors = MIN_OF(nanchors, (size_t)LEVEL_ANCHORS_MAX);
	if (k->nanchors > 0)
		memcpy(k->anchor, anchor, k->nanchors * sizeof(*anchor));
	k->left = calloc((size_t)graph_edges(g) + 1, sizeof(*k->left));
	k->kept = calloc(KEPT, sizeof(*k->kept));
	if ((k->revoked = calloc(n, sizeof(*k->revoked))) == NULL ||
	    (k->vote = calloc(n, sizeof(*k->vote))) == NULL ||
	    (k->veto = calloc(n, sizeof(*k->veto))) == NULL ||
	    (k->veto_by = calloc(n, sizeof(*k->veto_by))) == NULL ||
	    (k->rem = calloc(n, sizeof(*k->rem))) == NULL ||
	    (k->parent = calloc(n, sizeof(*k->parent))) == NULL ||
	    (k->queue = calloc(n, sizeof(*k->queue))) == NULL ||
	    (k->final_round = calloc(n, sizeof(uint32_t))) == NULL ||
	    (k->final = calloc(n, sizeof(*k->final))) == NULL ||
	    (k->seen = calloc(n, sizeof(*k->seen))) == NULL ||
	    (k->taken_round = calloc(n, sizeof(uint32_t))) == NULL ||
	    (k->taken_by = calloc(n, sizeof(*k->taken_by))) == NULL ||
	    (k->via = calloc(n, sizeof(*k->via))) == NULL ||
	    k->left == NULL || k->kept == NULL) {
		kte1_free(k);
		return NULL;
	}
	forget(k);
	return k;
}

void
kte1_revoked(struct kte1 *k, kte1_revoked_fn *fn, void *ctx)
{
	for (uint32_t i = 0; i < k->n; i++)
		k->revoked[i] = fn(ctx, graph_fp(k->g, i));
	forget(k);
}

/* ---- the view: steps 1 and 5, and what is before them ---- */

uint16_t
kte1_conf(const struct graph_edge *e, uint32_t now)
{
	uint64_t half = (uint64_t)e->half_life * DAY, c = e->conf;
	uint64_t age = now > e->issued ? now - e->issued : 0;

	if (half > 0) {
		c >>= MIN_OF(age / half, (uint64_t)HALVES_MAX);
		c -= c * (age % half) / (2 * half);
	}
	return (uint16_t)c;
}

static bool
covers(uint32_t scopes, enum scope s)
{
	return (scopes & (UINT32_C(1) << SCOPE_ALL | UINT32_C(1) << s)) != 0;
}

static int
by_node(const void *a, const void *b)
{
	const struct voter *x = a, *y = b;

	return (x->node > y->node) - (x->node < y->node);
}

/* Anchors whose scopes cover this one; of two lines for one key the first. */
static void
view_voters(struct kte1 *k)
{
	unsigned may[LEVEL_MAX + 1] = {0};

	memset(k->vote, 0, k->n * sizeof(*k->vote));
	k->nvoters = 0;
	for (size_t i = 0; i < k->nanchors; i++) {
		const struct level_anchor *a = &k->anchor[i];
		struct voter v = {NONE, a->max_level};
		bool twice = false;

		for (size_t j = 0; j < i; j++)
			twice |= fp_eq(&k->anchor[j].fp, &a->fp) &&
			    covers(k->anchor[j].scopes, k->scope);
		if (twice || !covers(a->scopes, k->scope))
			continue;
		for (int l = 1; l <= LEVEL_MAX; l++)
			may[l] += a->max_level >= l;
		if (graph_find(k->g, &a->fp, &v.node))
			k->vote[v.node] = (int8_t)(a->max_level + 1);
		k->voter[k->nvoters++] = v;
	}
	qsort(k->voter, k->nvoters, sizeof(k->voter[0]), by_node);
	for (int l = 1; l <= LEVEL_MAX; l++)
		k->need[l] = MAX_OF(1u, MIN_OF(quorum[l], may[l]));
}

/* An anchor that takes part at this level. */
static bool
votes(const struct kte1 *k, const struct voter *v, int level)
{
	return v->node != NONE && v->max_level >= level && !k->revoked[v->node];
}

/* Of one source: the newest covering edge to each target, then the quota. */
static void
view_source(struct kte1 *k, uint32_t u)
{
	uint32_t first, n = graph_out(k->g, u, &first), target = NONE;
	const uint32_t *by_time = graph_by_time(k->g, u);
	unsigned positive = 0;

	for (uint32_t i = first; i < first + n; i++) {
		const struct graph_edge *e = graph_edge(k->g, i);

		k->left[i] = DEAD;
		if (k->revoked[u] || e->target == target ||
		    e->issued > (uint64_t)k->now + EARLY ||
		    k->now >= e->expires || !covers(e->scopes, k->scope))
			continue;
		target = e->target;
		if (e->level != 0) /* 0 withdraws */
			k->left[i] = (int16_t)kte1_conf(e, k->now);
	}
	for (uint32_t i = 0; k->vote[u] == 0 && i < n; i++)
		if (k->left[by_time[i]] != DEAD &&
		    graph_edge(k->g, by_time[i])->level > 0 &&
		    ++positive > QUOTA)
			k->left[by_time[i]] = DEAD;
}

static void
view_vetoes(struct kte1 *k)
{
	memset(k->veto, 0, k->n * sizeof(*k->veto));
	for (unsigned v = 0; v < k->nvoters; v++) {
		uint32_t first = 0, n = 0;

		if (votes(k, &k->voter[v], ANCHOR_VETO))
			n = graph_out(k->g, k->voter[v].node, &first);
		for (uint32_t i = first; i < first + n; i++) {
			const struct graph_edge *e = graph_edge(k->g, i);

			if (k->left[i] < CONF_NEG || k->vote[e->target] != 0 ||
			    e->level >= k->veto[e->target])
				continue;
			k->veto[e->target] = e->level;
			k->veto_by[e->target] = i;
		}
	}
}

/* Step 2. */
static bool
introduces(const struct kte1 *k, uint32_t i, int level)
{
	const struct graph_edge *e = graph_edge(k->g, i);

	return k->left[i] >= conf_min[level] && e->authority && e->depth >= 1 &&
	    e->level >= MAX_OF(level, 2) && k->veto[e->target] > -2 &&
	    !k->revoked[e->target];
}

/* How far each can still vouch: rem goes down, so one pass for each value. */
static void
view_reach(struct kte1 *k)
{
	uint32_t at = 0, end = 0;

	memset(k->rem, 0, k->n * sizeof(*k->rem));
	for (unsigned v = 0; v < k->nvoters; v++) {
		if (!votes(k, &k->voter[v], 1))
			continue;
		k->rem[k->voter[v].node] = KTE1_HOPS;
		k->queue[end++] = k->voter[v].node;
	}
	/* in the queue: first the anchors, then those with one edge less */
	for (; at < end; at++) {
		uint32_t u = k->queue[at], first;
		uint32_t n = graph_out(k->g, u, &first);

		for (uint32_t i = first; i < first + n; i++) {
			const struct graph_edge *e = graph_edge(k->g, i);
			uint8_t rem = MIN_OF((uint8_t)(k->rem[u] - 1),
			    e->depth);

			if (!introduces(k, i, 1) || rem <= k->rem[e->target])
				continue;
			k->rem[e->target] = rem;
			k->parent[e->target] = i;
			if (rem >= 2)
				k->queue[end++] = e->target;
		}
	}
}

static void
view(struct kte1 *k, enum scope s, uint32_t now)
{
	if (k->viewed && k->scope == s && k->now == now)
		return;
	k->scope = s;
	k->now = now;
	view_voters(k);
	for (uint32_t u = 0; u < k->n; u++)
		view_source(k, u);
	view_vetoes(k);
	view_reach(k);
	k->viewed = true;
}

/* ---- paths that share nobody: steps 4 and 7 ---- */

/* Marks who has a final edge to the target; how many. */
static unsigned
match_finals(struct kte1 *k, uint32_t target, int level)
{
	uint32_t n;
	const uint32_t *in = graph_in(k->g, target, &n);
	unsigned count = 0;

	k->round++;
	for (uint32_t i = 0; i < n; i++) {
		const struct graph_edge *e = graph_edge(k->g, in[i]);

		if (level > 0 ? e->level < level ||
			    k->left[in[i]] < conf_min[level]
			      : e->level > level ||
			    k->left[in[i]] < CONF_NEG || k->vote[e->source] != 0)
			continue;
		k->final_round[e->source] = k->round;
		k->final[e->source] = in[i];
		count++;
	}
	return count;
}

static bool match_from(struct kte1 *, unsigned voter);

/* Takes node for the voter if it is free or can be made so. */
static bool
match_take(struct kte1 *k, unsigned voter, uint32_t node, uint32_t via)
{
	if (k->seen[node] == k->turn)
		return false;
	k->seen[node] = k->turn;
	if (k->taken_round[node] == k->round &&
	    !match_from(k, k->taken_by[node]))
		return false;
	k->taken_round[node] = k->round;
	k->taken_by[node] = voter;
	k->via[node] = via;
	return true;
}

/* An augmenting path; goes no deeper than there are anchors. */
static bool
match_from(struct kte1 *k, unsigned voter)
{
	uint32_t a = k->voter[voter].node, first;
	uint32_t n = graph_out(k->g, a, &first);

	if (k->final_round[a] == k->round && match_take(k, voter, a, NONE))
		return true;
	for (uint32_t i = first; i < first + n; i++) {
		uint32_t t = graph_edge(k->g, i)->target;

		if (k->final_round[t] == k->round && k->vote[t] == 0 &&
		    introduces(k, i, 2) && match_take(k, voter, t, i))
			return true;
	}
	return false;
}

/*
 * Is there a matching of this size? Who was seen in vain stays seen until a
 * path is found, so that a graph made for it costs no more than its edges.
 */
static bool
match(struct kte1 *k, uint32_t target, int level, unsigned need)
{
	unsigned got = 0;

	if (match_finals(k, target, level) < need)
		return false;
	k->turn++;
	for (unsigned v = 0; v < k->nvoters && got < need; v++) {
		if (!votes(k, &k->voter[v], 2) || !match_from(k, v))
			continue;
		got++;
		k->turn++;
	}
	return got >= need;
}

/* ---- results ---- */

static void
path_add(struct kte1 *k, struct kte1_result *r, const uint32_t *edge,
    uint8_t n)
{
	struct kte1_path *p = &r->path[r->npaths];

	if (r->npaths >= KTE1_PATHS)
		return;
	r->npaths++;
	p->n = n;
	for (uint8_t i = 0; i < n; i++) {
		p->edge[i] = edge[i];
		p->conf[i] = (uint16_t)k->left[edge[i]];
		r->valid_until = MIN_OF(r->valid_until,
		    graph_edge(k->g, edge[i])->expires);
	}
}

/* The pairs of the matching that was found last. */
static void
path_matched(struct kte1 *k, struct kte1_result *r, uint32_t target)
{
	uint32_t n;
	const uint32_t *in = graph_in(k->g, target, &n);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t s = graph_edge(k->g, in[i])->source;
		uint32_t edge[2] = {k->via[s], in[i]};

		if (k->taken_round[s] != k->round || k->final[s] != in[i])
			continue;
		if (k->via[s] == NONE)
			path_add(k, r, edge + 1, 1);
		else
			path_add(k, r, edge, 2);
	}
}

/* Step 3. */
static bool
by_anchors(struct kte1 *k, struct kte1_result *r, uint32_t target)
{
	uint32_t n;
	const uint32_t *in = graph_in(k->g, target, &n);
	unsigned got = 0;
	struct kte1_result was = *r;

	for (uint32_t i = 0; i < n && got < k->need[3]; i++) {
		const struct graph_edge *e = graph_edge(k->g, in[i]);

		if (k->vote[e->source] < 3 + 1 || k->revoked[e->source] ||
		    e->level < 3 || k->left[in[i]] < conf_min[3])
			continue;
		path_add(k, r, &in[i], 1);
		got++;
	}
	if (got < k->need[3])
		*r = was;
	return got >= k->need[3];
}

/* Step 5; of several the shortest. */
static bool
by_reach(struct kte1 *k, struct kte1_result *r, uint32_t target)
{
	uint32_t n, best = NONE, edge[KTE1_HOPS];
	const uint32_t *in = graph_in(k->g, target, &n);
	uint8_t hops = 0, rem = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct graph_edge *e = graph_edge(k->g, in[i]);

		if (e->level < 1 || k->left[in[i]] < conf_min[1] ||
		    k->rem[e->source] <= rem)
			continue;
		rem = k->rem[e->source];
		best = in[i];
	}
	if (best == NONE)
		return false;
	edge[KTE1_HOPS - ++hops] = best;
	for (uint32_t u = graph_edge(k->g, best)->source;
	     k->rem[u] < KTE1_HOPS && hops < KTE1_HOPS;
	     u = graph_edge(k->g, k->parent[u])->source)
		edge[KTE1_HOPS - ++hops] = k->parent[u];
	path_add(k, r, edge + KTE1_HOPS - hops, hops);
	return true;
}

/* Steps 3 to 6. */
static int
positive(struct kte1 *k, struct kte1_result *r, uint32_t target)
{
	if (by_anchors(k, r, target)) {
		r->why = KTE1_ANCHORS;
		return 3;
	}
	if (match(k, target, 2, k->need[2])) {
		path_matched(k, r, target);
		r->why = KTE1_DISJOINT;
		return 2;
	}
	if (by_reach(k, r, target)) {
		r->why = KTE1_REACHED;
		return 1;
	}
	r->why = KTE1_NOBODY;
	return 0;
}

/* Steps 1 and 7. */
static int
negative(struct kte1 *k, struct kte1_result *r, uint32_t target)
{
	int anchors = k->veto[target];

	for (int l = LEVEL_MIN; l < anchors; l++) {
		if (!match(k, target, l, 2))
			continue;
		path_matched(k, r, target);
		r->why = KTE1_VETO;
		return l;
	}
	if (anchors < 0) {
		path_add(k, r, &k->veto_by[target], 1);
		r->why = KTE1_ANCHOR_VETO;
	}
	return anchors;
}

static void
evaluate(struct kte1 *k, struct kte1_result *r, uint32_t target)
{
	int neg = negative(k, r, target), pos;

	if (neg <= -2) {
		r->level = neg;
		return;
	}
	pos = positive(k, r, target);
	r->level = pos;
	if (neg < 0) { /* -1 */
		r->level = pos > 0 ? 1 : -1;
		r->why = KTE1_CAPPED;
	}
}

void
kte1_ask(struct kte1 *k, struct kte1_result *r, const struct fp *target,
    enum scope s, uint32_t now)
{
	struct kept *kept;
	uint32_t node;

	memset(r, 0, sizeof(*r));
	r->valid_until = now > UINT32_MAX - KTE1_VALID ? UINT32_MAX
						       : now + KTE1_VALID;
	if (!graph_find(k->g, target, &node))
		return;
	kept = &k->kept[(node + s * 389u) % KEPT];
	if (kept->node == node && kept->scope == s && kept->made <= now &&
	    now < kept->result.valid_until) {
		*r = kept->result;
		return;
	}
	view(k, s, now);
	evaluate(k, r, node);
	*kept = (struct kept){node, s, now, *r};
}

size_t
kte1_trusted(struct kte1 *k, size_t *hits, enum scope s, uint32_t now,
    kte1_revoked_fn *fn, void *ctx)
{
	size_t count = 0;

	*hits = 0;
	view(k, s, now);
	for (uint32_t u = 0; u < k->n; u++) {
		struct kte1_result r = {.valid_until = UINT32_MAX};
		int level = k->vote[u] - 1; /* step 0 */

		/* +2 and +3 hold only where +1 does too */
		if (k->revoked[u] || (k->vote[u] == 0 &&
		    (!by_reach(k, &r, u) || negative(k, &r, u) <= -2)))
			continue;
		if (k->vote[u] != 0 && level < 1)
			continue;
		count++;
		*hits += fn(ctx, graph_fp(k->g, u));
	}
	return count;
}
