/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsdiff.h"

#include <string.h>

/* One file and one of its sections. */
struct place {
	struct confobj *tree;
	const struct conf_section *sec;
};

static bool
same_value(struct place a, const struct conf_entry *x, struct place b,
    const struct conf_entry *y)
{
	struct mistakes m = {0};
	const char *v, *w;

	if (y == NULL || x->list != y->list || x->n != y->n)
		return false;
	for (unsigned i = 0; i < x->n; i++) {
		v = conf_value(a.tree, a.sec, x, i, &m);
		w = conf_value(b.tree, b.sec, y, i, &m);
		if (v == NULL && w == NULL) { /* a mistake, as it was */
			v = x->values[i];
			w = y->values[i];
		}
		if (v == NULL || w == NULL || strcmp(v, w) != 0)
			return false;
	}
	return true;
}

/* All of a is in b, with the same values. */
static bool
within(struct place a, struct place b)
{
	const struct conf_entry *e;
	const struct conf_section *s, *t;

	TAILQ_FOREACH(e, &a.sec->entries, link)
		if (!same_value(a, e, b, conf_entry(b.sec, e->key)))
			return false;
	TAILQ_FOREACH(s, &a.sec->sections, link) {
		/* it may lie behind another broken one, whose it is then */
		if (s->broken)
			continue;
		if ((t = conf_section(b.sec, s->name)) == NULL ||
		    !within((struct place){a.tree, s},
		    (struct place){b.tree, t}))
			return false;
	}
	return true;
}

static bool
same(const struct rnsconf *a, const struct rnsconf_if *i,
    const struct rnsconf *b, const struct rnsconf_if *k)
{
	struct place x = {a->tree, i->section}, y = {b->tree, k->section};

	return within(x, y) && within(y, x);
}

static struct rnsconf_if *
enabled(const struct rnsconf *c, const char *name)
{
	for (unsigned i = 0; i < c->nifs; i++)
		if (c->ifs[i].enabled && strcmp(c->ifs[i].name, name) == 0)
			return &c->ifs[i];
	return NULL;
}

void
rnsconf_diff(const struct rnsconf *was, const struct rnsconf *now,
    rnsdiff_fn *fn, void *ctx)
{
	struct rnsconf_if *i, *k;

	for (unsigned n = 0; n < was->nifs; n++) {
		i = &was->ifs[n];
		if (!i->enabled)
			continue;
		k = enabled(now, i->name);
		fn(ctx, k == NULL ? RNSDIFF_REMOVED :
		    same(was, i, now, k) ? RNSDIFF_SAME : RNSDIFF_CHANGED, i,
		    k);
	}
	for (unsigned n = 0; n < now->nifs; n++) {
		k = &now->ifs[n];
		if (k->enabled && enabled(was, k->name) == NULL)
			fn(ctx, RNSDIFF_ADDED, NULL, k);
	}
}

void
rnsconf_diff_keys(const struct rnsconf *was, const struct rnsconf *now,
    rnsdiff_key_fn *fn, void *ctx)
{
	struct conf_section none = {.name = "reticulum"};
	struct place a = {was->tree, NULL}, b = {now->tree, NULL};
	const struct conf_entry *e;

	TAILQ_INIT(&none.sections);
	TAILQ_INIT(&none.entries);
	a.sec = conf_section(confobj_root(was->tree), "reticulum");
	b.sec = conf_section(confobj_root(now->tree), "reticulum");
	if (a.sec == NULL)
		a.sec = &none;
	if (b.sec == NULL)
		b.sec = &none;
	TAILQ_FOREACH(e, &a.sec->entries, link)
		if (!same_value(a, e, b, conf_entry(b.sec, e->key)))
			fn(ctx, e->key);
	TAILQ_FOREACH(e, &b.sec->entries, link)
		if (conf_entry(a.sec, e->key) == NULL)
			fn(ctx, e->key);
}
