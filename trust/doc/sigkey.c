/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "trust/doc/sigkey.h"

#ifdef HAVE_LIBCRYPTO
#include <openssl/crypto.h>
#include <openssl/x509.h>

bool
sigkey_of(struct pemkey *k, const struct x509_st *x, const char **why)
{
	uint8_t *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	bool ok = n > 0 && pemkey_from_der(k, der, (size_t)n, why);

	if (n <= 0)
		*why = "a certificate without a key";
	OPENSSL_free(der);
	return ok;
}
#endif
