/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/linebuf.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void
linebuf_clear(struct linebuf *b)
{
	b->from = b->to = 0;
}

bool
linebuf_empty(const struct linebuf *b)
{
	return b->from == b->to;
}

bool
linebuf_put(struct linebuf *b, const uint8_t *p, size_t len)
{
	if (len > sizeof(b->b) - b->to && b->from > 0) {
		memmove(b->b, b->b + b->from, b->to - b->from);
		b->to -= b->from;
		b->from = 0;
	}
	if (len > sizeof(b->b) - b->to)
		return false;
	memcpy(b->b + b->to, p, len);
	b->to += len;
	return true;
}

ssize_t
linebuf_write(struct linebuf *b, int fd)
{
	ssize_t n;

	if (linebuf_empty(b))
		return 0;
	do
		n = write(fd, b->b + b->from, b->to - b->from);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0) {
		linebuf_clear(b);
		return -1;
	}
	b->from += (size_t)n;
	if (linebuf_empty(b))
		linebuf_clear(b);
	return n;
}
