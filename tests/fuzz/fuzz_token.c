/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens. First byte: key length and place; nothing forged opens. */
#include <stdlib.h>
#include <string.h>

#include "transport/core/base/crypt.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t key[64], iv[16] = {5}, *out, *back;
	size_t key_len, len, back_len;

	if (n < 1)
		return 0;
	memset(key, 7, sizeof(key));
	key_len = (p[0] & 1) != 0 ? 64 : 32;
	p++;
	n--;
	out = malloc(token_len(n));
	back = malloc(n + 16);
	if (out == NULL || back == NULL)
		goto out;
	(void)token_decrypt(back, &len, n, key, key_len, p, n);
	if (token_encrypt(out, &len, token_len(n), key, key_len, iv, p, n) !=
	    RNS_OK || len != token_len(n) ||
	    token_decrypt(back, &back_len, n + 16, key, key_len, out, len) !=
	    RNS_OK || back_len != n || memcmp(back, p, n) != 0)
		abort();
	out[len / 2] ^= 1;
	if (token_decrypt(back, &back_len, n + 16, key, key_len, out, len) !=
	    RNS_EAUTH)
		abort();
out:
	free(out);
	free(back);
	return 0;
}
