/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_VOUCHED_H
#define WARREN_COMMON_VOUCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * Who has signed for which image so that a rule of `image_policy` holds, for
 * people (V_VOUCHED): entries of fixed size. What counts is in attested.h.
 * Pure.
 */
#define VOUCHED_MAX 1024 /* ours; of more the first */
#define VOUCHED_WHO 240  /* bytes of printable text, cut where it is longer */
#define VOUCHED_BYTES (32 + 1 + VOUCHED_WHO)

struct vouched {
	struct id32 image;
	uint8_t rule; /* in the order of node.yaml, from 0 */
	char who[VOUCHED_WHO + 1];
};

/* Entries in place; out has VOUCHED_BYTES for each. */
void vouched_put(uint8_t *out, const struct vouched *, size_t n);
/* false: not that form. */
bool vouched_get(struct vouched *, const uint8_t *buf, size_t len, size_t n);

#endif
