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
	struct id32 interface; /* all zero: nil, in tunnels */
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

/*
 * An entry of tunnels (reticulum-transport.md 2.9), a list like
 * destination_table. get as codec_path_get(); paths: read `count` of them.
 */
#define CODEC_TUNNEL_BLOBS 32 /* PERSIST_RANDOM_BLOBS */
struct codec_tunnel {
	struct id32 id;
	int64_t expires_us;
	struct rd paths;
	size_t count;
};
int codec_tunnel_get(struct rd *, struct codec_tunnel *);
/* Its head, then `count` codec_path_put(), then its end. interface: NULL nil */
#define CODEC_TUNNEL_MAX 96
void codec_tunnel_put(struct wr *, const struct id32 *id,
    const struct id32 *interface, size_t count);
void codec_tunnel_put_end(struct wr *, int64_t expires_us);

/* cache/announces/HEX: raw packet and interface name (NULL: nil). */
bool codec_announce_get(const uint8_t *, size_t, const uint8_t **raw,
    size_t *raw_len);
#define CODEC_ANNOUNCE_MAX (RNS_MTU + 320)
void codec_announce_put(struct wr *, const uint8_t *raw, size_t raw_len,
    const char *interface);

/* blackhole/FILE: identity -> source, until, reason. */
struct codec_hole {
	struct hash16 identity;
	struct hash16 source; /* all zero: nil */
	int64_t until_us; /* 0: for good */
	const char *reason; /* into the input; NULL: nil */
	size_t reason_len;
};
#define CODEC_REASON_MAX 256 /* ours: what is longer is cut */
/* Its length so cut, before a character. */
size_t codec_reason_fits(const char *, size_t);
bool codec_holes_head(struct rd *, size_t *count);
int codec_hole_get(struct rd *, struct codec_hole *); /* as codec_path_get */
#define CODEC_HOLE_MAX 80 /* and the reason */
void codec_hole_put(struct wr *, const struct codec_hole *);

#endif
