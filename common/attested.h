/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_ATTESTED_H
#define WARREN_COMMON_ATTESTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * Which rules of `image_policy` hold for which image, as trust tells node
 * (V_ATTESTED): entries of fixed size in the order of the images, each once.
 * Pure.
 */
#define ATTESTED_MAX 4096
#define ATTESTED_BYTES 36

struct attested {
	struct id32 image;
	uint32_t rules; /* a bit each, in the order of node.yaml */
};

/* Entries in place; out has ATTESTED_BYTES for each. */
void attested_put(uint8_t *out, const struct attested *, size_t n);
/* false: not that form, or not that order. */
bool attested_get(struct attested *, const uint8_t *buf, size_t len, size_t n);
/* 0: none. */
uint32_t attested_rules(const struct attested *, size_t n,
    const struct id32 *image);

#endif
