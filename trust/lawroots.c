/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/lawroots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"

/* ---- what is named ---- */

const struct law_roots *
lawroots_at(const struct law *l, const char *authority, const char *path)
{
	for (unsigned i = 0; i < l->nroots; i++)
		if (strcmp(l->roots[i].uri.authority, authority) == 0 &&
		    strcmp(l->roots[i].uri.path, path) == 0)
			return &l->roots[i];
	return NULL;
}

bool
lawroots_of(const struct law *l, const char *authority, const char *path)
{
	return lawroots_at(l, authority, path) != NULL;
}

const struct law_roots *
lawroots_find(const struct law *l, const char *uri)
{
	struct klp_uri u;

	return uri_parse(&u, uri, strlen(uri)) ?
	    lawroots_at(l, u.authority, u.path) : NULL;
}

static void
name(struct law *l, const char *text)
{
	struct law_roots *r = &l->roots[l->nroots];

	/* node/config has looked at its form */
	if (attest_conf_is_document(text) && l->nroots < ATTEST_ROOTS_MAX &&
	    uri_parse(&r->uri, text, strlen(text)) &&
	    !lawroots_of(l, r->uri.authority, r->uri.path))
		l->nroots++;
}

static void
clear(struct law_roots *r)
{
	rootsdoc_clear(&r->doc);
	rootsdoc_clear(&r->next);
	memset(r, 0, sizeof(*r));
}

void
lawroots_configure(struct law *l)
{
	struct law_roots *old = malloc(sizeof(l->roots)), *now;
	unsigned n = l->nroots;
	const char *text;

	if (old == NULL)
		fatal("out of memory");
	memcpy(old, l->roots, sizeof(l->roots));
	memset(l->roots, 0, sizeof(l->roots));
	l->nroots = 0;
	for (unsigned i = 0; (text = attest_conf_roots(&l->conf->attest, i)) !=
	    NULL; i++)
		name(l, text);
	for (unsigned i = 0; i < n; i++) {
		now = (struct law_roots *)(uintptr_t)lawroots_at(l,
		    old[i].uri.authority, old[i].uri.path);
		if (now != NULL) {
			now->doc = old[i].doc;
			now->entries = old[i].entries;
			memset(&old[i].doc, 0, sizeof(old[i].doc));
		}
		clear(&old[i]);
	}
	free(old);
}

void
lawroots_free(struct law *l)
{
	for (unsigned i = 0; i < l->nroots; i++)
		clear(&l->roots[i]);
	l->nroots = 0;
}

void
lawroots_unpin(struct law *l, const char *authority)
{
	for (unsigned i = 0; i < l->nroots; i++)
		if (strcmp(l->roots[i].uri.authority, authority) == 0)
			rootsdoc_clear(&l->roots[i].doc);
}

/* ---- what comes ---- */

/* Authorities and logs in it. */
static unsigned
entries_of(const struct rootsdoc *d)
{
	char why[SIGROOT_WHY_MAX];
	struct sigroot *r = sigroot_parse(d->text, d->len, why);
	unsigned n = r == NULL ? 0 : r->nca + r->ntsa + r->nct + r->nlog;

	sigroot_free(r);
	return n;
}

enum auth_take
lawroots_take(struct law *l, const char *authority, const struct root_doc *rd,
    const struct env *e, struct auth_claim *c, char why[AUTH_WHY])
{
	struct law_roots *r = (struct law_roots *)(uintptr_t)lawroots_at(l,
	    authority, rd->path);
	char text[SIGROOT_WHY_MAX];

	if (strcmp(rd->type, ROOTSDOC_TYPE) != 0) {
		(void)snprintf(why, AUTH_WHY, "its root says that it is no "
		    ROOTSDOC_TYPE);
		return TAKE_BAD;
	}
	rootsdoc_clear(&r->next);
	if (!rootsdoc_parse(&r->next, e->payload, e->payload_len, text)) {
		(void)snprintf(why, AUTH_WHY, "%.*s", AUTH_WHY - 1, text);
		return TAKE_BAD;
	}
	(void)snprintf(c->uri, sizeof(c->uri), "%s", r->next.uri);
	c->version = r->next.version;
	c->issued = r->next.issued;
	c->expires = r->next.expires;
	return TAKE_GOOD;
}

void
lawroots_settle(struct law *l, bool yes)
{
	for (unsigned i = 0; i < l->nroots; i++) {
		struct law_roots *r = &l->roots[i];

		if (yes && r->next.text != NULL) {
			rootsdoc_clear(&r->doc);
			r->doc = r->next;
			r->entries = entries_of(&r->doc);
			memset(&r->next, 0, sizeof(r->next));
		}
		rootsdoc_clear(&r->next);
	}
}

/* ---- how old it is ---- */

struct standing_age
lawroots_age(const struct law *l, const struct law_roots *r)
{
	struct standing_age a = {.wanted = true,
	    .grace = l->standing.graph.grace};
	const struct auth_doc *d;

	for (unsigned i = 0; i < l->nauth; i++) {
		const struct law_authority *la = &l->auth[i];

		if (r->doc.text == NULL || !la->pinned ||
		    !la->a.state.has_head ||
		    strcmp(la->a.name, r->uri.authority) != 0 ||
		    (d = authority_doc(&la->a, r->uri.path)) == NULL)
			continue;
		a.known = true;
		a.head_expires = la->a.head.expires;
		a.doc_expires = d->expires;
	}
	return a;
}

uint32_t
lawroots_next(const struct law *l)
{
	uint32_t next = UINT32_MAX;

	for (unsigned i = 0; i < l->nroots; i++) {
		struct standing_age a = lawroots_age(l, &l->roots[i]);

		next = MIN_OF(next, standing_age_next(&a, l->now));
	}
	return next;
}
