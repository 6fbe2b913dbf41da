/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_BLOBS_H
#define WARREN_NODE_HOST_BLOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "node/host/ledger.h"
#include "node/work/host.h"
#include "node/work/inputs.h"

/*
 * Blobs by SHA-256 (compute.md 3.2) as files beneath the node's folder:
 *
 *   blobs/<64 hex>            whole, checked, shared by content
 *   parts/<32 hex fp>-<64 hex> what one peer has sent of one so far
 *   lists/<64 hex fp>-<64 hex> the chunk list of one that came so (volumes.h)
 *
 * Knowing a digest is not having it: every question names who asks, and a blob
 * is there for an owner only who has uploaded it whole or whose job made it. A
 * second owner therefore sends every byte again, however long it has been here.
 */
struct blobs;

struct blobs_limits {
	uint64_t spool;	     /* of all */
	uint64_t peer_spool; /* of each */
};

/* inputs_needed() of the node that it is the spool of. */
typedef void blobs_needed_fn(void *ctx, const struct fp *fp,
    inputs_each_fn *each, void *arg);

/*
 * dir: the node's folder. What the ledger and the files do not both know is
 * removed. NULL: errno.
 */
struct blobs *blobs_open(int dir, struct ledger *, const struct blobs_limits *,
    blobs_needed_fn *, void *ctx);
/* Other limits from now on; what is there stays. */
void blobs_limit(struct blobs *, const struct blobs_limits *);
/* Files stay; NULL is fine. */
void blobs_close(struct blobs *);

/* Does this owner hold it whole? size may be NULL. */
bool blobs_has(struct blobs *, const struct fp *fp,
    const struct id32 *sha, uint64_t *size);
/* Was asked for: least recently used goes first. */
void blobs_use(struct blobs *, const struct fp *fp,
    const struct id32 *sha, uint32_t unix_now);
/* What the spool counts for it already, whole or begun; 0: nothing. */
uint64_t blobs_claimed(struct blobs *, const struct fp *fp,
    const struct id32 *sha);
/*
 * A step of what is not done while somebody waits (hashing of what was here
 * before a restart, BLOB_LATER until then); false: nothing to do.
 */
bool blobs_work(struct blobs *);
bool blobs_behind(struct blobs *); /* is there any? */
/* Whole: its size; else what has come of it. */
uint64_t blobs_have(struct blobs *, const struct fp *fp,
    const struct id32 *sha);

/*
 * The next bytes of a blob of this size, at an offset; begins it when it is
 * new. *have: how much is here now, so what to send next.
 */
enum blob_put blobs_put(struct blobs *, const struct fp *fp,
    const struct id32 *sha, uint64_t size, uint64_t offset,
    const uint8_t *data, size_t len, uint32_t unix_now, uint64_t *have);

/* Bytes read into buf (0: beyond the end); -1: not this owner's. */
ssize_t blobs_get(struct blobs *, const struct fp *fp,
    const struct id32 *sha, uint64_t offset, uint8_t *buf, size_t n,
    uint64_t *size);
/* O_RDONLY, for the jail; -1. */
int blobs_fd(struct blobs *, const struct fp *fp, const struct id32 *sha);

/* Bytes that an owner holds, partial ones with their full size. */
uint64_t blobs_held(struct blobs *, const struct fp *fp);
/* The same of all owners. */
uint64_t blobs_total(struct blobs *);
/* Drop what nobody needs, oldest first, until this many more fit. */
bool blobs_room(struct blobs *, const struct fp *fp, uint64_t more);
/* Partial ones without a byte for PART_IDLE_S. Seconds until the next is due. */
uint32_t blobs_expire(struct blobs *, uint32_t unix_now);
/* This owner gives it up; stays while something needs it. */
void blobs_drop(struct blobs *, const struct fp *fp,
    const struct id32 *sha);

/* ---- an output: written once, its digest known at the end ---- */
struct blob_writer;
/* An unnamed file; end it by finish or abort. NULL: errno. */
struct blob_writer *blob_writer_open(struct blobs *);
/* 0, or -1: errno. */
int blob_writer_add(struct blob_writer *, const uint8_t *, size_t);
/* Bytes so far. */
uint64_t blob_writer_size(const struct blob_writer *);
/*
 * Makes room, syncs, names it and gives it to the owner; frees w. 0, or -1:
 * errno, EDQUOT where the spool has no room for it.
 */
int blob_writer_finish(struct blob_writer *, const struct fp *fp,
    uint32_t unix_now, struct id32 *sha, uint64_t *size);
void blob_writer_abort(struct blob_writer *); /* NULL is fine */

#endif
