/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_ANNOUNCE_H
#define WARREN_TRANSPORT_CORE_BASE_ANNOUNCE_H

#include <stdbool.h>

#include <rns/hash.h>

#include "transport/core/base/identity.h"
#include "transport/core/base/packet.h"

/*
 * Fields of an announce (reticulum-endpoint.md 5.4); references into the
 * packet.
 */
struct announce {
	const uint8_t *public_key; /* 64 */
	const uint8_t *name_hash;  /* 10 */
	const uint8_t *random_hash; /* 10: the "blob" */
	const uint8_t *ratchet;    /* 32 or NULL */
	const uint8_t *signature;  /* 64 */
	/* NULL: nil (reticulum-endpoint.md 5.5 step 6) */
	const uint8_t *app_data;
	size_t app_data_len;
	uint64_t emitted; /* seconds */
	struct hash16 identity_hash;
};

/* Splits and computes the identity hash; no signature yet. RNS_EPARSE. */
int announce_parse(struct announce *, const struct packet *);
/* reticulum-endpoint.md 5.5 step 2. */
bool announce_signature_ok(const struct announce *, const struct packet *);
/* reticulum-endpoint.md 5.5 step 4. */
bool announce_dest_ok(const struct announce *, const struct packet *);
/*
 * Builds the raw packet (header type 1). random: 5 bytes; emitted: seconds;
 * ratchet: public key or NULL. Returns the length or 0 (does not fit 500).
 */
size_t announce_build(uint8_t out[RNS_MTU], const struct identity *,
    const struct hash16 *dest, const uint8_t name_hash[RNS_NAME_HASH],
    const uint8_t random[5], uint64_t emitted, const uint8_t *ratchet,
    const uint8_t *app_data, size_t app_data_len, bool path_response);

#endif
