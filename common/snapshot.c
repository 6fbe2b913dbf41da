/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/snapshot.h"

#include <string.h>

#define EXTENT 16 /* bytes of one in the table */

void
snapshot_head_put(uint8_t out[SNAPSHOT_HEAD], const struct snapshot_head *h)
{
	struct wr w = wr_make(out, SNAPSHOT_HEAD);

	wr_bytes(&w, SNAPSHOT_MAGIC, 8);
	wr_u64(&w, h->table);
	wr_u64(&w, h->table_len);
	wr_u32(&w, h->pause_us);
}

bool
snapshot_head_get(struct snapshot_head *h, const uint8_t *p, size_t n,
    uint64_t size)
{
	struct rd r = rd_make(p, n);
	uint8_t magic[8];

	return rd_copy(&r, magic, sizeof(magic)) &&
	    memcmp(magic, SNAPSHOT_MAGIC, sizeof(magic)) == 0 &&
	    rd_u64(&r, &h->table) && rd_u64(&r, &h->table_len) &&
	    rd_u32(&r, &h->pause_us) && h->table_len <= SNAPSHOT_TABLE_MAX &&
	    h->table <= size && h->table_len <= size - h->table;
}

bool
snapshot_member_get(struct rd *r, struct snapshot_member *m, uint64_t size,
    uint64_t *left)
{
	uint64_t off, len;
	uint32_t n;
	uint16_t k;
	struct rd e;

	if (!rd_u8(r, &m->kind) ||
	    (m->kind != SNAPSHOT_OURS && m->kind != SNAPSHOT_FILE) ||
	    !rd_u16(r, &k) || k == 0 || k > SNAPSHOT_NAME_MAX ||
	    !rd_ref(r, &m->name, k) || !rd_u32(r, &n) ||
	    n > rd_left(r) / EXTENT || !rd_sub(r, (size_t)n * EXTENT, &e))
		return false;
	m->name_len = k;
	m->extents = e;
	m->size = 0;
	while (rd_left(&e) > 0) {
		if (!rd_u64(&e, &off) || !rd_u64(&e, &len) || off > size ||
		    len > size - off || len > *left)
			return false;
		*left -= len;
		m->size += len;
	}
	return true;
}

bool
snapshot_extent(struct snapshot_member *m, uint64_t *off, uint64_t *len)
{
	return rd_u64(&m->extents, off) && rd_u64(&m->extents, len);
}
