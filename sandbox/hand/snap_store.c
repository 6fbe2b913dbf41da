/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/hand/snap_store.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/util.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif
#define PAGE 4096u /* alignment; of bytes, whatever pages are */

int
snap_store_open(struct snap_store *s, int fd, uint64_t most)
{
	void *table;

	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->most = most + PAGE;
	s->used = PAGE; /* the head's */
	if (ftruncate(fd, (off_t)(s->most + SNAPSHOT_TABLE_MAX)) < 0)
		return -1;
	/* where large pages are given for the asking, a copy is cheaper */
	s->map = mmap(NULL, s->most, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	table = mmap(NULL, SNAPSHOT_TABLE_MAX, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->map == MAP_FAILED || table == MAP_FAILED)
		return -1;
	(void)madvise(s->map, s->most, MADV_HUGEPAGE);
	s->table = wr_make(table, SNAPSHOT_TABLE_MAX);
	return 0;
}

void
snap_store_ready(struct snap_store *s, uint64_t bytes)
{
	uint64_t n = MIN_OF(bytes + PAGE, s->most);

	if (madvise(s->map, n, MADV_POPULATE_WRITE) == 0)
		return;
	for (uint64_t i = 0; i < n; i += PAGE)
		((volatile uint8_t *)s->map)[i] = 0;
}

bool
snap_store_room(struct snap_store *s, uint64_t bytes, uint64_t *off)
{
	uint64_t n = (bytes + PAGE - 1) / PAGE * PAGE;

	if (bytes > s->most || n > s->most - s->used) {
		s->full = true;
		return false;
	}
	*off = s->used;
	s->used += n;
	return true;
}

void
snap_store_trim(struct snap_store *s, uint64_t used)
{
	s->used = (used + PAGE - 1) / PAGE * PAGE;
}

bool
snap_member(struct snap_store *s, enum snapshot_kind kind, const void *name,
    size_t len)
{
	if (s->members >= SNAPSHOT_MEMBERS_MAX || len == 0 ||
	    len > SNAPSHOT_NAME_MAX || s->table.cap - s->table.len < len + 64) {
		s->full = true;
		s->extents = NULL;
		return false;
	}
	wr_u8(&s->table, (uint8_t)kind);
	wr_u16(&s->table, (uint16_t)len);
	wr_bytes(&s->table, name, len);
	s->extents = wr_room(&s->table, 4);
	put_u32(s->extents, 0);
	s->members++;
	return true;
}

void
snap_member_extent(struct snap_store *s, uint64_t off, uint64_t len)
{
	if (len == 0 || s->extents == NULL)
		return;
	if (s->table.cap - s->table.len < 16) {
		s->full = true;
		return;
	}
	wr_u64(&s->table, off);
	wr_u64(&s->table, len);
	put_u32(s->extents, get_u32(s->extents) + 1);
}

bool
snap_member_bytes(struct snap_store *s, const char *name, const void *p,
    size_t n)
{
	uint64_t off;

	if (!snap_store_room(s, n, &off) ||
	    !snap_member(s, SNAPSHOT_OURS, name, strlen(name)))
		return false;
	memcpy(s->map + off, p, n);
	snap_member_extent(s, off, n);
	return true;
}

int
snap_store_finish(struct snap_store *s, uint32_t pause_us)
{
	struct snapshot_head h = {.table = s->used, .table_len = s->table.len,
	    .pause_us = pause_us};

	if (pwrite(s->fd, s->table.buf, s->table.len, (off_t)s->used) !=
	    (ssize_t)s->table.len)
		return -1;
	snapshot_head_put(s->map, &h);
	return ftruncate(s->fd, (off_t)(s->used + s->table.len));
}
