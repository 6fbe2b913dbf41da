/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/standing.h"

#include "common/util.h"

/* Words that stand where the graph does not count whole. */
static const char *const graph_age[] = {
    [FRESH_STALE] = "the trust graph has expired: no level rises, +2 at most",
    [FRESH_NO] = "the trust graph expired too long ago: only pins and anchors "
		 "count",
};

enum fresh
standing_fresh(const struct standing_age *a, uint32_t now)
{
	if (!a->wanted)
		return FRESH_YES;
	return a->known ? fresh_state(now, a->head_expires, a->doc_expires,
			      a->grace) : FRESH_NO;
}

uint32_t
standing_age_next(const struct standing_age *a, uint32_t now)
{
	uint32_t end = MIN_OF(a->head_expires, a->doc_expires);

	if (!a->wanted || !a->known)
		return UINT32_MAX;
	if (now < end)
		return end;
	return now - end < a->grace && a->grace < UINT32_MAX - end ?
	    end + a->grace : UINT32_MAX;
}

uint32_t
standing_next(const struct standing *s, uint32_t now)
{
	return MIN_OF(standing_age_next(&s->graph, now),
	    standing_age_next(&s->list, now));
}

bool
standing_exempt(const struct level_conf *c, const struct fp *fp,
    const struct hash16 *rns)
{
	const struct level_query q = {.fp = fp,
	    .rns = rns == NULL ? NULL : rns->b};

	return level_ignores(c, &q);
}

/* ---- the graph ---- */

static void
ask_graph(struct standing *s, struct standing_of *o, const struct fp *fp,
    enum scope scope, uint32_t now)
{
	enum fresh fresh = standing_fresh(&s->graph, now);
	struct kte1_result is, was;

	o->level = 0;
	if (!s->graph.wanted || s->now == NULL) {
		o->why = s->graph.wanted ? "not pinned, and there is no trust "
					   "graph" :
		    "not pinned, and no trust graph is named";
		return;
	}
	kte1_ask(s->now, &is, fp, scope, now);
	was = is;
	if (fresh != FRESH_YES && s->then != NULL)
		kte1_ask(s->then, &was, fp, scope, MIN_OF(s->graph.head_expires,
		    s->graph.doc_expires) - 1);
	o->level = fresh_level(fresh, is.level, was.level);
	o->valid_until = MIN_OF(o->valid_until, is.valid_until);
	o->why = fresh == FRESH_YES || o->level < 0 ? kte1_why_text(is.why) :
	    graph_age[fresh];
}

/* ---- all of it ---- */

static enum revocation
revocation_of(const struct standing *s, const struct fp *fp,
    const struct hash16 *rns)
{
	enum revocation r = REV_NONE, k = REV_NONE;

	if (rns != NULL)
		r = revset_state(&s->revoked, REV_RNS, rns->b);
	if (fp != NULL)
		k = revset_state(&s->revoked, REV_KEY, fp->b);
	return MAX_OF(r, k);
}

static void
ask_jobs(const struct standing *s, struct standing_of *o, uint32_t now)
{
	enum fresh f = standing_fresh(&s->list, now);

	o->jobs = fresh_jobs(f, s->on_stale, o->level, o->pinned);
	o->why_jobs = o->jobs == JOBS_TAKEN ? NULL :
	    !s->list.known ? "the node has no revocation list yet" :
	    f == FRESH_STALE ? "the revocation list of the node has expired" :
	    "the revocation list of the node expired too long ago";
}

void
standing_ask(struct standing *s, struct standing_of *o, const struct fp *fp,
    const struct hash16 *rns, enum scope scope, uint32_t now)
{
	struct level_query q = {.fp = fp, .rns = rns == NULL ? NULL : rns->b,
	    .scope = scope, .revoked = revocation_of(s, fp, rns)};

	*o = (struct standing_of){.valid_until = now + KTE1_VALID};
	o->pinned = level_pinned(&s->levels, &q);
	if (level_local(&o->level, &o->why, &s->levels, &q))
		o->revoked = level_ignores(&s->levels, &q) ? REV_NONE :
		    q.revoked;
	else if (fp != NULL)
		ask_graph(s, o, fp, scope, now);
	ask_jobs(s, o, now);
	o->valid_until = MIN_OF(o->valid_until, standing_next(s, now));
}

bool
standing_paths(struct standing *s, struct kte1_result *r, const struct fp *fp,
    const struct hash16 *rns, enum scope scope, uint32_t now)
{
	struct level_query q = {.fp = fp, .rns = rns == NULL ? NULL : rns->b,
	    .scope = scope, .revoked = revocation_of(s, fp, rns)};
	const char *why;
	int level;

	if (fp == NULL || s->now == NULL || !s->graph.wanted ||
	    level_local(&level, &why, &s->levels, &q))
		return false;
	kte1_ask(s->now, r, fp, scope, now);
	return r->npaths > 0;
}

/* ---- the brake ---- */

struct count {
	standing_hit_fn *fn;
	void *ctx;
};

static bool
graph_hit(void *ctx, const struct fp *fp)
{
	const struct count *c = ctx;

	return c->fn(c->ctx, fp, NULL);
}

/* Has kte1_trusted() counted him? An anchor it takes at his own level. */
static bool
counted(struct standing *s, const struct fp *fp, uint32_t now)
{
	struct kte1_result r;
	uint32_t n;

	if (s->now == NULL || standing_fresh(&s->graph, now) == FRESH_NO ||
	    !graph_find(s->g, fp, &n))
		return false;
	for (size_t i = 0; i < s->levels.nanchors; i++)
		if (fp_eq(&s->levels.anchors[i].fp, fp))
			return s->levels.anchors[i].max_level >= 1;
	kte1_ask(s->now, &r, fp, SCOPE_JOB_SUBMIT, now);
	return r.level >= 1;
}

static void
count_local(struct standing *s, const struct count *c, const struct fp *fp,
    const struct hash16 *rns, int level, uint32_t now, int64_t sum[2])
{
	bool was = fp != NULL && counted(s, fp, now);
	bool is = level >= 1, hit = c->fn(c->ctx, fp, rns);

	sum[0] += (int)is - (int)was;
	sum[1] += hit ? (int)is - (int)was : 0;
}

void
standing_count(struct standing *s, uint32_t now, standing_hit_fn *fn,
    void *ctx, uint64_t *positive, uint64_t *hit)
{
	struct count c = {fn, ctx};
	int64_t sum[2] = {0, 0};
	size_t hits = 0;

	if (s->now != NULL && standing_fresh(&s->graph, now) != FRESH_NO) {
		sum[0] = (int64_t)kte1_trusted(s->now, &hits,
		    SCOPE_JOB_SUBMIT, now, graph_hit, &c);
		sum[1] = (int64_t)hits;
	}
	for (size_t i = 0; i < s->levels.npins; i++) {
		const struct level_pin *p = &s->levels.pins[i];

		count_local(s, &c, p->is_rns ? NULL : &p->id,
		    p->is_rns ? hash16_at(p->id.b) : NULL, p->level, now, sum);
	}
	for (size_t i = 0; i < s->levels.nanchors; i++) {
		const struct level_anchor *a = &s->levels.anchors[i];
		const struct level_query q = {.fp = &a->fp};

		if (!level_pinned(&s->levels, &q))
			count_local(s, &c, &a->fp, NULL, a->max_level, now,
			    sum);
	}
	*positive = (uint64_t)MAX_OF(sum[0], INT64_C(0));
	*hit = (uint64_t)MAX_OF(sum[1], INT64_C(0));
}
