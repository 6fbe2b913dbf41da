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
 * cosign and OpenSSL write, a PEM block "PUBLIC KEY" with a key of P-256, P-384
 * or Ed25519. Those of the NIST curves are checked by libcrypto; where the
 * build has none they are read and never hold (tier A).
 */
#define PEMKEY_TEXT_MAX 1024
#define PEMKEY_POINT_MAX 97 /* an uncompressed point of P-384 */
#define PEMKEY_SIG_MAX 112  /* DER of P-384: 104 at most */

enum pemkey_kind { PEMKEY_KLP, PEMKEY_ED25519, PEMKEY_P256, PEMKEY_P384 };

struct pemkey {
	enum pemkey_kind kind;
	struct klp_key klp; /* PEMKEY_KLP, PEMKEY_ED25519 */
	uint8_t der[PEMKEY_POINT_MAX + 32]; /* SubjectPublicKeyInfo */
	uint8_t der_len; /* 0: a key of ours */
	/* what a revocation list names: the key's fingerprint, of a NIST
	 * curve's the SHA-256 of its SubjectPublicKeyInfo */
	struct fp fp;
};

/* false: *why, a literal; text need not end with NUL. */
bool pemkey_parse(struct pemkey *, const char *text, size_t len,
    const char **why);
/* From a SubjectPublicKeyInfo; false: none of those. */
bool pemkey_from_der(struct pemkey *, const uint8_t *der, size_t len);
/* Can this build check it? */
bool pemkey_supported(const struct pemkey *);
bool pemkey_equal(const struct pemkey *, const struct pemkey *);
/*
 * Is sig this key's over the message? ECDSA of the NIST curves: DER, over
 * SHA-256, of P-384 over SHA-384 as well; Ed25519: 64 bytes, pure; of
 * secp256k1: 64 bytes, r and s.
 */
bool pemkey_holds(const struct pemkey *, const void *message, size_t len,
    const uint8_t *sig, size_t sig_len);
/*
 * Over what has this SHA-256: ECDSA alone; an Ed25519 key wants the message
 * itself, and the answer is false.
 */
bool pemkey_holds_sum(const struct pemkey *, const struct id32 *sum,
    const uint8_t *sig, size_t sig_len);

#endif
