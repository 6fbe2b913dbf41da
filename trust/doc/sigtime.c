/* SPDX-License-Identifier: BSD-2-Clause */
#define _DEFAULT_SOURCE
#include "config.h"

#include "trust/doc/sigtime.h"

#include <string.h>
#include <time.h>

#ifdef HAVE_LIBCRYPTO
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ts.h>
#include <openssl/x509.h>

#include "trust/doc/sigkey.h"

static int
refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

/* ---- what it says ---- */

static bool
time_of(int64_t *out, const ASN1_GENERALIZEDTIME *t)
{
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = (int64_t)timegm(&tm);
	return *out > 0;
}

/* Over these bytes, by a hash of the SHA-2 family. */
static bool
is_over(TS_TST_INFO *info, const void *bytes, size_t len)
{
	TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(info);
	const ASN1_OCTET_STRING *is = TS_MSG_IMPRINT_get_msg(imprint);
	X509_ALGOR *algo = TS_MSG_IMPRINT_get_algo(imprint);
	const ASN1_OBJECT *oid = NULL;
	uint8_t sum[EVP_MAX_MD_SIZE];
	const EVP_MD *md = NULL;
	unsigned n;

	X509_ALGOR_get0(&oid, NULL, NULL, algo);
	switch (OBJ_obj2nid(oid)) {
	case NID_sha256:
		md = EVP_sha256();
		break;
	case NID_sha384:
		md = EVP_sha384();
		break;
	case NID_sha512:
		md = EVP_sha512();
		break;
	}
	return md != NULL && EVP_Digest(bytes, len, sum, &n, md, NULL) == 1 &&
	    ASN1_STRING_length(is) == (int)n &&
	    memcmp(ASN1_STRING_get0_data(is), sum, n) == 0;
}

static bool
granted(TS_RESP *r)
{
	const ASN1_INTEGER *v = TS_STATUS_INFO_get0_status(
	    TS_RESP_get_status_info(r));
	long status = v == NULL ? -1 : ASN1_INTEGER_get(v);

	return status == TS_STATUS_GRANTED ||
	    status == TS_STATUS_GRANTED_WITH_MODS;
}

/* ---- who says it ---- */

#define SECURITY_LEVEL 2 /* of OpenSSL: 112 bits */

/*
 * Where the roots name the authority's own certificate before the one that is
 * believed, no other of the same root counts.
 */
static bool
is_own(STACK_OF(X509) *known, const X509 *signer)
{
	X509 *first = sk_X509_value(known, 0);

	return sk_X509_num(known) < 2 || X509_check_ca(first) != 0 ||
	    X509_cmp(first, signer) == 0;
}

/*
 * Certificates that come with it are not signed: where there are any, the one by
 * which it was verified is among them, to the byte.
 */
static bool
comes_along(const PKCS7 *token, const X509 *signer)
{
	STACK_OF(X509) *with = token->d.sign->cert;

	for (int i = 0; i < sk_X509_num(with); i++)
		if (X509_cmp(sk_X509_value(with, i), signer) == 0)
			return true;
	return sk_X509_num(with) <= 0;
}

/* The last of the chain is believed, the others are but known. */
static bool
load(X509_STORE *store, STACK_OF(X509) *known, const struct sigroot_chain *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		const uint8_t *p = c->cert[i].p;
		X509 *x = d2i_X509(NULL, &p, (long)c->cert[i].n);

		if (x == NULL)
			return false;
		if (i + 1 == c->n && X509_STORE_add_cert(store, x) != 1) {
			X509_free(x);
			return false;
		}
		/* it may be the one that signed */
		if (sk_X509_push(known, x) == 0) {
			X509_free(x);
			return false;
		}
	}
	return true;
}

static bool
signed_by(PKCS7 *token, const struct sigroot_chain *tsa, int64_t when)
{
	X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
	STACK_OF(X509) *known = sk_X509_new_null();
	X509_STORE *store = X509_STORE_new();
	X509 *signer = NULL;
	const char *why;
	struct pemkey k;
	bool ok = false;

	if (param != NULL && known != NULL && store != NULL &&
	    load(store, known, tsa)) {
		X509_VERIFY_PARAM_set_time(param, (time_t)when);
		X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
		ok = X509_VERIFY_PARAM_set_flags(param,
			 X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
		    X509_STORE_set1_param(store, param) == 1 &&
		    TS_RESP_verify_signature(token, known, store,
			&signer) == 1 &&
		    is_own(known, signer) && comes_along(token, signer) &&
		    sigkey_of(&k, signer, &why);
	}
	X509_free(signer);
	X509_STORE_free(store);
	sk_X509_pop_free(known, X509_free);
	X509_VERIFY_PARAM_free(param);
	return ok;
}

static int
check(int64_t *when, TS_RESP *resp, const void *bytes, size_t len,
    const struct sigroot *r, const char **why)
{
	TS_TST_INFO *info = TS_RESP_get_tst_info(resp);

	if (!granted(resp) || TS_RESP_get_token(resp) == NULL || info == NULL ||
	    TS_TST_INFO_get_version(info) != 1)
		return refuse(why, "a timestamp that was not granted");
	if (!is_over(info, bytes, len))
		return refuse(why, "the timestamp is of something else");
	if (!time_of(when, TS_TST_INFO_get_time(info)))
		return refuse(why, "the timestamp has no time");
	for (unsigned i = 0; i < r->ntsa; i++)
		if (sigroot_in(&r->tsa[i].valid, *when) &&
		    signed_by(TS_RESP_get_token(resp), &r->tsa[i], *when))
			return 0;
	return refuse(why, "the timestamp is of no authority of the roots "
	    "that counted then");
}

int
sigtime_check(int64_t *when, const uint8_t *der, size_t len,
    const void *bytes, size_t bytes_len, const struct sigroot *r,
    const char **why)
{
	const uint8_t *p = der;
	TS_RESP *resp;
	int rc;

	/* no configuration of the machine has a say in what counts here */
	if (len > SIGTIME_MAX ||
	    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1 ||
	    (resp = d2i_TS_RESP(NULL, &p, (long)len)) == NULL) {
		ERR_clear_error();
		return refuse(why, "a timestamp that is none");
	}
	rc = p != der + len ? refuse(why, "a timestamp that is none") :
	    check(when, resp, bytes, bytes_len, r, why);
	TS_RESP_free(resp);
	ERR_clear_error();
	return rc;
}

#else /* HAVE_LIBCRYPTO */

int
sigtime_check(int64_t *when, const uint8_t *der, size_t len,
    const void *bytes, size_t bytes_len, const struct sigroot *r,
    const char **why)
{
	(void)when;
	(void)der;
	(void)len;
	(void)bytes;
	(void)bytes_len;
	(void)r;
	*why = "oci_unsupported: timestamps want libcrypto, which this build "
	    "has not";
	return -1;
}
#endif
