/* SPDX-License-Identifier: BSD-2-Clause */
/* words: trust/doc/attest.c trust/doc/pemkey.c */
/* Signatures of images as strangers write them, and keys as people do. */
#include <stdlib.h>

#include "trust/doc/attest.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *text = (const char *)p, *why;
	char who[ATTEST_WHO_MAX + 1];
	struct attest_said s;
	struct pemkey k;
	struct attest a;

	if (pemkey_parse(&k, text, n, &why) && k.der_len > 0 &&
	    k.kind == PEMKEY_KLP)
		abort();
	if (attest_told(&s, who, text, n, &why) == 0) {
		if (s.nimages == 0 || who[0] == '\0')
			abort();
		attest_said_clear(&s);
	}
	if (attest_read(&a, text, n, &why) < 0)
		return 0;
	if (a.nsigs > ATTEST_SIGS_MAX || a.payload_len > a.signed_len)
		abort();
	if (attest_says(&s, &a, &why) == 0) {
		if (s.nimages == 0)
			abort();
		(void)attest_where(&s, "predicate.a.b", "x*");
		attest_said_clear(&s);
	}
	attest_clear(&a);
	return 0;
}
