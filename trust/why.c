/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/why.h"

#include <stdio.h>
#include <string.h>

/* Who is meant: what is known of both names. */
struct whom {
	bool has_fp, has_rns;
	struct fp fp;
	struct hash16 rns;
	uint8_t rns_public[RNS_PUBLIC_LEN];
};

static void
match_rns(void *ctx, const struct binding *b, const struct hash16 *rns)
{
	struct whom *w = ctx;

	if (w->has_rns || !hash16_eq(rns, &w->rns))
		return;
	w->has_rns = true;
	memcpy(w->rns_public, b->rns, sizeof(w->rns_public));
}

static void
find(const struct verdicts *v, struct whom *w, const struct msg_V_WHY *m,
    uint32_t now)
{
	const struct binding *held;
	struct binding b;
	struct klp_key k;

	memset(w, 0, sizeof(*w));
	if (!m->is_rns) {
		w->fp = m->id;
		w->has_fp = true;
		if ((w->has_rns = bindstore_of(v->store, &w->fp, now, &b)))
			rns_hash_of(&w->rns, b.rns);
		return;
	}
	memcpy(w->rns.b, m->id.b, sizeof(w->rns.b));
	bindstore_each(v->store, match_rns, w);
	held = w->has_rns ? bindstore_find(v->store, w->rns_public, now) : NULL;
	w->has_rns = true;
	if (held != NULL && binding_key(&k, held)) {
		key_fp(&w->fp, &k);
		w->has_fp = true;
	}
}

static void
tell_path(const struct graph *g, const struct kte1_path *p, uint64_t qid,
    unsigned i, why_hop_fn *fn, void *ctx)
{
	for (unsigned h = 0; h < p->n; h++) {
		const struct graph_edge *e = graph_edge(g, p->edge[h]);
		const struct msg_V_HOP m = {.qid = qid, .path = (uint8_t)i,
		    .source = *graph_fp(g, e->source),
		    .target = *graph_fp(g, e->target), .level = e->level,
		    .conf = e->conf, .left = p->conf[h], .issued = e->issued,
		    .expires = e->expires};

		fn(ctx, &m);
	}
}

void
why_answer(const struct verdicts *v, struct msg_V_BECAUSE *out,
    const struct msg_V_WHY *m, uint32_t now, why_hop_fn *fn, void *ctx)
{
	enum scope scope = (enum scope)(m->scope <= SCOPE_ALL ? m->scope
							       : SCOPE_ALL);
	struct standing_of o;
	struct kte1_result r;
	struct whom w;

	find(v, &w, m, now);
	standing_ask(v->s, &o, w.has_fp ? &w.fp : NULL,
	    w.has_rns ? &w.rns : NULL, scope, now);
	if (standing_paths(v->s, &r, w.has_fp ? &w.fp : NULL,
		w.has_rns ? &w.rns : NULL, scope, now))
		for (unsigned i = 0; i < r.npaths; i++)
			tell_path(v->s->g, &r.path[i], m->qid, i, fn, ctx);
	memset(out, 0, sizeof(*out));
	out->qid = m->qid;
	out->level = o.level;
	out->revoked = (uint8_t)o.revoked;
	out->valid_until = o.valid_until;
	out->has_fp = w.has_fp;
	out->fp = w.fp;
	out->has_rns = w.has_rns;
	out->rns = w.rns;
	(void)snprintf(out->why, sizeof(out->why), "%s",
	    o.why == NULL ? "" : o.why);
	(void)snprintf(out->jobs_why, sizeof(out->jobs_why), "%s",
	    o.why_jobs == NULL ? "" : o.why_jobs);
}
