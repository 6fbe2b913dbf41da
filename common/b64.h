/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_B64_H
#define WARREN_COMMON_B64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

/*
 * Base64 of others (RFC 4648). libsodium 1.0.18 takes each byte from 0x80 on
 * for the digit of 63, so one content would have many texts: nothing else calls
 * it to read one (tests/check-banned).
 */
static inline bool
b64_ascii(const char *s, size_t n)
{
	unsigned char all = 0;

	for (size_t i = 0; i < n; i++)
		all |= (unsigned char)s[i];
	return all < 0x80;
}

/*
 * The whole text is one, of this variant of libsodium's, and fits: *got bytes.
 * false: *out is undefined.
 */
static inline bool
b64_get(uint8_t *out, size_t cap, const char *s, size_t n, size_t *got,
    int variant)
{
	return b64_ascii(s, n) && sodium_base642bin(out, cap, s, n, NULL, got,
	    NULL, variant) == 0;
}

/*
 * One between other text, as PEM has it: white space is passed over, and *end is
 * where it stops, at a dash at the latest.
 */
static inline bool
b64_get_lines(uint8_t *out, size_t cap, const char *s, size_t n, size_t *got,
    const char **end)
{
	const char *dash = memchr(s, '-', n);

	return b64_ascii(s, dash == NULL ? n : (size_t)(dash - s)) &&
	    sodium_base642bin(out, cap, s, n, " \r\n\t", got, end,
		sodium_base64_VARIANT_ORIGINAL) == 0;
}

#endif
