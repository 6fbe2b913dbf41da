/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "trust/doc/sigkey.h"

#ifdef HAVE_LIBCRYPTO
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define RSA_BITS_MIN 2048

static bool
usable(const EVP_PKEY *k)
{
	switch (EVP_PKEY_get_base_id(k)) {
	case EVP_PKEY_EC:
	case EVP_PKEY_ED25519:
		return true;
	case EVP_PKEY_RSA:
		return EVP_PKEY_get_bits(k) >= RSA_BITS_MIN;
	default:
		return false;
	}
}

/* As sigstore pairs them. NULL: the key's own, of Ed25519. */
static const EVP_MD *
hash_of(const EVP_PKEY *k)
{
	int bits = EVP_PKEY_get_bits(k);

	if (EVP_PKEY_get_base_id(k) == EVP_PKEY_ED25519)
		return NULL;
	if (EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA || bits <= 256)
		return EVP_sha256();
	return bits <= 384 ? EVP_sha384() : EVP_sha512();
}

bool
sigkey_holds(const uint8_t *der, size_t der_len, const void *m, size_t len,
    const uint8_t *sig, size_t sig_len)
{
	const uint8_t *p = der;
	EVP_MD_CTX *ctx = NULL;
	EVP_PKEY *key;
	bool ok = false;

	/* no configuration of the machine has a say in what counts here */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return false;
	key = d2i_PUBKEY(NULL, &p, (long)der_len);
	if (key != NULL && p == der + der_len && usable(key) &&
	    (ctx = EVP_MD_CTX_new()) != NULL)
		ok = EVP_DigestVerifyInit(ctx, NULL, hash_of(key), NULL,
			 key) == 1 &&
		    EVP_DigestVerify(ctx, sig, sig_len, m, len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok;
}
#else
bool
sigkey_holds(const uint8_t *der, size_t der_len, const void *m, size_t len,
    const uint8_t *sig, size_t sig_len)
{
	(void)der;
	(void)der_len;
	(void)m;
	(void)len;
	(void)sig;
	(void)sig_len;
	return false;
}
#endif
