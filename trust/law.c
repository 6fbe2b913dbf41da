/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/law.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/util.h"
#include "trust/lawio.h"
#include "trust/lawroots.h"

/* ---- configuration ---- */

struct law *
law_new(int klp, int dir, struct bindstore *store, const struct law_ops *ops)
{
	struct law *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->dir = (struct klpdir){klp,
	    dir < 0 ? -1 : dir_open(dir, "klp", true, 0700)};
	if (dir >= 0 && l->dir.kept < 0)
		log_warn("warren/trust/klp", "cannot be opened: no document of "
		    "an authority counts");
	l->store = store;
	l->ops = *ops;
	lawio_init(l);
	return l;
}

struct law_authority *
law_authority_of(struct law *l, const char *name)
{
	struct law_authority *a;

	for (unsigned i = 0; i < l->nauth; i++)
		if (strcmp(l->auth[i].a.name, name) == 0)
			return &l->auth[i];
	if (l->nauth >= LAW_AUTHORITIES)
		return NULL;
	a = &l->auth[l->nauth++];
	memset(a, 0, sizeof(*a));
	(void)snprintf(a->a.name, sizeof(a->a.name), "%s", name);
	return a;
}

/* A document of node.yaml; node/config has looked at its form. */
static bool
want(struct law *l, struct klp_uri *u, const char *text)
{
	struct law_authority *a;

	if (text == NULL)
		return false;
	if (!uri_parse(u, text, strlen(text)) || u->select != URI_NEWEST) {
		log_errx(text, "is not the name of a document: klp://AUTHORITY/"
		    "PATH");
		return false;
	}
	a = law_authority_of(l, u->authority);
	return a != NULL && authority_want(&a->a, u->path);
}

/* Documents of roots, which lawroots.c knows. */
static void
want_roots(struct law *l)
{
	for (unsigned i = 0; i < l->nroots; i++) {
		const struct klp_uri *u = &l->roots[i].uri;
		struct law_authority *a = law_authority_of(l, u->authority);

		if (a == NULL || !authority_want(&a->a, u->path))
			log_errx(u->authority, "%s is one authority, or one "
			    "document, more than are known here: nobody signs "
			    "images by these roots", u->path);
	}
}

static void
drop_step(struct law *l)
{
	struct auth_report rep;

	if (l->step != NULL) {
		authority_end(&l->auth[l->at].a, l->step, "node.yaml was "
		    "changed meanwhile", &rep);
		/* what was kept is read again */
		if (l->recall)
			l->auth[l->at].pinned = false;
		if (l->web && l->auth[l->at].src != NULL)
			sources_later(l->auth[l->at].src, clock_mono(),
			    SOURCES_AGAIN_S);
	}
	lawio_drop(l);
	l->web = false;
	l->step = NULL;
	l->at = l->nauth;
}

/* What was accepted for another document than node.yaml names now. */
static void
drop_unnamed(struct law *l, const struct klp_uri *graph,
    const struct klp_uri *list, bool had_graph, bool had_list)
{
	if (had_graph && (!l->has_graph ||
	    strcmp(graph->authority, l->graph_uri.authority) != 0 ||
	    strcmp(graph->path, l->graph_uri.path) != 0)) {
		graph_free(l->graph);
		l->graph = NULL;
	}
	if (had_list && (!l->has_list ||
	    strcmp(list->authority, l->list_uri.authority) != 0 ||
	    strcmp(list->path, l->list_uri.path) != 0)) {
		revlist_clear(&l->list);
		l->held[0] = '\0';
	}
}

static bool
same_wants(const struct authority *a, const struct authority *b)
{
	if (a->nwant != b->nwant)
		return false;
	for (unsigned i = 0; i < a->nwant; i++)
		if (strcmp(a->want[i], b->want[i]) != 0)
			return false;
	return true;
}

/* Authorities that stay keep what is known of them. */
static void
keep_known(struct law *l, struct law_authority *old, unsigned n)
{
	for (unsigned i = 0; i < l->nauth; i++) {
		struct law_authority *a = &l->auth[i];

		for (unsigned k = 0; k < n; k++) {
			if (strcmp(a->a.name, old[k].a.name) != 0 ||
			    !same_wants(&a->a, &old[k].a))
				continue;
			*a = old[k];
			old[k].src = NULL;
			old[k].log = NULL;
			old[k].tiles = NULL;
		}
	}
}

void
law_free(struct law *l)
{
	if (l == NULL)
		return;
	drop_step(l);
	lawio_free(l);
	for (unsigned i = 0; i < l->nauth; i++)
		lawlog_free(&l->auth[i]);
	lawattest_free(l);
	lawroots_free(l);
	for (unsigned i = 0; i < l->nauth; i++)
		sources_free(l->auth[i].src);
	free(l->anchored);
	free(l->chain);
	free(l->history);
	free(l->given);
	revlist_clear(&l->list);
	revset_clear(&l->standing.revoked);
	graph_free(l->graph);
	free(l->self);
	if (l->dir.klp >= 0)
		(void)close(l->dir.klp);
	if (l->dir.kept >= 0)
		(void)close(l->dir.kept);
	free(l);
}

void
law_configure(struct law *l, const struct node_config *c)
{
	struct law_authority *old = calloc(LAW_AUTHORITIES, sizeof(*old));
	struct klp_uri graph = l->graph_uri, list = l->list_uri;
	bool had_graph = l->has_graph, had_list = l->has_list;
	unsigned n = l->nauth;

	if (old == NULL)
		fatal("out of memory");
	drop_step(l);
	lawattest_stop(l);
	memcpy(old, l->auth, sizeof(l->auth));
	l->conf = c;
	l->nauth = 0;
	l->has_graph = want(l, &l->graph_uri, c->trust_graph);
	l->has_list = want(l, &l->list_uri, c->revocation_list);
	lawroots_configure(l);
	want_roots(l);
	for (size_t i = 0; i < c->nanchors_from; i++)
		(void)law_authority_of(l, c->anchors_from[i]);
	for (size_t i = 0; i < c->nboards; i++)
		if (law_authority_of(l, c->boards[i].authority) == NULL)
			log_errx(c->boards[i].authority, "is one authority more "
			    "than the %d that are known here: nobody can sign "
			    "for its boards", LAW_AUTHORITIES);
	for (unsigned i = 0; i < c->attest.nsigners; i++)
		if (c->attest.signer[i].authority != NULL &&
		    law_authority_of(l, c->attest.signer[i].authority) == NULL)
			log_errx(c->attest.signer[i].authority, "is one "
			    "authority more than the %d that are known here: "
			    "nobody signs images for it", LAW_AUTHORITIES);
	for (size_t i = 0; i < c->nmirror_of; i++)
		(void)law_authority_of(l, c->mirror_of[i]);
	keep_known(l, old, n);
	for (unsigned i = 0; i < n; i++) {
		sources_free(old[i].src);
		lawlog_free(&old[i]);
	}
	free(old);
	drop_unnamed(l, &graph, &list, had_graph, had_list);
	l->at = l->nauth;
	l->standing.graph.wanted = c->trust_graph != NULL;
	l->standing.list.wanted = c->revocation_list != NULL;
	l->standing.graph.grace = (uint32_t)(c->grace_graph_ms / 1000);
	l->standing.list.grace = (uint32_t)(c->grace_list_ms / 1000);
	l->standing.on_stale = c->on_stale;
	l->standing.levels = node_config_levels(c);
	l->changed = true;
	l->reread = true;
	law_follow(l);
}

void
law_unpin(struct law *l, struct law_authority *la)
{
	const char *name = la->a.name;

	la->pinned = false;
	lawlog_free(la);
	memset(&la->a.state, 0, sizeof(la->a.state));
	memset(&la->a.least, 0, sizeof(la->a.least));
	if (l->has_graph && strcmp(l->graph_uri.authority, name) == 0) {
		graph_free(l->graph);
		l->graph = NULL;
	}
	if (l->has_list && strcmp(l->list_uri.authority, name) == 0) {
		revlist_clear(&l->list);
		l->held[0] = '\0';
	}
	lawroots_unpin(l, name);
	l->changed = true;
	law_follow(l);
}

/* ---- what follows from what is known ---- */

static void
age(struct law *l, struct standing_age *a, bool has, const struct klp_uri *u,
    bool here)
{
	const struct law_authority *la;
	const struct auth_doc *d;

	a->known = false;
	if (!has || !here)
		return;
	la = law_authority_of(l, u->authority);
	d = la == NULL ? NULL : authority_doc(&la->a, u->path);
	if (d == NULL || !la->a.state.has_head)
		return;
	a->known = true;
	a->head_expires = la->a.head.expires;
	a->doc_expires = d->expires;
}

static bool
is_anchor(const struct level_anchor *a, size_t n, const struct fp *fp)
{
	for (size_t i = 0; i < n; i++)
		if (fp_eq(&a[i].fp, fp))
			return true;
	return false;
}

/* klp.md 3.3: who holds the role, behind those that the operator names. */
static size_t
import(struct law *l, const struct law_authority *la, size_t n)
{
	const struct root *r = &la->a.root;
	const struct root_role *role = root_role(r, "anchors");

	if (role == NULL)
		role = root_role(r, "root");
	for (unsigned i = 0; i < role->nkeys && n < LEVEL_ANCHORS_MAX; i++) {
		const struct fp *fp = &r->fps[role->keys[i]];

		if (!is_anchor(l->anchors, n, fp))
			l->anchors[n++] = (struct level_anchor){*fp, 3,
			    1u << SCOPE_ALL};
	}
	return n;
}

static void
take_anchors(struct law *l, const struct node_config *c)
{
	size_t n = MIN_OF(c->nanchors, (size_t)LEVEL_ANCHORS_MAX);

	if (n > 0)
		memcpy(l->anchors, c->anchors, n * sizeof(*c->anchors));
	for (size_t i = 0; i < c->nanchors_from; i++) {
		struct law_authority *la =
		    law_authority_of(l, c->anchors_from[i]);

		if (la != NULL && la->pinned)
			n = import(l, la, n);
	}
	l->standing.levels.anchors = l->anchors;
	l->standing.levels.nanchors = n;
}

static void
add_self(struct law *l, const struct law_self *x)
{
	struct rev_entry e = {.kind = REV_KEY};
	struct selfrev s;

	if (!x->good || selfrev_parse(&s, x->frame, sizeof(x->frame)) != NULL)
		return;
	memcpy(e.id, HASH_BYTES(s.fp));
	e.reason = s.reason;
	e.revoked_at = s.issued;
	e.invalid_since = s.invalid_since;
	(void)revset_add(&l->standing.revoked, &e, 1);
}

/* The lists together, then the graph without those in it. */
void
law_unite(struct law *l)
{
	struct revset *set = &l->standing.revoked;

	revset_clear(set);
	if (revset_add(set, l->list.e, l->list.n) < 0)
		fatal("out of memory");
	for (unsigned i = 0; i < l->nself; i++)
		add_self(l, &l->self[i]);
	revset_sort(set);
}

void
law_follow(struct law *l)
{
	age(l, &l->standing.graph, l->has_graph, &l->graph_uri,
	    l->graph != NULL);
	age(l, &l->standing.list, l->has_list, &l->list_uri,
	    l->list.version != 0);
	take_anchors(l, l->conf);
	law_unite(l);
	(void)lawio_index(l);
}

/* The greatest time that something was issued at which counts; 0: nothing. */
uint32_t
law_signed_at(const struct law *l)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < l->nauth; i++)
		if (l->auth[i].pinned)
			at = MAX_OF(at, l->auth[i].a.state.floor);
	return at == 0 ? 0 : MAX_OF(at, l->list.issued);
}

uint32_t
law_time_to_keep(const struct law *l, uint32_t now)
{
	uint32_t seen = law_signed_at(l);

	return seen == 0 ? now :
	    (uint32_t)MIN_OF((uint64_t)now, (uint64_t)seen + LAW_OVER);
}

/* ---- self-revocations ---- */

static bool
try_key(struct law *l, const struct klp_key *k)
{
	bool any = false;
	struct fp fp;

	key_fp(&fp, k);
	for (unsigned i = 0; i < l->nself; i++) {
		struct law_self *x = &l->self[i];

		if (x->good || !fp_eq(&x->fp, &fp) ||
		    !selfrev_by(x->frame, sizeof(x->frame), k))
			continue;
		x->good = any = true;
		if (klpdir_keep_self(&l->dir, &fp, x->frame,
			sizeof(x->frame)) < 0)
			log_warn("klp/self-revoked", "cannot be kept: it counts "
			    "as long as its file is there");
		lawio_event(l, EVK_AUTHORITY, 1, "self-revoked",
		    "a key has revoked itself");
	}
	return any;
}

bool
law_seen(struct law *l, const struct klp_key *k)
{
	if (!try_key(l, k))
		return false;
	law_unite(l);
	lawio_revoked(l);
	return true;
}

static void
try_binding(void *ctx, const struct binding *b, const struct hash16 *rns)
{
	struct law *l = ctx;
	struct klp_key k;

	(void)rns;
	if (binding_key(&k, b))
		l->changed |= try_key(l, &k);
}

void
law_try_self(struct law *l)
{
	if (l->nself == 0)
		return;
	bindstore_each(l->store, try_binding, l);
	for (unsigned i = 0; i < l->nauth; i++)
		for (unsigned k = 0; l->auth[i].pinned &&
		    k < l->auth[i].a.root.nkeys; k++)
			l->changed |= try_key(l, &l->auth[i].a.root.keys[k]);
}

static void
one_self(void *ctx, const char *name, const uint8_t *frame, size_t len)
{
	struct law *l = ctx;
	struct law_self *x = &l->self[l->nself];
	struct selfrev s;
	const char *why = selfrev_parse(&s, frame, len);
	char safe[128];

	if (why != NULL) {
		(void)text_escape(safe, sizeof(safe), name, strlen(name));
		log_warnx("klp/self-revoked", "%s: %s", safe, why);
		return;
	}
	*x = (struct law_self){.fp = s.fp};
	memcpy(x->frame, frame, sizeof(x->frame));
	/* the operator's file and what was kept of it are one */
	for (unsigned i = 0; i < l->nself; i++)
		if (fp_eq(&l->self[i].fp, &x->fp) && memcmp(l->self[i].frame,
			x->frame, sizeof(x->frame)) == 0)
			return;
	l->nself++;
}

/* One that was there stays: a word of this kind is not taken back. */
void
law_read_self(struct law *l)
{
	struct law_self *old = l->self;
	unsigned n = l->nself;

	l->nself = 0;
	if ((l->self = calloc(LAW_SELF_MAX, sizeof(*l->self))) == NULL) {
		l->self = old;
		l->nself = n;
		return;
	}
	(void)klpdir_self_revoked(&l->dir, LAW_SELF_MAX, one_self, l);
	for (unsigned i = 0; i < n; i++) {
		unsigned k = 0;

		while (k < l->nself && memcmp(l->self[k].frame, old[i].frame,
			sizeof(old[i].frame)) != 0)
			k++;
		if (k == l->nself && k < LAW_SELF_MAX)
			l->self[l->nself++] = old[i];
		else if (k < l->nself)
			l->self[k].good |= old[i].good;
	}
	free(old);
	law_try_self(l);
}
