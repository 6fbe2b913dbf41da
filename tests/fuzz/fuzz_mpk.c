/* SPDX-License-Identifier: BSD-2-Clause */
/* MessagePack: skipping a value and walking through it end at one place. */
#include <stdlib.h>

#include "common/mpk.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
walk(struct rd *r)
{
	uint64_t left = 1;

	while (left > 0) {
		struct mpk v;

		if (!mpk_get(r, &v))
			return false;
		left--;
		if (v.type == MPK_ARRAY)
			left += v.n;
		else if (v.type == MPK_MAP)
			left += 2 * (uint64_t)v.n;
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rd skip = rd_make(p, n), get = rd_make(p, n);

	if (!mpk_skip(&skip)) {
		if (skip.p != p)
			abort();
		return 0;
	}
	if (skip.p <= p || skip.p > p + n || !walk(&get) || get.p != skip.p)
		abort();
	return 0;
}
