/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_BINDSTORE_H
#define WARREN_TRUST_BINDSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/binding.h"

/*
 * The bindings that peers have shown, by Reticulum identity, and the highest
 * serial of each secp256k1 key (klp.md 5). Pure and bounded: when it is full,
 * the one that was used longest ago goes, but never one that is kept (of a
 * peer that the operator knows), so strangers cannot make the node forget the
 * serials of those who matter.
 *
 * As a file: "WTB1", floor u32, counts, entries, SHA-256 of all before.
 */
#define BINDSTORE_MAX 4096 /* identities, and keys */
#define BINDSTORE_BYTES (BINDSTORE_MAX * (243u + 74u) + 64u)
#define BINDING_GRACE (7u * 86400u) /* for the lower serial after a higher */

struct bindstore;

struct bindstore *bindstore_new(size_t max); /* NULL: no memory */
void bindstore_free(struct bindstore *);

/*
 * A binding whose signatures and times have been checked, at `now` (unix
 * seconds). NULL: taken (*fresh: it was not there as it is, so save), or a
 * literal that says why not.
 */
const char *bindstore_take(struct bindstore *, const struct binding *,
    uint32_t now, bool keep, bool *fresh);
/*
 * The binding of a Reticulum key that holds now; NULL: none, expired, or
 * replaced by a higher serial more than 7 days ago. Valid until the next call
 * that changes the store.
 */
const struct binding *bindstore_find(struct bindstore *,
    const uint8_t rns[RNS_PUBLIC_LEN], uint32_t now);
/*
 * Bindings that hold now of keys whose fingerprint begins so, of different
 * Reticulum identities: at most max, how many. Copies.
 */
size_t bindstore_hinted(const struct bindstore *, const uint8_t fp4[FP4_LEN],
    uint32_t now, struct binding *out, size_t max);
/* ... of the key with this fingerprint; the one with the highest serial. */
bool bindstore_of(const struct bindstore *, const struct fp *, uint32_t now,
    struct binding *out);
/* Byte for byte the one that is stored: it needs no second check. */
bool bindstore_has(const struct bindstore *, const struct binding *);
/* Each binding that is remembered, held or not. */
typedef void bindstore_fn(void *ctx, const struct binding *,
    const struct hash16 *rns);
void bindstore_each(const struct bindstore *, bindstore_fn *, void *ctx);
/* Peers that are remembered. */
size_t bindstore_count(const struct bindstore *);

/* floor: the latest time known, for a clock that runs backwards. */
size_t bindstore_put(const struct bindstore *, uint8_t *out, size_t cap,
    uint32_t floor);
/* Into an empty store; false: not a whole file (the store stays empty). */
bool bindstore_get(struct bindstore *, const uint8_t *buf, size_t len,
    uint32_t *floor);

#endif
