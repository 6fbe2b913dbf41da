/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_IDENTITY_H
#define WARREN_TRANSPORT_CORE_BASE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

/* A private identity, expanded once so that signing costs one signature. */
struct identity {
	uint8_t x_priv[32];
	uint8_t ed_sk[64]; /* libsodium form: seed, public */
	uint8_t pub[RNS_KEY];
	struct hash16 hash;
};

/* Cannot fail today; the caller wipes priv. */
int identity_load(struct identity *, const uint8_t priv[RNS_KEY]);
/* Wipes its keys. */
void identity_clear(struct identity *);
/* Ed25519 over msg. */
void identity_sign(const struct identity *, uint8_t sig[64], const void *msg,
    size_t len);

/*
 * 4.5. eph: 32 random bytes, iv: 16. ratchet: public key or NULL. RNS_EBIG:
 * over cap; RNS_EAUTH: a key is no point of the curve.
 */
int identity_encrypt(uint8_t *out, size_t *out_len, size_t cap,
    const uint8_t pub[RNS_KEY], const struct hash16 *hash,
    const uint8_t *ratchet, const uint8_t eph[32], const uint8_t iv[16],
    const uint8_t *in, size_t in_len);
/*
 * ratchets: n private keys, newest first. *used (may be NULL): index of the
 * ratchet that worked, -1 the identity's key. RNS_EAUTH: nothing worked.
 */
int identity_decrypt(uint8_t *out, size_t *out_len, size_t cap,
    const struct identity *, const uint8_t (*ratchets)[32], size_t n,
    bool enforce, int *used, const uint8_t *in, size_t in_len);

/* What a public ratchet is named by (reticulum-endpoint.md 4.4). */
#define RATCHET_ID 10
void ratchet_id(uint8_t out[RATCHET_ID], const uint8_t pub[RNS_RATCHET]);

#endif
