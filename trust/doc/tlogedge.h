/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_TLOGEDGE_H
#define WARREN_TRUST_DOC_TLOGEDGE_H

#include "trust/doc/tlog.h"

/*
 * A log that grows: the tiles of its right edge, one a level, from which its
 * root follows and all tiles that a new entry completes. Who writes a log and
 * who checks one go the same way; they differ in what they do with a tile.
 * Pure; 64 KiB.
 */
#define TLOG_LEVELS 8

struct tlog_edge {
	uint64_t size;
	unsigned n[TLOG_LEVELS]; /* hashes of the level's last tile */
	struct id32 tile[TLOG_LEVELS][TLOG_TILE];
};

/* A tile; false: it cannot be taken, or is not as it is in the log. */
typedef bool tlog_tile_fn(void *ctx, uint32_t level, uint64_t n,
    const struct id32 *hashes, unsigned width);
/* The hashes of a tile as it is in the log. */
typedef bool tlog_load_fn(void *ctx, uint32_t level, uint64_t n,
    struct id32 *hashes, unsigned width);

/* For proofs: hashes of subtrees out of the tiles of a log of that size. */
struct tlog_tiles {
	const uint64_t *size; /* when it is read: a log may still grow */
	tlog_load_fn *load;
	void *ctx;
};
tlog_read_fn tlog_tiles_read; /* ctx: the tiles */

void tlog_edge_init(struct tlog_edge *); /* of the empty log */
/* Of a log of this size; false: a tile is not there. */
bool tlog_edge_load(struct tlog_edge *, uint64_t size, tlog_load_fn *,
    void *ctx);
/* One more entry; whole tiles are given to fn. */
bool tlog_edge_add(struct tlog_edge *, const struct id32 *leaf,
    tlog_tile_fn *, void *ctx);
/* The tiles that are not whole, to fn. */
bool tlog_edge_rest(const struct tlog_edge *, tlog_tile_fn *, void *ctx);
void tlog_edge_root(const struct tlog_edge *, struct id32 *out);

#endif
