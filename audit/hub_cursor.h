/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_HUB_CURSOR_H
#define WARREN_AUDIT_HUB_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How far a hub has come, in the file `hub` beside the trail; and what of a
 * batch it says that it has taken. Pure but for the file.
 */
#define TRAIL_HUB "hub"
#define HUB_ID 64 /* hex digits: which hub */

struct hub_cursor {
	char id[HUB_ID + 1];
	uint64_t acked; /* the last line that it has taken */
	uint64_t sent;	/* the last that it may have: not below acked */
};

/* Of this hub; nothing, when the file is of another one, or of none. */
void hub_cursor_read(struct hub_cursor *, int dir, const char *id);
/* 0 or -1 (errno). */
int hub_cursor_write(const struct hub_cursor *, int dir);

/*
 * {"ack":N}: whatever else is there. The number, which must be one of last[n],
 * the ends of the lines that it was sent; 0, and why it is none.
 */
uint64_t hub_ack(const char *text, size_t len, const uint64_t *last,
    unsigned n, const char **why);

#endif
