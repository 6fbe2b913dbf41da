/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/sigentry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "trust/doc/digest.h"
#include "trust/doc/jdoc.h"
#include "trust/doc/merkle.h"
#include "trust/doc/sigtext.h"
#include "trust/doc/tlog.h"

#define B64 sodium_base64_VARIANT_ORIGINAL
#define PEM_MAX (2 * SIGROOT_CERT_MAX)

/* What the entry must be about. */
struct about {
	const struct attest *a;
	const struct attest_sig *sig;
	const struct sigentry_by *by;
	struct id32 artifact; /* what was signed */
	struct id32 payload;  /* of an envelope */
};

static int
refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

/* ---- the body ---- */

/* {"algorithm": "sha256", "value": hex} */
static bool
is_hash(const json_t *h, const struct id32 *want)
{
	const char *algorithm, *hex;
	struct id32 is;
	size_t n;

	return jdoc_text(h, "algorithm", &algorithm, &n) &&
	    strcmp(algorithm, "sha256") == 0 &&
	    jdoc_text(h, "value", &hex, &n) &&
	    hex_decode(HASH_BYTES(is), hex, n) && id32_eq(&is, want);
}

/* {"algorithm": "SHA2_256", "digest": base64} */
static bool
is_hash_2(const json_t *h, const struct id32 *want)
{
	const char *algorithm;
	size_t n;

	return jdoc_text(h, "algorithm", &algorithm, &n) &&
	    strcmp(algorithm, "SHA2_256") == 0 &&
	    sigtext_is(h, "digest", HASH_BYTES(*want));
}

/* A PEM block in base64 that has just the certificate, or the key. */
static bool
is_by(const json_t *o, const char *name, const struct about *b)
{
	const struct sigentry_by *by = b->by;
	const uint8_t *want = by->cert != NULL ? by->cert : by->key->der;
	size_t len = by->cert != NULL ? by->cert_len : by->key->der_len, n, m;
	_cleanup_free_ uint8_t *pem = sigtext_bytes(o, name, PEM_MAX, &n);
	_cleanup_free_ uint8_t *der = pem == NULL ? NULL :
	    sigtext_pem((const char *)pem, n, by->cert != NULL ?
		"CERTIFICATE" : "PUBLIC KEY", SIGROOT_CERT_MAX, &m);

	return der != NULL && m == len && memcmp(der, want, m) == 0;
}

/* {"x509Certificate": {"rawBytes"}}, or {"publicKey": {"rawBytes"}}; not both */
static bool
is_by_2(const json_t *verifier, const struct about *b)
{
	const json_t *cert = sigtext_member(verifier, "x509Certificate");
	const json_t *key = sigtext_member(verifier, "publicKey");

	if ((cert != NULL) == (key != NULL))
		return false;
	return b->by->cert != NULL ?
	    sigtext_is(cert, "rawBytes", b->by->cert, b->by->cert_len) :
	    sigtext_is(key, "rawBytes", b->by->key->der, b->by->key->der_len);
}

static bool
is_sig(const json_t *o, const char *name, const struct about *b)
{
	return sigtext_is(o, name, b->sig->b, b->sig->n);
}

/* intoto has the base64 of the signature in base64. */
static bool
is_sig_twice(const json_t *o, const char *name, const struct about *b)
{
	char text[sodium_base64_ENCODED_LEN(PEMKEY_SIG_MAX, B64)];

	(void)sodium_bin2base64(text, sizeof(text), b->sig->b, b->sig->n, B64);
	return sigtext_is(o, name, text, strlen(text));
}

static const json_t *
only(const json_t *list)
{
	return json_array_size(list) == 1 ? json_array_get(list, 0) : NULL;
}

static const char other_hash[] = "the log's entry is about something else";
static const char other_sig[] = "the log's entry has another signature";

static int
refuse_by(const struct about *b, const char **why)
{
	return refuse(why, b->by->cert != NULL ?
		"the log's entry has another certificate" :
		"the log's entry has another key");
}

static int
hashedrekord(const json_t *spec, const struct about *b, const char **why)
{
	const json_t *sig = json_object_get(spec, "signature");

	if (!is_hash(json_object_get(json_object_get(spec, "data"), "hash"),
		&b->artifact))
		return refuse(why, other_hash);
	if (!is_sig(sig, "content", b))
		return refuse(why, other_sig);
	return is_by(json_object_get(sig, "publicKey"), "content", b) ? 0 :
	    refuse_by(b, why);
}

static int
hashedrekord_2(const json_t *spec, const struct about *b, const char **why)
{
	const json_t *s = json_object_get(spec, "hashedRekordV002");
	const json_t *sig = json_object_get(s, "signature");

	if (!is_hash_2(json_object_get(s, "data"), &b->artifact))
		return refuse(why, other_hash);
	if (!is_sig(sig, "content", b))
		return refuse(why, other_sig);
	return is_by_2(json_object_get(sig, "verifier"), b) ? 0 :
	    refuse_by(b, why);
}

static int
dsse(const json_t *spec, const struct about *b, const char **why)
{
	const json_t *sig = only(json_object_get(spec, "signatures"));

	if (b->a->form != ATTEST_STATEMENT ||
	    !is_hash(json_object_get(spec, "payloadHash"), &b->payload))
		return refuse(why, other_hash);
	if (!is_sig(sig, "signature", b))
		return refuse(why, other_sig);
	return is_by(sig, "verifier", b) ? 0 : refuse_by(b, why);
}

static int
intoto(const json_t *spec, const struct about *b, const char **why)
{
	const json_t *content = json_object_get(spec, "content");
	const json_t *sig = only(json_object_get(json_object_get(content,
	    "envelope"), "signatures"));

	if (b->a->form != ATTEST_STATEMENT ||
	    !is_hash(json_object_get(content, "payloadHash"), &b->payload))
		return refuse(why, other_hash);
	if (!is_sig_twice(sig, "sig", b))
		return refuse(why, other_sig);
	return is_by(sig, "publicKey", b) ? 0 : refuse_by(b, why);
}

static const struct {
	const char *kind, *version;
	int (*check)(const json_t *, const struct about *, const char **);
} kinds[] = {
    {"hashedrekord", "0.0.1", hashedrekord},
    /* all that Rekor v2 has: a statement goes by its PAE */
    {"hashedrekord", "0.0.2", hashedrekord_2},
    {"dsse", "0.0.1", dsse},
    {"intoto", "0.0.2", intoto},
};

static int
check_kind(const json_t *body, const json_t *said, const struct about *b,
    const char **why)
{
	const char *kind, *version, *s;
	size_t n;

	if (!jdoc_text(body, "kind", &kind, &n) ||
	    !jdoc_text(body, "apiVersion", &version, &n))
		return refuse(why, "the log's entry has no kind");
	if (!jdoc_text(said, "kind", &s, &n) || strcmp(s, kind) != 0 ||
	    !jdoc_text(said, "version", &s, &n) || strcmp(s, version) != 0)
		return refuse(why, "kindVersion is not the entry's");
	for (size_t i = 0; i < NELEM(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0 &&
		    strcmp(kinds[i].version, version) == 0)
			return kinds[i].check(json_object_get(body, "spec"), b,
			    why);
	return refuse(why, "an entry of a kind that is not checked here");
}

static int
check_body(const json_t *e, const uint8_t *text, size_t len,
    const struct about *b, const char **why)
{
	json_t *body = jdoc_parse_any(text, len, SIGENTRY_BODY_MAX,
	    ATTEST_DEPTH, why);
	int rc;

	if (body == NULL)
		return -1;
	rc = check_kind(body, sigtext_member(e, "kindVersion"), b, why);
	json_decref(body);
	return rc;
}

/* ---- the log ---- */

/* The signed entry timestamp: over the canonical form of four members. */
static int
check_promise(struct sigentry *out, const json_t *e, const char **why)
{
	const json_t *promise = sigtext_member(e, "inclusionPromise");
	const char *body;
	int64_t when = 0, index;
	char id[65], *text;
	size_t n, len, cap;
	_cleanup_free_ uint8_t *sig = NULL;
	bool good;

	out->when = 0;
	/* what nobody has signed is no time */
	if (promise == NULL || !sigtext_number(e, "integratedTime", &when) ||
	    when == 0)
		return 0;
	sig = sigtext_bytes(promise, "signedEntryTimestamp", SNOTE_SIG_MAX,
	    &len);
	if (sig == NULL || !sigtext_number(e, "logIndex", &index) ||
	    !jdoc_text(e, "canonicalizedBody", &body, &n))
		return refuse(why, "signedEntryTimestamp");
	cap = n + 256;
	if ((text = malloc(cap)) == NULL)
		return refuse(why, "no memory");
	hex_encode(id, HASH_BYTES(out->log->id));
	n = (size_t)snprintf(text, cap, "{\"body\":\"%s\",\"integratedTime\":%"
	    PRId64 ",\"logID\":\"%s\",\"logIndex\":%" PRId64 "}", body, when,
	    id, index);
	good = n < cap && pemkey_holds(&out->log->key, text, n, sig, len);
	free(text);
	if (!good)
		return refuse(why, "signedEntryTimestamp is not the log's");
	out->when = when;
	return 0;
}

/* The name of the log, up to the blank if there is one. */
static bool
of_origin(const struct snote_line *l, const struct tlog_head *h)
{
	size_t n = strcspn(h->origin, " ");

	return l->name_len == n && memcmp(l->name, h->origin, n) == 0;
}

static int
check_checkpoint(struct tlog_head *h, const json_t *proof,
    const struct sigroot_key *log, const char **why)
{
	const char *text;
	struct snote_line l;
	struct snote note;
	size_t n;

	if (!jdoc_text(json_object_get(proof, "checkpoint"), "envelope", &text,
		&n))
		return refuse(why, "no checkpoint");
	if (!snote_parse(&note, text, n) ||
	    !tlog_head_parse_old(h, note.text, note.text_len))
		return refuse(why, "the checkpoint is none");
	for (unsigned i = 0; i < note.nsigs; i++)
		if (snote_line(&note, i, &l) && of_origin(&l, h) &&
		    memcmp(l.id, log->note_id, sizeof(l.id)) == 0)
			return pemkey_holds(&log->key, note.text,
			    note.text_len, l.sig, l.len) ? 0 :
			    refuse(why, "the checkpoint's signature is not "
				"the log's");
	return refuse(why, "the checkpoint is not signed by the log");
}

static int
check_inclusion(const json_t *e, const uint8_t *body, size_t len,
    const struct sigroot_key *log, const char **why)
{
	const json_t *proof = sigtext_member(e, "inclusionProof");
	const json_t *hashes = json_object_get(proof, "hashes");
	struct id32 leaf, hash[TLOG_PROOF_MAX];
	int64_t index, size;
	struct tlog_head h;
	uint8_t *p;
	size_t n;

	if (proof == NULL)
		return refuse(why, "no inclusion proof");
	if (check_checkpoint(&h, proof, log, why) < 0)
		return -1;
	if (!sigtext_number(proof, "logIndex", &index) ||
	    !sigtext_number(proof, "treeSize", &size) ||
	    (uint64_t)size != h.size ||
	    !sigtext_is(proof, "rootHash", HASH_BYTES(h.root)))
		return refuse(why, "the inclusion proof is not of the "
		    "checkpoint's tree");
	if (json_array_size(hashes) > TLOG_PROOF_MAX)
		return refuse(why, "hashes of the inclusion proof");
	for (size_t i = 0; i < json_array_size(hashes); i++) {
		p = sigtext_value(json_array_get(hashes, i), sizeof(hash[i]),
		    &n);
		if (p != NULL && n == sizeof(hash[i]))
			memcpy(hash[i].b, p, n);
		free(p);
		if (p == NULL || n != sizeof(hash[i]))
			return refuse(why, "hashes of the inclusion proof");
	}
	merkle_leaf(&leaf, body, len);
	return tlog_includes(&h, (uint64_t)index, &leaf, hash,
	    (unsigned)json_array_size(hashes)) ? 0 :
	    refuse(why, "the inclusion proof does not hold");
}

const struct sigroot_key *
sigentry_log(const json_t *e, const struct sigroot *r)
{
	size_t n;
	_cleanup_free_ uint8_t *id = sigtext_bytes(json_object_get(e, "logId"),
	    "keyId", sizeof(struct id32), &n);

	return id == NULL ? NULL : sigroot_key(r->log, r->nlog, id, n);
}

int
sigentry_check(struct sigentry *out, const json_t *e, const struct attest *a,
    const struct sigentry_by *by, const struct sigroot *r, const char **why)
{
	struct about b = {.a = a, .sig = &a->sig[0], .by = by,
	    .artifact = a->sum};
	size_t n;
	_cleanup_free_ uint8_t *body = sigtext_bytes(e, "canonicalizedBody",
	    SIGENTRY_BODY_MAX, &n);
	int64_t index;

	if (body == NULL || !sigtext_number(e, "logIndex", &index))
		return refuse(why, "a log's entry without body or logIndex");
	if ((out->log = sigentry_log(e, r)) == NULL)
		return refuse(why, "the log is none of the roots'");
	if (a->form != ATTEST_DIGEST)
		digest_of(&b.artifact, a->signed_bytes, a->signed_len);
	if (a->form == ATTEST_STATEMENT)
		digest_of(&b.payload, a->payload, a->payload_len);
	if (check_body(e, body, n, &b, why) < 0 ||
	    check_promise(out, e, why) < 0)
		return -1;
	return check_inclusion(e, body, n, out->log, why);
}
