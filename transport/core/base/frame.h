/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_FRAME_H
#define WARREN_TRANSPORT_CORE_BASE_FRAME_H

#include <stddef.h>

#include <rns/rns.h>

/*
 * Frames of fewer bytes are dropped; as made: what cannot be a packet. For who
 * looks at the framing alone.
 */
void deframer_min(struct rns_deframer *, size_t min);
/* How many bytes there are of a frame that goes on. */
size_t deframer_part(const struct rns_deframer *);
/* Forget that frame, and wait for the next flag. */
void deframer_drop(struct rns_deframer *);
/* Bytes of memory for what was fed. */
size_t deframer_room(const struct rns_deframer *);
/*
 * Give back what a frame that goes on does not need, when all that was fed has
 * been looked at. What rns_deframer_next() gave is not valid any more.
 */
void deframer_fit(struct rns_deframer *);

#endif
