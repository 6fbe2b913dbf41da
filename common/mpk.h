/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_MPK_H
#define WARREN_COMMON_MPK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

/*
 * MessagePack (14) on libmpack's tokenizer: a reader that walks, a writer that
 * emits what the reference does. Nothing allocates. The reader refuses code
 * c1, invalid UTF-8 in str, lengths beyond the input and nesting over
 * MPK_DEPTH; duplicate map keys are the caller's to see (mpk_skip does look).
 */
#define MPK_DEPTH 16

enum mpk_type {
	MPK_NIL,
	MPK_BOOL,
	MPK_UINT, /* u */
	MPK_INT,  /* negative: i */
	MPK_FLOAT, /* d, also float32 */
	MPK_STR,  /* p, n */
	MPK_BIN,  /* p, n */
	MPK_ARRAY, /* n elements follow */
	MPK_MAP,  /* n pairs follow */
	MPK_EXT,  /* p, n */
};

struct mpk {
	enum mpk_type type;
	union {
		bool b;
		uint64_t u;
		int64_t i;
		double d;
		struct {
			const uint8_t *p;
			size_t n;
		};
	};
};

/* One token; a container's elements follow. false: malformed or truncated. */
bool mpk_get(struct rd *, struct mpk *);
/* One whole value, checked to its depth. */
bool mpk_skip(struct rd *);
/* One whole value as bytes. */
bool mpk_value(struct rd *, const uint8_t **p, size_t *n);
/* Exact forms; false without moving the cursor when it is another type. */
bool mpk_get_nil(struct rd *);
bool mpk_get_bool(struct rd *, bool *);
bool mpk_get_uint(struct rd *, uint64_t *);
bool mpk_get_number(struct rd *, double *); /* int or float */
bool mpk_get_bin(struct rd *, const uint8_t **p, size_t *n);
bool mpk_get_bin_exact(struct rd *, void *dst, size_t n);
bool mpk_get_str(struct rd *, const char **p, size_t *n);
bool mpk_get_array(struct rd *, size_t *n);
bool mpk_get_map(struct rd *, size_t *n);
bool mpk_str_is(const struct mpk *, const char *);

void mpk_put_nil(struct wr *);
void mpk_put_bool(struct wr *, bool);
void mpk_put_uint(struct wr *, uint64_t);
void mpk_put_int(struct wr *, int64_t);
void mpk_put_double(struct wr *, double);
void mpk_put_str(struct wr *, const char *);
void mpk_put_strn(struct wr *, const char *, size_t);
void mpk_put_bin(struct wr *, const void *, size_t);
/* Header only; n bytes are then written behind it. */
void mpk_put_bin_head(struct wr *, size_t n);
void mpk_put_array(struct wr *, size_t n);
void mpk_put_map(struct wr *, size_t n);
void mpk_put_raw(struct wr *, const void *, size_t); /* packed already */

#endif
