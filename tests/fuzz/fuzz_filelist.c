/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of an image's files: what is read is written again as it was. */
#include <stdlib.h>
#include <string.h>

#include "audit/filelist.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t out[1 << 16];
	struct wr w = wr_make(out, sizeof(out));
	struct filelist_entry e;
	uint32_t all, k, count = 0;
	struct rd r;

	if (n > sizeof(out) || !filelist_check(p, n, &all) ||
	    !filelist_begin(&r, p, n))
		return 0;
	fuzz_taken++;
	wr_bytes(&w, FILELIST_MAGIC, 4);
	while (filelist_block(&r, &k)) {
		wr_u32(&w, k);
		for (; k > 0; k--, count++) {
			if (!filelist_entry(&r, &e))
				abort();
			filelist_put(&w, &e);
		}
	}
	if (count != all || !wr_ok(&w) || w.len != n ||
	    memcmp(out, p, n) != 0)
		abort();
	return 0;
}
