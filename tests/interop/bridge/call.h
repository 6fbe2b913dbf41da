/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_INTEROP_BRIDGE_CALL_H
#define WARREN_TESTS_INTEROP_BRIDGE_CALL_H

#include <jansson.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

/*
 * One request: its parameters, the answer as it grows, and what is given back
 * when it ends. A mistake of the caller, or an error of the library, leaves a
 * command by fail() from wherever it stands; nothing of a command may need its
 * own end, therefore: what it allocates it takes by call_alloc() or names to
 * call_defer().
 */
struct deferred;
struct call {
	const json_t *params;
	json_t *result;
	struct deferred *deferred;
	jmp_buf out;
	char why[300];
};

struct bytes {
	uint8_t *p;
	size_t n;
	bool set; /* false: not there, or null */
};

/* Runs f; the answer of a request, without its id. */
typedef void command_fn(struct call *);
json_t *call_run(command_fn *, const json_t *params);

_Noreturn void fail(struct call *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* fail() for what the library says, unless it is RNS_OK. */
void must(struct call *, int err, const char *what);
void *call_alloc(struct call *, size_t);
void call_defer(struct call *, void (*)(void *), void *);

/* ---- parameters: absent or of another type is a mistake ---- */

bool has(const struct call *, const char *key); /* and is not null */
struct bytes arg(struct call *, const char *key);
struct bytes arg_opt(struct call *, const char *key);
/* Of just so many bytes. */
const uint8_t *arg_n(struct call *, const char *key, size_t n);
struct hash16 arg_hash(struct call *, const char *key);
const char *arg_str(struct call *, const char *key);
const char *arg_str_or(struct call *, const char *key, const char *other);
bool arg_is(struct call *, const char *key, const char *text);
int64_t arg_int(struct call *, const char *key, int64_t lo, int64_t hi);
int64_t arg_int_or(struct call *, const char *key, int64_t lo, int64_t hi,
    int64_t other);
double arg_num_or(struct call *, const char *key, double other);
bool arg_bool(struct call *, const char *key, bool other);
/* A list of hex, each of n bytes, side by side. */
struct bytes arg_list(struct call *, const char *key, size_t n);
/* app_name and aspects as "app.aspect"; a dot in one is a mistake. */
const char *arg_name(struct call *);

/* ---- the answer ---- */

void put(struct call *, const char *key, json_t *); /* takes it */
void put_hex(struct call *, const char *key, const void *, size_t);
void put_bytes(struct call *, const char *key, struct bytes); /* or null */
void put_str(struct call *, const char *key, const char *);
void put_int(struct call *, const char *key, int64_t);
void put_num(struct call *, const char *key, double);
void put_bool(struct call *, const char *key, bool);
void put_null(struct call *, const char *key);
json_t *hex_json(const void *, size_t);

/* ---- a context of the library for one command ---- */

void rand_fill(void *, uint8_t *, size_t);
/* For as long as the command runs; wall_us: the time it starts with. */
struct rns *scratch(struct call *, int64_t wall_us);
/* The one that lives as long as the bridge. */
struct rns *session(struct call *);
struct mono mono_here(void);
int64_t wall_here(void);

#endif
