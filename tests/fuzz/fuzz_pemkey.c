/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of others as ASN.1, and the key in a certificate. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/der.h"
#include "trust/doc/pemkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* A key, one of PKCS #1, one in a certificate. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 7;
}

static void
one(const struct pemkey *k)
{
	uint8_t sig[PEMKEY_SIG_MAX] = {0};
	struct pemkey again;
	const char *why;

	if (k->der_len == 0 || k->der_len > PEMKEY_DER_MAX ||
	    (k->kind == PEMKEY_RSA) != (k->bits != 0))
		abort();
	/* a key has one spelling, and what is read is read again */
	if (!pemkey_from_der(&again, k->der, k->der_len, &why) ||
	    !pemkey_equal(&again, k))
		abort();
	if (pemkey_holds(k, "x", 1, sig, k->bits / 8))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *key;
	struct pemkey k;
	const char *why = NULL;
	size_t len;

	if (pemkey_from_der(&k, p, n, &why)) {
		took(0);
		one(&k);
	} else if (why == NULL) {
		abort();
	}
	why = NULL;
	if (pemkey_from_pkcs1(&k, p, n, &why)) {
		took(1);
		one(&k);
	} else if (why == NULL) {
		abort();
	}
	if (der_cert_key(p, n, &key, &len)) {
		if (key < p || len > n || key + len > p + n)
			abort();
		if (pemkey_from_der(&k, key, len, &why)) {
			took(2);
			one(&k);
		}
	}
	return 0;
}
