/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_PEERLOG_H
#define WARREN_NODE_HOST_PEERLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * Events of other nodes on the disk: warren/node/events/ (or warren-events/
 * beneath hub.dir) <their Reticulum identity>/<8 digits>.jsonl, 8 MiB each, the oldest
 * go beyond hub.keep; `state` says how far they are good. ctx: the struct warren_node. What is kept
 * is there after a power cut; what a fall has left behind it is cut.
 */
#define PEERLOG_SEGMENT (8u << 20)

bool peerlog_last(void *ctx, const struct hash16 *who, uint64_t *seq,
    struct id32 *digest);
bool peerlog_keep(void *ctx, const struct hash16 *who, const uint8_t *,
    size_t, uint64_t seq, const struct id32 *digest);

#endif
