/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_PEMKEY_H
#define WARREN_TRUST_DOC_PEMKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "trust/doc/keytext.h"

/*
 * Keys that sign images (klp.md 9): our own as text (keytext.h), and what
 * cosign and OpenSSL write, a PEM block "PUBLIC KEY" with a key of P-256, P-384,
 * P-521, Ed25519, or RSA of 2048, 3072 or 4096 bits whose exponent is odd and
 * from 65537 to 2^31 - 1. Those of the NIST curves and RSA are checked by
 * libcrypto; where the build has none they are read and never hold (tier A).
 */
#define PEMKEY_TEXT_MAX 1024
#define PEMKEY_DER_MAX 552 /* RSA of 4096 bits and an exponent of 31 */
#define PEMKEY_SIG_MAX 512 /* RSA of 4096 bits; DER of P-521: 141 at most */

enum pemkey_kind {
	PEMKEY_KLP,
	PEMKEY_ED25519,
	PEMKEY_P256,
	PEMKEY_P384,
	PEMKEY_P521,
	PEMKEY_RSA, /* by either scheme */
	PEMKEY_RSA_PKCS1, /* by one: who names the key says which */
	PEMKEY_RSA_PSS,
};

struct pemkey {
	enum pemkey_kind kind;
	struct klp_key klp; /* PEMKEY_KLP, PEMKEY_ED25519 */
	uint8_t der[PEMKEY_DER_MAX]; /* SubjectPublicKeyInfo */
	uint16_t der_len; /* 0: a key of ours */
	uint16_t bits; /* of an RSA modulus */
	/* what a revocation list names: the key's fingerprint, of a NIST
	 * curve's and of RSA the SHA-256 of its SubjectPublicKeyInfo */
	struct fp fp;
};

/* false: *why, a literal; text need not end with NUL. */
bool pemkey_parse(struct pemkey *, const char *text, size_t len,
    const char **why);
/* From a SubjectPublicKeyInfo; false: none of those, *why, a literal. */
bool pemkey_from_der(struct pemkey *, const uint8_t *der, size_t len,
    const char **why);
/* From an RSAPublicKey (PKCS #1), as some logs have theirs. */
bool pemkey_from_pkcs1(struct pemkey *, const uint8_t *der, size_t len,
    const char **why);
/* Can this build check it? */
bool pemkey_supported(const struct pemkey *);
bool pemkey_equal(const struct pemkey *, const struct pemkey *);
/*
 * Is sig this key's over the message? ECDSA of the NIST curves: DER, over
 * SHA-256, of P-384 over SHA-384 as well, of P-521 over SHA-512; RSA: as long as
 * the modulus, PKCS #1 v1.5 or PSS (its mask of SHA-256, salt of any length),
 * both over SHA-256; Ed25519: 64 bytes, pure; of secp256k1: 64 bytes, r and s.
 */
bool pemkey_holds(const struct pemkey *, const void *message, size_t len,
    const uint8_t *sig, size_t sig_len);
/*
 * Over what has this SHA-256: ECDSA and RSA; an Ed25519 key wants the message
 * itself, and the answer is false.
 */
bool pemkey_holds_sum(const struct pemkey *, const struct id32 *sum,
    const uint8_t *sig, size_t sig_len);

#endif
