/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_JSONHEX_H
#define WARREN_COMMON_JSONHEX_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/*
 * n bytes as a JSON string of lower-case hex digits; the caller's. NULL: no
 * memory, which json_pack() and the setters of jansson refuse in their turn.
 */
json_t *json_hex(const uint8_t *, size_t n);

#endif
