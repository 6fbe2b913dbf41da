/* SPDX-License-Identifier: BSD-2-Clause */
/* words: trust/doc/envelope.c */
/* Envelopes in both forms, and their verification by a key of each scheme. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct klp_key keys[3];
	const char *why;
	struct env e;

	if (keys[0].len == 0) {
		struct klp_secret s = {.kind = KEY_SECP256K1, .raw = {1}};

		(void)secret_public(&keys[0], &s);
		s.bip340 = true;
		(void)secret_public(&keys[1], &s);
		s.kind = KEY_ED25519;
		(void)secret_public(&keys[2], &s);
	}
	if (env_parse(&e, p, n, ENV_MANIFEST_MAX, ENV_MANIFEST_PAYLOAD, &why) ==
	    0) {
		if (e.nsigs < 1 || e.nsigs > ENV_SIGS_MAX ||
		    e.payload_len > ENV_MANIFEST_PAYLOAD)
			abort();
		/* three checks a signature: keep the fuzzer quick */
		if (e.nsigs <= 2)
			(void)env_verify(&e, e.type, keys, 3, NULL);
	}
	env_clear(&e);
	return 0;
}
