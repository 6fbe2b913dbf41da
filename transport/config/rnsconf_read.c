/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
rnsconf_no_memory(struct reader *r)
{
	mistake_add(r->v.m, 0, 1, "end other programs, or try again",
	    "out of memory");
}

void
rnsconf_if_off(struct rnsconf *c, struct rnsconf_if *i, const char *why)
{
	const char *kept = conf_keep(c->tree, why, strlen(why));

	i->enabled = false;
	i->mistake = kept != NULL ? kept : "out of memory";
}

/* Who found it knew the line: the wrong value stands there. */
void
rnsconf_settle(struct reader *r, struct mistakes *m)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->v[i].line != 0 && m->v[i].column <= 1)
			m->v[i].column = conf_column(confobj_root(r->v.tree),
			    m->v[i].line, true);
}

void
rnsconf_note(struct reader *r, unsigned line, const char *hint,
    const char *fmt, ...)
{
	char raw[400], text[600];
	struct rnsconf_note *n;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if ((r->c->nnotes & (r->c->nnotes - 1)) == 0) {
		size_t want = r->c->nnotes == 0 ? 1 : r->c->nnotes * 2u;
		void *more = reallocarray(r->c->notes, want,
		    sizeof(*r->c->notes));

		if (more == NULL) {
			rnsconf_no_memory(r);
			return;
		}
		r->c->notes = more;
	}
	n = &r->c->notes[r->c->nnotes];
	n->line = line;
	n->column = conf_column(confobj_root(r->v.tree), line, false);
	len = (int)text_escape(text, sizeof(text), raw,
	    MIN_OF((size_t)MAX_OF(len, 0), sizeof(raw) - 1));
	n->text = conf_keep(r->v.tree, text, (size_t)len);
	if (hint == NULL)
		hint = "";
	len = (int)text_escape(text, sizeof(text), hint, strlen(hint));
	n->hint = conf_keep(r->v.tree, text, (size_t)len);
	if (n->text == NULL || n->hint == NULL)
		rnsconf_no_memory(r);
	else
		r->c->nnotes++;
}

void
rnsconf_as_notes(struct reader *r, const struct mistakes *m)
{
	for (unsigned k = 0; k < m->n; k++)
		rnsconf_note(r, m->v[k].line, m->v[k].hint, "%s is off, and "
		    "cannot be switched on like this: %s", r->where,
		    m->v[k].text);
}

int
rnsconf_id_interval(struct reader *r, int64_t most, uint32_t *out)
{
	int64_t n;
	int said = conf_get_int(&r->v, "id_interval", INT32_MIN, most, &n);

	if (said <= 0)
		return said;
	if (n < 1)
		rnsconf_note(r, conf_line(&r->v, "id_interval"), "take the "
		    "line out for none", "%s: id_interval = %" PRId64 ": 1 is "
		    "used, the call sign is sent a second after each packet",
		    r->where, n);
	*out = (uint32_t)MAX_OF(n, 1);
	return 1;
}

/* ---- keys by table ---- */

/* Store n in a field of the size that knob says. */
static void
store_int(const struct knob *k, void *base, int64_t n)
{
	char *field = (char *)base + k->offset;

	if (k->size == sizeof(uint16_t))
		memcpy(field, &(uint16_t){(uint16_t)n}, k->size);
	else if (k->size == sizeof(uint32_t))
		memcpy(field, &(uint32_t){(uint32_t)n}, k->size);
	else
		memcpy(field, &n, sizeof(n));
}

/* A number that has no effect here. */
static void
read_not_needed(struct reader *r, const struct knob *k)
{
	int64_t n;

	if (conf_get_int(&r->v, k->key, k->min, k->max, &n) > 0)
		rnsconf_note(r, conf_line(&r->v, k->key), "no harm: leave it "
		    "to rnsd, or take the line out", "%s: \"%s\" has no "
		    "effect here: a packet is handled when it is read, and "
		    "waits in no queue", r->where, k->key);
}

static void
read_float(struct reader *r, const struct knob *k, char *field)
{
	char hint[80];
	double d;

	if (conf_get_float(&r->v, k->key, &d) <= 0)
		return;
	if (d >= (double)k->min && d <= (double)k->max) {
		memcpy(field, &d, sizeof(d));
		return;
	}
	(void)snprintf(hint, sizeof(hint), "a number from %" PRId64 " to %"
	    PRId64, k->min, k->max);
	mistake_add(r->v.m, conf_line(&r->v, k->key), 1, hint,
	    "\"%s\" is out of range", k->key);
}

static void
read_knob(struct reader *r, const struct knob *k, void *base)
{
	const char *text;
	char *field;
	int64_t n;

	if (k->offset == NOT_NEEDED) {
		read_not_needed(r, k);
		return;
	}
	field = (char *)base + k->offset;
	switch (k->kind) {
	case K_BOOL:
		(void)conf_get_bool(&r->v, k->key, (bool *)field);
		return;
	case K_INT:
		if (conf_get_int(&r->v, k->key, k->min, k->max, &n) > 0)
			store_int(k, base, n);
		return;
	case K_FLOAT:
		read_float(r, k, field);
		return;
	case K_TEXT:
		/*
		 * empty counts as unset, and so does None
		 * (reticulum-transport.md 8.4)
		 */
		if (conf_get_text(&r->v, k->key, &text) > 0 && *text != '\0' &&
		    strcmp(text, "None") != 0)
			memcpy(field, &text, sizeof(text));
		return;
	default:
		return;
	}
}

void
rnsconf_enter(struct reader *r, const struct conf_section *sec,
    const char *where)
{
	r->v.sec = sec;
	r->v.asked->n = 0;
	r->where = where;
}

void
rnsconf_knobs(struct reader *r, const struct knob *k, size_t n, void *base)
{
	for (size_t i = 0; i < n; i++)
		read_knob(r, &k[i], base);
}

const char *const *
rnsconf_list(struct reader *r, const char *key, unsigned *n)
{
	struct conf_entry *e = conf_ask(&r->v, key);
	const char **list;

	*n = 0;
	if (e == NULL || e->n == 0)
		return NULL;
	list = (void *)conf_keep(r->v.tree, NULL, e->n * sizeof(*list));
	if (list == NULL) {
		rnsconf_no_memory(r);
		return NULL;
	}
	for (unsigned i = 0; i < e->n; i++) {
		const char *v = conf_value(r->v.tree, r->v.sec, e, i, r->v.m);

		if (v != NULL && *v != '\0')
			list[(*n)++] = v;
	}
	return *n > 0 ? list : NULL;
}

void
rnsconf_unknown(struct reader *r)
{
	const struct conf_entry *e;
	const char *near;
	char hint[120];

	TAILQ_FOREACH(e, &r->v.sec->entries, link) {
		if (e->used)
			continue;
		near = conf_nearest(&r->v, e->key);
		(void)snprintf(hint, sizeof(hint), "did you mean \"%s\"?",
		    near != NULL ? near : "");
		rnsconf_note(r, e->line, near != NULL ? hint : NULL,
		    "%s: unknown key \"%.80s\" is ignored", r->where, e->key);
	}
}

/* A section that was copied, and of which only the type was changed. */
static const struct foreign {
	const char *type, *key, *other;
} foreign_keys[] = {
	{"TCPServerInterface", "target_host", "TCPClientInterface"},
	{"TCPServerInterface", "target_port", "TCPClientInterface"},
	{"TCPClientInterface", "listen_ip", "TCPServerInterface"},
	{"TCPClientInterface", "listen_port", "TCPServerInterface"},
};

static const struct foreign *
foreign_key(const struct reader *r, const char *type)
{
	for (size_t k = 0; k < NELEM(foreign_keys); k++)
		if (strcmp(type, foreign_keys[k].type) == 0 &&
		    conf_entry(r->v.sec, foreign_keys[k].key) != NULL)
			return &foreign_keys[k];
	return NULL;
}

/* What stands there has been told, so it is not missing. */
static bool
wrong_in(const struct reader *r, unsigned line)
{
	for (unsigned i = 0; i < r->v.m->n; i++)
		if (r->v.m->v[i].line == line && line != r->v.sec->line)
			return true;
	return false;
}

void
rnsconf_missing(struct reader *r, const struct rnsconf_if *i, const char *key,
    const char *example)
{
	const struct conf_entry *e = conf_misspelt(&r->v, key);
	const struct foreign *f = foreign_key(r, i->type_text);
	char hint[160];

	if (r->torn || wrong_in(r, conf_line(&r->v, key)))
		return;
	if (f != NULL)
		(void)snprintf(hint, sizeof(hint), "its %s belongs to a %s: "
		    "is the type right?", f->key, f->other);
	else if (e != NULL)
		(void)snprintf(hint, sizeof(hint), "did you mean it by "
		    "\"%.60s\" in line %u?", e->key, e->line);
	else
		(void)snprintf(hint, sizeof(hint), "add a line such as %s = %s",
		    key, example);
	mistake_add(r->v.m, i->line, 1, hint, "interface \"%.60s\" has no %s",
	    i->name, key);
}
