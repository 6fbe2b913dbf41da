/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SECP_H
#define WARREN_TRUST_DOC_SECP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nettle/sha2.h>

#include <rns/hash.h>

#include "trust/doc/keytext.h"

/*
 * The three schemes of klp.md 0 over digests and messages. One libsecp256k1
 * context for the process, made at the first use (call secp_init() before a
 * system-call filter is loaded; it needs no randomness of its own then).
 */
#define SIG_LEN 64

struct klp_secret {
	enum key_kind kind;
	bool bip340;
	uint8_t raw[32]; /* scalar, or Ed25519 seed */
};

/* false: out of memory. seed blinds the context against side channels. */
bool secp_init(const uint8_t seed[32]);

/* false: the scalar is 0 or not below the order. */
bool secret_public(struct klp_key *, const struct klp_secret *);
/* Is it a compressed point of the curve? */
bool secp_point_ok(const uint8_t raw[33]);
/* 65 bytes to 33; false: no point. */
bool secp_compress(uint8_t out[33], const uint8_t in[65]);

/*
 * Over a 32-byte digest: ecdsa (RFC 6979, low S, r and s) or bip340 (aux: 32
 * random bytes; NULL: zeros). false: the secret is no scalar.
 */
bool secp_sign(uint8_t sig[SIG_LEN], const struct klp_secret *,
    const struct id32 *digest, const uint8_t aux[32]);
/* false also for a high S (klp.md 2). */
bool secp_verify(const struct klp_key *, const uint8_t sig[SIG_LEN],
    const struct id32 *digest);

/* BIP-340's tagged hash of the parts, one after the other. */
struct part {
	const void *p;
	size_t n;
};
void tagged_hash(struct id32 *out, const char *tag, const struct part *,
    size_t nparts);

/*
 * M = PAE(type, payload) of klp.md 2, signed and verified by the key's own
 * scheme. verify: false when it does not hold.
 * sign: false when the secret is none or memory is short (Ed25519 needs M in
 * one piece).
 */
bool pae_sign(uint8_t sig[SIG_LEN], const struct klp_secret *, const char *type,
    const void *payload, size_t len, const uint8_t aux[32]);
bool pae_verify(const struct klp_key *, const uint8_t sig[SIG_LEN],
    const char *type, const void *payload, size_t len);
/*
 * The same of an Ed25519 key over M itself, which libsodium wants in one piece.
 * pae_front() makes it one without a copy: the head is written right before
 * the payload, where PAE_HEAD_MAX bytes are free. Its length; 0: the type is
 * longer than any of ours.
 */
#define PAE_HEAD_MAX 160 /* "DSSEv1 NN type NN " */
size_t pae_front(uint8_t *payload, const char *type, size_t len);
bool pae_whole_holds(const struct klp_key *, const uint8_t sig[SIG_LEN],
    const uint8_t *m, size_t n);
/*
 * The same of secp256k1 keys over a large payload in turns: begin, add the
 * payload in as many pieces as one likes (len: of all of them), end, then ask.
 * A sum holds for every key of its scheme.
 */
struct pae_sum {
	bool bip340;
	struct sha256_ctx st;
	struct id32 sum;
};
/* false: the type is longer than any of ours. */
bool pae_sum_begin(struct pae_sum *, bool bip340, const char *type, size_t len);
void pae_sum_add(struct pae_sum *, const void *, size_t);
void pae_sum_end(struct pae_sum *);
bool pae_sum_holds(const struct pae_sum *, const struct klp_key *,
    const uint8_t sig[SIG_LEN]);

/* M itself, in an own allocation; NULL: no memory. */
uint8_t *pae_make(size_t *out_len, const char *type, const void *payload,
    size_t len);

#endif
