/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_CHUNKS_H
#define WARREN_TRUST_DOC_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/wire.h"

/*
 * A volume in chunks (compute.md 3.3): where it is cut, and the list that says
 * which chunks it is made of. Pure. Who packs cuts, who runs jobs only reads.
 */
#define CHUNK_MAX 32768u
#define CHUNKED_FROM (256u * 1024) /* compute.md 3.3: larger ones are split */
#define CHUNK_HEAD 16u		   /* "KCL1", count, total */
#define CHUNK_ENTRY 34u		   /* digest, size */
#define CHUNK_LIST_MAX (4u << 20)
#define CHUNKS_MAX ((CHUNK_LIST_MAX - CHUNK_HEAD) / CHUNK_ENTRY)

/* ---- cutting ---- */

struct chunk_gear {
	uint64_t g[256];
};
void chunk_gear_init(struct chunk_gear *);
/*
 * The length of the next chunk; n: bytes left, or CHUNK_MAX of them when there
 * are more. 0 only when there are none.
 */
size_t chunk_cut(const struct chunk_gear *, const uint8_t *, size_t n);

/* ---- the list ---- */

/* The bytes are the caller's and stay. */
struct chunk_list {
	const uint8_t *entries;
	uint32_t n;
	uint64_t total; /* bytes of the volume */
};
/* Every bound, and the sum of the sizes; false: why it is none. */
bool chunk_list_read(struct chunk_list *, const uint8_t *, size_t len,
    const char **why);
void chunk_list_head(uint8_t out[CHUNK_HEAD], uint32_t n, uint64_t total);
void chunk_list_entry(uint8_t out[CHUNK_ENTRY], const struct id32 *sha256,
    uint32_t size);

static inline const struct id32 *
chunk_digest(const struct chunk_list *l, uint32_t i)
{
	return id32_at(l->entries + (size_t)i * CHUNK_ENTRY);
}

static inline uint32_t
chunk_size(const struct chunk_list *l, uint32_t i)
{
	return get_u16(l->entries + (size_t)i * CHUNK_ENTRY + 32);
}

/* The list with places to look things up; 12 bytes more for each chunk. */
struct chunk_table {
	struct chunk_list l;
	uint64_t *at;	 /* n + 1: where each begins; the last: the total */
	uint32_t *order; /* by digest, equal ones by place */
};
/*
 * false: out of memory (why NULL), or one digest with two sizes. The list's
 * bytes must stay.
 */
bool chunk_table_make(struct chunk_table *, const struct chunk_list *,
    const char **why);
void chunk_table_free(struct chunk_table *); /* all zero is fine */
/*
 * The places of one digest are order[k], order[k + 1] ... as long as the digest
 * is the same. false: not in the list.
 */
bool chunk_find(const struct chunk_table *, const struct id32 *, uint32_t *k);
/* The next place of the same digest, behind order[*k]. */
bool chunk_next_same(const struct chunk_table *, uint32_t *k);

#endif
