/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_HAND_LAYER_H
#define WARREN_SANDBOX_HAND_HAND_LAYER_H

#include <rns/hash.h>

#include "sandbox/hand/hand_archive.h"
#include "sandbox/hand/hand_path.h"

/*
 * Unpack one layer (tar, gzip or zstd) from fd over what is there, as the OCI
 * image specification has it where it says something, else as other tools do:
 * a name leads through links inside the root; a member takes the place of
 * what lies there, unless both are folders; a whiteout concerns what lies
 * beneath the layer, never the layer itself, in whatever order they come. want:
 * the digest of fd when it was judged, or NULL; another one now is refused.
 * sums: what was read, or NULL, where it is not shared (hand_share.h).
 */
int import_layer(struct import *, int fd, const struct id32 *want,
    struct reader_sums *sums);
/* No write bit, r and x of the owner for all, beneath root. */
int import_seal(struct import *);

#endif
