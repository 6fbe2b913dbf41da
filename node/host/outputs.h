/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_OUTPUTS_H
#define WARREN_NODE_HOST_OUTPUTS_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "common/left.h"
#include "node/host/blobs.h"

/*
 * What a pack step writes (J_STEP_OPEN) into a blob: hashed as it comes, and
 * given up when it is larger than it may be. The end is known when both the
 * pipe's EOF and J_STEP_DONE have come, in either order.
 */
#define OUTPUTS_TURN 65536u /* bytes of a step and turn of the loop */
#define OUTPUTS_LOOK (1u << 20) /* ours: from one look at the disk to the next */

struct outputs;

struct outputs_ops {
	void *ctx;
	/* ok: sha and size are of a blob that is its owner's now */
	void (*done)(void *ctx, const struct id32 *job, unsigned volume,
	    bool ok, const struct id32 *sha, uint64_t size, const struct left *,
	    const char *why);
	uint32_t (*own_now)(void *ctx);
	/* Has the disk no room above the reserve? The output is lost then. */
	bool (*disk_full)(void *ctx);
};

/* NULL: out of memory. blobs must outlive it. */
struct outputs *outputs_new(struct ev_loop *, struct blobs *,
    const struct outputs_ops *);
/* Nothing is reported; NULL is fine. */
void outputs_free(struct outputs *);
/* fd is taken; most: bytes that this volume may have. */
void outputs_open(struct outputs *, const struct id32 *job,
    const struct fp *owner, unsigned volume, int fd, uint64_t most);
/* J_STEP_DONE. */
void outputs_step(struct outputs *, const struct id32 *job, unsigned volume,
    bool ok, const struct left *, const char *why);
/* The job is given up: nothing is reported. */
void outputs_drop(struct outputs *, const struct id32 *job);

#endif
