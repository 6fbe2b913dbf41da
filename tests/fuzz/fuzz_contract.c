/* SPDX-License-Identifier: BSD-2-Clause */
/* words: trust/doc/contract_parse.c */
/* Behaviour contracts and their records: what is read stays as it is. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/contract.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

static void
record(const struct contract *c)
{
	static uint8_t a[CONTRACT_RECORD_MAX], b[CONTRACT_RECORD_MAX];
	static struct contract again;
	size_t n = contract_record_put(a, sizeof(a), c);

	if (n == 0)
		return;
	if (!contract_record_get(&again, a, n) ||
	    contract_record_put(b, sizeof(b), &again) != n ||
	    memcmp(a, b, n) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct contract c;
	char why[CONTRACT_WHY];

	if (contract_parse(&c, p, n, why) == 0)
		record(&c);
	if (contract_record_get(&c, p, n)) {
		fuzz_taken++;
		record(&c);
	}
	return 0;
}
