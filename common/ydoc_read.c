/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ydoc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "common/util.h"

const struct ynode *
ynode_get(const struct ynode *map, const char *key)
{
	if (map == NULL || map->kind != YNODE_MAP)
		return NULL;
	for (const struct ynode *n = map->first; n != NULL; n = n->next)
		if (strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

bool
ynode_null(const struct ynode *n)
{
	return n == NULL ||
	    (n->kind == YNODE_SCALAR && !n->quoted &&
		(n->len == 0 || strcmp(n->text, "~") == 0 ||
		    strcmp(n->text, "null") == 0));
}

static const char *
kind_name(const struct ynode *n)
{
	if (ynode_null(n))
		return "nothing";
	return n->kind == YNODE_MAP ? "a map"
	    : n->kind == YNODE_LIST ? "a list"
				    : "a value";
}

static bool
wrong(const struct ynode *n, const char *what, const char *want,
    const char *hint, struct mistakes *m)
{
	/* as it comes along from a web page: nobody sees it */
	if (n->kind == YNODE_SCALAR && strstr(n->text, "\xc2\xa0") != NULL)
		hint = "it holds a no-break space, which only looks like a "
		       "space";
	if (n->kind == YNODE_SCALAR && !ynode_null(n))
		mistake_add(m, n->line, n->column, hint,
		    "%s must be %s, not \"%.60s\"", what, want, n->text);
	else
		mistake_add(m, n->line, n->column, hint,
		    "%s must be %s, not %s", what, want, kind_name(n));
	return false;
}

bool
ynode_is_map(const struct ynode *n, const char *what, struct mistakes *m)
{
	if (n->kind == YNODE_MAP)
		return true;
	return wrong(n, what, "a map", ynode_null(n) ?
	    "what belongs below it is indented" : n->kind == YNODE_LIST ?
	    "\"key: value\", without \"- \"" : !n->quoted &&
	    strchr(n->text, ':') != NULL ?
	    "a space belongs behind the colon: \"key: value\"" :
	    "\"key: value\", with a colon, in lines of their own", m);
}

bool
ynode_is_list(const struct ynode *n, const char *what, struct mistakes *m)
{
	return n->kind == YNODE_LIST || wrong(n, what, "a list",
	    n->kind == YNODE_MAP || ynode_null(n) ?
	    "each entry begins with \"- \"" : "in one line: [a, b]", m);
}

static void
known_words(char *out, size_t cap, const char *const *known, size_t n)
{
	size_t at = (size_t)snprintf(out, cap, "known: ");

	for (size_t i = 0; i < n && at < cap; i++)
		at += (size_t)snprintf(out + at, cap - at, "%s%s",
		    i == 0 ? "" : ", ", known[i]);
}

bool
ynode_key_in(const struct ynode *member, const char *const *known, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(known[i], member->key) == 0)
			return true;
	return false;
}

void
ynode_unknown(const struct ynode *member, const char *const *known, size_t n,
    struct mistakes *m)
{
	const char *near = nearest_word(member->key, known, n);
	char hint[200] = "";

	if (near != NULL)
		(void)snprintf(hint, sizeof(hint), "did you mean \"%s\"?",
		    near);
	else if (n <= 8)
		known_words(hint, sizeof(hint), known, n);
	mistake_add(m, member->key_line, member->key_column, hint,
	    "unknown key \"%.80s\"", member->key);
}

bool
ynode_known(const struct ynode *map, const char *const *known, size_t n,
    struct mistakes *m)
{
	bool ok = true;

	for (const struct ynode *c = map->first; c != NULL; c = c->next) {
		if (ynode_key_in(c, known, n))
			continue;
		ynode_unknown(c, known, n, m);
		ok = false;
	}
	return ok;
}

bool
ynode_text(const struct ynode *n, const char *what, size_t min, size_t max,
    const char **out, struct mistakes *m)
{
	if (n->kind != YNODE_SCALAR || (ynode_null(n) && min > 0))
		return wrong(n, what, "a text", NULL, m);
	if (n->len < min || n->len > max) {
		mistake_add(m, n->line, n->column, NULL,
		    "%s must have %zu to %zu bytes, not %zu", what, min, max,
		    n->len);
		return false;
	}
	*out = n->text;
	return true;
}

bool
ynode_bool(const struct ynode *n, const char *what, bool *out,
    struct mistakes *m)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on",
	    "off", "y", "n", "1", "0"};
	const char *hint = NULL;

	if (n->kind == YNODE_SCALAR && !n->quoted) {
		if (strcmp(n->text, "true") == 0 ||
		    strcmp(n->text, "false") == 0) {
			*out = n->text[0] == 't';
			return true;
		}
	}
	for (size_t i = 0; n->kind == YNODE_SCALAR && i < NELEM(words); i++)
		if (strcasecmp(n->text, words[i]) == 0)
			hint = i % 2 == 0 ? "write true" : "write false";
	return wrong(n, what, "true or false",
	    n->kind == YNODE_SCALAR && n->quoted ? "without quotes" : hint, m);
}

bool
ynode_int(const struct ynode *n, const char *what, int64_t min, int64_t max,
    int64_t *out, struct mistakes *m)
{
	char want[80];
	const char *p = n->kind == YNODE_SCALAR && !n->quoted ? n->text : "";
	bool minus = *p == '-';
	size_t digits;
	int64_t v = 0;

	if (minus || *p == '+')
		p++;
	digits = strspn(p, "0123456789");
	(void)snprintf(want, sizeof(want),
	    "a whole number from %" PRId64 " to %" PRId64, min, max);
	if (digits == 0 || digits > 18 || p[digits] != '\0')
		return wrong(n, what, want, n->kind == YNODE_SCALAR &&
		    n->quoted ? "without quotes" : NULL, m);
	for (; *p != '\0'; p++)
		v = v * 10 + (*p - '0');
	if (minus)
		v = -v;
	if (v < min || v > max)
		return wrong(n, what, want, NULL, m);
	*out = v;
	return true;
}

bool
ynode_word(const struct ynode *n, const char *what, const char *const *words,
    size_t count, unsigned *out, struct mistakes *m)
{
	char want[200] = "", hint[300] = "";
	bool many = count > 8;
	const char *near;

	for (size_t i = 0; i < count; i++) {
		size_t at = strlen(want);

		if (n->kind == YNODE_SCALAR && strcmp(n->text, words[i]) == 0) {
			*out = (unsigned)i;
			return true;
		}
		(void)snprintf(want + at, sizeof(want) - at, "%s%s",
		    i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
	}
	near = n->kind == YNODE_SCALAR ? nearest_word(n->text, words, count)
				       : NULL;
	if (near != NULL)
		(void)snprintf(
		    hint, sizeof(hint), "did you mean \"%s\"?", near);
	if (many) /* a list that long belongs behind what is wrong */
		(void)snprintf(hint + strlen(hint),
		    sizeof(hint) - strlen(hint), "%sknown: %s",
		    near != NULL ? " " : "", want);
	return wrong(n, what, many ? "a known word" : want, hint, m);
}

static bool
in_range(const struct ynode *n, const char *what, uint64_t v, uint64_t min,
    uint64_t max, void (*text)(char *, size_t, uint64_t), struct mistakes *m)
{
	char lo[32], hi[32];

	if (v >= min && v <= max)
		return true;
	text(lo, sizeof(lo), min);
	text(hi, sizeof(hi), max);
	mistake_add(m, n->line, n->column,
	    strspn(n->text, "0123456789") == n->len && n->len > 0 &&
	    text == units_size_text ? "without a unit it is bytes" : NULL,
	    max == UINT64_MAX ? "%s is %s, less than %s"
			      : "%s is %s, must be %s to %s",
	    what, n->text, lo, hi);
	return false;
}

bool
ynode_size(const struct ynode *n, const char *what, uint64_t min, uint64_t max,
    uint64_t *out, struct mistakes *m)
{
	uint64_t v;

	if (n->kind != YNODE_SCALAR || !units_size(n->text, &v))
		return wrong(n, what, "a size",
		    "bytes, or a number with kB, MB or GB, without a space: "
		    "64kB, 5MB, 1GiB", m);
	if (!in_range(n, what, v, min, max, units_size_text, m))
		return false;
	*out = v;
	return true;
}

bool
ynode_time_ms(const struct ynode *n, const char *what, uint64_t min,
    uint64_t max, uint64_t *out, struct mistakes *m)
{
	uint64_t v;

	if (n->kind != YNODE_SCALAR || !units_time_ms(n->text, &v))
		return wrong(n, what, "a time",
		    "a number with ms, s, m, h or d, without a space: 60s, 10m, "
		    "24h", m);
	if (!in_range(n, what, v, min, max, units_time_text, m))
		return false;
	*out = v;
	return true;
}

bool
ynode_cpu_milli(const struct ynode *n, const char *what, uint32_t *out,
    struct mistakes *m)
{
	if (n->kind != YNODE_SCALAR || !units_cpu_milli(n->text, out))
		return wrong(n, what, "a number of cores",
		    "0.5 is half a core; at most three decimals", m);
	return true;
}
