/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/proto/slice.h"

#include "common/util.h"

/* reticulum-endpoint.md 6: a link request and its proof, with their heads */
#define LINK_BYTES (86 + 118)

uint32_t
slice_first(int64_t rtt_us)
{
	int64_t n;

	if (rtt_us <= 0)
		return SLICE_FIRST_MOST;
	n = LINK_BYTES * SLICE_US / rtt_us;
	return (uint32_t)MAX_OF((int64_t)SLICE_LEAST,
	    MIN_OF(n, (int64_t)SLICE_FIRST_MOST));
}

uint32_t
slice_after(uint32_t slice, uint32_t n, int64_t us, uint32_t most)
{
	if (us > SLICE_US && n >= SLICE_LEAST)
		slice = MIN_OF(slice, MAX_OF(MIN_OF(slice, n) / 2,
		    SLICE_LEAST));
	/* the rest of a blob says nothing of larger ones */
	else if (n >= slice / 2 && us < SLICE_US / 4)
		slice = MIN_OF(2 * slice, most);
	return slice;
}

uint32_t
slice_broken(uint32_t slice)
{
	return MAX_OF(slice / 4, SLICE_BROKEN);
}
