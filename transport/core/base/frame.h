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

#endif
