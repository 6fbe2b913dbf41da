/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_VOLUMES_STORE_H
#define WARREN_NODE_HOST_VOLUMES_STORE_H

#include <nettle/sha2.h>

#include "node/host/blobs_store.h"
#include "node/host/volumes.h"
#include "trust/doc/chunks.h"

/*
 * What volumes.c (what lacks, bytes that come) and volumes_work.c (the
 * beginning, what is done bit by bit) share. Nobody else includes it.
 *
 *   read -> scan -> match -> open -> hash
 *
 * read, scan: after a restart, what lies in the file is found again. match:
 * chunks of this owner's blobs and volumes are copied. open: chunks come.
 */
enum stage { AT_READ, AT_SCAN, AT_MATCH, AT_OPEN, AT_HASH };

struct volume {
	RB_ENTRY(volume) node;
	TAILQ_ENTRY(volume) turn; /* while there is work */
	bool queued;
	struct fp fp;
	struct id32 sha;
	uint64_t size;
	uint32_t used, list_len;
	struct claim claim;
	enum stage at;
	uint8_t *list; /* NULL: not read yet */
	struct id32 list_sha;
	struct chunk_table t;
	uint8_t *here; /* a bit for each place */
	uint32_t lacking;
	uint32_t next; /* the first place that lacks its chunk */
	uint32_t tail; /* bytes of it that are written, not checked */
	bool doubt;    /* ... before a restart: they need not be the peer's */
	/* where the work stands */
	uint32_t i;
	bool blobs_done;
	struct id32 from;   /* match: the volume that is looked at */
	uint8_t *from_list; /* ... its list; NULL: the next one's turn */
	struct chunk_list from_l;
	uint64_t from_at;
	uint64_t hashed;
	struct sha256_ctx hash;
};

RB_HEAD(volume_tree, volume);

struct volumes {
	struct blobs *b;
	int gaps;
	volumes_done_fn *done;
	void *ctx;
	struct volume_tree all;
	TAILQ_HEAD(, volume) turns;
};

struct volume *volume_find(struct volumes *, const struct fp *,
    const struct id32 *);
/* All, beginning with NULL. */
struct volume *volume_next(struct volumes *, struct volume *);
void volume_insert(struct volumes *, struct volume *);
void volume_free(struct volumes *, struct volume *);
void volume_drop(struct volumes *, struct volume *); /* and its files */
void volume_queue(struct volumes *, struct volume *);
void volume_unqueue(struct volumes *, struct volume *);
int volume_open(const struct volumes *, const struct volume *);
bool volume_is_here(const struct volume *, uint32_t i);
void volume_mark(struct volume *, uint32_t i);
void volume_advance(struct volume *);
bool volume_lacks(const struct volume *, const struct id32 *);
/* A chunk that was checked goes to all places that lack it. */
bool volume_place(struct volume *, int fd, const struct id32 *,
    const uint8_t *);
/* All of it has come, or what lacks is known now. */
void volume_settled(struct volumes *, struct volume *);
void volume_digest(struct id32 *out, const uint8_t *, size_t);
/* Struct blobs' take(): a chunk that came in pieces is whole. */
blobs_take_fn volumes_take;

#endif
