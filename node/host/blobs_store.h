/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_BLOBS_STORE_H
#define WARREN_NODE_HOST_BLOBS_STORE_H

#include <nettle/sha2.h>

#include "common/fileat.h"
#include "common/util.h"
#include "node/host/blobs.h"

/*
 * What the files of the spool share: blobs.c (what is here, uploads),
 * blobs_start.c (open, sweep), blobs_write.c (outputs), volumes.c (volumes that
 * come in chunks). Nobody else includes it.
 */
#define PART_IDLE_S 129600 /* compute.md 3.2: 36 hours after the last byte */

/* One owner's claim on a blob. */
struct own {
	RB_ENTRY(own) node;
	struct fp fp;
	struct id32 sha;
	uint64_t size;
	uint32_t used;
	uint32_t list; /* bytes of its chunk list, which is kept; 0: none */
	bool needed;   /* by what was last told of that */
};

/* What one peer has sent of one. */
struct blob_part {
	RB_ENTRY(blob_part) node;
	struct fp fp;
	struct id32 sha;
	uint64_t size; /* of the whole; 0: not told since the restart */
	uint64_t have, hashed;
	uint32_t used;
	bool free;     /* its bytes are charged already (struct claim) */
	bool old;      /* begun before a restart */
	bool catching; /* what was here before a restart is being hashed */
	int fd;	       /* -1: opened when needed */
	struct sha256_ctx hash;
};

RB_HEAD(owns, own);
RB_HEAD(parts, blob_part);

/*
 * What one peer holds: the sum is kept, not counted. By the beginning of its
 * fingerprint, since a part that was found again has no more of it.
 */
struct holder {
	RB_ENTRY(holder) node;
	uint8_t key[16];
	uint64_t bytes;
};
RB_HEAD(holders, holder);

/* Spool that is held for something else than these two. */
struct claim {
	LIST_ENTRY(claim) entry;
	struct fp fp;
	uint64_t bytes;
};

/* A part is whole and checked: true: its bytes were taken, it is no blob. */
typedef bool blobs_take_fn(void *ctx, const struct fp *,
    const struct id32 *sha, int fd, uint64_t size);

struct blobs {
	int dir, whole, partial, lists; /* directories */
	struct ledger *ledger;
	struct blobs_limits limits;
	blobs_needed_fn *needed;
	void *ctx;
	blobs_take_fn *take;
	void *take_ctx;
	struct owns owns;
	struct parts parts;
	LIST_HEAD(, claim) claims;
	struct holders holders;
	uint64_t total;
	uint64_t serial; /* of temporary names */
};

uint64_t blobs_charge(uint64_t size);
struct own *own_find(struct blobs *, const struct fp *, const struct id32 *);
/* The next of this owner behind that digest whose list is kept; NULL. */
struct own *own_next_listed(struct blobs *, const struct fp *,
    const struct id32 *after);
/* NULL: out of memory. One that is there is used now. */
struct own *own_add(struct blobs *, const struct fp *, const struct id32 *,
    uint64_t size, uint32_t used);
void own_remove(struct blobs *, struct own *);
void owns_free(struct blobs *); /* files stay; the sums go */
bool owned_by_any(struct blobs *, const struct id32 *);
/* Its chunk list is a file of so many bytes in lists/. */
void own_list(struct blobs *, struct own *, uint32_t bytes);
void whole_name(char out[65], const struct id32 *);
#define LIST_NAME 130
void list_name(char out[LIST_NAME], const struct fp *, const struct id32 *);

#define PART_NAME 98
void part_insert(struct blobs *, struct blob_part *); /* and charges it */
void part_remove(struct blobs *, struct blob_part *, bool file);
struct blob_part *part_first(struct blobs *);
/* What was sent of it otherwise is void. */
void part_drop(struct blobs *, const struct fp *, const struct id32 *);

void claim_add(struct blobs *, struct claim *, const struct fp *,
    uint64_t bytes);
void claim_end(struct blobs *, struct claim *);

/*
 * Room for so much more of this peer's, of which nobody else is charged: what
 * it needs no more goes. blobs_room() asks for the room of all besides.
 */
bool peer_room(struct blobs *, const struct fp *, uint64_t more);

/*
 * blobs_put() of one whose bytes are charged already; whole, it goes to take()
 * first.
 */
enum blob_put blobs_put_free(struct blobs *, const struct fp *,
    const struct id32 *sha, uint64_t size, uint64_t offset,
    const uint8_t *data, size_t len, uint32_t unix_now, uint64_t *have);

#endif
