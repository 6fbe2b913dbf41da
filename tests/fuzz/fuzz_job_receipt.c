/* SPDX-License-Identifier: BSD-2-Clause */
/* Receipts: what is read is written again as it was. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t out[JOB_RECEIPT_MAX];
	struct job_receipt r;

	if (job_receipt_parse(&r, p, n)) {
		fuzz_taken++;
		if (n != job_receipt_put(out, &r) ||
		    n != job_receipt_len(out) || memcmp(out, p, n) != 0)
			abort();
	}
	return 0;
}
