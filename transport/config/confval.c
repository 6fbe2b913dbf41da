/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/confval.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
conf_get_text(const struct conf_reader *r, const char *key, const char **out)
{
	struct conf_entry *e;

	if ((e = conf_entry(r->sec, key)) == NULL)
		return 0;
	e->used = true;
	if (e->list) {
		conf_error(r->err, e->line, "put a value with a comma into "
		    "quotes", "\"%s\" takes one value, not a list", key);
		return -1;
	}
	*out = conf_value(r->tree, r->sec, e, 0, r->err);
	return *out == NULL ? -1 : 1;
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
	conf_error(r->err, conf_line(r, key), "write yes or no",
	    "\"%s\" is yes or no, not \"%s\"", key, v);
	return -1;
}

static bool
parse_int(const char *v, int64_t *out)
{
	char digits[24];
	size_t n = 0;
	char *end;

	if (*v == '+' || *v == '-')
		digits[n++] = *v++;
	if (!isdigit((unsigned char)*v))
		return false;
	for (; *v != '\0'; v++) {
		if (*v == '_' && isdigit((unsigned char)v[1]))
			continue;
		if (!isdigit((unsigned char)*v) || n >= sizeof(digits) - 1)
			return false;
		digits[n++] = *v;
	}
	digits[n] = '\0';
	errno = 0;
	*out = strtoll(digits, &end, 10);
	return errno == 0 && *end == '\0';
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

		(void)snprintf(hint, sizeof(hint),
		    "a whole number from %lld to %lld", (long long)min,
		    (long long)max);
		conf_error(r->err, conf_line(r, key), hint,
		    "\"%s\" cannot be \"%s\"", key, v);
		return -1;
	}
	*out = n;
	return 1;
}

int
conf_get_float(const struct conf_reader *r, const char *key, double *out)
{
	const char *v;
	char *end;
	double d;
	int rc;

	if ((rc = conf_get_text(r, key, &v)) <= 0)
		return rc;
	d = strtod(v, &end);
	if (*v == '\0' || *end != '\0' || !isfinite(d) ||
	    strpbrk(v, "xX") != NULL) {
		conf_error(r->err, conf_line(r, key), "a number such as 2 or "
		    "2.5", "\"%s\" cannot be \"%s\"", key, v);
		return -1;
	}
	*out = d;
	return 1;
}
