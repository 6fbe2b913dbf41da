/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SIGKEY_H
#define WARREN_TRUST_DOC_SIGKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Keys of logs, as a SubjectPublicKeyInfo: ECDSA (DER; over SHA-256, of
 * P-384 over SHA-384), RSA of 2048 bits and more (PKCS #1 v1.5 over SHA-256), and
 * Ed25519. Is sig this key's over
 * the message? false in a build without libcrypto.
 */
bool sigkey_holds(const uint8_t *der, size_t der_len, const void *message,
    size_t len, const uint8_t *sig, size_t sig_len);

#endif
