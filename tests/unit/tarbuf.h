/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_TARBUF_H
#define WARREN_TESTS_UNIT_TARBUF_H

#include <stddef.h>
#include <stdint.h>

/* Archives of any kind, also bad ones; p is freed by the caller. */
struct tarbuf {
	uint8_t *p;
	size_t n;
};

/* One member more; of names the first 100 bytes. */
void member(struct tarbuf *, const char *name, char type, unsigned mode,
    const char *link, const void *data, size_t len);
void file(struct tarbuf *, const char *name, unsigned mode, const char *text);
/* How many bytes of p are the archive, its end included. */
size_t whole(const struct tarbuf *);

#endif
