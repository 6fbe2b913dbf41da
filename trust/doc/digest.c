/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/digest.h"

#include <nettle/sha2.h>

void
digest_of(struct id32 *out, const void *p, size_t n)
{
	struct sha256_ctx st;

	sha256_init(&st);
	if (n > 0)
		sha256_update(&st, n, p);
	sha256_digest(&st, sizeof(out->b), out->b);
}
