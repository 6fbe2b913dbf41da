/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/postkit.h"

#include <string.h>

bool
postkit_known(void *arg, const struct hash16 *dest, struct rns_known *out)
{
	(void)arg;
	(void)dest;
	(void)out;
	return false;
}

void
postkit_random(void *arg, uint8_t *out, size_t n)
{
	(void)arg;
	memset(out, 9, n);
}

void
postkit_looked(void *arg, enum post_look how, unsigned n)
{
	(void)arg;
	(void)how;
	(void)n;
}
