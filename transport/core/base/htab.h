/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_HTAB_H
#define WARREN_TRANSPORT_CORE_BASE_HTAB_H

#include <rns/hash.h>

#include "transport/core/base/ctx.h"
#include "transport/core/base/pool.h"

/*
 * Items of one size by their hash: found at once, walked in the order of the
 * hashes. There may be 100,000, and a look at memory that nobody looked at
 * lately costs as much as all else that is done with a packet. So they are
 * found by open addressing in slots that hold enough of the hash to need no
 * look at any other item, at places that come from a secret seed, so that
 * nobody can make up hashes that meet. The order is kept in sorted rows, found
 * by their first: where a tree looks at seventeen items, two or three lines of
 * memory are looked at. Hashes with the same beginning are looked at
 * themselves, and still only as many as in a tree.
 *
 * Items stand in a pool. One begins with struct hitem and stays where it is.
 */
struct hitem {
	struct hash16 key;
	uint32_t id;
};

struct htab_entry {
	uint32_t head; /* of the key, so that numbers are in its order */
	uint32_t id;
};

#define HTAB_ROW 126 /* ours: a KiB with its head and the allocator's */

struct htab_row {
	uint32_t n;
	struct htab_entry e[HTAB_ROW];
};

struct htab_rows {
	struct htab_entry first; /* of the row */
	struct htab_row *row;
};

struct htab_slot {
	uint32_t mark; /* its upper bits are where the search starts */
	uint32_t id;   /* 0: empty */
};

struct htab {
	struct htab_slot *slots; /* 1 << bits */
	struct pool items;
	struct htab_rows *rows;
	uint32_t row_count, row_cap;
	uint32_t count;
	unsigned bits;
	uint64_t seed;
};

/* RNS_ENOMEM: nothing is left behind. */
int htab_init(struct rns *, struct htab *, size_t size);
/* No items are looked at: whoever has pointers in them frees those before. */
void htab_clear(struct htab *);
/* NULL: there is none. */
void *htab_find(const struct htab *, const struct hash16 *key);
/* Its slot will be looked at soon. */
void htab_soon(const struct htab *, const struct hash16 *key);
/*
 * Zeros but for its head; the key is not there yet. NULL: no memory. Growing
 * moves all slots once, front to back.
 */
void *htab_add(struct htab *, const struct hash16 *key);
/* It is found no more; its bytes stay until htab_free(). */
void htab_remove(struct htab *, void *item);
/* One that was removed. */
void htab_free(struct htab *, void *item);
/* The first behind a hash, or at it; NULL: none. */
void *htab_after(const struct htab *, const struct hash16 *key, bool at);
/* The first of all. */
void *htab_first(const struct htab *);

#endif
