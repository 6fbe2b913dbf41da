/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_VOLUMES_H
#define WARREN_NODE_HOST_VOLUMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "node/host/blobs.h"
#include "node/work/host.h"

/*
 * Volumes that come in chunks (compute.md 3.3), from their list to the blob that
 * they are in the end:
 *
 *   lists/<64 hex fp>-<64 hex>  the chunk list, as long as the volume is here
 *   gaps/<64 hex fp>-<64 hex>   the volume, until it is whole
 *
 * Chunks are no files. One that comes is checked and written to its places;
 * one that this owner has sent before is copied out of the volume in which it
 * lies, whose list is kept for that. So nothing lies or is charged twice, and a
 * restart only looks at the file again. Knowing a digest is not having it: all
 * of it is about one owner, and nothing of another's is looked at.
 *
 * Copying and hashing is done by volumes_work(), a piece a call.
 */
struct volumes;

/* Whole and given to the owner as a blob; else it is gone and why says why. */
typedef void volumes_done_fn(void *ctx, const struct fp *,
    const struct id32 *sha, bool ok, const char *why);

/* dir: the node's folder. NULL: errno. */
struct volumes *volumes_open(int dir, struct blobs *, volumes_done_fn *,
    void *ctx);
void volumes_close(struct volumes *); /* files stay; NULL is fine */

/* Of host.h: volume_begin, volume_lacks, chunk_of. */
enum volume_is volumes_begin(struct volumes *, const struct fp *,
    const struct blob_ref *whole, const struct blob_ref *list,
    uint32_t unix_now, const char **why);
enum volume_is volumes_lacks(struct volumes *, const struct fp *,
    const struct id32 *sha, struct id32 *out, unsigned max, unsigned *n,
    bool *more);
bool volumes_chunk(struct volumes *, const struct fp *,
    const struct id32 *chunk, struct id32 *whole, uint64_t *size);
/*
 * Which of these, at most VOLUMES_ASK, are chunks that this owner has sent: of
 * volumes under way, and of those that are blobs now. here[i] is set where one
 * is, the others stay.
 */
#define VOLUMES_ASK 1024
void volumes_here(struct volumes *, const struct fp *, const struct id32 *,
    unsigned n, bool *here);
/*
 * Bytes of one such that lies in a blob, as blobs_get(); -1: there is none.
 */
ssize_t volumes_get(struct volumes *, const struct fp *, const struct id32 *,
    uint64_t offset, uint8_t *buf, size_t n, uint64_t *size);
/*
 * Bytes that have still to be sent of a volume, of its list as well (NULL: it
 * has none): exact once the list was read, else what lies at its beginning is
 * left out. Of any other blob likewise.
 */
uint64_t volumes_to_come(struct volumes *, const struct fp *,
    const struct blob_ref *whole, const struct blob_ref *list);
/* What the spool counts for it while it is under way. */
uint64_t volumes_claimed(struct volumes *, const struct fp *,
    const struct id32 *sha);
/*
 * Bytes of a volume that is under way, at its unbroken beginning; of anything
 * else they go to blobs_put().
 */
enum blob_put volumes_put(struct volumes *, const struct fp *,
    const struct id32 *sha, uint64_t size, uint64_t offset,
    const uint8_t *data, size_t len, uint32_t unix_now, uint64_t *have);
/* Bytes of a chunk that volumes_chunk() knows. */
enum blob_put volumes_put_chunk(struct volumes *, const struct fp *,
    const struct id32 *sha, uint64_t size, uint64_t offset,
    const uint8_t *data, size_t len, uint32_t unix_now, uint64_t *have);
/* A piece of what is to be done; false: nothing is left. */
bool volumes_work(struct volumes *, uint32_t unix_now);
/* Is there anything for it? */
bool volumes_idle(const struct volumes *);
/* Those without a byte for PART_IDLE_S. Seconds until the next is due. */
uint32_t volumes_expire(struct volumes *, uint32_t unix_now);

#endif
