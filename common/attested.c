/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/attested.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire.h"

static int
cmp(const void *a, const void *b)
{
	const struct attested *x = a, *y = b;

	return memcmp(x->image.b, y->image.b, sizeof(x->image.b));
}

void
attested_put(uint8_t *out, const struct attested *a, size_t n)
{
	struct wr w = wr_make(out, n * ATTESTED_BYTES);

	for (size_t i = 0; i < n; i++) {
		wr_bytes(&w, a[i].image.b, sizeof(a[i].image.b));
		wr_u32(&w, a[i].rules);
	}
}

bool
attested_get(struct attested *a, const uint8_t *p, size_t len, size_t n)
{
	struct rd r = rd_make(p, len);

	if (n > ATTESTED_MAX || len != n * ATTESTED_BYTES)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!rd_copy(&r, a[i].image.b, sizeof(a[i].image.b)) ||
		    !rd_u32(&r, &a[i].rules) ||
		    (i > 0 && cmp(&a[i - 1], &a[i]) >= 0))
			return false;
	return true;
}

uint32_t
attested_rules(const struct attested *a, size_t n, const struct id32 *image)
{
	struct attested key = {.image = *image};
	const struct attested *is = n == 0 ? NULL :
	    bsearch(&key, a, n, sizeof(*a), cmp);

	return is == NULL ? 0 : is->rules;
}
