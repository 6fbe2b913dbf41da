/* SPDX-License-Identifier: BSD-2-Clause */
/* Records from trust: what is read is written again as it was. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/manifest_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t buf[MANIFEST_RECORD_MAX];
	struct manifest m;

	if (manifest_record_get(&m, p, n)) {
		fuzz_taken++;
		if (manifest_record_put(buf, sizeof(buf), &m) != n ||
		    memcmp(buf, p, n) != 0)
			abort();
	}
	manifest_clear(&m);
	return 0;
}
