/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "trust/doc/authstate.h"
#include "trust/doc/digest.h"
#include "trust/lawio.h"
#include "trust/lawroots.h"

/* How klp/ is looked through: authority by authority, slice by slice. */

/* ---- what is said of it ---- */

/* Once, until it is another complaint or all is well. */
static bool
said(struct law_authority *la, const char *file, const char *why)
{
	char text[sizeof(la->said)];

	(void)snprintf(text, sizeof(text), "%s: %s", file, why);
	if (strcmp(text, la->said) == 0)
		return true;
	memcpy(la->said, text, sizeof(text));
	return false;
}

/* Of a web server it stands there, for status as well. */
static bool
said_of(const struct law *l, struct law_authority *la,
    const struct auth_report *rep)
{
	const struct source *s;
	char text[sizeof(s->why)];

	if (!l->web)
		return said(la, rep->file, rep->why);
	s = &la->src->s[la->src->at];
	(void)snprintf(text, sizeof(text), "%s%s%s", rep->file,
	    rep->file[0] == '\0' ? "" : ": ", rep->why);
	return s->kind == LAWWEB_KIND(rep->end) && strcmp(text, s->why) == 0;
}

/* klp/documents/NAME, or the like on a web server. */
static const char *
place(const struct law *l, const struct law_authority *la,
    char out[SOURCE_URL + URI_MAX])
{
	(void)snprintf(out, SOURCE_URL + URI_MAX, "%s/%s", l->web ?
	    lawweb_url(la) : "klp/documents", la->a.name);
	return out;
}

static void
taken(struct law *l, struct law_authority *la, const struct auth_report *rep)
{
	const char *name = la->a.name;
	char at[SOURCE_URL + URI_MAX];

	if (!l->web)
		la->said[0] = '\0';
	log_notice(name, "taken: root=%u head=%u from=%s%s%s",
	    la->a.state.root_version, la->a.state.head_version,
	    place(l, la, at), rep->why[0] != '\0' ? ": " : "", rep->why);
	lawio_event(l, EVK_AUTHORITY, 1, "taken", "%s: root %u, head %u from "
	    "%s%s%s", name, la->a.state.root_version,
	    la->a.state.head_version, at, rep->why[0] != '\0' ? ": " : "",
	    rep->why);
}

static void
complain(struct law *l, struct law_authority *la,
    const struct auth_report *rep)
{
	static const struct {
		enum event_kind kind;
		uint8_t severity;
		const char *code;
	} rows[] = {
	    [AUTH_BAD] = {EVK_AUTHORITY, 3, "bad"},
	    [AUTH_ROLLBACK] = {EVK_ROLLBACK, 5, "rollback"},
	    [AUTH_EQUIVOCATION] = {EVK_EQUIVOCATION, 5, "equivocation"},
	    [AUTH_HELD] = {EVK_BRAKE, 5, "held"},
	    [AUTH_FAILED] = {EVK_AUTHORITY, 3, "failed"},
	};
	const char *name = la->a.name;
	char at[SOURCE_URL + URI_MAX];

	if (rep->end == AUTH_HELD && strcmp(l->held, rep->why) != 0) {
		(void)snprintf(l->held, sizeof(l->held), "%s", rep->why);
		l->held_web = l->web;
		l->changed = true; /* for status */
	}
	if (said_of(l, la, rep))
		return;
	if (rep->end == AUTH_HELD)
		log_errx(name, "%s is held, it %.*s. If that is meant, write "
		    "%s into klp/documents/%s/%s.confirm and reload",
		    rep->file, (int)strcspn(rep->why, ":"), rep->why,
		    strrchr(rep->why, ' ') + 1, name, rep->file);
	else
		log_errx(name, "%s/%s: %s: what is known of it goes on to "
		    "count", place(l, la, at), rep->file, rep->why);
	lawio_event(l, rows[rep->end].kind, rows[rep->end].severity,
	    rows[rep->end].code, "%s/%s: %s%s%s", name, rep->file, rep->why,
	    l->web ? ", from " : "", l->web ? lawweb_url(la) : "");
}

/* The list that was held is not there any more. */
static void
unhold(struct law *l, const struct law_authority *la)
{
	if (l->held[0] == '\0' || l->held_web != l->web ||
	    strcmp(la->a.name, l->list_uri.authority) != 0)
		return;
	l->held[0] = '\0';
	l->changed = true;
}

static void
report(struct law *l, struct law_authority *la, const struct auth_report *rep)
{
	enum auth_end end = rep->end;

	/* what came by hand once is older than what is fetched: no wonder */
	if (end == AUTH_ROLLBACK && !l->web && lawweb_used(la))
		end = AUTH_NONE;
	switch (end) {
	case AUTH_NEW:
		taken(l, la, rep);
		break;
	case AUTH_SAME:
	case AUTH_NONE:
		if (!l->web)
			la->said[0] = '\0';
		unhold(l, la);
		break;
	default:
		complain(l, la, rep);
	}
	if (l->web) {
		lawweb_end(l, la, rep);
	} else if (end == AUTH_NEW || (end == AUTH_SAME && !lawweb_used(la))) {
		la->checked = l->now;
		(void)snprintf(la->from, sizeof(la->from), "klp/documents");
	}
	if (!l->web && !l->recall && lawdelta_of(l, la))
		lawdelta_folder(l, la);
	if (end == AUTH_NEW)
		lawweb_set(l, la); /* a new root may name others */
}

/* ---- roots ---- */

static void
no_root(struct law_authority *la, const char *why)
{
	if (!said(la, "root", why))
		log_errx(la->a.name, "no_authority: klp/authorities/"
		    "%s.root.json: %s", la->a.name, why);
}

/*
 * Its root is not there. A person who had the files read again has taken it
 * away; at another time somebody may be about to replace it.
 */
static void
root_gone(struct law *l, struct law_authority *la)
{
	if (!la->pinned || !l->reread)
		return;
	law_unpin(l, la);
	lawio_event(l, EVK_AUTHORITY, 3, "no_authority",
	    "%s: its root was taken away, nothing of it counts any more",
	    la->a.name);
}

/* true: pinned now and not before, or anew. */
static bool
pin(struct law *l, struct law_authority *la)
{
	struct authority *a = malloc(sizeof(*a));
	struct id32 digest;
	const char *why = "no memory";
	uint8_t *buf;
	size_t len;
	bool fresh = false;

	buf = klpdir_root(&l->dir, la->a.name, ROOT_BYTES, &len);
	if (buf == NULL) {
		bool gone = errno == ENOENT;

		no_root(la, !gone ? strerror(errno) : la->pinned && !l->reread ?
		    "is not there any more: what is known of it counts until "
		    "`warren reload`" :
		    "is not there, and nothing of it counts: put the first "
		    "root of the authority there");
		if (gone)
			root_gone(l, la);
		free(a);
		return false;
	}
	digest_of(&digest, buf, len);
	if (la->pinned && id32_eq(&digest, &la->root_file))
		why = NULL;
	else if (a != NULL) {
		*a = la->a;
		why = authority_pin(a, buf, len);
		fresh = why == NULL;
	}
	if (fresh) {
		la->a = *a;
		la->pinned = true;
		lawweb_set(l, la);
		la->root_file = digest;
		la->said[0] = '\0';
	} else if (why != NULL) {
		no_root(la, why);
	}
	free(a);
	free(buf);
	return fresh;
}

/* ---- the walk ---- */

/* NULL: nothing was kept. */
static struct auth_step *
recall(struct law *l, struct law_authority *la)
{
	struct auth_step *step;
	uint8_t *state;
	size_t len;

	state = klpdir_state(&l->dir, la->a.name, AUTH_STATE_BYTES, &len);
	if (state == NULL)
		return NULL;
	if ((step = authority_recall(&la->a, state, len, &l->io)) == NULL)
		fatal("out of memory");
	free(state);
	return step;
}

/* The next thing of this authority, or of the next one. */
static void
go_on(struct law *l)
{
	if (l->web) {
		l->web = false;
		l->at = l->nauth;
		return;
	}
	if (l->recall) {
		l->recall = false;
		return;
	}
	l->at++;
	l->recall = true;
}

static void
begin(struct law *l)
{
	struct law_authority *la = &l->auth[l->at];

	if (l->recall && !pin(l, la)) {
		go_on(l);
		return;
	}
	if (l->recall) {
		/* its keys may be anchors and boards, documents or none */
		l->changed = true;
		law_try_self(l);
		law_follow(l);
	}
	if (!la->pinned) {
		if (l->web)
			sources_later(la->src, clock_mono(),
			    SOURCES_AGAIN_S);
		go_on(l);
		return;
	}
	if (l->recall) {
		if ((l->step = recall(l, la)) == NULL)
			go_on(l);
	} else if ((l->step = authority_begin(&la->a, &l->io, l->now)) == NULL) {
		fatal("out of memory");
	}
}

static void
finish(struct law *l, const char *why)
{
	struct law_authority *la = &l->auth[l->at];
	struct auth_step *step = l->step;
	uint32_t before = la->a.state.root_version;
	struct auth_report rep;

	l->step = NULL;
	authority_end(&la->a, step, why, &rep);
	if (rep.end == AUTH_NEW) {
		/* a head alone makes fresh again what it names */
		l->changed = true;
		lawserve_roots(l, la, before);
		lawspread_head(l, la);
	}
	lawio_drop(l);
	/* it has ended at a file that is asked for now */
	if (l->web && lawweb_asks(l, la)) {
		go_on(l);
		return;
	}
	klp_clock_raise(&l->clock, MAX_OF(la->a.state.floor,
	    la->a.least.floor), clock_mono());
	if (l->replay) {
		lawset_replay(l, la);
		lawdelta_replay(l, la);
	}
	/* at a start the floor is known from here on */
	l->now = MAX_OF(l->now, l->clock.floor);
	/* its root may have other keys; a look that finds nothing has not */
	if (rep.end == AUTH_NEW || (l->recall && rep.end == AUTH_NONE))
		law_try_self(l);
	/* before the deltas on top, whose brake counts from here */
	if (l->changed)
		law_follow(l);
	report(l, la, &rep);
	go_on(l);
}

static int
named(void *ctx, const struct id32 *sha)
{
	const struct law *l = ctx;
	struct id32 is;

	for (unsigned i = 0; i < l->nauth; i++)
		for (unsigned k = 0; authority_keeps(&l->auth[i].a, k, &is);
		    k++)
			if (id32_eq(&is, sha))
				return 1;
	return 0;
}

/* Not while the files of somebody who is named cannot be told from others. */
static void
sweep(struct law *l)
{
	for (unsigned i = 0; i < l->nauth; i++)
		if (!l->auth[i].pinned || l->auth[i].a.least.root_version > 0)
			return;
	klpdir_sweep(&l->dir, named, l);
}

bool
law_busy(const struct law *l)
{
	return l->at < l->nauth || l->again || l->sigs != NULL ||
	    lawattest_busy(l) || lawweb_ready(l) >= 0;
}

static bool
is_changed(struct law *l)
{
	bool was = l->changed;

	l->changed = false;
	return was;
}

static void
start_walk(struct law *l)
{
	law_read_self(l);
	/* node.yaml may be another one */
	for (unsigned i = 0; i < l->nauth; i++)
		lawweb_set(l, &l->auth[i]);
	l->again = false;
	l->at = 0;
	l->recall = true;
	if (l->changed)
		law_follow(l);
}

/* A turn of the authority's update, or of what was kept. */
static void
go_on_with_it(struct law *l)
{
	const char *why = NULL;
	int rc = authority_step(l->step);

	if (rc == 0)
		rc = lawio_read_on(l, &why);
	if (rc == 0)
		rc = authority_keep(l->step);
	if (rc <= 0)
		finish(l, why);
}

/* A web server has given what was asked for, or is asked for the first time. */
static void
start_web(struct law *l, unsigned i)
{
	l->at = i;
	l->web = true;
	l->recall = false;
	l->auth[i].src->ready = false;
}

/* One slice: true while there is more to do. */
static bool
slice(struct law *l)
{
	int i;

	if (l->sigs != NULL) {
		lawio_keep_on(l);
		return law_busy(l);
	}
	if (l->at >= l->nauth && l->again)
		start_walk(l);
	else if (l->at >= l->nauth && (i = lawweb_ready(l)) >= 0)
		start_web(l, (unsigned)i);
	else if (l->at >= l->nauth && lawattest_busy(l)) {
		lawattest_step(l);
		return law_busy(l);
	} else if (l->at >= l->nauth)
		return false;
	if (l->at < l->nauth && l->step == NULL)
		begin(l);
	else if (l->at < l->nauth)
		go_on_with_it(l);
	if (l->at >= l->nauth) {
		l->reread = false;
		sweep(l);
		lawlog_look(l);
		lawattest_look(l);
	}
	return law_busy(l);
}

bool
law_look(struct law *l, uint32_t now, bool whole)
{
	l->now = now;
	l->again = true;
	while (whole && slice(l))
		continue;
	return is_changed(l);
}

bool
law_work(struct law *l, uint32_t now)
{
	l->now = now;
	(void)slice(l);
	return is_changed(l);
}

/* ---- for node ---- */

struct listing {
	const struct law *l;
	struct listed *e;
	size_t n, cap;
};

static void
list(struct listing *x, unsigned kind, const uint8_t *id, size_t len,
    bool suspended, uint8_t reason)
{
	struct listed *e;

	if (x->n >= x->cap)
		return;
	e = &x->e[x->n++];
	*e = (struct listed){.kind = (uint8_t)kind, .suspended = suspended,
	    .reason = reason};
	memcpy(e->id, id, len);
}

/* Who has shown a key that is listed is known by his identity as well. */
static void
list_bound(void *ctx, const struct binding *b, const struct hash16 *rns)
{
	struct listing *x = ctx;
	const struct standing *s = &x->l->standing;
	const struct rev_entry *r;
	struct klp_key k;
	struct fp fp;

	if (!binding_key(&k, b))
		return;
	key_fp(&fp, &k);
	r = revset_find(&s->revoked, REV_KEY, fp.b);
	if (r != NULL && !standing_exempt(&s->levels, &fp, rns))
		list(x, LISTED_RNS, HASH_BYTES(*rns), r->suspended, r->reason);
}

/* A pin that ignores revocation, of one that is known by half of its id. */
static bool
exempt_brief(const struct level_conf *c, const struct rev_entry *e)
{
	for (size_t i = 0; e->brief && e->kind == REV_KEY && i < c->npins; i++)
		if (!c->pins[i].is_rns && c->pins[i].ignore_revocation &&
		    memcmp(c->pins[i].id.b, e->id, 16) == 0)
			return true;
	return false;
}

static void
list_set(struct listing *x, const struct standing *s)
{
	for (size_t i = 0; i < s->revoked.n; i++) {
		const struct rev_entry *e = &s->revoked.e[i];
		bool key = e->kind == REV_KEY, rns = e->kind == REV_RNS;

		if (e->kind > REV_ARTIFACT || exempt_brief(&s->levels, e) ||
		    standing_exempt(&s->levels,
			key ? fp_at(e->id) : NULL,
			rns ? hash16_at(e->id) : NULL))
			continue;
		list(x, e->kind, e->id, rns ? 16 : 32, e->suspended,
		    e->reason);
	}
}

struct listed *
law_listed(const struct law *l, size_t *n)
{
	struct listing x = {.l = l};
	size_t k = 0;

	x.cap = MIN_OF(l->standing.revoked.n + bindstore_count(l->store),
	    (size_t)LISTED_MAX);
	if ((x.e = calloc(x.cap + 1, sizeof(*x.e))) == NULL)
		return NULL;
	list_set(&x, &l->standing);
	bindstore_each(l->store, list_bound, &x);
	qsort(x.e, x.n, sizeof(*x.e), listed_cmp);
	for (size_t i = 0; i < x.n; i++) {
		if (k > 0 && listed_cmp(&x.e[k - 1], &x.e[i]) == 0)
			x.e[k - 1].suspended &= x.e[i].suspended;
		else
			x.e[k++] = x.e[i];
	}
	*n = k;
	return x.e;
}

bool
law_line(const struct law *l, unsigned i, struct msg_V_AUTHORITY *m)
{
	const struct law_authority *la = l->auth;
	const struct auth_doc *d = NULL;
	const struct law_roots *roots;
	struct standing_age age;
	bool list;

	*m = (struct msg_V_AUTHORITY){.fresh = FRESH_NO};
	for (; la < l->auth + l->nauth; la++) {
		unsigned lines = MAX_OF(la->a.nwant, 1u);

		if (i < lines)
			break;
		i -= lines;
	}
	if (la == l->auth + l->nauth)
		return false;
	(void)snprintf(m->name, sizeof(m->name), "%s", la->a.name);
	m->checked = la->checked;
	(void)snprintf(m->from, sizeof(m->from), "%s", la->from);
	for (unsigned k = 0; la->src != NULL && k < la->src->n; k++)
		if (la->src->s[k].why[0] != '\0') {
			(void)snprintf(m->failed, sizeof(m->failed), "%s: %s",
			    la->src->s[k].url, la->src->s[k].why);
			break;
		}
	m->root_version = la->pinned ? la->a.state.root_version : 0;
	if (la->a.nwant == 0) {
		m->expires = la->pinned ? la->a.root.expires : 0;
		m->fresh = la->pinned && l->now < m->expires ? FRESH_YES :
		    FRESH_NO;
		return true;
	}
	(void)snprintf(m->path, sizeof(m->path), "%s", la->a.want[i]);
	list = l->has_list &&
	    strcmp(la->a.name, l->list_uri.authority) == 0 &&
	    strcmp(la->a.want[i], l->list_uri.path) == 0;
	roots = list ? NULL : lawroots_at(l, la->a.name, la->a.want[i]);
	age = list ? l->standing.list : roots != NULL ?
	    lawroots_age(l, roots) : l->standing.graph;
	d = authority_doc(&la->a, la->a.want[i]);
	if (d == NULL || !age.known)
		return true;
	m->version = list ? l->list.version : d->version;
	m->fresh = (uint8_t)standing_fresh(&age, l->now);
	m->expires = MIN_OF(age.head_expires, age.doc_expires);
	m->entries = list ? (uint32_t)l->list.n :
	    roots != NULL ? roots->entries : graph_edges(l->graph);
	if (list)
		(void)snprintf(m->held, sizeof(m->held), "%s", l->held);
	return true;
}
