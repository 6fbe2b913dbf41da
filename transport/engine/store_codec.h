/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_STORE_CODEC_H
#define WARREN_TRANSPORT_ENGINE_STORE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

#include "common/wire.h"

/*
 * What Reticulum's storage folder holds of transport, as bytes
 * (reticulum-transport.md 11.4). Pure. Known destinations and ratchets:
 * transport/core/stores.h. Times are float64 seconds in the files and Unix
 * microseconds here.
 */
/* reticulum-transport.md 2.1; more are cut, oldest first */
#define CODEC_BLOBS_MAX 64
#define CODEC_BLOB 10

/* One entry of destination_table (reticulum-transport.md 2.1). */
struct codec_path {
	struct hash16 dest;
	struct hash16 next_hop;
	uint8_t hops;
	int64_t learned_us, expires_us;
	struct id32 interface;
	struct id32 packet_hash;
	uint8_t blobs[CODEC_BLOBS_MAX][CODEC_BLOB]; /* newest last */
	size_t blob_count;
};

/* false: not a list. */
bool codec_paths_head(struct rd *, size_t *count);
/*
 * RNS_OK, RNS_ENOENT: an entry that is not what it should be was passed over,
 * RNS_EPARSE: nothing behind this can be read.
 */
int codec_path_get(struct rd *, struct codec_path *);
#define CODEC_PATH_MAX (160 + CODEC_BLOBS_MAX * (CODEC_BLOB + 2))
void codec_path_put(struct wr *, const struct codec_path *);

/* cache/announces/HEX: raw packet and interface name (NULL: nil). */
bool codec_announce_get(const uint8_t *, size_t, const uint8_t **raw,
    size_t *raw_len);
#define CODEC_ANNOUNCE_MAX (RNS_MTU + 320)
void codec_announce_put(struct wr *, const uint8_t *raw, size_t raw_len,
    const char *interface);

/* blackhole/FILE: identity -> source, until, reason; the reason is not read. */
struct codec_hole {
	struct hash16 identity;
	int64_t until_us; /* 0: for good */
};
bool codec_holes_head(struct rd *, size_t *count);
int codec_hole_get(struct rd *, struct codec_hole *); /* as codec_path_get */

#endif
