/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_CRYPT_H
#define WARREN_TRANSPORT_CORE_BASE_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

/*
 * Primitives of reticulum-endpoint.md 2: nettle for SHA-256 and AES, libsodium
 * for the curves and comparison in constant time. Caller-allocated, no I/O, no
 * state.
 */

struct iovec_c { /* pieces that are hashed as if they stood together */
	const void *p;
	size_t n;
};

void crypt_sha256(struct id32 *out, const void *, size_t);
void crypt_sha256v(struct id32 *out, const struct iovec_c *, size_t count);
/*
 * reticulum-endpoint.md 8.2, in one pass over the pieces: hash = H(pieces ||
 * tail), proof = H(pieces || hash).
 */
void crypt_sha256_proof(struct id32 *hash, struct id32 *proof,
    const struct iovec_c *, size_t count, const void *tail, size_t n);
void crypt_hmac(uint8_t out[32], const uint8_t *key, size_t key_len,
    const struct iovec_c *, size_t count);
/*
 * reticulum-endpoint.md 2.2, without context; salt NULL or empty: 32 zero
 * bytes. Counter wraps.
 */
void crypt_hkdf(uint8_t *out, size_t len, const uint8_t *ikm, size_t ikm_len,
    const uint8_t *salt, size_t salt_len);
/* The same with the context of RFC 5869, which the protocol leaves empty. */
void crypt_hkdf_info(uint8_t *out, size_t len, const uint8_t *ikm,
    size_t ikm_len, const uint8_t *salt, size_t salt_len, const uint8_t *info,
    size_t info_len);

/*
 * The pieces of a token: AES-CBC over whole blocks (key of 16 or 32 bytes),
 * and PKCS#7. crypt_pad() writes up to 16 bytes behind n and returns how many;
 * crypt_unpad() is false when they are none.
 */
void crypt_cbc_encrypt(const uint8_t *key, size_t key_len,
    const uint8_t iv[16], uint8_t *p, size_t n);
void crypt_cbc_decrypt(const uint8_t *key, size_t key_len,
    const uint8_t iv[16], uint8_t *out, const uint8_t *in, size_t n);
size_t crypt_pad(uint8_t *end, size_t n);
bool crypt_unpad(const uint8_t *p, size_t n, size_t *plain);

/* Clears and compares; for everything secret. */
void crypt_wipe(void *, size_t);
bool crypt_equal(const void *, const void *, size_t);

/* X25519; RNS_EAUTH when the shared secret is all zero. */
int crypt_x25519(uint8_t out[32], const uint8_t priv[32],
    const uint8_t pub[32]);
void crypt_x25519_public(uint8_t pub[32], const uint8_t priv[32]);
void crypt_ed25519_public(uint8_t pub[32], const uint8_t seed[32]);
/* sk: 64 bytes, libsodium's expanded form (seed, public key) */
void crypt_ed25519_expand(uint8_t sk[64], const uint8_t seed[32]);
void crypt_ed25519_sign(uint8_t sig[64], const uint8_t sk[64],
    const void *msg, size_t len);
bool crypt_ed25519_verify(const uint8_t pub[32], const uint8_t sig[64],
    const void *msg, size_t len);

/*
 * Token (reticulum-endpoint.md 2.4). key_len 64 (AES-256) or 32 (AES-128).
 * Lengths: an encrypted token of n bytes takes token_len(n). in and out may be
 * the same buffer shifted by 16 (encrypt in place); otherwise they do not
 * overlap.
 */
size_t token_len(size_t plain_len);
int token_encrypt(uint8_t *out, size_t *out_len, size_t out_cap,
    const uint8_t *key, size_t key_len, const uint8_t iv[16],
    const uint8_t *in, size_t in_len);
/*
 * The same over pieces that stand together (a resource: random 4, content).
 */
int token_encryptv(uint8_t *out, size_t *out_len, size_t out_cap,
    const uint8_t *key, size_t key_len, const uint8_t iv[16],
    const struct iovec_c *, size_t count);
/* RNS_EAUTH: MAC; RNS_EPARSE: length or padding; out_cap >= in_len - 48. */
int token_decrypt(uint8_t *out, size_t *out_len, size_t out_cap,
    const uint8_t *key, size_t key_len, const uint8_t *in, size_t in_len);
/* Only whether its MAC is right: RNS_EAUTH; RNS_EPARSE: nothing before it. */
int token_check(const uint8_t *key, size_t key_len, const uint8_t *in,
    size_t in_len);

#endif
