/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_IMAGEPOLICY_H
#define WARREN_NODE_WORK_IMAGEPOLICY_H

#include "common/attested.h"
#include "node/work/state.h"

/*
 * `image_policy` of node.yaml (klp.md 9): each rule that is about one of an
 * image's names must hold for it, which trust has found out by signatures.
 */
/* The list, an allocation, is taken over; serial: of the rules it is about. */
void imagepolicy_take(struct node *, struct attested *, size_t,
    uint64_t serial);
/* There is a policy, and trust has not said yet what holds. */
bool imagepolicy_unknown(const struct node *);
/* Is there a rule that does not hold for this image? */
bool imagepolicy_lacks(const struct node *, const struct id32 *image);
void imagepolicy_clear(struct node *);

#endif
