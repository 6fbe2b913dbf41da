/* SPDX-License-Identifier: BSD-2-Clause */
/* Access codes. First byte: size of the code; the rest: a packet. */
#include <stdlib.h>
#include <string.h>

#include "transport/core/base/ifac.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t key[64] = {1, 2, 3};
	struct ifac f;
	uint8_t *out, *back;
	size_t len, masked;

	if (n < 1 || ifac_init(&f, (uint8_t)(1 + p[0] % 64), key) != RNS_OK)
		return 0;
	p++;
	n--;
	out = malloc(n + 64);
	back = malloc(n + 64);
	if (out == NULL || back == NULL)
		goto out;
	if (ifac_unmask(&f, out, &len, n, p, n) == RNS_OK &&
	    len != n - f.size)
		abort();
	masked = ifac_mask(&f, out, n + 64, p, n);
	if (masked != 0 && (ifac_unmask(&f, back, &len, masked, out, masked) !=
		RNS_OK || len != n || back[0] != (p[0] & 0x7f) ||
		memcmp(back + 1, p + 1, n - 1) != 0) && (p[0] & 0x80) == 0)
		abort();
out:
	free(out);
	free(back);
	return 0;
}
