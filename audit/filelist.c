/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/filelist.h"

#include <string.h>

#include "common/util.h"

bool
filelist_begin(struct rd *r, const uint8_t *p, size_t len)
{
	const uint8_t *magic;

	*r = rd_make(p, len);
	return rd_ref(r, &magic, 4) && memcmp(magic, FILELIST_MAGIC, 4) == 0;
}

bool
filelist_block(struct rd *r, uint32_t *entries)
{
	return rd_u32(r, entries);
}

static bool
name_ok(const uint8_t *p, size_t n)
{
	return n > 0 && memchr(p, '/', n) == NULL && memchr(p, 0, n) == NULL &&
	    !(n == 1 && p[0] == '.') && !(n == 2 && p[0] == '.' && p[1] == '.');
}

/* One form for one thing: what means nothing is as it always is. */
static bool
plain(const struct filelist_entry *e)
{
	static const struct id32 none;

	if (e->type == 'l')
		return e->mode == FILELIST_LINK_MODE;
	return e->type == 'd' || (e->mode & 0444) != 0 ||
	    id32_eq(&e->sum, &none);
}

bool
filelist_entry(struct rd *r, struct filelist_entry *e)
{
	uint8_t type;

	memset(e, 0, sizeof(*e));
	if (!rd_u8(r, &type) || !rd_u16(r, &e->mode) || e->mode > 07777)
		return false;
	e->type = (char)type;
	switch (e->type) {
	case 'd':
		break;
	case 'f':
		if (!rd_u32(r, &e->links) || !rd_u64(r, &e->size) ||
		    !rd_copy(r, HASH_BYTES(e->sum)))
			return false;
		break;
	case 'l':
		if (!rd_u16(r, &e->link_len) || e->link_len > FILELIST_LINK ||
		    !rd_ref(r, &e->link, e->link_len))
			return false;
		break;
	default:
		return false;
	}
	return plain(e) && rd_u8(r, &e->name_len) && rd_ref(r, &e->name, e->name_len) &&
	    name_ok(e->name, e->name_len);
}

void
filelist_put(struct wr *w, const struct filelist_entry *e)
{
	wr_u8(w, (uint8_t)e->type);
	wr_u16(w, e->mode);
	if (e->type == 'f') {
		wr_u32(w, e->links);
		wr_u64(w, e->size);
		wr_bytes(w, HASH_BYTES(e->sum));
	} else if (e->type == 'l') {
		wr_u16(w, e->link_len);
		wr_bytes(w, e->link, e->link_len);
	}
	wr_u8(w, e->name_len);
	wr_bytes(w, e->name, e->name_len);
}

/* By bytes, a beginning before what goes on. */
static bool
after(const struct filelist_entry *a, const struct filelist_entry *b)
{
	int c = memcmp(a->name, b->name, MIN_OF(a->name_len, b->name_len));

	return c < 0 || (c == 0 && a->name_len < b->name_len);
}

bool
filelist_check(const uint8_t *p, size_t len, uint32_t *entries)
{
	struct filelist_entry e, last;
	uint64_t folders = 1, all = 0;
	uint32_t n;
	struct rd r;

	if (!filelist_begin(&r, p, len))
		return false;
	for (; folders > 0; folders--) {
		if (!filelist_block(&r, &n))
			return false;
		for (uint32_t i = 0; i < n; i++) {
			if (!filelist_entry(&r, &e) ||
			    (i > 0 && !after(&last, &e)))
				return false;
			folders += e.type == 'd';
			last = e;
		}
		all += n;
	}
	if (!rd_end(&r) || all > UINT32_MAX)
		return false;
	*entries = (uint32_t)all;
	return true;
}
