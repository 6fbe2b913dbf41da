/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Weave device's words, each behind its length, the time before it (64 ms)
 * and its type; length 255: bytes as they are, to the end.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/weavekit.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct weavekit k;
	static const uint8_t pub[32] = {1, [28] = 0xa1, 0xa2, 0xa3, 0xa4};
	size_t take;

	if (n > 0 && data[0] == 255) {
		weavekit_begin(&k);
		k.v.m.kind->bytes(&k.v.m, data + 1, n - 1, k.now);
	} else {
		weavekit_online(&k, pub);
	}
	for (; n >= 3 && data[0] != 255; data += 3 + take, n -= 3 + take) {
		take = data[0] < n - 3 ? data[0] : n - 3;
		weavekit_run(&k, data[1] * 64000);
		weavekit_says(&k, weavekit_host, data[2], data + 3, take);
		for (unsigned i = 0; i < MODEM_PORTS; i++)
			if (k.v.m.kind->takes(&k.v.m, i))
				k.v.m.kind->send(&k.v.m, i, data, 3 + take,
				    k.now);
	}
	weavekit_run(&k, 60000000);
	if (k.faults > 1)
		abort();
	weavekit_end(&k);
	return 0;
}
