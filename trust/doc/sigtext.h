/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SIGTEXT_H
#define WARREN_TRUST_DOC_SIGTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/*
 * How protobuf's JSON, in which sigstore writes bundles and roots (klp.md 9),
 * spells bytes, numbers and times. Each: false, or NULL, when the member is
 * absent or is not that.
 */
/* The member; NULL also when it is null, which means the same there. */
const json_t *sigtext_member(const json_t *, const char *name);
/* An allocation of 1 to max bytes; _value: of what is no member. */
uint8_t *sigtext_bytes(const json_t *, const char *name, size_t max,
    size_t *len);
uint8_t *sigtext_value(const json_t *, size_t max, size_t *len);
/* Is it just these bytes? */
bool sigtext_is(const json_t *, const char *name, const void *, size_t);
/* From 0 to 2^63 - 1, as a number or as a text of digits. */
bool sigtext_number(const json_t *, const char *name, int64_t *);
/* "2021-10-07T13:56:59Z", with or without a fraction, in seconds since 1970. */
bool sigtext_time(int64_t *, const json_t *, const char *name);
/*
 * What is in the one PEM block with this word ("CERTIFICATE"), nothing before it
 * and but blanks behind it: an allocation, or NULL.
 */
uint8_t *sigtext_pem(const char *text, size_t len, const char *word,
    size_t max, size_t *out_len);

#endif
