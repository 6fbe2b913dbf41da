/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_IFAC_H
#define WARREN_TRANSPORT_CORE_BASE_IFAC_H

#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

/*
 * Access codes (reticulum-endpoint.md 15.1), expanded once for each interface.
 */
struct ifac {
	uint8_t size; /* bytes, 0: none */
	uint8_t key[64];
	uint8_t ed_sk[64];
};

/* size 0: no code; key: rns_ifac_key(). RNS_EINVAL: over IFAC_SIZE_MAX. */
int ifac_init(struct ifac *, uint8_t size, const uint8_t key[64]);
/* Wipes its keys. */
void ifac_clear(struct ifac *);
/*
 * out: len + size bytes. Returns the masked length, 0 when cap is short or
 * there is no packet behind the header (len <= 2).
 */
size_t ifac_mask(const struct ifac *, uint8_t *out, size_t cap,
    const uint8_t *raw, size_t len);
/*
 * out: len bytes. RNS_OK with *out_len, RNS_EPARSE (bit 7 clear or too
 * short) or RNS_EAUTH.
 */
int ifac_unmask(const struct ifac *, uint8_t *out, size_t *out_len, size_t cap,
    const uint8_t *in, size_t len);

#endif
