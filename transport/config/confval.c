/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/confval.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/config/confline.h"

#define NUMBER_MAX 400 /* ours: bytes of a number */

struct conf_entry *
conf_ask(const struct conf_reader *r, const char *key)
{
	struct conf_entry *e = conf_entry(r->sec, key);

	if (r->asked->n < CONF_ASKED_MAX)
		r->asked->key[r->asked->n++] = key;
	if (e != NULL)
		e->used = true;
	return e;
}

int
conf_get_text(const struct conf_reader *r, const char *key, const char **out)
{
	struct conf_entry *e;
	const char *v;

	if ((e = conf_ask(r, key)) == NULL)
		return 0;
	if (e->list) {
		mistake_add(r->m, e->line, 1, "put a value with a comma into "
		    "quotes", "\"%s\" takes one value, not a list", key);
		return -1;
	}
	if ((v = conf_value(r->tree, r->sec, e, 0, r->m)) == NULL)
		return -1;
	*out = v;
	return 1;
}

unsigned
conf_line(const struct conf_reader *r, const char *key)
{
	struct conf_entry *e = conf_entry(r->sec, key);

	return e != NULL ? e->line : r->sec->line;
}

int
conf_get_bool(const struct conf_reader *r, const char *key, bool *out)
{
	static const char *yes[] = {"yes", "on", "true", "1"};
	static const char *no[] = {"no", "off", "false", "0"};
	const char *v;
	int rc;

	if ((rc = conf_get_text(r, key, &v)) <= 0)
		return rc;
	for (size_t i = 0; i < NELEM(yes); i++) {
		if (strcasecmp(v, yes[i]) == 0) {
			*out = true;
			return 1;
		}
		if (strcasecmp(v, no[i]) == 0) {
			*out = false;
			return 1;
		}
	}
	mistake_add(r->m, conf_line(r, key), 1, "write yes or no",
	    "\"%s\" is yes or no, not \"%s\"", key, v);
	return -1;
}

/*
 * A number as people write it, without white space around it and without '_'
 * between digits; false: too long for one.
 */
static bool
plain_number(char out[NUMBER_MAX], const char *v)
{
	const char *end = v + strlen(v);
	size_t n = 0;

	line_trim_to(&v, &end);
	for (const char *p = v; p < end; p++) {
		if (*p == '_' && p > v && isdigit((unsigned char)p[-1]) &&
		    p + 1 < end && isdigit((unsigned char)p[1]))
			continue;
		if (n == NUMBER_MAX - 1)
			return false;
		out[n++] = *p;
	}
	out[n] = '\0';
	return true;
}

/* Past the ends of int64_t it stays there: no key has such a range. */
static bool
parse_int(const char *text, int64_t *out)
{
	char number[NUMBER_MAX];
	const char *v = number;
	int64_t n = 0;
	bool minus;

	if (!plain_number(number, text))
		return false;
	minus = *v == '-';
	if (minus || *v == '+')
		v++;
	if (*v == '\0')
		return false;
	for (; *v != '\0'; v++) {
		int digit = *v - '0';

		if (!isdigit((unsigned char)*v))
			return false;
		if (minus)
			n = n < (INT64_MIN + digit) / 10 ? INT64_MIN :
			    n * 10 - digit;
		else
			n = n > (INT64_MAX - digit) / 10 ? INT64_MAX :
			    n * 10 + digit;
	}
	*out = n;
	return true;
}

/* Infinity and NaN are numbers too, as for the reference. */
static bool
parse_float(const char *text, double *out)
{
	char number[NUMBER_MAX], *end;

	if (!plain_number(number, text) || number[0] == '\0' ||
	    strpbrk(number, "xX(_") != NULL)
		return false;
	*out = strtod(number, &end);
	return *end == '\0';
}

/* A value that is none; unlike elsewhere, ';' begins no comment. */
static void
bad_value(const struct conf_reader *r, const char *key, const char *v,
    const char *hint)
{
	char more[160];

	(void)snprintf(more, sizeof(more), "%s%s", hint, strchr(v, ';') !=
	    NULL ? "; a comment begins with #" : "");
	mistake_add(r->m, conf_line(r, key), 1, more, "\"%s\" cannot be \"%s\"",
	    key, v);
}

int
conf_get_int(const struct conf_reader *r, const char *key, int64_t min, int64_t max,
    int64_t *out)
{
	const char *v;
	int64_t n;
	int rc;

	if ((rc = conf_get_text(r, key, &v)) <= 0)
		return rc;
	if (!parse_int(v, &n) || n < min || n > max) {
		char hint[100];

		if (min == INT64_MIN)
			(void)snprintf(hint, sizeof(hint), "a whole number: 0 says least, 8 most");
		else if (max == INT64_MAX)
			(void)snprintf(hint, sizeof(hint),
			    "a whole number from %lld on", (long long)min);
		else
			(void)snprintf(hint, sizeof(hint),
			    "a whole number from %lld to %lld", (long long)min,
			    (long long)max);
		bad_value(r, key, v, hint);
		return -1;
	}
	*out = n;
	return 1;
}

int
conf_get_float(const struct conf_reader *r, const char *key, double *out)
{
	const char *v;
	double d;
	int rc;

	if ((rc = conf_get_text(r, key, &v)) <= 0)
		return rc;
	if (!parse_float(v, &d)) {
		bad_value(r, key, v, "a number such as 2 or 2.5");
		return -1;
	}
	*out = d;
	return 1;
}

const char *
conf_nearest(const struct conf_reader *r, const char *key)
{
	return nearest_word(key, r->asked->key, r->asked->n);
}

const struct conf_entry *
conf_misspelt(const struct conf_reader *r, const char *key)
{
	const struct conf_entry *e;
	const char *near;

	TAILQ_FOREACH(e, &r->sec->entries, link)
		if (!e->used && (near = conf_nearest(r, e->key)) != NULL &&
		    strcmp(near, key) == 0)
			return e;
	return NULL;
}
