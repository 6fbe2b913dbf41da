/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_ATTESTING_H
#define WARREN_TRUST_ATTESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attested.h"
#include "node/config/attestconf.h"
#include "trust/doc/attest.h"

/*
 * What signatures come to (klp.md 9): a rule of image_policy holds for an image
 * when one of its signers has signed for it, and for each predicate that the
 * rule requires has signed a statement that is as the rule wants it. Pure.
 */
#define ATTESTING_FACTS 8192 /* image and signer; ours */

struct attest_fact {
	struct id32 image;
	uint8_t signer; /* of attest_conf */
	uint16_t has; /* bit 0: signed; 1 and on: the rule's predicates */
};

struct attesting {
	struct attest_fact *fact;
	size_t n;
	bool full; /* more was signed than is kept */
};

/*
 * One that was read and what it says; signers: a bit for each of the
 * configuration's that has signed it.
 */
void attesting_add(struct attesting *, const struct attest_conf *,
    const struct attest_said *, uint32_t signers);
/* An allocation, *n entries in their order; NULL: nothing holds, or no memory. */
struct attested *attesting_rules(struct attesting *,
    const struct attest_conf *, size_t *n);
void attesting_clear(struct attesting *);

#endif
