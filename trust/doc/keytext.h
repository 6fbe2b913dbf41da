/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_KEYTEXT_H
#define WARREN_TRUST_DOC_KEYTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "common/ipc_msg.h" /* enum key_kind */

/*
 * Keys, their texts, fingerprints and URNs (klp.md 0). Nothing allocates;
 * texts need not end with NUL.
 */
#define FP16_LEN 16 /* its beginning, in frames */
#define FP4_LEN 4   /* ... as a hint in binary envelopes */
#define KEY_RAW_MAX 33
#define KEY_TEXT_MAX 96 /* "pubkey:ecc-secp256k1:" and 66 digits, NUL */
#define URN_MAX 128 /* "urn:klp:", namespace, type, 64 digits, NUL */
#define RNS_PUBLIC_LEN 64 /* X25519, Ed25519 */
#define RNS_HASH_LEN 16

struct klp_key {
	enum key_kind kind;
	bool bip340; /* secp256k1's one scheme; not told by the text */
	uint8_t len; /* 33 or 32 */
	uint8_t raw[KEY_RAW_MAX];
};

/* A raw key of a kind; false: wrong length, or no point of the curve. */
bool key_set(struct klp_key *, enum key_kind, const void *raw, size_t len);
/* The same kind, scheme and bytes. */
bool key_equal(const struct klp_key *, const struct klp_key *);
/*
 * pubkey:ecc-secp256k1: (66 or 130 hex, z + base58btc), pubkey:ed25519: (64
 * hex, z + base58btc), did:key:z. false: not one of these.
 */
bool key_parse(struct klp_key *, const char *text, size_t len);
/* The pubkey: text with hex digits, as key_parse() reads it. */
void key_text(char out[KEY_TEXT_MAX], const struct klp_key *);
/* The fingerprint: SHA-256 of multicodec prefix and raw key. */
void key_fp(struct fp *fp, const struct klp_key *);

/* urn:klp:{namespace}:{type}:{fp}; false leaves fp alone. */
bool urn_parse(struct fp *fp, const char *text, size_t len);
/* false: namespace or type are not of klp.md 0. */
bool urn_make(char out[URN_MAX], const char *ns, const char *type,
    const struct fp *fp);
/* Whom a text of configuration names: URN, kid:, did:key or key text. */
bool ident_parse(struct fp *fp, const char *text, size_t len);

/* The Reticulum identity hash of a public key. */
void rns_hash_of(struct hash16 *hash, const uint8_t pub[RNS_PUBLIC_LEN]);

/* base58btc: the value's length, 0: not base58, or longer than cap. */
size_t base58_decode(uint8_t *out, size_t cap, const char *in, size_t len);

#endif
