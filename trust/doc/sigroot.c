/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/sigroot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "trust/doc/der.h"
#include "trust/doc/jdoc.h"
#include "trust/doc/sigtext.h"

#define DEPTH 16

/* Where in the file we are, for who mends it. */
struct reader {
	char *why; /* SIGROOT_WHY_MAX */
	const char *list; /* "tlogs"; NULL: the file itself */
	size_t at; /* of its entries, from 0 */
};

/* The list's n-th, and what is wrong; a name in it is of the file. */
static int
refuse(const struct reader *r, const char *text, const char *name)
{
	char safe[80] = "";

	if (name != NULL)
		(void)text_escape(safe, sizeof(safe), name, strlen(name));
	if (r->list == NULL)
		(void)snprintf(r->why, SIGROOT_WHY_MAX, "%s%s", text, safe);
	else
		(void)snprintf(r->why, SIGROOT_WHY_MAX, "%s, entry %zu: %s%s",
		    r->list, r->at + 1, text, safe);
	return -1;
}

/* ---- pieces ---- */

/* An object, and nothing in it but these. */
static int
known(const struct reader *r, const json_t *o, const char *const *names,
    size_t n)
{
	const char *name;
	json_t *v;

	if (!json_is_object(o))
		return refuse(r, "what is no object", NULL);
	json_object_foreach((json_t *)(uintptr_t)o, name, v) {
		size_t i = 0;

		(void)v;
		while (i < n && strcmp(names[i], name) != 0)
			i++;
		if (i == n)
			return refuse(r, "an unknown member ", name);
	}
	return 0;
}

#define KNOWN(r, o, ...) \
	known(r, o, (const char *const[]){__VA_ARGS__}, \
	    NELEM(((const char *const[]){__VA_ARGS__})))

static int
read_span(const struct reader *r, struct sigroot_span *out,
    const json_t *owner)
{
	const json_t *v = json_object_get(owner, "validFor");

	out->to = INT64_MAX;
	if (v == NULL)
		return refuse(r, "no validFor", NULL);
	if (KNOWN(r, v, "start", "end") < 0)
		return -1;
	/* one that nobody says the beginning of counts for no time */
	if (!sigtext_time(&out->from, v, "start") ||
	    (sigtext_member(v, "end") != NULL &&
		!sigtext_time(&out->to, v, "end")))
		return refuse(r, "validFor has no start, or no time", NULL);
	return out->to >= out->from ? 0 :
	    refuse(r, "validFor ends before it starts", NULL);
}

static int
read_cert(const struct reader *r, struct sigroot_blob *out, const json_t *o)
{
	const uint8_t *key;
	const char *why;
	struct pemkey k;
	size_t n;

	if (KNOWN(r, o, "rawBytes") < 0)
		return -1;
	out->p = sigtext_bytes(o, "rawBytes", SIGROOT_CERT_MAX, &out->n);
	if (out->p == NULL)
		return refuse(r, "a certificate is no base64", NULL);
	if (!der_cert_key(out->p, out->n, &key, &n))
		return refuse(r, "a certificate is none", NULL);
	return pemkey_from_der(&k, key, n, &why) ? 0 :
	    refuse(r, "a certificate has ", why);
}

static int
read_chain(const struct reader *r, struct sigroot_chain *c, const json_t *o)
{
	const json_t *chain = json_object_get(o, "certChain");
	const json_t *list = json_object_get(chain, "certificates");
	size_t n = json_array_size(list);

	if (KNOWN(r, o, "subject", "uri", "certChain", "validFor",
		"operator") < 0)
		return -1;
	if (json_object_get(o, "subject") != NULL &&
	    KNOWN(r, json_object_get(o, "subject"), "organization",
		"commonName") < 0)
		return -1;
	if (chain == NULL || n < 1 || n > SIGROOT_CHAIN_MAX)
		return refuse(r, "a certChain has 1 to 6 certificates", NULL);
	if (KNOWN(r, chain, "certificates") < 0 ||
	    read_span(r, &c->valid, o) < 0)
		return -1;
	for (; c->n < n; c->n++)
		if (read_cert(r, &c->cert[c->n], json_array_get(list,
			c->n)) < 0)
			return -1;
	return 0;
}

/* ---- keys ---- */

/* sigstore's PublicKeyDetails that are checked here. bits 0: any that counts. */
static const struct {
	const char *name;
	enum pemkey_kind kind;
	unsigned bits;
} details[] = {
    {"PKIX_ECDSA_P256_SHA_256", PEMKEY_P256, 0},
    {"PKIX_ECDSA_P384_SHA_384", PEMKEY_P384, 0},
    {"PKIX_ECDSA_P521_SHA_512", PEMKEY_P521, 0},
    {"PKIX_ED25519", PEMKEY_ED25519, 0},
    {"PKIX_RSA_PKCS1V15_2048_SHA256", PEMKEY_RSA_PKCS1, 2048},
    {"PKIX_RSA_PKCS1V15_3072_SHA256", PEMKEY_RSA_PKCS1, 3072},
    {"PKIX_RSA_PKCS1V15_4096_SHA256", PEMKEY_RSA_PKCS1, 4096},
    {"PKIX_RSA_PSS_2048_SHA256", PEMKEY_RSA_PSS, 2048},
    {"PKIX_RSA_PSS_3072_SHA256", PEMKEY_RSA_PSS, 3072},
    {"PKIX_RSA_PSS_4096_SHA256", PEMKEY_RSA_PSS, 4096},
    /* given up, and still there */
    {"PKIX_RSA_PKCS1V5", PEMKEY_RSA_PKCS1, 0},
    {"PKCS1_RSA_PKCS1V5", PEMKEY_RSA_PKCS1, 0},
    {"PKIX_RSA_PSS", PEMKEY_RSA_PSS, 0},
    {"PKCS1_RSA_PSS", PEMKEY_RSA_PSS, 0},
};

static bool
is_kind(struct pemkey *k, enum pemkey_kind kind, unsigned bits)
{
	if (k->kind != PEMKEY_RSA)
		return k->kind == kind;
	if (kind != PEMKEY_RSA_PKCS1 && kind != PEMKEY_RSA_PSS)
		return false;
	k->kind = kind;
	return bits == 0 || bits == k->bits;
}

static int
read_key(const struct reader *r, struct pemkey *k, const json_t *o)
{
	_cleanup_free_ uint8_t *der = NULL;
	const char *name, *why = "";
	size_t i = 0, n;

	if (o == NULL)
		return refuse(r, "no publicKey", NULL);
	if (KNOWN(r, o, "rawBytes", "keyDetails", "validFor") < 0)
		return -1;
	if (!jdoc_text(o, "keyDetails", &name, &n))
		return refuse(r, "a publicKey without keyDetails", NULL);
	while (i < NELEM(details) && strcmp(details[i].name, name) != 0)
		i++;
	if (i == NELEM(details))
		return refuse(r, "keyDetails are not known here: ", name);
	der = sigtext_bytes(o, "rawBytes", PEMKEY_DER_MAX, &n);
	if (der == NULL)
		return refuse(r, "a publicKey is no base64, or too long", NULL);
	if (!pemkey_from_der(k, der, n, &why) &&
	    (strncmp(name, "PKCS1_", 6) != 0 ||
		!pemkey_from_pkcs1(k, der, n, &why)))
		return refuse(r, "publicKey is ", why);
	return is_kind(k, details[i].kind, details[i].bits) ? 0 :
	    refuse(r, "publicKey is of another kind than keyDetails: ", name);
}

static uint8_t *
key_id(const struct reader *r, const json_t *id, size_t *n)
{
	uint8_t *p;

	if (KNOWN(r, id, "keyId") < 0)
		return NULL;
	p = sigtext_bytes(id, "keyId", sizeof(struct id32), n);
	if (p == NULL)
		(void)refuse(r, "a keyId is none", NULL);
	return p;
}

static int
read_ids(const struct reader *r, struct sigroot_key *k, const json_t *o)
{
	const json_t *noted = sigtext_member(o, "checkpointKeyId");
	_cleanup_free_ uint8_t *id = NULL, *note = NULL;
	size_t n;

	if ((id = key_id(r, json_object_get(o, "logId"), &n)) == NULL)
		return -1;
	if (n != sizeof(k->id))
		return refuse(r, "logId is not of 32 bytes", NULL);
	memcpy(k->id.b, id, n);
	memcpy(k->note_id, id, sizeof(k->note_id));
	if (noted == NULL)
		return 0;
	if ((note = key_id(r, noted, &n)) == NULL)
		return -1;
	if (n < sizeof(k->note_id))
		return refuse(r, "checkpointKeyId is short", NULL);
	memcpy(k->note_id, note, sizeof(k->note_id));
	return 0;
}

static int
read_log(const struct reader *r, struct sigroot_key *k, const json_t *o)
{
	const json_t *key = json_object_get(o, "publicKey");
	const char *hash;
	size_t n;

	if (KNOWN(r, o, "baseUrl", "hashAlgorithm", "publicKey", "logId",
		"checkpointKeyId", "operator") < 0)
		return -1;
	if (!jdoc_text(o, "hashAlgorithm", &hash, &n))
		return refuse(r, "a log without hashAlgorithm", NULL);
	if (strcmp(hash, "SHA2_256") != 0)
		return refuse(r, "hashAlgorithm is not known here: ", hash);
	if (read_key(r, &k->key, key) < 0 || read_span(r, &k->valid, key) < 0)
		return -1;
	return read_ids(r, k, o);
}

/* ---- the file ---- */

/* false: it has said why. An absent list has no entry. */
static bool
start_list(struct reader *r, const json_t *o, const char *name,
    const json_t **list)
{
	*list = sigtext_member(o, name);
	r->list = NULL;
	if (*list != NULL && !json_is_array(*list))
		(void)refuse(r, "no list: ", name);
	else if (json_array_size(*list) > SIGROOT_EACH)
		(void)refuse(r, "more than 32 of a kind: ", name);
	else {
		r->list = name;
		r->at = 0;
		return true;
	}
	return false;
}

static int
read_chains(struct reader *r, struct sigroot_chain *out, unsigned *n,
    const json_t *o, const char *name)
{
	const json_t *list;

	if (!start_list(r, o, name, &list))
		return -1;
	for (; r->at < json_array_size(list); r->at++)
		if (read_chain(r, &out[(*n)++], json_array_get(list,
			r->at)) < 0)
			return -1;
	return 0;
}

static int
read_logs(struct reader *r, struct sigroot_key *out, unsigned *n,
    const json_t *o, const char *name)
{
	const json_t *list;

	if (!start_list(r, o, name, &list))
		return -1;
	for (; r->at < json_array_size(list); r->at++)
		if (read_log(r, &out[(*n)++], json_array_get(list, r->at)) < 0)
			return -1;
	return 0;
}

static int
read_root(struct sigroot *s, const json_t *o, char *why)
{
	static const char *const types[] = {
	    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
	    "application/vnd.dev.sigstore.trustedroot.v0.2+json"};
	struct reader r = {.why = why};
	const char *type;
	size_t n;

	if (!jdoc_text(o, "mediaType", &type, &n))
		return refuse(&r, "no trusted root: it has no mediaType", NULL);
	if (strcmp(type, types[0]) != 0 && strcmp(type, types[1]) != 0)
		return refuse(&r, "mediaType is not a trusted root's of v0.1 or "
		    "v0.2: ", type);
	if (KNOWN(&r, o, "mediaType", "tlogs", "certificateAuthorities",
		"ctlogs", "timestampAuthorities") < 0 ||
	    read_chains(&r, s->ca, &s->nca, o, "certificateAuthorities") < 0 ||
	    read_chains(&r, s->tsa, &s->ntsa, o, "timestampAuthorities") < 0 ||
	    read_logs(&r, s->ct, &s->nct, o, "ctlogs") < 0 ||
	    read_logs(&r, s->log, &s->nlog, o, "tlogs") < 0)
		return -1;
	r.list = NULL;
	if (s->nca == 0 || s->nct == 0 || s->nlog == 0)
		return refuse(&r, "certificateAuthorities, ctlogs and tlogs "
		    "are wanted, one of each at least", NULL);
	return 0;
}

struct sigroot *
sigroot_parse(const char *text, size_t len, char why[SIGROOT_WHY_MAX])
{
	const char *bad = "";
	json_t *o = jdoc_parse_any(text, len, SIGROOT_TEXT_MAX, DEPTH, &bad);
	struct sigroot *r;

	if (o == NULL) {
		(void)snprintf(why, SIGROOT_WHY_MAX, "%s", bad);
		return NULL;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL) {
		(void)snprintf(why, SIGROOT_WHY_MAX, "no memory");
	} else if (read_root(r, o, why) < 0) {
		sigroot_free(r);
		r = NULL;
	}
	json_decref(o);
	return r;
}

static void
free_chain(struct sigroot_chain *c)
{
	for (unsigned i = 0; i < SIGROOT_CHAIN_MAX; i++)
		free(c->cert[i].p);
}

void
sigroot_free(struct sigroot *r)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; i < SIGROOT_EACH; i++) {
		free_chain(&r->ca[i]);
		free_chain(&r->tsa[i]);
	}
	free(r);
}

bool
sigroot_in(const struct sigroot_span *s, int64_t when)
{
	return when >= s->from && when <= s->to;
}

bool
sigroot_counts(const struct sigroot_key *list, unsigned n,
    const struct sigroot_key *k, int64_t when)
{
	for (unsigned i = 0; i < n; i++)
		if (id32_eq(&list[i].id, &k->id) &&
		    pemkey_equal(&list[i].key, &k->key) &&
		    sigroot_in(&list[i].valid, when))
			return true;
	return false;
}

const struct sigroot_key *
sigroot_key(const struct sigroot_key *k, unsigned n, const uint8_t *id,
    size_t len)
{
	for (unsigned i = 0; i < n && len == sizeof(k->id); i++)
		if (memcmp(k[i].id.b, id, len) == 0)
			return &k[i];
	return NULL;
}

static int64_t
last_of(const struct sigroot_key *k, unsigned n)
{
	int64_t last = INT64_MIN;

	for (unsigned i = 0; i < n; i++)
		last = MAX_OF(last, k[i].valid.to);
	return last;
}

int64_t
sigroot_end(const struct sigroot *r, const char **what)
{
	int64_t ca = INT64_MIN, ct = last_of(r->ct, r->nct);
	int64_t log = last_of(r->log, r->nlog);

	for (unsigned i = 0; i < r->nca; i++)
		ca = MAX_OF(ca, r->ca[i].valid.to);
	if (ca <= ct && ca <= log)
		*what = "no certificateAuthority counts any more";
	else
		*what = ct <= log ? "no ctlog counts any more" :
		    "no tlog counts any more";
	return MIN_OF(ca, MIN_OF(ct, log));
}
