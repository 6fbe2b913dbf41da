/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_PACKET_H
#define WARREN_TRANSPORT_CORE_BASE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

#include "transport/core/base/const.h"

struct iface;

/*
 * A parsed packet: values and references into the raw bytes, which must
 * outlive it. `hops` is the wire value until inbound() has incremented it.
 * `hash` is computed by packet_parse().
 */
struct packet {
	const uint8_t *raw;
	size_t raw_len;
	uint8_t flags;
	uint8_t hops;
	uint8_t context;
	bool header_2;
	bool context_flag;
	bool transport; /* transport type bit */
	enum dest_type dest_type;
	enum packet_type type;
	const uint8_t *transport_id; /* NULL in header type 1 */
	const struct hash16 *dest;         /* 16 */
	const uint8_t *data;
	size_t data_len;
	/* reticulum-endpoint.md 3.4; first 16: truncated hash */
	struct id32 hash;
	struct iface *rx;            /* NULL: made here */
	bool from_local;             /* rx is a program of ours */
};

/*
 * RNS_EPARSE: reticulum-endpoint.md 3.3 (no data included); never writes behind
 * raw.
 */
int packet_parse(struct packet *, const uint8_t *raw, size_t len);
/* The same without the hash: whoever wants it calls packet_hash(). */
int packet_split(struct packet *, const uint8_t *raw, size_t len);
/* reticulum-endpoint.md 3.4, of the whole packet as it is on the wire. */
void packet_hash(struct id32 *out, const uint8_t *raw, size_t len,
    bool header_2);
/*
 * Contexts whose packets the filter never looks up (reticulum-endpoint.md 3.3
 * row 3).
 */
bool packet_exempt(uint8_t context);
/* Header type 1, hops 0; returns the length or 0 when it does not fit. */
size_t packet_build(uint8_t *out, size_t cap, uint8_t flags,
    const struct hash16 *dest, uint8_t context, const uint8_t *data,
    size_t data_len);
/* Only the 19 header bytes; data is then written behind them in place. */
size_t packet_head(uint8_t *out, uint8_t flags, const struct hash16 *dest,
    uint8_t context);
#define PACKET_FLAGS(dest_type, packet_type)                                   \
	((uint8_t)((dest_type) << 2 | (packet_type)))

/* reticulum-endpoint.md 6.3: link id of a parsed link request. */
void packet_link_id(struct hash16 *out, const struct packet *);

/* Signalling bytes (reticulum-endpoint.md 6.2). */
void signalling_put(uint8_t out[3], uint32_t mtu, uint8_t mode);
void signalling_get(const uint8_t in[3], uint32_t *mtu, uint8_t *mode);

/*
 * Proofs (reticulum-endpoint.md 3.6): data of a proof packet is one of these.
 */
void proof_sign(uint8_t sig[64], const uint8_t sk[64],
    const struct id32 *packet_hash);

#endif
