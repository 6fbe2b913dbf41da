/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders of the tests, in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "tests/unit/authkit.h"

uint8_t *
kit_give(const struct kit_file *f, size_t n, const char *name, size_t max, size_t *len)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t *p;

		if (f[i].p == NULL || strcmp(f[i].name, name) != 0)
			continue;
		if (f[i].len > max) {
			errno = EFBIG;
			return NULL;
		}
		p = malloc(f[i].len + 1);
		assert_non_null(p);
		memcpy(p, f[i].p, f[i].len);
		*len = f[i].len;
		return p;
	}
	errno = ENOENT;
	return NULL;
}

void
kit_put(struct kit_file *f, size_t n, const char *name, const void *p, size_t len)
{
	size_t i = 0, at = n;

	for (; i < n; i++) {
		if (f[i].p == NULL)
			at = MIN_OF(at, i);
		else if (strcmp(f[i].name, name) == 0)
			break;
	}
	if (i == n)
		i = at;
	assert_true(i < n);
	free(f[i].p);
	f[i].p = malloc(len + 1);
	assert_non_null(f[i].p);
	memcpy(f[i].p, p, len);
	f[i].len = len;
	(void)snprintf(f[i].name, sizeof(f[i].name), "%s", name);
}
