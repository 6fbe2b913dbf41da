/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_LINEBUF_H
#define WARREN_TRANSPORT_ENGINE_LINEBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What a machine has said and its line has not taken yet, in order. It has
 * room for what machines say at once, all of it; what is more than that is for
 * a device that takes nothing.
 */
#define LINEBUF_BYTES 16384 /* ours */

struct linebuf {
	uint8_t b[LINEBUF_BYTES];
	size_t from, to;
};

void linebuf_clear(struct linebuf *);
bool linebuf_empty(const struct linebuf *);
/* All of it, or nothing: false. */
bool linebuf_put(struct linebuf *, const uint8_t *, size_t);
/*
 * Once to fd, as write(2), again when a signal was in between: bytes that it
 * took. 0: there is nothing to write, or it takes nothing now. -1, errno: it
 * is of no use any more, and what there was is thrown away.
 */
ssize_t linebuf_write(struct linebuf *, int fd);

#endif
