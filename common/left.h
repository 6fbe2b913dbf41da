/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_LEFT_H
#define WARREN_COMMON_LEFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What packing a folder left out, or changed (compute.md 2.2, 3.4): how many
 * in all, and the first names with their reasons, as bytes that travel from the
 * packer to the submitter. Each item: volume u8, reason u8, length u8, name as
 * it was found; whoever shows a name escapes it.
 */
enum left_reason {
	LEFT_NAME,  /* not UTF-8, or control characters */
	LEFT_PATH,  /* too long, or too deep */
	LEFT_LINK,  /* leads out, is absolute, or too long */
	LEFT_TYPE,  /* device, pipe, socket */
	LEFT_SETID, /* it is there, without the bit */
	LEFT_READ,  /* cannot be opened */
	LEFT_SIZE,  /* too large for the archive */
	LEFT_REASONS
};
#define LEFT_NAME_MAX 255
#define LEFT_BYTES 1024 /* ours: some forty names; they ride in one message */

struct left {
	uint32_t count;
	uint16_t len;
	uint8_t buf[LEFT_BYTES];
};
struct left_item {
	uint8_t volume, reason; /* a reason may be one that we do not know */
	uint8_t len;
	const uint8_t *name; /* not NUL-terminated */
};

/* Counts; the name is kept when there is room, a long one by its beginning. */
void left_add(struct left *, unsigned volume, unsigned reason,
    const void *name, size_t len);
/* Item by item from *at = 0; false: no more, or malformed from here. */
bool left_next(const struct left *, size_t *at, struct left_item *);
/* From a stranger's bytes; too many are cut. */
void left_set(struct left *, uint32_t count, const uint8_t *buf, size_t len);
/* What one volume left out goes to the list of all. */
void left_join(struct left *to, unsigned volume, const struct left *from);

/* The word of compute.md 3.4 ("name", "link", ...); "other": not known. */
const char *left_word(unsigned reason);
/* The other way; LEFT_REASONS: not known. */
unsigned left_reason(const char *word, size_t len);
/* Why, for people. */
const char *left_text(unsigned reason);

#endif
