/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/jdoc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define NUMBER_MAX 17 /* '-' and 16 digits */

/* ---- before jansson ---- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* An integer within 2^53-1 without -0, or 0.d{1,3} without a trailing zero. */
static bool
number_ok(const char *t, size_t n)
{
	bool minus = n > 0 && t[0] == '-';
	uint64_t v = 0;

	if (n > 2 && t[0] == '0' && t[1] == '.') {
		if (n > 5 || t[n - 1] == '0')
			return false;
		for (size_t i = 2; i < n; i++)
			if (!is_digit(t[i]))
				return false;
		return true;
	}
	if (minus) {
		t++;
		n--;
	}
	if (n < 1 || n >= NUMBER_MAX || (t[0] == '0' && (n > 1 || minus)))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(t[i]))
			return false;
		v = v * 10 + (uint64_t)(t[i] - '0');
	}
	return v <= (uint64_t)JDOC_INT_MAX;
}

static bool
is_number_char(char c)
{
	return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' ||
	    c == 'E';
}

/* NULL, or what is wrong. Grammar itself is jansson's. any: of numbers. */
static const char *
scan(const char *t, size_t len, unsigned most, bool any)
{
	unsigned depth = 0;
	size_t i = 0;

	while (i < len) {
		char c = t[i];

		if (c == '"') {
			for (i++; i < len && t[i] != '"'; i++)
				if (t[i] == '\\')
					i++;
			if (i >= len)
				return "a text does not end";
			i++;
		} else if (c == '{' || c == '[') {
			if (++depth > most)
				return any ? "too deep" : "deeper than 16";
			i++;
		} else if (c == '}' || c == ']') {
			if (depth-- == 0)
				return "a bracket too many";
			i++;
		} else if (is_digit(c) || c == '-') {
			size_t from = i;

			while (i < len && is_number_char(t[i]))
				i++;
			if (!any && !number_ok(t + from, i - from))
				return "a number out of the profile";
		} else {
			i++;
		}
	}
	return NULL;
}

static json_t *
load(const void *text, size_t len, size_t flags, const char **why)
{
	json_error_t err;
	json_t *v = json_loadb(text, len, flags | JSON_REJECT_DUPLICATES, &err);

	if (v == NULL && json_error_code(&err) == json_error_duplicate_key)
		*why = "a member twice";
	else if (v == NULL)
		*why = json_error_code(&err) == json_error_numeric_overflow ?
		    "a number of more than 64 bits" : "not JSON";
	return v;
}

json_t *
jdoc_parse(const void *text, size_t len, size_t max, const char **why)
{
	if (len > max) {
		*why = "too large";
		return NULL;
	}
	if ((*why = scan(text, len, JDOC_DEPTH, false)) != NULL)
		return NULL;
	return load(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, why);
}

json_t *
jdoc_parse_any(const void *text, size_t len, size_t max, unsigned depth,
    const char **why)
{
	if (len > max) {
		*why = "too large";
		return NULL;
	}
	if ((*why = scan(text, len, depth, true)) != NULL)
		return NULL;
	return load(text, len, 0, why);
}

json_t *
jdoc_parse_canonical(const void *text, size_t len, size_t max, const char **why)
{
	json_t *v = jdoc_parse(text, len, max, why);
	char *canon;
	size_t n;
	bool same;

	if (v == NULL)
		return NULL;
	canon = jdoc_canonical(v, &n);
	same = canon != NULL && n == len && memcmp(canon, text, len) == 0;
	free(canon);
	if (!same) {
		*why = "not in canonical form";
		json_decref(v);
		return NULL;
	}
	return v;
}

/* ---- canonical form ---- */

struct out {
	char *p;
	size_t n, cap;
	bool failed;
};

static void
put(struct out *o, const char *s, size_t n)
{
	if (o->failed)
		return;
	if (o->cap - o->n <= n) {
		size_t cap = o->cap * 2 + n + 64;
		char *p = realloc(o->p, cap);

		if (p == NULL) {
			o->failed = true;
			return;
		}
		o->p = p;
		o->cap = cap;
	}
	memcpy(o->p + o->n, s, n);
	o->n += n;
}

static void
put_char(struct out *o, char c)
{
	put(o, &c, 1);
}

static void
put_text(struct out *o, const char *s, size_t n)
{
	static const char esc[] = "btn\0fr"; /* 0x08 to 0x0d */
	size_t from = 0;

	put_char(o, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		char u[7];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		put(o, s + from, i - from);
		from = i + 1;
		if (c == '"' || c == '\\') {
			u[0] = '\\';
			u[1] = (char)c;
			put(o, u, 2);
		} else if (c >= 0x08 && c <= 0x0d && c != 0x0b) {
			u[0] = '\\';
			u[1] = esc[c - 0x08];
			put(o, u, 2);
		} else {
			(void)snprintf(u, sizeof(u), "\\u%04x", c);
			put(o, u, 6);
		}
	}
	put(o, s + from, n - from);
	put_char(o, '"');
}

/*
 * UTF-16 order of UTF-8 texts: as bytes, but what UTF-16 writes with
 * surrogates (lead bytes f0 and up) comes before U+E000 to U+FFFF (ee, ef).
 */
static int
key_cmp(const void *a, const void *b)
{
	const char *const *ka = a, *const *kb = b;
	const unsigned char *x = (const unsigned char *)*ka;
	const unsigned char *y = (const unsigned char *)*kb;

	while (*x != '\0' && *x == *y) {
		x++;
		y++;
	}
	if (*x >= 0xf0 && (*y == 0xee || *y == 0xef))
		return -1;
	if (*y >= 0xf0 && (*x == 0xee || *x == 0xef))
		return 1;
	return (int)*x - (int)*y;
}

static void put_value(struct out *, const json_t *, unsigned depth);

static void
put_object(struct out *o, const json_t *v, unsigned depth)
{
	size_t n = json_object_size(v), i = 0;
	const char **keys = calloc(n + 1, sizeof(*keys));
	const char *key;
	json_t *member, *obj = (json_t *)(uintptr_t)v; /* iterators want it */

	if (keys == NULL) {
		o->failed = true;
		return;
	}
	json_object_foreach(obj, key, member)
		keys[i++] = key;
	qsort(keys, n, sizeof(*keys), key_cmp);
	put_char(o, '{');
	for (i = 0; i < n; i++) {
		if (i > 0)
			put_char(o, ',');
		put_text(o, keys[i], strlen(keys[i]));
		put_char(o, ':');
		put_value(o, json_object_get(v, keys[i]), depth + 1);
	}
	put_char(o, '}');
	free(keys);
}

static void
put_number(struct out *o, const json_t *v)
{
	char t[32];
	int n;

	if (json_is_integer(v)) {
		json_int_t i = json_integer_value(v);

		if (i > JDOC_INT_MAX || i < -JDOC_INT_MAX)
			o->failed = true;
		n = snprintf(t, sizeof(t), "%lld", (long long)i);
	} else {
		double d = json_real_value(v) * 1000;

		/* permille decimals only; the others are integers */
		if (!(d >= 0.5 && d < 999.5)) {
			o->failed = true;
			return;
		}
		n = snprintf(t, sizeof(t), "0.%03ld", lround(d));
		while (n > 3 && t[n - 1] == '0')
			n--;
	}
	put(o, t, (size_t)n);
}

static void
put_value(struct out *o, const json_t *v, unsigned depth)
{
	if (v == NULL || depth > JDOC_DEPTH + 1u) {
		o->failed = true;
		return;
	}
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		put_object(o, v, depth);
		break;
	case JSON_ARRAY:
		put_char(o, '[');
		for (size_t i = 0; i < json_array_size(v); i++) {
			if (i > 0)
				put_char(o, ',');
			put_value(o, json_array_get(v, i), depth + 1);
		}
		put_char(o, ']');
		break;
	case JSON_STRING:
		put_text(o, json_string_value(v), json_string_length(v));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		put_number(o, v);
		break;
	case JSON_TRUE:
		put(o, "true", 4);
		break;
	case JSON_FALSE:
		put(o, "false", 5);
		break;
	case JSON_NULL:
		put(o, "null", 4);
		break;
	}
}

char *
jdoc_canonical(const json_t *v, size_t *len)
{
	struct out o = {0};

	put_value(&o, v, 1);
	if (o.failed) {
		free(o.p);
		return NULL;
	}
	o.p[o.n] = '\0'; /* put() leaves room for it */
	*len = o.n;
	return o.p;
}

/* ---- members ---- */

bool
jdoc_text(const json_t *obj, const char *name, const char **s, size_t *n)
{
	const json_t *v = json_object_get(obj, name);

	if (!json_is_string(v))
		return false;
	*s = json_string_value(v);
	*n = json_string_length(v);
	return true;
}

bool
jdoc_uint(const json_t *obj, const char *name, uint64_t max, uint64_t *out)
{
	const json_t *v = json_object_get(obj, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    (uint64_t)json_integer_value(v) > max)
		return false;
	*out = (uint64_t)json_integer_value(v);
	return true;
}

bool
jdoc_crit(const json_t *obj, const char *const *known, size_t n)
{
	const json_t *v = json_object_get(obj, "crit");

	if (v != NULL && !json_is_array(v))
		return false;
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *s = json_string_value(json_array_get(v, i));
		bool found = false;

		for (size_t k = 0; s != NULL && k < n; k++)
			found |= strcmp(known[k], s) == 0;
		if (!found)
			return false;
	}
	return true;
}

bool
jdoc_hex(const json_t *v, uint8_t *out, size_t n)
{
	const char *s = json_string_value(v);

	if (s == NULL)
		return false;
	for (size_t i = 0; i < json_string_length(v); i++)
		if (s[i] >= 'A' && s[i] <= 'F')
			return false;
	return hex_decode(out, n, s, json_string_length(v));
}
