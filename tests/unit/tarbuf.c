/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tarbuf.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
octal(uint8_t *out, size_t width, uint64_t v)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%0*llo", (int)width - 1,
	    (unsigned long long)v);
	memcpy(out, text, width);
}

void
member(struct tarbuf *t, const char *name, char type, unsigned mode,
    const char *link, const void *data, size_t len)
{
	size_t pad = (512 - len % 512) % 512;
	uint8_t *h;
	unsigned sum = 0;

	t->p = realloc(t->p, t->n + 512 + len + pad + 1024);
	assert_non_null(t->p);
	h = t->p + t->n;
	memset(h, 0, 512 + len + pad + 1024);
	memcpy(h, name, strnlen(name, 100));
	octal(h + 100, 8, mode);
	octal(h + 108, 8, 0);
	octal(h + 116, 8, 0);
	octal(h + 124, 12, len);
	octal(h + 136, 12, 0);
	memset(h + 148, ' ', 8);
	h[156] = (uint8_t)type;
	if (link != NULL)
		memcpy(h + 157, link, strnlen(link, 100));
	memcpy(h + 257, "ustar\0" "00", 8);
	octal(h + 329, 8, 1);
	octal(h + 337, 8, 3);
	for (int i = 0; i < 512; i++)
		sum += h[i];
	octal(h + 148, 7, sum);
	if (len > 0)
		memcpy(h + 512, data, len);
	t->n += 512 + len + pad;
}

void
file(struct tarbuf *t, const char *name, unsigned mode, const char *text)
{
	member(t, name, '0', mode, NULL, text, strlen(text));
}

size_t
whole(const struct tarbuf *t)
{
	return t->n + 1024; /* zeroed by member() */
}
