/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_AUTHSTATE_H
#define WARREN_TRUST_DOC_AUTHSTATE_H

#include "trust/doc/authority.h"

/*
 * What is known of an authority, as a file: "WKA1", the fields, SHA-256 of all
 * before. Pure.
 */
/* 0: does not fit. */
size_t authstate_put(uint8_t *out, size_t cap, const struct auth_state *);
/* false: not a whole file. */
bool authstate_get(struct auth_state *, const uint8_t *buf, size_t len);

#endif
