/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_UTIL_H
#define WARREN_COMMON_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#define NELEM(a) (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

/* libbsd's RB_*_STATIC do not compile; ours are per file, and may go unused. */
#define TREE_PROTOTYPE(name, type, field, cmp)                                 \
	RB_PROTOTYPE_INTERNAL(name, type, field, cmp,                          \
	    static __attribute__((unused)))
#define TREE_GENERATE(name, type, field, cmp)                                  \
	RB_GENERATE_INTERNAL(name, type, field, cmp,                           \
	    static __attribute__((unused)))

/* out has room for 2 * n + 1 characters; lower case, NUL at the end. */
void hex_encode(char *out, const uint8_t *in, size_t n);
/* Exactly 2 * n hex digits of either case; false leaves out undefined. */
bool hex_decode(uint8_t *out, size_t n, const char *in, size_t in_len);

/*
 * Copy text of strangers into dst (capacity cap, NUL at the end): printable
 * ASCII and valid UTF-8 without control characters stay, everything else
 * becomes \xNN. Returns the length; cut where it would not fit.
 */
size_t text_escape(char *dst, size_t cap, const void *src, size_t n);
/*
 * The same for a text that may hold names which are escaped already: whoever has
 * a name escapes it, all who pass its sentence on do this. A backslash stays one.
 */
size_t text_printable(char *dst, size_t cap, const void *src, size_t n);
/* In place: "\040" and its like, which stand for blanks in mountinfo. */
void octal_unescape(char *s);
/* Well-formed UTF-8 (no surrogates, no overlong forms, NUL allowed). */
bool utf8_valid(const void *src, size_t n);

#endif
