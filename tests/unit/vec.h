/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_VEC_H
#define WARREN_TESTS_UNIT_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/*
 * Golden vectors for the unit tests. Every call fails the running test when
 * the file, the key or the type is not what it says. All memory belongs to
 * this module and lives until the program ends, and each buffer is allocated
 * at its exact size, so that a sanitizer sees a read behind it.
 */

/* $VECTORS/NAME (a whole file name) */
json_t *vec_load(const char *name);
/* The array under key; use with json_array_foreach(). */
json_t *vec_array(const json_t *o, const char *key);

bool vec_is_null(const json_t *o, const char *key); /* absent or null */
bool vec_bool(const json_t *o, const char *key);
int64_t vec_int(const json_t *o, const char *key);
double vec_number(const json_t *o, const char *key);
const char *vec_str(const json_t *o, const char *key);
/* Hex text to bytes; NULL with *n 0 when absent or null; never NULL else. */
uint8_t *vec_bytes(const json_t *o, const char *key, size_t *n);
/* Hex of exactly n bytes into out. */
void vec_exact(const json_t *o, const char *key, void *out, size_t n);
uint8_t *vec_unhex(const char *text, size_t *n);

/* A copy of its own; and n undefined bytes. */
uint8_t *vec_copy(const void *p, size_t n);
uint8_t *vec_alloc(size_t n);

/*
 * Calls fn with every strict prefix of the data, and with the data once for
 * each of its bits, that bit turned. fn gets a buffer of exactly n bytes.
 */
typedef void vec_fn(void *arg, const uint8_t *data, size_t n);
void vec_each_prefix(const uint8_t *data, size_t n, vec_fn *, void *arg);
void vec_each_flip(const uint8_t *data, size_t n, vec_fn *, void *arg);

/* assert_memory_equal() of lengths too, with NULL equal to nothing. */
#define vec_equal(a, an, b, bn)                                                \
	do {                                                                   \
		assert_int_equal(an, bn);                                      \
		if ((bn) > 0)                                                  \
			assert_memory_equal(a, b, bn);                         \
	} while (0)

#endif
