/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_ANCHORED_H
#define WARREN_NODE_WORK_ANCHORED_H

#include "common/anchored.h"
#include "node/work/state.h"

/*
 * Images whose fingerprint trust has found in a transparency log (klp.md 8),
 * and what a profile makes of it: `record` says it in trail and receipt,
 * `require` (or the layer `anchored`) runs no other image. So many logs as
 * `anchor_logs` of the profile says must have it.
 */
/* The list, an allocation, is taken over; then watched_layers(). */
void anchored_take(struct node *, struct anchored *, size_t);
bool anchored_has(const struct node *, const struct id32 *image);
/* Must every image be? Until trust has spoken nobody knows. */
bool anchored_unknown(const struct node *);
/* ... and is this one not? */
bool anchored_lacks(const struct node *, const struct id32 *image);
/* Of a job that was admitted: an event, where the profile wants one. */
void anchored_record(struct node *, struct job *);
/* LAYER_ANCHORED or 0: of this image, and of the node as a whole. */
uint32_t anchored_layer(const struct node *, const struct id32 *image);
uint32_t anchored_layers(const struct node *);
void anchored_clear(struct node *);

#endif
