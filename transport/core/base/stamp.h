/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_STAMP_H
#define WARREN_TRANSPORT_CORE_BASE_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nettle/sha2.h>

#include <rns/hash.h>

/*
 * Proofs of work (reticulum-1.6.md 2 and 3, reticulum-endpoint.md 11.2). Values
 * and costs are in steps of 1/256 bit. Pure: who searches brings the random
 * start and says how long; nothing here waits.
 */
#define STAMP_LEN 32
#define STAMP_BIT 256 /* steps of one bit */
/* reticulum-1.6.md 3.3: 100 bits or more is a mistake of who asks for it */
#define STAMP_COST_MAX (100 * STAMP_BIT - 1)
#define STAMP_ROUNDS_MAX 3000 /* reticulum-endpoint.md 11.2: of a message */
#define STAMP_TARGET_LEN 33   /* big-endian; 2^256 needs one bit more */

/* The hash over the work block, into which each candidate goes. */
struct stamp_work {
	struct sha256_ctx ctx;
};

/* One round of a work block (reticulum-endpoint.md 11.2), counted from 0. */
#define STAMP_ROUND_LEN 256
void stamp_round(uint8_t out[STAMP_ROUND_LEN], const void *material, size_t n,
    unsigned k);
/* rounds 0: the material itself; more than STAMP_ROUNDS_MAX: that many. */
void stamp_work(struct stamp_work *, const void *material, size_t n,
    unsigned rounds);
void stamp_product(struct id32 *out, const struct stamp_work *,
    const void *stamp, size_t n);
/* 256 * log2(2^256 / product), rounded as reticulum-1.6.md 3.2 says. */
uint32_t stamp_value(const struct id32 *product);
/* cost up to STAMP_COST_MAX. */
void stamp_target(uint8_t out[STAMP_TARGET_LEN], uint32_t cost);
/* False for a cost over STAMP_COST_MAX, whatever the product. */
bool stamp_valid(const struct id32 *product, uint32_t cost);

/*
 * A number of bits as it comes from outside, down to a step; 0 for what is
 * negative or no number, STAMP_COST_MAX + 1 for what is more than that.
 */
uint32_t stamp_steps(double bits);

/* A search that goes on where it stopped. */
struct stamp_search {
	struct stamp_work work;
	uint8_t target[STAMP_TARGET_LEN];
	uint8_t stamp[STAMP_LEN]; /* the next candidate; the stamp when found */
	uint64_t tries;
};

/* start: random bytes, the first candidate. cost up to STAMP_COST_MAX. */
void stamp_search_begin(struct stamp_search *, const struct stamp_work *,
    uint32_t cost, const uint8_t start[STAMP_LEN]);
/* Up to so many candidates; true: found, and s->stamp is it. */
bool stamp_search_go(struct stamp_search *s, unsigned tries);

#endif
