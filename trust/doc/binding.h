/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_BINDING_H
#define WARREN_TRUST_DOC_BINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "trust/doc/keytext.h"
#include "trust/doc/secp.h"

/*
 * The mesh identity binding (klp.md 5): which secp256k1 key a Reticulum
 * identity belongs to, signed by both.
 */
#define BINDING_STATEMENT_LEN 114
#define BINDING_LEN IPC_BINDING	 /* standalone: statement, both signatures */
#define BINDING_ANNOUNCE_LEN 113 /* TLV 1 of an announce */
#define BINDING_FLAG_BIP340 0x01
#define BINDING_LIFE_MAX (400u * 86400u)
#define BINDING_LIFE (90u * 86400u) /* default; renewed at 2/3 */
#define BINDING_EARLY 300	    /* s that not_before may lie ahead */

struct binding {
	bool bip340;
	uint8_t secp[33];
	uint8_t rns[RNS_PUBLIC_LEN];
	uint32_t serial, not_before, not_after;
	uint8_t sig_secp[SIG_LEN];
	uint8_t sig_rns[SIG_LEN]; /* zeros in the announce form */
};

/* The form only: length, magic, flags. Check before use. */
bool binding_parse(struct binding *, const uint8_t *buf, size_t len);
/* The announce form; rns is the key that signed the announce. */
bool binding_parse_announce(struct binding *, const uint8_t *buf, size_t len,
    const uint8_t rns[RNS_PUBLIC_LEN]);
/* What both keys sign. */
void binding_statement(uint8_t out[BINDING_STATEMENT_LEN],
    const struct binding *);
/* The standalone form; binding_parse() takes it. */
void binding_put(uint8_t out[BINDING_LEN], const struct binding *);
/* The form in an announce, which carries the Reticulum half itself. */
void binding_put_announce(uint8_t out[BINDING_ANNOUNCE_LEN],
    const struct binding *);

/*
 * NULL when it holds: rns is its key, times (unix seconds), both signatures;
 * else a literal. Revocation and serials are the judge's (bindstore.h).
 */
const char *binding_check(const struct binding *,
    const uint8_t rns[RNS_PUBLIC_LEN], uint32_t now);
/*
 * The same for the announce form, whose second signature is the announce's
 * own: the caller has verified that one.
 */
const char *binding_check_announce(const struct binding *,
    const uint8_t rns[RNS_PUBLIC_LEN], uint32_t now);
/* Valid at a past time: signatures, and not_before <= at < not_after. */
const char *binding_check_at(const struct binding *, uint32_t at);
/* Its secp256k1 key with its scheme; false: no point of the curve. */
bool binding_key(struct klp_key *, const struct binding *);
/* When to make the next one: not_before plus two thirds of its life. */
uint32_t binding_renew_at(const struct binding *);

/* Each half: the caller puts the signature into the struct. */
bool binding_sign_secp(struct binding *, const struct klp_secret *,
    const uint8_t aux[32]);
/* With the Ed25519 seed of the Reticulum identity (its private bytes 32-63). */
bool binding_sign_rns(struct binding *, const uint8_t seed[32]);

/*
 * The digest of a live proof. initiator: its Reticulum key, zeros when it did
 * not identify. Signed and verified with secp_sign(), secp_verify().
 */
void challenge_digest(struct id32 *out, const struct hash16 *link,
    const uint8_t n[32], const uint8_t m[32],
    const uint8_t initiator[RNS_PUBLIC_LEN],
    const uint8_t responder[RNS_PUBLIC_LEN]);

#endif
