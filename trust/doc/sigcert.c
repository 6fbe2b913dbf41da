/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "trust/doc/sigcert.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBCRYPTO
#include <openssl/crypto.h>
#include <openssl/ct.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#endif

#include "common/util.h"
#include "trust/doc/digest.h"
#include "trust/doc/sigkey.h"

#ifdef HAVE_LIBCRYPTO

#define OID_ISSUER_OLD "1.3.6.1.4.1.57264.1.1" /* the text as it is */
#define OID_ISSUER "1.3.6.1.4.1.57264.1.8"     /* a UTF8String */
#define OID_USERNAME "1.3.6.1.4.1.57264.1.7"   /* otherName */
#define SECURITY_LEVEL 2 /* of OpenSSL: 112 bits */

struct sigcert {
	X509 *x;
	char issuer[SIGCERT_ISSUER_MAX + 1];
	char subject[SIGCERT_SUBJECT_MAX + 1];
};

/* ---- what it says ---- */

static X509 *
parse(const uint8_t *der, size_t len)
{
	const uint8_t *p = der;
	X509 *x;

	/* no configuration of the machine has a say in what counts here */
	if (len > SIGROOT_CERT_MAX ||
	    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1 ||
	    (x = d2i_X509(NULL, &p, (long)len)) == NULL)
		return NULL;
	if (p == der + len)
		return x;
	X509_free(x);
	return NULL;
}

/* A text of strangers: UTF-8, no control character. */
static bool
take(char *out, size_t max, const uint8_t *p, int len)
{
	if (len < 1 || (size_t)len > max || !utf8_valid(p, (size_t)len))
		return false;
	for (int i = 0; i < len; i++)
		if (p[i] < ' ' || p[i] == 0x7f)
			return false;
	memcpy(out, p, (size_t)len);
	out[len] = '\0';
	return true;
}

static bool
take_string(char *out, size_t max, const ASN1_STRING *s)
{
	return take(out, max, ASN1_STRING_get0_data(s), ASN1_STRING_length(s));
}

/* An extension that is there once; NULL: it is not. *twice: more often. */
static const ASN1_OCTET_STRING *
extension(const X509 *x, const char *oid, bool *twice)
{
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	const ASN1_OCTET_STRING *out = NULL;
	int at;

	if (o == NULL)
		return NULL;
	at = X509_get_ext_by_OBJ(x, o, -1);
	if (at >= 0) {
		out = X509_EXTENSION_get_data(X509_get_ext(x, at));
		*twice |= X509_get_ext_by_OBJ(x, o, at) >= 0;
	}
	ASN1_OBJECT_free(o);
	return out;
}

static bool
utf8_string(char *out, size_t max, const ASN1_OCTET_STRING *s)
{
	const uint8_t *p = ASN1_STRING_get0_data(s);
	const uint8_t *end = p + ASN1_STRING_length(s);
	ASN1_UTF8STRING *u = d2i_ASN1_UTF8STRING(NULL, &p,
	    ASN1_STRING_length(s));
	bool ok = u != NULL && p == end && take_string(out, max, u);

	ASN1_UTF8STRING_free(u);
	return ok;
}

static const char *
read_issuer(struct sigcert *c)
{
	bool twice = false;
	const ASN1_OCTET_STRING *now = extension(c->x, OID_ISSUER, &twice);
	const ASN1_OCTET_STRING *old = extension(c->x, OID_ISSUER_OLD, &twice);
	char other[SIGCERT_ISSUER_MAX + 1];

	if (twice)
		return "the certificate names its OIDC issuer twice";
	if (now == NULL && old == NULL)
		return "the certificate names no OIDC issuer";
	if ((now != NULL && !utf8_string(c->issuer, SIGCERT_ISSUER_MAX, now)) ||
	    (old != NULL && !take_string(other, SIGCERT_ISSUER_MAX, old)))
		return "the certificate's OIDC issuer is no text";
	if (now == NULL)
		memcpy(c->issuer, other, sizeof(other));
	else if (old != NULL && strcmp(c->issuer, other) != 0)
		return "the certificate names two OIDC issuers";
	return NULL;
}

static bool
read_name(struct sigcert *c, const GENERAL_NAME *n)
{
	char oid[64];
	int type;
	const void *v = GENERAL_NAME_get0_value(n, &type);
	const OTHERNAME *other = v;

	if (type == GEN_URI || type == GEN_EMAIL)
		return take_string(c->subject, SIGCERT_SUBJECT_MAX, v);
	return type == GEN_OTHERNAME &&
	    OBJ_obj2txt(oid, sizeof(oid), other->type_id, 1) > 0 &&
	    strcmp(oid, OID_USERNAME) == 0 &&
	    ASN1_TYPE_get(other->value) == V_ASN1_UTF8STRING &&
	    take_string(c->subject, SIGCERT_SUBJECT_MAX,
		other->value->value.utf8string);
}

static const char *
read_subject(struct sigcert *c)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(c->x, NID_subject_alt_name,
	    NULL, NULL); /* NULL as well when it is there twice */
	const char *why = NULL;

	if (names == NULL)
		return "the certificate has no name (SAN)";
	if (sk_GENERAL_NAME_num(names) != 1)
		why = "the certificate has more than one name (SAN)";
	else if (!read_name(c, sk_GENERAL_NAME_value(names, 0)))
		why = "the certificate's name (SAN) is no URI, email or "
		    "username";
	GENERAL_NAMES_free(names);
	return why;
}

/* Of one who signs, and for code. */
static const char *
check_use(X509 *x)
{
	uint32_t ku = X509_get_key_usage(x);
	uint32_t eku = X509_get_extended_key_usage(x);

	if ((X509_get_extension_flags(x) & EXFLAG_INVALID) != 0)
		return "the certificate's extensions are damaged";
	if (X509_check_ca(x) != 0)
		return "the certificate is a CA's";
	if (ku == UINT32_MAX || (ku & KU_DIGITAL_SIGNATURE) == 0)
		return "the certificate is not for signatures";
	if (eku == UINT32_MAX || (eku & XKU_CODE_SIGN) == 0)
		return "the certificate is not for signing code";
	return NULL;
}

struct sigcert *
sigcert_new(const uint8_t *der, size_t len, const char **why)
{
	struct sigcert *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		*why = "no memory";
		return NULL;
	}
	if ((c->x = parse(der, len)) == NULL)
		*why = "the certificate is none";
	else if ((*why = check_use(c->x)) == NULL &&
	    (*why = read_subject(c)) == NULL)
		*why = read_issuer(c);
	ERR_clear_error();
	if (*why == NULL)
		return c;
	sigcert_free(c);
	return NULL;
}

void
sigcert_free(struct sigcert *c)
{
	if (c == NULL)
		return;
	X509_free(c->x);
	free(c);
}

const char *
sigcert_subject(const struct sigcert *c)
{
	return c->subject;
}

const char *
sigcert_issuer(const struct sigcert *c)
{
	return c->issuer;
}

bool
sigcert_key(const struct sigcert *c, struct pemkey *k, const char **why)
{
	bool ok = sigkey_of(k, c->x, why);

	ERR_clear_error();
	return ok;
}

bool
sigcert_is_root(const uint8_t *der, size_t len)
{
	X509 *x = parse(der, len);
	const char *why;
	struct pemkey k;
	/* with a key of no bounds nobody is asked to calculate: it is one */
	bool is = x != NULL && X509_NAME_cmp(X509_get_subject_name(x),
	    X509_get_issuer_name(x)) == 0 && (!sigkey_of(&k, x, &why) ||
	    X509_verify(x, X509_get0_pubkey(x)) == 1);

	X509_free(x);
	ERR_clear_error();
	return is;
}

/* ---- who gave it ---- */

/* What was signed, but for the promises: RFC 6962, 3.2. */
static uint8_t *
bare_tbs(X509 *x, size_t *len)
{
	X509 *d = X509_dup(x);
	uint8_t *out = NULL;
	int at, n = -1;

	if (d == NULL)
		return NULL;
	at = X509_get_ext_by_NID(d, NID_ct_precert_scts, -1);
	if (at >= 0) {
		X509_EXTENSION_free(X509_delete_ext(d, at));
		n = i2d_re_X509_tbs(d, &out);
	}
	X509_free(d);
	*len = n > 0 ? (size_t)n : 0;
	return out;
}

static uint8_t *
put(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0;)
		*p++ = (uint8_t)(v >> 8 * i);
	return p;
}

/* The same for all promises of a certificate. */
struct promised {
	uint8_t issuer_key[32];
	const uint8_t *tbs;
	size_t tbs_len;
	const struct sigroot *r;
};

static bool
promise_holds(const SCT *s, const struct promised *p)
{
	uint8_t *id, *ext, *sig, *all, *at;
	size_t id_len = SCT_get0_log_id(s, &id);
	size_t ext_len = SCT_get0_extensions(s, &ext);
	size_t sig_len = SCT_get0_signature(s, &sig);
	const struct sigroot_key *log = sigroot_key(p->r->ct, p->r->nct, id,
	    id_len);
	bool ok;

	if (SCT_get_version(s) != SCT_VERSION_V1 || log == NULL ||
	    ext_len > UINT16_MAX ||
	    !sigroot_counts(p->r->ct, p->r->nct, log,
		(int64_t)(SCT_get_timestamp(s) / 1000)) ||
	    (all = malloc(64 + p->tbs_len + ext_len)) == NULL)
		return false;
	at = put(all, 0, 2); /* v1, certificate_timestamp */
	at = put(at, SCT_get_timestamp(s), 8);
	at = put(at, 1, 2); /* precert_entry */
	memcpy(at, p->issuer_key, sizeof(p->issuer_key));
	at = put(at + sizeof(p->issuer_key), p->tbs_len, 3);
	memcpy(at, p->tbs, p->tbs_len);
	at = put(at + p->tbs_len, ext_len, 2);
	if (ext_len > 0)
		memcpy(at, ext, ext_len);
	at += ext_len;
	ok = pemkey_holds(&log->key, all, (size_t)(at - all), sig, sig_len);
	free(all);
	return ok;
}

static int
check_scts(const struct sigcert *c, X509 *issuer, const struct sigroot *r,
    const char **why)
{
	STACK_OF(SCT) *scts = X509_get_ext_d2i(c->x, NID_ct_precert_scts, NULL,
	    NULL);
	struct promised p = {.r = r};
	struct id32 sum;
	uint8_t *tbs = bare_tbs(c->x, &p.tbs_len), *key = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), &key);
	bool ok = false;

	*why = "no log of certificates among the roots has promised it (SCT)";
	if (scts == NULL || sk_SCT_num(scts) == 0)
		*why = "the certificate has no SCT";
	else if (sk_SCT_num(scts) > SIGCERT_SCTS_MAX)
		*why = "the certificate has more than 8 SCTs";
	else if (tbs != NULL && n > 0) {
		digest_of(&sum, key, (size_t)n);
		memcpy(p.issuer_key, sum.b, sizeof(p.issuer_key));
		p.tbs = tbs;
		for (int i = 0; i < sk_SCT_num(scts) && !ok; i++)
			ok = promise_holds(sk_SCT_value(scts, i), &p);
	}
	SCT_LIST_free(scts);
	OPENSSL_free(tbs);
	OPENSSL_free(key);
	return ok ? 0 : -1;
}

/* Those between, whom the certificate may have been given by, too. */
static bool
chain_for_code(X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);

	for (int i = 1; i < sk_X509_num(chain); i++) {
		uint32_t eku = X509_get_extended_key_usage(
		    sk_X509_value(chain, i));

		if (eku != UINT32_MAX &&
		    (eku & (XKU_CODE_SIGN | XKU_ANYEKU)) == 0)
			return false;
	}
	return sk_X509_num(chain) > 1;
}

/* The last of the pinned chain is believed, the others are but known. */
static int
verify(X509_STORE_CTX *ctx, X509_STORE *store, STACK_OF(X509) *known, X509 *x,
    int64_t when)
{
	X509_VERIFY_PARAM *p;

	if (X509_STORE_CTX_init(ctx, store, x, known) != 1)
		return 0;
	p = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(p, (time_t)when);
	X509_VERIFY_PARAM_set_auth_level(p, SECURITY_LEVEL);
	if (X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN) != 1)
		return 0;
	return X509_verify_cert(ctx) == 1;
}

/* The certificate that gave it, an own reference; NULL: not by this one. */
static X509 *
given_by(const struct sigcert *c, const struct sigroot_chain *ca, int64_t when,
    const char **why)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *known = sk_X509_new_null();
	X509_STORE *store = X509_STORE_new();
	X509 *out = NULL;
	bool ok = ctx != NULL && known != NULL && store != NULL;

	for (unsigned i = 0; ok && i < ca->n; i++) {
		X509 *x = parse(ca->cert[i].p, ca->cert[i].n);

		if (x == NULL) {
			*why = "a CA of the roots is no certificate";
			ok = false;
		} else if (i + 1 == ca->n) {
			ok = X509_STORE_add_cert(store, x) == 1;
			X509_free(x);
		} else if (sk_X509_push(known, x) == 0) {
			X509_free(x);
			ok = false;
		}
	}
	if (ok && verify(ctx, store, known, c->x, when)) {
		if (chain_for_code(ctx)) {
			out = sk_X509_value(X509_STORE_CTX_get0_chain(ctx), 1);
			(void)X509_up_ref(out);
		} else {
			*why = "a CA of its chain is not for signing code";
		}
	} else if (ok && X509_STORE_CTX_get_error(ctx) !=
	    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY) {
		*why = X509_verify_cert_error_string(
		    X509_STORE_CTX_get_error(ctx));
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_pop_free(known, X509_free);
	ERR_clear_error();
	return out;
}

int
sigcert_check(const struct sigcert *c, const struct sigroot *r, int64_t when,
    const char **why)
{
	X509 *issuer = NULL;
	int rc;

	*why = "the certificate is of no CA of the roots that counted then";
	for (unsigned i = 0; i < r->nca && issuer == NULL; i++)
		if (sigroot_in(&r->ca[i].valid, when))
			issuer = given_by(c, &r->ca[i], when, why);
	if (issuer == NULL)
		return -1;
	rc = check_scts(c, issuer, r, why);
	X509_free(issuer);
	ERR_clear_error();
	return rc;
}

#else /* HAVE_LIBCRYPTO */

struct sigcert *
sigcert_new(const uint8_t *der, size_t len, const char **why)
{
	(void)der;
	(void)len;
	*why = "oci_unsupported: certificates want libcrypto, which this build "
	    "has not";
	return NULL;
}

void
sigcert_free(struct sigcert *c)
{
	(void)c;
}

const char *
sigcert_subject(const struct sigcert *c)
{
	(void)c;
	return "";
}

const char *
sigcert_issuer(const struct sigcert *c)
{
	(void)c;
	return "";
}

bool
sigcert_key(const struct sigcert *c, struct pemkey *k, const char **why)
{
	(void)c;
	(void)k;
	*why = "oci_unsupported";
	return false;
}

int
sigcert_check(const struct sigcert *c, const struct sigroot *r, int64_t when,
    const char **why)
{
	(void)c;
	(void)r;
	(void)when;
	*why = "oci_unsupported";
	return -1;
}

bool
sigcert_is_root(const uint8_t *der, size_t len)
{
	(void)der;
	(void)len;
	return false;
}
#endif
