/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "trust/doc/pemkey.h"

#include <nettle/sha2.h>
#include <sodium.h>

#ifdef HAVE_LIBCRYPTO
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#endif

#include "trust/doc/digest.h"
#include "trust/doc/secp.h"

/* Apart from pemkey.c: who only reads keys is linked without libcrypto. */

#ifdef HAVE_LIBCRYPTO
/* padding: of RSA; 0: a curve, which has none. */
static bool
scheme_holds(EVP_PKEY *key, int padding, const EVP_MD *md, const uint8_t *sum,
    size_t sum_len, const uint8_t *sig, size_t sig_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool ok = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, md) == 1;

	if (ok && padding != 0)
		ok = EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1;
	if (ok && padding == RSA_PKCS1_PSS_PADDING)
		ok = EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx,
			RSA_PSS_SALTLEN_AUTO) == 1;
	ok = ok && EVP_PKEY_verify(ctx, sig, sig_len, sum, sum_len) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static bool
crypto_holds(const struct pemkey *k, const EVP_MD *md, const uint8_t *sum,
    size_t sum_len, const uint8_t *sig, size_t sig_len)
{
	const uint8_t *p = k->der;
	EVP_PKEY *key;
	bool ok;

	/* no configuration of the machine has a say in what counts here */
	if (sig_len > PEMKEY_SIG_MAX ||
	    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return false;
	if ((key = d2i_PUBKEY(NULL, &p, k->der_len)) == NULL) {
		ERR_clear_error();
		return false;
	}
	if (k->bits == 0)
		ok = scheme_holds(key, 0, md, sum, sum_len, sig, sig_len);
	else
		ok = (k->kind != PEMKEY_RSA_PSS && scheme_holds(key,
			 RSA_PKCS1_PADDING, md, sum, sum_len, sig, sig_len)) ||
		    (k->kind != PEMKEY_RSA_PKCS1 && scheme_holds(key,
			 RSA_PKCS1_PSS_PADDING, md, sum, sum_len, sig, sig_len));
	EVP_PKEY_free(key);
	return ok;
}
#endif

bool
pemkey_holds_sum(const struct pemkey *k, const struct id32 *sum,
    const uint8_t *sig, size_t sig_len)
{
	if (k->kind == PEMKEY_KLP)
		return k->klp.kind == KEY_SECP256K1 && sig_len == SIG_LEN &&
		    secp_verify(&k->klp, sig, sum);
	if (k->kind == PEMKEY_ED25519)
		return false;
#ifdef HAVE_LIBCRYPTO
	return crypto_holds(k, EVP_sha256(), sum->b, sizeof(sum->b), sig,
	    sig_len);
#else
	return false;
#endif
}

#ifdef HAVE_LIBCRYPTO
static bool
holds_sha384(const struct pemkey *k, const void *m, size_t len,
    const uint8_t *sig, size_t sig_len)
{
	uint8_t sum[SHA384_DIGEST_SIZE];
	struct sha384_ctx st;

	sha384_init(&st);
	sha384_update(&st, len, m);
	sha384_digest(&st, sizeof(sum), sum);
	return crypto_holds(k, EVP_sha384(), sum, sizeof(sum), sig, sig_len);
}

static bool
holds_sha512(const struct pemkey *k, const void *m, size_t len,
    const uint8_t *sig, size_t sig_len)
{
	uint8_t sum[SHA512_DIGEST_SIZE];
	struct sha512_ctx st;

	sha512_init(&st);
	sha512_update(&st, len, m);
	sha512_digest(&st, sizeof(sum), sum);
	return crypto_holds(k, EVP_sha512(), sum, sizeof(sum), sig, sig_len);
}
#endif

bool
pemkey_holds(const struct pemkey *k, const void *m, size_t len,
    const uint8_t *sig, size_t sig_len)
{
	struct id32 sum;

	if (k->kind == PEMKEY_ED25519 ||
	    (k->kind == PEMKEY_KLP && k->klp.kind == KEY_ED25519))
		return sig_len == SIG_LEN && crypto_sign_verify_detached(sig, m,
		    len, k->klp.raw) == 0;
	digest_of(&sum, m, len);
	if (pemkey_holds_sum(k, &sum, sig, sig_len))
		return true;
#ifdef HAVE_LIBCRYPTO
	if (k->kind == PEMKEY_P384)
		return holds_sha384(k, m, len, sig, sig_len);
	if (k->kind == PEMKEY_P521)
		return holds_sha512(k, m, len, sig, sig_len);
#endif
	return false;
}
