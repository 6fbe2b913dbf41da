/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* memmem */

#include "transport/config/confobj.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
};

/* A text and a place in it. */
struct text {
	const char *p, *end;
	unsigned line; /* of the line that line_next() gave last */
};

static int
no_memory(struct mistakes *m)
{
	mistake_add(m, 0, 1, NULL, "out of memory");
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

	if ((p = keep(c, n + 1)) != NULL && n > 0)
		memcpy(p, s, n);
	return p;
}

/* ---- the tree ---- */

static struct conf_section *
section_new(struct confobj *c, struct conf_section *parent, const char *name,
    unsigned line)
{
	struct conf_section *s;

	if ((s = keep(c, sizeof(*s))) == NULL)
		return NULL;
	TAILQ_INIT(&s->sections);
	TAILQ_INIT(&s->entries);
	s->parent = parent;
	s->name = name;
	s->line = line;
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
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
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

static bool
blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\f' ||
	    ch == '\v';
}

static void
trim(struct text *t)
{
	while (t->p < t->end && blank(*t->p))
		t->p++;
	while (t->p < t->end && blank(t->end[-1]))
		t->end--;
}

static size_t
left(const struct text *t)
{
	return (size_t)(t->end - t->p);
}

/* The next line of t, without its end. */
static bool
line_next(struct text *t, struct text *line)
{
	const char *nl;

	if (t->p == t->end)
		return false;
	t->line++;
	nl = memchr(t->p, '\n', left(t));
	*line = (struct text){t->p, nl != NULL ? nl : t->end, t->line};
	t->p = nl != NULL ? nl + 1 : t->end;
	return true;
}

/* Nothing left, or a comment. */
static bool
line_over(struct text *t)
{
	trim(t);
	return t->p == t->end || *t->p == '#';
}

/* Take a quoted text; false: no quote here, or it does not end. */
static bool
take_quoted(struct text *t, struct text *out)
{
	const char *e;

	if (t->p == t->end || (*t->p != '"' && *t->p != '\''))
		return false;
	e = memchr(t->p + 1, *t->p, left(t) - 1);
	if (e == NULL)
		return false;
	*out = (struct text){t->p + 1, e, t->line};
	t->p = e + 1;
	return true;
}

/* ---- section lines ---- */

static int
parse_section(struct confobj *c, struct conf_section **cur, struct text *t,
    struct mistakes *m)
{
	struct conf_section *parent = *cur, *twin;
	struct text name = {NULL, NULL, 0};
	unsigned open = 0, shut = 0;
	const char *kept, *e;

	while (t->p < t->end && (*t->p == '[' || blank(*t->p))) {
		open += *t->p == '[';
		t->p++;
	}
	if (!take_quoted(t, &name)) {
		e = memchr(t->p, ']', left(t));
		if (e != NULL && e > t->p && *t->p != '"' && *t->p != '\'') {
			name = (struct text){t->p, e, t->line};
			t->p = e;
		}
	}
	while (t->p < t->end && (*t->p == ']' || blank(*t->p))) {
		shut += *t->p == ']';
		t->p++;
	}
	trim(&name);
	if (left(&name) == 0 || shut == 0 || !line_over(t)) {
		mistake_add(m, t->line, 1, "a section is [name], below it "
		    "[[name]]", "not a section");
		return -1;
	}
	if (open != shut) {
		mistake_add(m, t->line, 1, "close as many brackets as you open",
		    "%u brackets open a section and %u close it", open, shut);
		return -1;
	}
	if (open > parent->depth + 1 || open > CONF_DEPTH_MAX) {
		mistake_add(m, t->line, 1, "[[name]] stands below a [name], "
		    "[[[name]]] below a [[name]]",
		    "section nested too deep");
		return -1;
	}
	while (parent->depth >= open)
		parent = parent->parent;
	if ((kept = conf_keep(c, name.p, left(&name))) == NULL)
		return no_memory(m);
	if (conf_section(parent, kept) != NULL ||
	    conf_entry(parent, kept) != NULL) {
		twin = conf_section(parent, kept);
		mistake_add(m, t->line, 1, "give each section its own name",
		    "the name \"%.60s\" is there already, in line %u", kept,
		    twin != NULL ? twin->line : conf_entry(parent, kept)->line);
		return -1;
	}
	if ((*cur = section_new(c, parent, kept, t->line)) == NULL)
		return no_memory(m);
	return 0;
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

/* Three quotes: the value runs to the next three, over lines. */
static int
parse_triple(struct confobj *c, struct conf_entry *e, struct text *all,
    struct text *t, struct mistakes *m)
{
	const char quote[3] = {*t->p, *t->p, *t->p};
	const char *start = t->p + 3, *q;
	struct text rest;

	q = memmem(start, (size_t)(all->end - start), quote, 3);
	if (q == NULL) {
		mistake_add(m, t->line, 1, "end it with the same three quotes",
		    "a value in triple quotes does not end");
		all->p = all->end; /* it has taken the rest */
		return -1;
	}
	if (add_value(c, e, start, (size_t)(q - start), m) < 0)
		return -1;
	/* go on behind it, counting the lines that it took */
	rest = (struct text){q + 3, t->end, t->line};
	if (q + 3 > t->end) {
		for (const char *p = t->end; p < q; p++)
			all->line += *p == '\n';
		all->p = q + 3;
		all->line--;
		if (!line_next(all, &rest))
			rest = (struct text){all->p, all->p, all->line};
	}
	if (!line_over(&rest)) {
		mistake_add(m, rest.line, 1, NULL, "text behind the closing "
		    "quotes");
		return -1;
	}
	return 0;
}

static bool
take_plain(struct text *t, struct text *out)
{
	const char *p = t->p;

	if (p == t->end || *p == '"' || *p == '\'' || *p == ',' || *p == '#')
		return false;
	while (p < t->end && *p != ',' && *p != '#')
		p++;
	*out = (struct text){t->p, p, t->line};
	t->p = p;
	trim(out);
	return true;
}

static int
parse_value(struct confobj *c, struct conf_entry *e, struct text *all,
    struct text *t, struct mistakes *m)
{
	struct text v;

	trim(t);
	if (left(t) >= 3 && (memcmp(t->p, "\"\"\"", 3) == 0 ||
	    memcmp(t->p, "'''", 3) == 0))
		return parse_triple(c, e, all, t, m);
	if (line_over(t))
		return add_value(c, e, "", 0, m);
	if (*t->p == ',') { /* a lone comma: the empty list */
		t->p++;
		e->list = true;
		if (line_over(t))
			return 0;
		goto bad;
	}
	for (;;) {
		if (!take_quoted(t, &v) && !take_plain(t, &v))
			goto bad;
		if (add_value(c, e, v.p, left(&v), m) < 0)
			return -1;
		if (line_over(t))
			return 0;
		if (*t->p != ',')
			goto bad;
		t->p++;
		e->list = true;
		if (line_over(t))
			return 0;
	}
bad:
	mistake_add(m, t->line, 1, "put a value with quotes or commas into "
	    "quotes of the other kind", "cannot read the value of \"%s\"",
	    e->key);
	return -1;
}

static int
parse_entry(struct confobj *c, struct conf_section *cur, struct text *all,
    struct text *t, struct mistakes *m)
{
	struct conf_entry *e, *twin;
	struct text key = *t;
	const char *eq;

	if (take_quoted(t, &key)) {
		trim(t);
	} else if ((eq = memchr(t->p, '=', left(t))) != NULL) {
		key.end = t->p = eq;
	}
	trim(&key);
	if (t->p == t->end || *t->p != '=' || left(&key) == 0 ||
	    *key.p == '=') {
		mistake_add(m, t->line, 1, "write key = value, [section], or "
		    "# comment", "cannot read this line");
		return -1;
	}
	t->p++;
	if ((e = keep(c, sizeof(*e))) == NULL ||
	    (e->key = conf_keep(c, key.p, left(&key))) == NULL)
		return no_memory(m);
	e->line = t->line;
	twin = conf_entry(cur, e->key);
	if (twin != NULL || conf_section(cur, e->key) != NULL) {
		mistake_add(m, t->line, 1, "remove one of the two",
		    "the key \"%.60s\" is there already, in line %u", e->key,
		    twin != NULL ? twin->line :
		    conf_section(cur, e->key)->line);
		return -1;
	}
	TAILQ_INSERT_TAIL(&cur->entries, e, link);
	return parse_value(c, e, all, t, m);
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
	bool lost = false;
	unsigned before = mistakes_count(m);
	struct text t;

	while (line_next(&all, &t)) {
		if (line_over(&t) || (lost && *t.p != '['))
			continue;
		/* names are looked up one by one: bound the square */
		if (++c->names > NAMES_MAX) {
			mistake_add(m, t.line, 1, NULL, "more than %d lines",
			    NAMES_MAX);
			break;
		}
		if (*t.p == '[')
			lost = parse_section(c, &cur, &t, m) < 0;
		else
			(void)parse_entry(c, cur, &all, &t, m);
	}
	return mistakes_count(m) == before ? 0 : -1;
}

int
confobj_parse(struct confobj **out, const char *text, size_t len,
    struct mistakes *m)
{
	struct confobj *c;
	struct text all = {text, text, 0};

	if (len > CONF_TEXT_MAX) {
		mistake_add(m, 0, 1, NULL, "longer than %u bytes", CONF_TEXT_MAX);
		return -1;
	}
	all.end += len;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		all.p += 3;
	if (!utf8_valid(all.p, left(&all)) ||
	    memchr(all.p, '\0', left(&all)) != NULL) {
		mistake_add(m, 0, 1, "save it as UTF-8", "not a UTF-8 text");
		return -1;
	}
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return no_memory(m);
	if ((c->root = section_new(c, NULL, "", 0)) == NULL) {
		confobj_free(c);
		return no_memory(m);
	}
	if (parse_all(c, all, m) < 0) {
		confobj_free(c);
		return -1;
	}
	*out = c;
	return 0;
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
		mistake_add(x->m, x->line, 1, NULL, "a value over %u bytes",
		    CONF_VALUE_MAX);
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
		mistake_add(m, e->line, 1, NULL, "\"%s\" has no value", e->key);
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
