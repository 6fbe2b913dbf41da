/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* memmem */

#include "transport/config/confline.h"

#include <string.h>

#include "common/util.h"

#define STEPS_MAX 20000  /* ours: ways to cut a list that are tried */
#define LINE_OPEN_MAX 16 /* ours: more brackets are no nesting */

/*
 * Bytes of the white space that p begins with; 0: none. The reference's is
 * Unicode's: a no-break space that came along from a web page is one.
 */
static size_t
blank(const char *p, const char *end)
{
	static const char wide[][4] = {"\xe1\x9a\x80", "\xe2\x80\xa8",
	    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
	    "\xe3\x80\x80"};
	const unsigned char *u = (const unsigned char *)p;

	if (p == end)
		return 0;
	if (u[0] < 0x80)
		return (u[0] >= '\t' && u[0] <= '\r') ||
		    (u[0] >= 0x1c && u[0] <= ' ');
	if (end - p >= 2 && u[0] == 0xc2 && (u[1] == 0x85 || u[1] == 0xa0))
		return 2;
	if (end - p < 3)
		return 0;
	if (u[0] == 0xe2 && u[1] == 0x80 && u[2] >= 0x80 && u[2] <= 0x8a)
		return 3;
	for (size_t i = 0; i < NELEM(wide); i++)
		if (memcmp(p, wide[i], 3) == 0)
			return 3;
	return 0;
}

static const char *
skip_blank(const char *p, const char *end)
{
	size_t n;

	while ((n = blank(p, end)) > 0)
		p += n;
	return p;
}

/* Bytes of the white space that ends at end; 0: none. */
static size_t
blank_before(const char *start, const char *end)
{
	for (size_t n = 1; n <= 3 && n <= (size_t)(end - start); n++)
		if (blank(end - n, end) == n)
			return n;
	return 0;
}

void
line_trim_to(const char **p, const char **end)
{
	size_t n;

	*p = skip_blank(*p, *end);
	while ((n = blank_before(*p, *end)) > 0)
		*end -= n;
}

void
line_trim(struct text *t)
{
	line_trim_to(&t->p, &t->end);
}

size_t
line_left(const struct text *t)
{
	return (size_t)(t->end - t->p);
}

bool
line_next(struct text *t, struct text *line)
{
	const char *nl;

	if (t->p == t->end)
		return false;
	t->line++;
	nl = memchr(t->p, '\n', line_left(t));
	*line = (struct text){t->p, nl != NULL ? nl : t->end, t->line, t->p};
	t->p = nl != NULL ? nl + 1 : t->end;
	return true;
}

unsigned
line_column(const struct text *t, const char *p)
{
	unsigned n = 1;

	for (const char *q = t->from; q != NULL && q < p; q++)
		n += ((unsigned char)*q & 0xc0) != 0x80;
	return n;
}

bool
line_over(struct text *t)
{
	line_trim(t);
	return t->p == t->end || *t->p == '#';
}

/* ---- section lines ---- */

static bool
quote(char ch)
{
	return ch == '"' || ch == '\'';
}

/* How many brackets shut a section here, with nothing behind them; 0: none. */
static unsigned
shuts(const char *p, const char *end)
{
	unsigned n = 0;

	while (p < end && (*p == ']' || blank(p, end) > 0)) {
		n += *p == ']';
		p += *p == ']' ? 1 : blank(p, end);
	}
	return p == end || *p == '#' ? n : 0;
}

/*
 * The name is the shortest text that closing brackets follow to the end, so a
 * bracket may stand in it; between quotes anything may. false: none.
 */
static bool
section_name(const char *p, const char *end, struct text *name, unsigned *shut)
{
	const char *e, *first;

	if (p == end || blank(p, end) > 0)
		return false;
	if (quote(*p)) {
		first = skip_blank(p + 1, end);
		for (e = first + 1; e < end; e++) {
			if (*e != *p ||
			    (*shut = shuts(e + 1, end)) == 0)
				continue;
			*name = (struct text){p + 1, e, name->line, name->from};
			return true;
		}
		return false;
	}
	for (e = p + 1; e < end;) {
		if (*e != ']' && blank(e, end) == 0) {
			e++;
			continue;
		}
		if ((*shut = shuts(e, end)) > 0) {
			*name = (struct text){p, e, name->line, name->from};
			return true;
		}
		/* nor from anywhere within these */
		while (e < end && (*e == ']' || blank(e, end) > 0))
			e += *e == ']' ? 1 : blank(e, end);
	}
	return false;
}

bool
line_section(const struct text *t, struct text *name, unsigned *open,
    unsigned *shut)
{
	const char *at[LINE_OPEN_MAX], *p = t->p;

	*open = 0;
	while (p < t->end && *p == '[' && *open < NELEM(at)) {
		at[(*open)++] = p;
		p = skip_blank(p + 1, t->end);
	}
	/* a name may begin with a bracket, if it must */
	name->line = t->line;
	name->from = t->from;
	for (; *open > 0; (*open)--) {
		if (section_name(p, t->end, name, shut))
			return true;
		p = at[*open - 1];
	}
	return false;
}

/* ---- entries ---- */

bool
line_key(struct text *t, const char *indent, struct text *key)
{
	const char *p = t->p, *e, *eq;
	size_t n, first;

	if (p < t->end && quote(*p)) {
		for (e = p + 1; e < t->end; e++) {
			if (*e != *p)
				continue;
			eq = skip_blank(e + 1, t->end);
			if (eq == t->end || *eq != '=')
				continue;
			*key = (struct text){p + 1, e, t->line, t->from};
			t->p = eq + 1;
			return true;
		}
	}
	if (p == t->end || quote(*p) || *p == '=') {
		if ((n = blank_before(indent, p)) == 0)
			return false;
		p -= n;
	}
	if ((eq = memchr(p, '=', (size_t)(t->end - p))) == NULL)
		return false;
	*key = (struct text){p, eq, t->line, t->from};
	/* but not the white space that it begins with */
	first = MAX_OF(blank(p, t->end), (size_t)1);
	while ((n = blank_before(p + first, key->end)) > 0)
		key->end -= n;
	t->p = eq + 1;
	return true;
}

static bool items_from(struct line_items *, const char *, unsigned);

/* The item is there, and next behind it. */
static bool
item_ends(struct line_items *l, struct text item, const char *next, unsigned i)
{
	if (i == LINE_ITEMS_MAX)
		return false;
	l->item[i] = item;
	l->n = i + 1;
	l->list = i > 0;
	if (next == l->end || *next == '#')
		return true;
	return *next == ',' && items_from(l, next + 1, i + 1);
}

static bool
item_quoted(struct line_items *l, const char *p, unsigned i)
{
	const char *e = p, *next;

	while ((e = memchr(e + 1, *p, (size_t)(l->end - e - 1))) != NULL) {
		next = skip_blank(e + 1, l->end);
		if (++l->steps > STEPS_MAX)
			return false;
		if ((next == l->end || *next == '#' || *next == ',') &&
		    item_ends(l, (struct text){p + 1, e, 0, NULL}, next, i))
			return true;
	}
	return false;
}

/* All from p on, where the i-th begins. */
static bool
items_from(struct line_items *l, const char *p, unsigned i)
{
	const char *q = skip_blank(p, l->end), *next;
	struct text item;

	if (q == l->end || *q == '#') { /* a comma at the end */
		l->n = i;
		l->list = true;
		return true;
	}
	if (*q == ',')
		return false;
	if (quote(*q) && item_quoted(l, q, i))
		return true;
	/* with white space before it, and only before a comma */
	if (quote(*q) && (i == 0 || q == p))
		return false;
	for (next = q; next < l->end && *next != ',' && *next != '#';)
		next++;
	if (quote(*q) && (next == l->end || *next == '#'))
		return false;
	item = (struct text){q, next, 0, NULL};
	line_trim(&item);
	return item_ends(l, item, next, i);
}

bool
line_items(struct line_items *l, const struct text *t)
{
	l->end = t->end;
	l->n = l->steps = 0;
	return items_from(l, t->p, 0);
}

const char *
line_triple_end(const char *p, const char *end, const char quote3[3], bool *any)
{
	const char *q;

	*any = false;
	while ((q = memmem(p, (size_t)(end - p), quote3, 3)) != NULL) {
		const char *next = skip_blank(q + 3, end);

		*any = true;
		if (next == end || *next == '#')
			return q;
		p = q + 1;
	}
	return NULL;
}
