/* SPDX-License-Identifier: BSD-2-Clause */
/* Bindings in both forms: what is read is written again as it was. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/binding.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t rns[RNS_PUBLIC_LEN];
	uint8_t out[BINDING_LEN];
	struct binding b;

	if (binding_parse(&b, p, n)) {
		fuzz_taken++;
		binding_put(out, &b);
		if (n != BINDING_LEN || memcmp(out, p, n) != 0)
			abort();
		(void)binding_check(&b, b.rns, b.not_before);
	}
	if (binding_parse_announce(&b, p, n, rns)) {
		binding_put_announce(out, &b);
		if (n != BINDING_ANNOUNCE_LEN || memcmp(out, p, n) != 0)
			abort();
	}
	return 0;
}
