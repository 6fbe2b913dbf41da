/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_FILELIST_H
#define WARREN_AUDIT_FILELIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/wire.h"

/*
 * What an image's folder holds, images/meta/DIGEST.files: made at its import,
 * looked at ever after. Pure. On disk, big-endian:
 *
 *   "WFL1", then a block for each folder, the root first, the others in the
 *   order in which blocks name them:
 *     u32 entries, and for each, by the bytes of their names:
 *       u8 type   'd' folder, 'f' file, 'l' symbolic link
 *       u16 mode  07777
 *       f: u32 links, u64 size, 32 bytes digest (filesum.h), zeros where mode
 *          lets nobody read
 *       l: u16 length and the text
 *       u8 length and the name
 *
 * Equal folders have equal lists.
 */
#define FILELIST_BYTES_MAX (256u << 20)
#define FILELIST_MAGIC "WFL1"
#define FILELIST_NAME 255
#define FILELIST_LINK 4095
#define FILELIST_PATH 4095
#define FILELIST_LINK_MODE 0777 /* of every symbolic link */

struct filelist_entry {
	char type;
	uint16_t mode;
	uint32_t links;
	uint64_t size;
	struct id32 sum;
	const uint8_t *link, *name; /* of the buffer, no NUL behind them */
	uint16_t link_len;
	uint8_t name_len;
};

/* The next block's number of entries; false: the end, or malformed. */
bool filelist_block(struct rd *, uint32_t *entries);
/* false: malformed: of no type, an empty name, "." or "..", one with / or NUL */
bool filelist_entry(struct rd *, struct filelist_entry *);
void filelist_put(struct wr *, const struct filelist_entry *);
#define FILELIST_ENTRY_MAX (2 * 4096) /* bytes that one takes at most */
/* The start of a list; false: it is none. */
bool filelist_begin(struct rd *, const uint8_t *, size_t len);
/*
 * Is it whole and of the form: a block for each folder and none besides, names
 * in order? entries: of all blocks.
 */
bool filelist_check(const uint8_t *, size_t len, uint32_t *entries);

#endif
