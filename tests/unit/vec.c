/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "tests/unit/vec.h"

struct chunk {
	SLIST_ENTRY(chunk) entry;
	void *p;
	json_t *json;
};

static SLIST_HEAD(, chunk) chunks = SLIST_HEAD_INITIALIZER(chunks);

static void
release(void)
{
	struct chunk *c;

	while ((c = SLIST_FIRST(&chunks)) != NULL) {
		SLIST_REMOVE_HEAD(&chunks, entry);
		free(c->p);
		json_decref(c->json);
		free(c);
	}
}

static void
keep(void *p, json_t *json)
{
	struct chunk *c = malloc(sizeof(*c));

	if (c == NULL)
		fail_msg("out of memory");
	if (SLIST_EMPTY(&chunks))
		(void)atexit(release);
	*c = (struct chunk){.p = p, .json = json};
	SLIST_INSERT_HEAD(&chunks, c, entry);
}

uint8_t *
vec_alloc(size_t n)
{
	uint8_t *p = malloc(n > 0 ? n : 1);

	if (p == NULL)
		fail_msg("out of memory");
	keep(p, NULL);
	return p;
}

uint8_t *
vec_copy(const void *src, size_t n)
{
	uint8_t *p = vec_alloc(n);

	if (n > 0)
		memcpy(p, src, n);
	return p;
}

json_t *
vec_load(const char *name)
{
	const char *dir = getenv("VECTORS");
	char path[1024];
	json_error_t err;
	json_t *root;

	(void)snprintf(path, sizeof(path), "%s/%s",
	    dir != NULL ? dir : "tests/vectors", name);
	root = json_load_file(path, 0, &err);
	if (root == NULL)
		fail_msg("%s:%d: %s", path, err.line, err.text);
	keep(NULL, root);
	return root;
}

static json_t *
get(const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (v == NULL)
		fail_msg("vector has no key %s", key);
	return v;
}

json_t *
vec_array(const json_t *o, const char *key)
{
	json_t *v = get(o, key);

	if (!json_is_array(v))
		fail_msg("%s is no array", key);
	return v;
}

bool
vec_is_null(const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return v == NULL || json_is_null(v);
}

bool
vec_bool(const json_t *o, const char *key)
{
	json_t *v = get(o, key);

	if (!json_is_boolean(v))
		fail_msg("%s is no boolean", key);
	return json_is_true(v);
}

int64_t
vec_int(const json_t *o, const char *key)
{
	json_t *v = get(o, key);

	if (!json_is_integer(v))
		fail_msg("%s is no integer", key);
	return json_integer_value(v);
}

double
vec_number(const json_t *o, const char *key)
{
	json_t *v = get(o, key);

	if (!json_is_number(v))
		fail_msg("%s is no number", key);
	return json_number_value(v);
}

const char *
vec_str(const json_t *o, const char *key)
{
	json_t *v = get(o, key);

	if (!json_is_string(v))
		fail_msg("%s is no text", key);
	return json_string_value(v);
}

uint8_t *
vec_unhex(const char *text, size_t *n)
{
	size_t len = strlen(text);
	uint8_t *p = vec_alloc(len / 2);

	if (!hex_decode(p, len / 2, text, len))
		fail_msg("bad hex: %.40s", text);
	*n = len / 2;
	return p;
}

uint8_t *
vec_bytes(const json_t *o, const char *key, size_t *n)
{
	*n = 0;
	if (vec_is_null(o, key))
		return NULL;
	return vec_unhex(vec_str(o, key), n);
}

void
vec_exact(const json_t *o, const char *key, void *out, size_t n)
{
	const char *s = vec_str(o, key);

	if (!hex_decode(out, n, s, strlen(s)))
		fail_msg("%s is not %zu bytes of hex", key, n);
}

void
vec_each_prefix(const uint8_t *data, size_t n, vec_fn *fn, void *arg)
{
	for (size_t len = 0; len < n; len++) {
		uint8_t *p = malloc(len > 0 ? len : 1);

		if (p == NULL)
			fail_msg("out of memory");
		if (len > 0)
			memcpy(p, data, len);
		fn(arg, p, len);
		free(p);
	}
}

void
vec_each_flip(const uint8_t *data, size_t n, vec_fn *fn, void *arg)
{
	uint8_t *p = vec_copy(data, n);

	for (size_t bit = 0; bit < n * 8; bit++) {
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		fn(arg, p, n);
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
