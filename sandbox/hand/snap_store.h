/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_SNAP_STORE_H
#define WARREN_SANDBOX_HAND_SNAP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/snapshot.h"
#include "common/wire.h"

/*
 * The memfd of a snapshot (common/snapshot.h) as hand fills it: room from the
 * front on, members in a table that is written last.
 */
struct snap_store {
	int fd;
	uint8_t *map;
	uint64_t most, used; /* bytes; most: what may be taken */
	struct wr table;
	uint32_t members;
	bool full;	     /* something did not fit any more */
	uint8_t *extents;    /* where the open member's number of them stands */
};

/* 0, or -1 with errno. fd is the caller's; most: bytes of content. */
int snap_store_open(struct snap_store *, int fd, uint64_t most);
/* Have the pages of the first so many bytes here before they are needed. */
void snap_store_ready(struct snap_store *, uint64_t bytes);
/* So many bytes, page-aligned; false, and full: there are not so many. */
bool snap_store_room(struct snap_store *, uint64_t bytes, uint64_t *off);
/* What was taken last and is not needed goes back. */
void snap_store_trim(struct snap_store *, uint64_t used);

/* A member: begin, extents, or all at once with its bytes. */
bool snap_member(struct snap_store *, enum snapshot_kind, const void *name,
    size_t len);
void snap_member_extent(struct snap_store *, uint64_t off, uint64_t len);
bool snap_member_bytes(struct snap_store *, const char *name, const void *,
    size_t);

/* Table and head; 0, or -1 with errno. */
int snap_store_finish(struct snap_store *, uint32_t pause_us);

#endif
