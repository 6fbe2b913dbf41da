/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_HUB_BATCH_H
#define WARREN_AUDIT_HUB_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a hub is sent next (klp.md 7): lines of the trail as they are, each
 * with its newline, tombstones among them. Lines below the least severity are
 * sent as the tombstone that dropping them would leave, so the chain through
 * what comes is whole and every line is accounted for. Reads the trail's files
 * alone.
 */
#define HUB_LINES 500		/* klp.md 7 */
#define HUB_BYTES (256u << 10)
#define HUB_SCAN (4u << 20) /* ours: bytes that are read for one batch */

struct hub_limits {
	unsigned severity; /* the least that goes as it is */
	unsigned lines;	   /* at most HUB_LINES */
	size_t bytes;	   /* at most HUB_BYTES */
};

/* Where the line behind a number stands; zeros: it is looked for. */
struct hub_place {
	uint64_t after;	   /* that number */
	uint64_t rewrites; /* trail_rewrites() when that was so */
	uint32_t segment;
	uint64_t offset;
};

struct hub_batch {
	char text[HUB_BYTES];
	size_t len;
	unsigned n;
	uint64_t last[HUB_LINES]; /* number of each line, or where it ends */
	struct hub_place end;	  /* behind the last */
};

/*
 * Lines behind place->after; to: not further than this one, 0: as far as they
 * fit. 0 or -1 (errno); n 0: there is nothing to send. Behind lines that are
 * all beneath the severity nothing is sent, until one is not.
 */
int hub_batch_make(struct hub_batch *, int dir, const struct hub_limits *,
    const struct hub_place *, uint64_t rewrites, uint64_t to);

#endif
