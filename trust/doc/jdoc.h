/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_JDOC_H
#define WARREN_TRUST_DOC_JDOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/*
 * The JSON profile of klp.md 0 and its canonical form (RFC 8785). Size, depth
 * and the spelling of every number are checked before jansson sees a byte, so
 * nothing recurses deeper than JDOC_DEPTH and no number is rounded; duplicate
 * members, trailing bytes, bad UTF-8 and lone surrogates are refused by it.
 * Stricter than the profile in one thing: a member's name holds no U+0000.
 */
#define JDOC_DEPTH 16 /* the outermost value is 1 */
#define JDOC_INT_MAX INT64_C(9007199254740991)

/*
 * NULL: *why is a literal that says what is wrong. The caller puts the value
 * back with json_decref(). max: most bytes of text.
 */
json_t *jdoc_parse(const void *text, size_t len, size_t max, const char **why);
/* The same, and the text must be the canonical form of its value. */
json_t *jdoc_parse_canonical(const void *text, size_t len, size_t max,
    const char **why);
/*
 * JSON of others: no deeper than that, no member twice, no U+0000; numbers may
 * be any that jansson reads.
 */
json_t *jdoc_parse_any(const void *text, size_t len, size_t max,
    unsigned depth, const char **why);

/*
 * The canonical form in an own allocation (NUL behind it, not counted). NULL:
 * no memory, deeper than JDOC_DEPTH, or a number that the profile has not.
 */
char *jdoc_canonical(const json_t *, size_t *len);

/* Members by kind: false when absent or of another kind. */
bool jdoc_text(const json_t *obj, const char *name, const char **s, size_t *n);
/* A member that is an integer from 0 to max; false leaves the value alone. */
bool jdoc_uint(const json_t *obj, const char *name, uint64_t max, uint64_t *);
/*
 * klp.md 2: false when its `crit` is no list of names, or has one that is not
 * among the known; absent is fine.
 */
bool jdoc_crit(const json_t *obj, const char *const *known, size_t n);
/* Lower-case hex of exactly n bytes. */
bool jdoc_hex(const json_t *value, uint8_t *out, size_t n);

#endif
