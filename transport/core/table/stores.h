/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_STORES_H
#define WARREN_TRANSPORT_CORE_TABLE_STORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

#include "transport/core/base/identity.h"
#include "common/wire.h"

/*
 * What Reticulum's storage folder holds of destinations, as bytes
 * (reticulum-endpoint.md 4.6, 4.7, 5.7). Pure: reading and writing the files is
 * the engine's. Times are float64 seconds in the files and Unix microseconds
 * here.
 */

/* known_destinations: a map; read its head, then as many entries. RNS_EPARSE */
int stores_known_head(struct rd *, size_t *count);
/*
 * RNS_OK with *out (its app_data points into the input, its ratchet is NULL);
 * RNS_ENOENT: an entry that is not what it should be was passed over;
 * RNS_EPARSE: nothing behind this can be read.
 */
int stores_known_next(struct rd *, struct rns_known *out);
/* The command that gives an entry to the core; it borrows the app_data. */
struct rns_cmd stores_known_cmd(const struct rns_known *);
void stores_known_put_head(struct wr *, size_t count);
void stores_known_put(struct wr *, const struct rns_known *);
/* Bytes that an entry takes at most. */
size_t stores_known_max(const struct rns_known *);
#define STORES_KNOWN_HEAD_MAX 5

/* ratchets/HEX: one received ratchet. RNS_EPARSE */
int stores_ratchet_get(const uint8_t *, size_t, uint8_t key[RNS_RATCHET],
    int64_t *received_us);
#define STORES_RATCHET_LEN 61
void stores_ratchet_put(struct wr *, const uint8_t key[RNS_RATCHET],
    int64_t received_us);

/*
 * The ratchet file of an own destination: private keys, newest first, signed
 * by its identity. At most cap keys come out; older ones are left. RNS_EPARSE;
 * RNS_EAUTH: not signed by pub.
 */
int stores_own_get(const uint8_t *, size_t, const uint8_t pub[RNS_KEY],
    uint8_t (*keys)[RNS_RATCHET], size_t cap, size_t *count);
size_t stores_own_len(size_t count);
void stores_own_put(struct wr *, const struct identity *,
    const uint8_t (*keys)[RNS_RATCHET], size_t count);

#endif
