/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/hand/snap_text.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"

static bool
room(struct snap_text *t, size_t n)
{
	size_t cap = MAX_OF(t->cap, 4096u);
	char *p;

	if (n > SNAP_TEXT_MAX - t->n) {
		t->cut = true;
		return false;
	}
	while (cap < t->n + n)
		cap *= 2;
	if (cap == t->cap)
		return true;
	if ((p = realloc(t->p, cap)) == NULL) {
		t->cut = true;
		return false;
	}
	t->p = p;
	t->cap = cap;
	return true;
}

void
snap_text_add(struct snap_text *t, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n <= 0 || !room(t, MIN_OF((size_t)n, sizeof(line) - 1)))
		return;
	n = (int)MIN_OF((size_t)n, sizeof(line) - 1);
	memcpy(t->p + t->n, line, (size_t)n);
	t->n += (size_t)n;
}

void
snap_text_escaped(struct snap_text *t, const void *bytes, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *b = bytes;

	if (!room(t, 4 * n))
		return;
	for (size_t i = 0; i < n; i++) {
		if (b[i] >= 0x20 && b[i] < 0x7f && b[i] != '\\') {
			t->p[t->n++] = (char)b[i];
			continue;
		}
		t->p[t->n++] = '\\';
		t->p[t->n++] = 'x';
		t->p[t->n++] = hex[b[i] >> 4];
		t->p[t->n++] = hex[b[i] & 15];
	}
}

bool
snap_text_file(struct snap_text *t, int dir, const char *path)
{
	_cleanup_fd_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	for (;;) {
		if (!room(t, 65536))
			return true;
		n = read(fd, t->p + t->n, 65536);
		if (n <= 0)
			return n == 0;
		t->n += (size_t)n;
	}
}

void
snap_text_free(struct snap_text *t)
{
	free(t->p);
	memset(t, 0, sizeof(*t));
}
