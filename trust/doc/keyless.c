/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/keyless.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/pattern.h"
#include "trust/doc/sigentry.h"
#include "trust/doc/sigtext.h"
#include "trust/doc/sigtime.h"

#define TIMES_MAX (1 + KEYLESS_STAMPS_MAX)

struct bundle {
	const struct attest *a;
	const struct sigroot *r;
	const struct pemkey *key; /* that is configured; NULL: a certificate's */
	uint8_t *der; /* the certificate */
	size_t der_len;
	struct sigcert *cert;
	struct sigentry entry;
	unsigned ntimes;
	int64_t time[TIMES_MAX];
	int64_t not_before;
};

static int
refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

/* ---- the certificate ---- */

static const json_t *
chain_of(const json_t *m)
{
	return sigtext_member(sigtext_member(m, "x509CertificateChain"),
	    "certificates");
}

bool
keyless_has(const struct attest *a)
{
	return sigtext_member(a->material, "certificate") != NULL ||
	    sigtext_member(a->material, "x509CertificateChain") != NULL;
}

/*
 * Of a chain the first; who gave it is looked for among the roots alone. A root
 * in it is refused, as sigstore says: nobody should believe what comes along.
 */
static int
read_cert(struct bundle *b, const char **why)
{
	const json_t *chain = chain_of(b->a->material);
	const json_t *one = sigtext_member(b->a->material, "certificate");
	size_t n = json_array_size(chain), len;

	if (one == NULL && (n < 1 || n > KEYLESS_CHAIN_MAX))
		return refuse(why, "no certificate, or more than ten");
	if (one != NULL && chain != NULL)
		return refuse(why, "a certificate and a chain");
	for (size_t i = 1; i < n; i++) {
		_cleanup_free_ uint8_t *der = sigtext_bytes(json_array_get(
		    chain, i), "rawBytes", SIGROOT_CERT_MAX, &len);

		if (der == NULL || sigcert_is_root(der, len))
			return refuse(why, "a root comes with the bundle, or "
			    "what is no certificate");
	}
	b->der = sigtext_bytes(one != NULL ? one : json_array_get(chain, 0),
	    "rawBytes", SIGROOT_CERT_MAX, &b->der_len);
	if (b->der == NULL)
		return refuse(why, "the certificate is no base64");
	b->cert = sigcert_new(b->der, b->der_len, why);
	return b->cert == NULL ? -1 : 0;
}

static int
check_signature(struct bundle *b, struct fp *fp, const char **why)
{
	struct pemkey k;

	if (b->a->nsigs != 1)
		return refuse(why, "one signature is wanted");
	if (!sigcert_key(b->cert, &k, why))
		return -1;
	*fp = k.fp;
	return attest_by(b->a, &k) ? 0 :
	    refuse(why, "the signature is not the certificate's key's");
}

/* ---- when ---- */

static const json_t *
entries_of(const struct attest *a)
{
	return json_object_get(a->material, "tlogEntries");
}

static int
check_entry(struct bundle *b, const char **why)
{
	const json_t *list = entries_of(b->a);
	const struct sigentry_by by = {b->der, b->der_len, b->key};

	if (json_array_size(list) != 1)
		return refuse(why, "one entry of a log is wanted");
	if (sigentry_check(&b->entry, json_array_get(list, 0), b->a, &by, b->r,
		why) < 0)
		return -1;
	if (b->entry.when != 0)
		b->time[b->ntimes++] = b->entry.when;
	return 0;
}

/* One that comes twice is no second witness: sigstore refuses it, too. */
static bool
comes_again(const json_t *list, size_t i)
{
	const json_t *is = json_object_get(json_array_get(list, i),
	    "signedTimestamp");

	for (size_t k = 0; k < i; k++)
		if (json_equal(json_object_get(json_array_get(list, k),
			"signedTimestamp"), is))
			return true;
	return false;
}

/* Those of authorities that are not the roots' are as if they were not there. */
static int
read_stamps(struct bundle *b, const char **why)
{
	const json_t *list = json_object_get(json_object_get(b->a->material,
	    "timestampVerificationData"), "rfc3161Timestamps");
	const struct attest_sig *sig = &b->a->sig[0];
	size_t len;

	if (json_array_size(list) > KEYLESS_STAMPS_MAX)
		return refuse(why, "more than 8 timestamps");
	for (size_t i = 0; i < json_array_size(list); i++) {
		_cleanup_free_ uint8_t *der = sigtext_bytes(json_array_get(
		    list, i), "signedTimestamp", SIGTIME_MAX, &len);

		if (der == NULL)
			return refuse(why, "a timestamp is no base64");
		if (comes_again(list, i))
			return refuse(why, "a timestamp comes twice");
		if (sigtime_check(&b->time[b->ntimes], der, len, sig->b,
			sig->n, b->r, why) == 0)
			b->ntimes++;
		else if (json_array_size(list) == 1 && b->ntimes == 0)
			return -1; /* for that reason */
	}
	return b->ntimes > 0 ? 0 :
	    refuse(why, "nobody says when it was signed");
}

static int
check_times(struct bundle *b, int64_t now, const char **why)
{
	int64_t last = 0;

	for (unsigned i = 0; i < b->ntimes; i++) {
		if (b->time[i] > last)
			last = b->time[i];
		if (!sigroot_counts(b->r->log, b->r->nlog, b->entry.log,
			b->time[i]))
			return refuse(why, "the log did not count then");
		if (b->key == NULL &&
		    sigcert_check(b->cert, b->r, b->time[i], why) < 0)
			return -1;
	}
	/* at last: all else is good for ever, this for now alone */
	if (last <= now + KEYLESS_AHEAD_S)
		return 0;
	b->not_before = last - KEYLESS_AHEAD_S;
	return refuse(why, "signed in the future");
}

/* ---- all of it ---- */

static int
check(struct bundle *b, struct keyless_who *w, int64_t now, const char **why)
{
	if (read_cert(b, why) < 0 || check_signature(b, &w->key, why) < 0 ||
	    check_entry(b, why) < 0 || read_stamps(b, why) < 0 ||
	    check_times(b, now, why) < 0)
		return -1;
	(void)memcpy(w->issuer, sigcert_issuer(b->cert),
	    strlen(sigcert_issuer(b->cert)) + 1);
	(void)memcpy(w->subject, sigcert_subject(b->cert),
	    strlen(sigcert_subject(b->cert)) + 1);
	for (unsigned i = 0; i < b->ntimes; i++)
		if (b->time[i] > w->when)
			w->when = b->time[i];
	return 0;
}

int
keyless_check(struct keyless_who *w, const struct attest *a,
    const struct sigroot *r, int64_t now, const char **why)
{
	struct bundle b = {.a = a, .r = r};
	int rc;

	memset(w, 0, sizeof(*w));
	rc = check(&b, w, now, why);
	sigcert_free(b.cert);
	free(b.der);
	if (rc < 0) {
		memset(w, 0, sizeof(*w));
		w->not_before = b.not_before;
	}
	return rc;
}

int
keyless_logged(int64_t *not_before, const struct attest *a,
    const struct pemkey *k, const struct sigroot *r, int64_t now,
    const char **why)
{
	struct bundle b = {.a = a, .r = r, .key = k};
	int rc = -1;

	*not_before = 0;
	if (k->der_len == 0)
		return refuse(why, "no log has keys of that kind");
	if (a->nsigs != 1)
		return refuse(why, "one signature is wanted");
	if (!attest_by(a, k))
		return refuse(why, "the signature is not the key's");
	if (check_entry(&b, why) == 0 && read_stamps(&b, why) == 0)
		rc = check_times(&b, now, why);
	*not_before = b.not_before;
	return rc;
}

size_t
keyless_entries(const struct attest *a)
{
	return json_array_size(entries_of(a));
}

bool
keyless_names_log(const struct attest *a, const struct sigroot *r)
{
	const json_t *list = entries_of(a);

	for (size_t i = 0; i < json_array_size(list); i++)
		if (sigentry_log(json_array_get(list, i), r) != NULL)
			return true;
	return false;
}

bool
keyless_is(const struct keyless_who *w, const char *issuer,
    const char *subject)
{
	return strcmp(w->issuer, issuer) == 0 && pattern_name(subject,
	    strlen(subject), w->subject, strlen(w->subject), false);
}
