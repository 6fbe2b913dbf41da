/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/sigtext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/b64.h"
#include "trust/doc/jdoc.h"

#define B64 sodium_base64_VARIANT_ORIGINAL

const json_t *
sigtext_member(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return json_is_null(v) ? NULL : v;
}

uint8_t *
sigtext_value(const json_t *v, size_t max, size_t *len)
{
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);
	uint8_t *p;

	if (s == NULL || n == 0 || n / 4 > max / 3 + 1 || (p = malloc(max)) == NULL)
		return NULL;
	if (b64_get(p, max, s, n, len, B64) && *len > 0)
		return p;
	free(p);
	return NULL;
}

uint8_t *
sigtext_bytes(const json_t *o, const char *name, size_t max, size_t *len)
{
	return sigtext_value(json_object_get(o, name), max, len);
}

bool
sigtext_is(const json_t *o, const char *name, const void *want, size_t len)
{
	size_t n;
	uint8_t *p = sigtext_bytes(o, name, len, &n);
	bool is = p != NULL && n == len && memcmp(p, want, len) == 0;

	free(p);
	return is;
}

bool
sigtext_number(const json_t *o, const char *name, int64_t *out)
{
	const json_t *v = json_object_get(o, name);
	const char *s = json_string_value(v);
	int64_t n = 0;

	if (json_is_integer(v) && json_integer_value(v) >= 0) {
		*out = json_integer_value(v);
		return true;
	}
	if (s == NULL || *s == '\0' || strlen(s) > 18 ||
	    (s[0] == '0' && s[1] != '\0'))
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		n = n * 10 + (*s - '0');
	}
	*out = n;
	return true;
}

/* Days since 1970 of the first of March of that year, and from there. */
static int64_t
days(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 +
	    day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

static int
days_in(int year, int month)
{
	static const int n[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return n[month - 1] + (month == 2 && leap);
}

static bool
digits(const char **s, unsigned n, char behind, int *out)
{
	*out = 0;
	for (; n > 0; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		*out = *out * 10 + (**s - '0');
	}
	return behind == '\0' || *(*s)++ == behind;
}

bool
sigtext_time(int64_t *out, const json_t *o, const char *name)
{
	int y, mo, d, h, mi, sec;
	const char *s;
	size_t n;

	if (!jdoc_text(o, name, &s, &n) || !digits(&s, 4, '-', &y) ||
	    !digits(&s, 2, '-', &mo) || !digits(&s, 2, 'T', &d) ||
	    !digits(&s, 2, ':', &h) || !digits(&s, 2, ':', &mi) ||
	    !digits(&s, 2, '\0', &sec))
		return false;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++)
			;
	if (strcmp(s, "Z") != 0 || mo < 1 || mo > 12 || d < 1 ||
	    d > days_in(y, mo) || h > 23 || mi > 59 || sec > 60)
		return false;
	*out = days(y, mo, d) * 86400 + h * 3600 + mi * 60 + sec;
	return true;
}

static bool
step_over(const char **s, const char *end, const char *fmt, const char *word)
{
	char want[64];
	int n = snprintf(want, sizeof(want), fmt, word);

	if (n < 0 || n >= (int)sizeof(want) || end - *s < n ||
	    memcmp(*s, want, (size_t)n) != 0)
		return false;
	*s += n;
	return true;
}

uint8_t *
sigtext_pem(const char *s, size_t len, const char *word, size_t max,
    size_t *out_len)
{
	const char *end = s + len, *to;
	uint8_t *p;

	if (!step_over(&s, end, "-----BEGIN %s-----", word) ||
	    (p = malloc(max)) == NULL)
		return NULL;
	if (b64_get_lines(p, max, s, (size_t)(end - s), out_len, &to) &&
	    *out_len > 0 &&
	    step_over(&to, end, "-----END %s-----", word)) {
		while (to < end && strchr(" \r\n\t", *to) != NULL &&
		    *to != '\0')
			to++;
		if (to == end)
			return p;
	}
	free(p);
	return NULL;
}
