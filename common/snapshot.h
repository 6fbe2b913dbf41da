/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_SNAPSHOT_H
#define WARREN_COMMON_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

/*
 * What warren-hand takes of a job that stands still, in one memfd: a head, the
 * bytes as they were copied, and a table of members, each a name and extents.
 * The table comes last because the pages come first: they are copied in one
 * go, and only then is known what they belong to. Hand is believed as little as
 * a job, so a reader takes nothing from here but names and places, and checks
 * both.
 *
 *   head:   magic 8, offset of the table u64, its length u64, pause in us u32
 *   member: kind u8, name u16 and bytes, extents u32, each offset u64, length
 *           u64
 */
#define SNAPSHOT_MAGIC "WRNSNAP1"
#define SNAPSHOT_HEAD 28
#define SNAPSHOT_TABLE_MAX (16u << 20) /* bytes */
#define SNAPSHOT_MEMBERS_MAX 20000u
#define SNAPSHOT_NAME_MAX 4096u

enum snapshot_kind {
	SNAPSHOT_OURS = 1, /* the name is hand's */
	SNAPSHOT_FILE = 2, /* ... is the job's path: any bytes */
};

/* The reason of J_SNAPPED when there is nothing left to copy. */
#define SNAPSHOT_ENDED "the job has ended"

/* What is asked for: bits. */
#define SNAPSHOT_MEMORY 1u
#define SNAPSHOT_FILES 2u
#define SNAPSHOT_ENVIRON 4u /* environments of processes too */

struct snapshot_head {
	uint64_t table, table_len;
	uint32_t pause_us;
};
struct snapshot_member {
	uint8_t kind;
	const uint8_t *name;
	size_t name_len;
	struct rd extents; /* snapshot_extent() */
	uint64_t size;	   /* of all of them */
};

void snapshot_head_put(uint8_t out[SNAPSHOT_HEAD], const struct snapshot_head *);
/* size: of the memfd. false: it is none, or the table lies outside. */
bool snapshot_head_get(struct snapshot_head *, const uint8_t *, size_t n,
    uint64_t size);
/*
 * The next member of a table. false: it is malformed, or an extent lies outside
 * of the memfd's size bytes; of one extent after another no more than all of
 * it is given: left, which begins as size, has what is left.
 */
bool snapshot_member_get(struct rd *, struct snapshot_member *, uint64_t size,
    uint64_t *left);
bool snapshot_extent(struct snapshot_member *, uint64_t *off, uint64_t *len);

#endif
