/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_LISTED_H
#define WARREN_COMMON_LISTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Who and what is revoked or suspended, as trust tells node (V_LISTED): entries
 * of fixed size in the order of kind and the first half of id, which tells them
 * apart (klp.md 4.1), each once. Pure.
 */
#define LISTED_MAX 65536
#define LISTED_BYTES 35

/* Numbers of klp.md 4.1. */
enum listed_kind { LISTED_KEY = 0, LISTED_RNS = 1, LISTED_ARTIFACT = 2 };

struct listed {
	uint8_t kind;
	uint8_t id[32]; /* rns: 16 bytes, and zeros */
	bool suspended;
	uint8_t reason;
};

/* Entries in place; out has LISTED_BYTES for each. */
void listed_put(uint8_t *out, const struct listed *, size_t n);
/* false: not that form, not that order, or none of these kinds. */
bool listed_get(struct listed *, const uint8_t *buf, size_t len, size_t n);
/* NULL: it is not there. id: 16 bytes of an identity, else 32. */
const struct listed *listed_find(const struct listed *, size_t n,
    enum listed_kind, const uint8_t *id);
int listed_cmp(const void *, const void *);

#endif
