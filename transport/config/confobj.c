/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/confobj.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/config/confline.h"

#define CHUNK 16384u
#define INTERPOLATE_DEPTH 10 /* ConfigObj's MAX_INTERPOL_DEPTH */
#define REFERENCE_MAX 256     /* ours: bytes of a %(key)s */
#define NAMES_MAX 8192        /* ours: keys and sections of a file */
#define INTERPOLATE_STEPS 256 /* ours: bounds what a chain of keys costs */

/* Everything of one tree lies in chunks that are freed together. */
struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(max_align_t) unsigned char data[];
};

struct confobj {
	struct chunk *chunks;
	struct conf_section *root;
	unsigned names;
	bool cut;
};

static int
no_memory(struct mistakes *m)
{
	mistake_add(m, 0, 1, "end other programs, or try again", "out of memory");
	return -1;
}

static void *
keep(struct confobj *c, size_t n)
{
	struct chunk *k = c->chunks;
	size_t size;
	void *p;

	n = (n + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (k == NULL || k->size - k->used < n) {
		size = MAX_OF(n, (size_t)CHUNK);
		if ((k = malloc(sizeof(*k) + size)) == NULL)
			return NULL;
		*k = (struct chunk){.next = c->chunks, .size = size};
		c->chunks = k;
	}
	p = k->data + k->used;
	k->used += n;
	memset(p, 0, n);
	return p;
}

char *
conf_keep(struct confobj *c, const char *s, size_t n)
{
	char *p;

	if ((p = keep(c, n + 1)) != NULL && s != NULL && n > 0)
		memcpy(p, s, n);
	return p;
}

/* ---- the tree ---- */

static struct conf_section *
section_new(struct confobj *c, struct conf_section *parent, const char *name,
    const struct text *at)
{
	struct conf_section *s;

	if ((s = keep(c, sizeof(*s))) == NULL)
		return NULL;
	TAILQ_INIT(&s->sections);
	TAILQ_INIT(&s->entries);
	s->parent = parent;
	s->name = name;
	s->line = at->line;
	s->column = line_column(at, at->p);
	if (parent != NULL) {
		s->depth = parent->depth + 1;
		TAILQ_INSERT_TAIL(&parent->sections, s, link);
	}
	return s;
}

struct conf_section *
confobj_root(struct confobj *c)
{
	return c->root;
}

struct conf_section *
conf_section(const struct conf_section *in, const char *name)
{
	struct conf_section *s;

	TAILQ_FOREACH(s, &in->sections, link)
		if (!s->broken && strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

const struct conf_section *
conf_around(const struct conf_section *in, unsigned line)
{
	const struct conf_section *s, *last = NULL;

	TAILQ_FOREACH(s, &in->sections, link)
		if (s->line <= line)
			last = s;
	return last == NULL ? in : conf_around(last, line);
}

unsigned
conf_column(const struct conf_section *root, unsigned line, bool value)
{
	const struct conf_section *s = conf_around(root, line);
	const struct conf_entry *e;

	TAILQ_FOREACH(e, &s->entries, link)
		if (e->line == line)
			return value ? e->value_at : e->column;
	return s->line == line && line != 0 ? s->column : 1;
}

bool
confobj_cut(const struct confobj *c)
{
	return c->cut;
}

struct conf_entry *
conf_entry(const struct conf_section *in, const char *key)
{
	struct conf_entry *e;

	TAILQ_FOREACH(e, &in->entries, link)
		if (strcmp(e->key, key) == 0)
			return e;
	return NULL;
}

void
confobj_free(struct confobj *c)
{
	struct chunk *k;

	if (c == NULL)
		return;
	while ((k = c->chunks) != NULL) {
		c->chunks = k->next;
		/* passphrases are in here */
		explicit_bzero(k->data, k->used);
		free(k);
	}
	free(c);
}

/* ---- lines ---- */

/*
 * A line that begins like a section and is none: its place is kept, since the
 * mistake is its own and not of the section before it. -1, also for no memory.
 */
static int
broken_section(struct confobj *c, const struct conf_section *cur,
    const struct text *t, const struct text *name, unsigned depth,
    struct mistakes *m)
{
	struct conf_section *parent, *s;
	const char *kept = conf_keep(c, name->p, line_left(name));

	for (parent = (struct conf_section *)(uintptr_t)cur;
	     parent->depth >= MAX_OF(depth, 1u);)
		parent = parent->parent;
	if (kept == NULL || (s = section_new(c, parent, kept, t)) == NULL)
		return no_memory(m);
	s->broken = true;
	return -1;
}

static int
parse_section(struct confobj *c, struct conf_section **cur,
    const struct text *t, const struct text *name, unsigned open,
    unsigned shut, struct mistakes *m)
{
	struct conf_section *parent = *cur, *twin;
	const unsigned column = line_column(t, t->p);
	const char *kept;

	if (open != shut) {
		mistake_add(m, name->line, column, "close as many brackets as "
		    "you open", "%u brackets open a section and %u close it",
		    open, shut);
		return broken_section(c, *cur, t, name, open, m);
	}
	if (open > parent->depth + 1 || open > CONF_DEPTH_MAX) {
		mistake_add(m, name->line, column, "[[name]] stands below a "
		    "[name], [[[name]]] below a [[name]]",
		    "section nested too deep");
		return broken_section(c, *cur, t, name, open, m);
	}
	while (parent->depth >= open)
		parent = parent->parent;
	if ((kept = conf_keep(c, name->p, line_left(name))) == NULL)
		return no_memory(m);
	twin = conf_section(parent, kept);
	if (twin != NULL || conf_entry(parent, kept) != NULL) {
		mistake_add(m, name->line, column, "give each section its own "
		    "name", "the name \"%.60s\" is there already, in line %u",
		    kept, twin != NULL ? twin->line :
		    conf_entry(parent, kept)->line);
		return broken_section(c, *cur, t, name, open, m);
	}
	if ((*cur = section_new(c, parent, kept, t)) == NULL)
		return no_memory(m);
	return 0;
}

/* "[[name" and the like: its brackets, and the name in them. */
static int
not_section(struct confobj *c, const struct conf_section *cur,
    const struct text *t, struct mistakes *m)
{
	struct text name = *t;
	unsigned depth = 0;

	for (; name.p < name.end && (*name.p == '[' || *name.p == ' ');
	     name.p++)
		depth += *name.p == '[';
	while (name.end > name.p && (name.end[-1] == ']' ||
	    name.end[-1] == ' '))
		name.end--;
	mistake_add(m, t->line, line_column(t, t->p), "a section is [name], "
	    "below it [[name]]", "not a section");
	return broken_section(c, cur, t, &name, depth, m);
}

/* ---- values ---- */

static int
add_value(struct confobj *c, struct conf_entry *e, const char *p, size_t n,
    struct mistakes *m)
{
	const char **more;

	/* double when full: powers of two */
	if ((e->n & (e->n - 1)) == 0) {
		more = keep(c, sizeof(*more) * (e->n == 0 ? 1 : e->n * 2u));
		if (more == NULL)
			return no_memory(m);
		if (e->n > 0)
			memcpy(more, e->values, sizeof(*more) * e->n);
		e->values = more;
	}
	if ((e->values[e->n] = conf_keep(c, p, n)) == NULL)
		return no_memory(m);
	e->n++;
	return 0;
}

/* The value between p and q, ends of lines as the reference has them. */
static int
add_lines(struct confobj *c, struct conf_entry *e, const char *p,
    const char *q, struct mistakes *m)
{
	char *copy = keep(c, (size_t)(q - p) + 1);
	size_t n = 0;

	if (copy == NULL)
		return no_memory(m);
	for (; p < q; p++)
		if (*p != '\r' || p + 1 == q || p[1] != '\n')
			copy[n++] = *p;
	return add_value(c, e, copy, n, m);
}

/* Three quotes: the value runs to the next three, over lines. */
static int
parse_triple(struct confobj *c, struct conf_entry *e, struct text *all,
    struct text *t, struct mistakes *m)
{
	const char quote3[3] = {*t->p, *t->p, *t->p};
	const char *start = t->p + 3, *q;
	struct text line = {start, t->end, t->line, t->from};
	bool any;

	while ((q = line_triple_end(line.p, line.end, quote3, &any)) == NULL) {
		if (any) {
			mistake_add(m, line.line, line_column(&line, line.p),
			    "end the line, or put # before it",
			    "text behind the closing quotes");
			return -1;
		}
		if (!line_next(all, &line)) {
			mistake_add(m, t->line, e->value_at, "end it with the "
			    "same three quotes", "a value in triple quotes "
			    "does not end");
			c->cut = true;
			return -1;
		}
	}
	return add_lines(c, e, start, q, m);
}

static int
parse_items(struct confobj *c, struct conf_entry *e, struct text *t,
    struct mistakes *m)
{
	struct line_items l = {.item = NULL};
	int rc = 0;

	if ((l.item = calloc(LINE_ITEMS_MAX, sizeof(*l.item))) == NULL)
		return no_memory(m);
	if (!line_items(&l, t)) {
		bool open = (*t->p == '"' || *t->p == '\'') &&
		    memchr(t->p + 1, *t->p, line_left(t) - 1) == NULL;

		mistake_add(m, t->line, e->value_at, open ?
		    "end it with the same quote" :
		    "put a value with quotes or commas into quotes of the "
		    "other kind", open ? "the quote before the value of "
		    "\"%.80s\" does not end" :
		    "cannot read the value of \"%.80s\"", e->key);
		rc = -1;
	}
	for (unsigned i = 0; rc == 0 && i < l.n; i++)
		rc = add_value(c, e, l.item[i].p, line_left(&l.item[i]), m);
	e->list = l.list;
	free(l.item);
	return rc;
}

static int
parse_value(struct confobj *c, struct conf_entry *e, struct text *all,
    struct text *t, struct mistakes *m)
{
	line_trim(t);
	e->value_at = line_column(t, t->p);
	if (line_left(t) >= 3 && (memcmp(t->p, "\"\"\"", 3) == 0 ||
	    memcmp(t->p, "'''", 3) == 0))
		return parse_triple(c, e, all, t, m);
	if (line_over(t))
		return add_value(c, e, "", 0, m);
	if (*t->p == ',') { /* a lone comma: the empty list */
		t->p++;
		e->list = true;
		if (line_over(t))
			return 0;
		mistake_add(m, t->line, e->value_at, "put an empty value into quotes",
		    "the list of \"%.80s\" begins with a comma", e->key);
		return -1;
	}
	return parse_items(c, e, t, m);
}

static int
parse_entry(struct confobj *c, struct conf_section *cur, struct text *all,
    struct text *t, const char *indent, struct mistakes *m)
{
	struct conf_entry *e, *twin;
	struct text key;

	if (!line_key(t, indent, &key)) {
		if (*t->p == '[')
			return not_section(c, cur, t, m);
		mistake_add(m, t->line, line_column(t, t->p), memchr(t->p, ':',
		    line_left(t)) != NULL ? "write key = value, with "
		    "= in place of the colon" : "write key = value, "
		    "[section], or # comment", "cannot read this line");
		return -1;
	}
	if ((e = keep(c, sizeof(*e))) == NULL ||
	    (e->key = conf_keep(c, key.p, line_left(&key))) == NULL)
		return no_memory(m);
	e->line = t->line;
	e->column = line_column(t, key.p);
	twin = conf_entry(cur, e->key);
	if (twin != NULL || conf_section(cur, e->key) != NULL) {
		mistake_add(m, t->line, e->column, "remove one of the two",
		    "the key \"%.60s\" is there already, in line %u", e->key,
		    twin != NULL ? twin->line :
		    conf_section(cur, e->key)->line);
		return -1;
	}
	if (parse_value(c, e, all, t, m) < 0)
		return -1;
	TAILQ_INSERT_TAIL(&cur->entries, e, link);
	return 0;
}

/*
 * Every line is looked at, so that all mistakes are told at once. Behind a
 * section line that is none nobody knows whose the keys are: they are passed
 * over until the next.
 */
static int
parse_all(struct confobj *c, struct text all, struct mistakes *m)
{
	struct conf_section *cur = c->root;
	bool lost = false, bracket;
	unsigned before = mistakes_count(m), open, shut;
	struct text t, name;
	const char *indent;
	bool section;

	while (line_next(&all, &t)) {
		indent = t.p;
		if (line_over(&t))
			continue;
		/* t is used up by what reads it */
		bracket = *t.p == '[';
		section = line_section(&t, &name, &open, &shut);
		if (lost && !section && !bracket)
			continue;
		/* names are looked up one by one: bound the square */
		if (++c->names > NAMES_MAX) {
			mistake_add(m, t.line, 1, "no node needs so many: "
			    "remove what is not in use", "more than %d keys "
			    "and sections", NAMES_MAX);
			c->cut = true;
			break;
		}
		if (section)
			lost = parse_section(c, &cur, &t, &name, open, shut,
			    m) < 0;
		else if (parse_entry(c, cur, &all, &t, indent, m) < 0)
			lost = bracket;
	}
	return mistakes_count(m) == before ? 0 : -1;
}

int
confobj_parse(struct confobj **out, const char *text, size_t len,
    struct mistakes *m)
{
	struct confobj *c;
	struct text all = {text, text, 0, text};
	unsigned line;

	*out = NULL;
	if (len > CONF_TEXT_MAX) {
		mistake_add(m, 0, 1, "is it the right file?", "longer than %u "
		    "bytes", CONF_TEXT_MAX);
		return -1;
	}
	all.end += len;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		all.p += 3;
	if ((line = mistake_utf8(all.p, line_left(&all))) != 0) {
		mistake_add(m, line, 1, "save it as UTF-8", "not a UTF-8 text");
		return -1;
	}
	if (memchr(all.p, '\0', line_left(&all)) != NULL) {
		mistake_add(m, 0, 1, "save it as UTF-8", "it holds a NUL, as "
		    "no text does");
		return -1;
	}
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return no_memory(m);
	if ((c->root = section_new(c, NULL, "", &all)) == NULL) {
		confobj_free(c);
		return no_memory(m);
	}
	*out = c;
	return parse_all(c, all, m);
}

/* ---- interpolation ---- */

struct expand {
	struct confobj *tree;
	struct mistakes *m;
	unsigned line;
	unsigned steps;
	char *buf;
	size_t len;
};

/* Same section, its DEFAULT, then the same in the parents. */
static const struct conf_entry *
lookup(const struct conf_section **sec, const char *key)
{
	const struct conf_section *s, *d;
	const struct conf_entry *e;

	for (s = *sec; s != NULL; s = s->parent) {
		*sec = s;
		if ((e = conf_entry(s, key)) != NULL)
			return e;
		/* a key of that name has no keys, and the reference fails */
		if (conf_entry(s, "DEFAULT") != NULL)
			return NULL;
		if ((d = conf_section(s, "DEFAULT")) != NULL) {
			*sec = d;
			if ((e = conf_entry(d, key)) != NULL)
				return e;
		}
	}
	return NULL;
}

static bool
put(struct expand *x, const char *p, size_t n)
{
	if (n > CONF_VALUE_MAX - x->len) {
		mistake_add(x->m, x->line, 1, "write the value itself",
		    "a value over %u bytes", CONF_VALUE_MAX);
		return false;
	}
	memcpy(x->buf + x->len, p, n);
	x->len += n;
	return true;
}

/* The key between "%(" and ")s"; NULL: plain text. *rest is behind it. */
static const char *
reference(struct expand *x, const char *p, const char **rest)
{
	const char *e;

	if (p[0] != '%' || p[1] != '(' ||
	    (e = memchr(p, ')', strnlen(p, REFERENCE_MAX))) == NULL ||
	    e[1] != 's')
		return NULL;
	*rest = e + 2;
	return conf_keep(x->tree, p + 2, (size_t)(e - p - 2));
}

static bool
expand(struct expand *x, const struct conf_section *sec, const char *text,
    unsigned depth)
{
	const struct conf_section *at;
	const struct conf_entry *e;
	const char *p, *key, *rest;

	if (depth > INTERPOLATE_DEPTH || x->steps++ > INTERPOLATE_STEPS) {
		mistake_add(x->m, x->line, 1, "a key must not lead back to "
		    "itself", "too many %%(key)s in a value");
		return false;
	}
	for (p = text; *p != '\0';) {
		if ((key = reference(x, p, &rest)) == NULL) {
			if (!put(x, p, 1))
				return false;
			p++;
			continue;
		}
		at = sec;
		if ((e = lookup(&at, key)) == NULL || e->list || e->n != 1) {
			mistake_add(x->m, x->line, 1, "write the value itself, "
			    "or give that key one value",
			    "no value \"%s\" for %%(%s)s", key, key);
			return false;
		}
		if (!expand(x, at, e->values[0], depth + 1))
			return false;
		p = rest;
	}
	return true;
}

const char *
conf_value(struct confobj *c, const struct conf_section *sec,
    const struct conf_entry *e, unsigned i, struct mistakes *m)
{
	struct expand x = {.tree = c, .m = m, .line = e->line};
	const char *out = NULL;

	if (i >= e->n) {
		mistake_add(m, e->line, 1, "write one, or remove the line",
		    "\"%s\" has no value", e->key);
		return NULL;
	}
	if (strstr(e->values[i], "%(") == NULL)
		return e->values[i];
	if ((x.buf = malloc(CONF_VALUE_MAX)) == NULL) {
		(void)no_memory(m);
		return NULL;
	}
	if (expand(&x, sec, e->values[i], 0) &&
	    (out = conf_keep(c, x.buf, x.len)) == NULL)
		(void)no_memory(m);
	explicit_bzero(x.buf, x.len);
	free(x.buf);
	return out;
}
