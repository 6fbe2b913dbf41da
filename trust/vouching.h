/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_VOUCHING_H
#define WARREN_TRUST_VOUCHING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attested.h"
#include "common/vouched.h"
#include "node/config/attestconf.h"
#include "trust/doc/attest.h"
#include "trust/sigroots.h"

/*
 * To whom it is owed that rules of image_policy hold, as it is found out
 * signature by signature. Zeros are an empty one.
 */
struct vouching {
	struct vouched *said; /* of this look: VOUCHED_MAX, nsaid */
	size_t nsaid;
	struct vouched *list; /* what counts, n of them */
	size_t n;
};

/* That the signers of the mask have said that. */
void vouching_add(struct vouching *, const struct attest_conf *,
    const struct attest_said *, uint32_t who, struct sigroots_who *);
/*
 * The look is over: what was added counts, but for those of an image for which
 * the rule does not hold in the end. true: it is not what it was.
 */
bool vouching_settle(struct vouching *, const struct attested *, size_t n);
void vouching_drop(struct vouching *); /* what was added counts for nothing */
void vouching_clear(struct vouching *);

#endif
