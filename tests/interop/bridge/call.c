/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/interop/bridge/call.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/util.h"

struct deferred {
	struct deferred *next;
	void (*end)(void *);
	void *what;
};

json_t *
call_run(command_fn *f, const json_t *params)
{
	struct call c = {.params = params, .result = json_object()};
	struct deferred *d;
	json_t *answer;

	if (setjmp(c.out) == 0) {
		f(&c);
		answer = json_pack("{s:b, s:O}", "success", 1, "result",
		    c.result);
	} else {
		answer = json_pack("{s:b, s:s}", "success", 0, "error",
		    c.why);
	}
	json_decref(c.result);
	while ((d = c.deferred) != NULL) {
		c.deferred = d->next;
		d->end(d->what);
		free(d);
	}
	return answer;
}

void
fail(struct call *c, const char *fmt, ...)
{
	char text[sizeof(c->why)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)text_escape(c->why, sizeof(c->why), text, strlen(text));
	longjmp(c->out, 1);
}

void
must(struct call *c, int err, const char *what)
{
	if (err != RNS_OK)
		fail(c, "ValueError: %s: %s", what, rns_strerror(err));
}

void
call_defer(struct call *c, void (*end)(void *), void *what)
{
	struct deferred *d = malloc(sizeof(*d));

	if (d == NULL) {
		end(what);
		fail(c, "MemoryError");
	}
	*d = (struct deferred){c->deferred, end, what};
	c->deferred = d;
}

void *
call_alloc(struct call *c, size_t n)
{
	void *p = calloc(1, n > 0 ? n : 1);

	if (p == NULL)
		fail(c, "MemoryError");
	call_defer(c, free, p);
	return p;
}

/* ---- parameters ---- */

static const json_t *
param(struct call *c, const char *key)
{
	const json_t *v = json_object_get(c->params, key);

	if (v == NULL || json_is_null(v))
		fail(c, "KeyError: '%s'", key);
	return v;
}

bool
has(const struct call *c, const char *key)
{
	const json_t *v = json_object_get(c->params, key);

	return v != NULL && !json_is_null(v);
}

static struct bytes
unhex(struct call *c, const json_t *v, const char *key)
{
	struct bytes b = {.set = true};
	size_t len = json_string_length(v);

	if (!json_is_string(v) || len % 2 != 0)
		fail(c, "ValueError: %s is no hexadecimal text", key);
	b.n = len / 2;
	b.p = call_alloc(c, b.n);
	if (!hex_decode(b.p, b.n, json_string_value(v), len))
		fail(c, "ValueError: %s is no hexadecimal text", key);
	return b;
}

struct bytes
arg(struct call *c, const char *key)
{
	return unhex(c, param(c, key), key);
}

struct bytes
arg_opt(struct call *c, const char *key)
{
	return has(c, key) ? arg(c, key) : (struct bytes){.set = false};
}

const uint8_t *
arg_n(struct call *c, const char *key, size_t n)
{
	struct bytes b = arg(c, key);

	if (b.n != n)
		fail(c, "ValueError: %s has %zu bytes, not %zu", key, b.n, n);
	return b.p;
}

struct hash16
arg_hash(struct call *c, const char *key)
{
	return *hash16_at(arg_n(c, key, RNS_HASH));
}

const char *
arg_str(struct call *c, const char *key)
{
	const char *s = json_string_value(param(c, key));

	if (s == NULL)
		fail(c, "TypeError: %s is no text", key);
	return s;
}

const char *
arg_str_or(struct call *c, const char *key, const char *other)
{
	return has(c, key) ? arg_str(c, key) : other;
}

bool
arg_is(struct call *c, const char *key, const char *text)
{
	return strcmp(arg_str(c, key), text) == 0;
}

int64_t
arg_int(struct call *c, const char *key, int64_t lo, int64_t hi)
{
	const json_t *v = param(c, key);

	if (!json_is_integer(v))
		fail(c, "TypeError: %s is no whole number", key);
	if (json_integer_value(v) < lo || json_integer_value(v) > hi)
		fail(c, "ValueError: %s is out of its range", key);
	return json_integer_value(v);
}

int64_t
arg_int_or(struct call *c, const char *key, int64_t lo, int64_t hi,
    int64_t other)
{
	return has(c, key) ? arg_int(c, key, lo, hi) : other;
}

double
arg_num_or(struct call *c, const char *key, double other)
{
	if (!has(c, key))
		return other;
	if (!json_is_number(param(c, key)))
		fail(c, "TypeError: %s is no number", key);
	return json_number_value(param(c, key));
}

bool
arg_bool(struct call *c, const char *key, bool other)
{
	if (!has(c, key))
		return other;
	if (!json_is_boolean(param(c, key)))
		fail(c, "TypeError: %s is neither true nor false", key);
	return json_is_true(param(c, key));
}

struct bytes
arg_list(struct call *c, const char *key, size_t n)
{
	struct bytes list = {.set = has(c, key)}, one;
	const json_t *v;

	if (!list.set)
		return list;
	v = param(c, key);
	if (!json_is_array(v))
		fail(c, "TypeError: %s is no list", key);
	list.n = json_array_size(v) * n;
	list.p = call_alloc(c, list.n);
	for (size_t i = 0; i < json_array_size(v); i++) {
		one = unhex(c, json_array_get(v, i), key);
		if (one.n != n)
			fail(c, "ValueError: an entry of %s has %zu bytes, "
			    "not %zu", key, one.n, n);
		memcpy(list.p + i * n, one.p, n);
	}
	return list;
}

const char *
arg_name(struct call *c)
{
	const char *app = arg_str(c, "app_name"), *part;
	const json_t *list = json_object_get(c->params, "aspects");
	size_t n = strlen(app) + 1, at;
	char *name;

	if (strchr(app, '.') != NULL)
		fail(c, "ValueError: a dot in app_name");
	for (size_t i = 0; i < json_array_size(list); i++) {
		part = json_string_value(json_array_get(list, i));
		if (part == NULL || strchr(part, '.') != NULL)
			fail(c, "ValueError: a dot in an aspect");
		n += strlen(part) + 1;
	}
	name = call_alloc(c, n);
	at = (size_t)snprintf(name, n, "%s", app);
	for (size_t i = 0; i < json_array_size(list); i++)
		at += (size_t)snprintf(name + at, n - at, ".%s",
		    json_string_value(json_array_get(list, i)));
	return name;
}

/* ---- the answer ---- */

void
put(struct call *c, const char *key, json_t *v)
{
	if (json_object_set_new(c->result, key, v) < 0)
		fail(c, "ValueError: %s cannot be written as JSON", key);
}

json_t *
hex_json(const void *p, size_t n)
{
	char *text = malloc(2 * n + 1);
	json_t *v;

	if (text == NULL)
		return NULL;
	hex_encode(text, p, n);
	v = json_string(text);
	free(text);
	return v;
}

void
put_hex(struct call *c, const char *key, const void *p, size_t n)
{
	put(c, key, hex_json(p, n));
}

void
put_bytes(struct call *c, const char *key, struct bytes b)
{
	put(c, key, b.set ? hex_json(b.p, b.n) : json_null());
}

void
put_str(struct call *c, const char *key, const char *s)
{
	put(c, key, s != NULL ? json_string(s) : json_null());
}

void
put_int(struct call *c, const char *key, int64_t n)
{
	put(c, key, json_integer(n));
}

void
put_num(struct call *c, const char *key, double n)
{
	put(c, key, json_real(n));
}

void
put_bool(struct call *c, const char *key, bool yes)
{
	put(c, key, json_boolean(yes));
}

void
put_null(struct call *c, const char *key)
{
	put(c, key, json_null());
}

/* ---- contexts ---- */

void
rand_fill(void *arg, uint8_t *out, size_t n)
{
	(void)arg;
	randombytes_buf(out, n);
}

static int64_t
clock_us(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * MONO_SECOND + t.tv_nsec / 1000;
}

struct mono
mono_here(void)
{
	return (struct mono){clock_us(CLOCK_MONOTONIC)};
}

int64_t
wall_here(void)
{
	return clock_us(CLOCK_REALTIME);
}

static struct rns *
context_new(int64_t wall_us)
{
	struct rns_config cfg = {.random = rand_fill, .wall_us = wall_us,
	    .implicit_proof = true, .link_mtu_discovery = true};

	rns_limits_default(&cfg.limits);
	cfg.limits.hashes = 1000;
	randombytes_buf(cfg.identity, sizeof(cfg.identity));
	return rns_new(&cfg, mono_here());
}

static void
context_end(void *r)
{
	rns_free(r);
}

struct rns *
scratch(struct call *c, int64_t wall_us)
{
	struct rns *r = context_new(wall_us);

	if (r == NULL)
		fail(c, "MemoryError");
	call_defer(c, context_end, r);
	return r;
}

struct rns *
session(struct call *c)
{
	static struct rns *r;

	if (r == NULL)
		r = context_new(wall_here());
	if (r == NULL)
		fail(c, "MemoryError");
	return r;
}
