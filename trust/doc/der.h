/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_DER_H
#define WARREN_TRUST_DOC_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

/*
 * As much of ASN.1 (DER, X.690) as keys of others need before libcrypto sees
 * them: values of one byte of tag, lengths up to 65535 in the fewest bytes.
 * Pure. Each false: it is not that, and the cursor is anywhere.
 */
#define DER_INTEGER 0x02
#define DER_BITS 0x03
#define DER_SEQUENCE 0x30

bool der_in(struct rd *, uint8_t tag, struct rd *inner);
/* A positive INTEGER in the fewest bytes, without the zero of its sign. */
bool der_number(struct rd *, const uint8_t **, size_t *n);
/* The SubjectPublicKeyInfo of a certificate (RFC 5280), which is all of it. */
bool der_cert_key(const uint8_t *cert, size_t len, const uint8_t **key,
    size_t *n);

#endif
