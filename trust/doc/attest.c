/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "trust/doc/attest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "common/b64.h"
#include "common/pattern.h"
#include "common/util.h"
#include "trust/doc/jdoc.h"
#include "trust/doc/secp.h"
#include "trust/doc/sigtext.h"

/* as it is written now, and as it was: three versions, one content */
static const char *const bundle_types[] = {
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1"};
#define STATEMENT_TYPE "application/vnd.in-toto+json"
#define SIMPLE_TYPE "cosign container image signature"
/* cosign's own statement that says no more than "signed" */
#define SIGN_PREDICATE "https://sigstore.dev/cosign/sign/v1"

static int
refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

/* ---- the wrapping ---- */

/* An own allocation of what is base64 in there; NULL: it is not. */
static uint8_t *
member_bytes(const json_t *o, const char *name, size_t *len)
{
	const char *s;
	uint8_t *p;
	size_t n;

	if (!jdoc_text(o, name, &s, &n) || (p = malloc(n / 4 * 3 + 4)) == NULL)
		return NULL;
	if (b64_get(p, n / 4 * 3 + 4, s, n, len,
		sodium_base64_VARIANT_ORIGINAL))
		return p;
	free(p);
	return NULL;
}

static bool
add_sig(struct attest *a, const json_t *o, const char *name)
{
	struct attest_sig *g = &a->sig[a->nsigs];
	const char *s;
	size_t n, got;

	if (!jdoc_text(o, name, &s, &n) || !b64_get(g->b, sizeof(g->b), s, n,
		&got, sodium_base64_VARIANT_ORIGINAL) || got == 0)
		return false;
	g->n = (uint16_t)got;
	a->nsigs++;
	return true;
}

static int
read_simple(struct attest *a, const json_t *o, const char **why)
{
	a->form = ATTEST_SIMPLE;
	a->signed_bytes = member_bytes(o, "Payload", &a->signed_len);
	if (a->signed_bytes == NULL)
		return refuse(why, "Payload is no base64");
	a->payload = a->signed_bytes;
	a->payload_len = a->signed_len;
	return add_sig(a, o, "Base64Signature") ? 0 :
	    refuse(why, "Base64Signature is no signature");
}

static int
read_dsse(struct attest *a, const json_t *o, const char **why)
{
	const json_t *sigs = json_object_get(o, "signatures");
	const char *type;
	uint8_t *payload;
	size_t n;

	a->form = ATTEST_STATEMENT;
	if (!jdoc_text(o, "payloadType", &type, &n) ||
	    strcmp(type, STATEMENT_TYPE) != 0)
		return refuse(why, "payloadType is not in-toto's");
	n = json_array_size(sigs);
	if (n < 1 || n > ATTEST_SIGS_MAX)
		return refuse(why, "number of signatures");
	for (size_t i = 0; i < n; i++)
		if (!add_sig(a, json_array_get(sigs, i), "sig"))
			return refuse(why, "a signature is none");
	if ((payload = member_bytes(o, "payload", &a->payload_len)) == NULL)
		return refuse(why, "payload is no base64");
	a->signed_bytes = pae_make(&a->signed_len, STATEMENT_TYPE, payload,
	    a->payload_len);
	free(payload);
	if (a->signed_bytes == NULL)
		return refuse(why, "no memory");
	a->payload = a->signed_bytes + (a->signed_len - a->payload_len);
	return 0;
}

static int
read_message(struct attest *a, const json_t *o, const char **why)
{
	const json_t *d = json_object_get(o, "messageDigest");
	const char *algorithm;
	uint8_t *sum;
	size_t n;

	a->form = ATTEST_DIGEST;
	if (!jdoc_text(d, "algorithm", &algorithm, &n) ||
	    strcmp(algorithm, "SHA2_256") != 0)
		return refuse(why, "messageDigest is not of SHA2_256");
	if ((sum = member_bytes(d, "digest", &n)) == NULL ||
	    n != sizeof(a->sum)) {
		free(sum);
		return refuse(why, "messageDigest has no digest");
	}
	memcpy(a->sum.b, sum, sizeof(a->sum));
	free(sum);
	return add_sig(a, o, "signature") ? 0 :
	    refuse(why, "messageSignature has no signature");
}

static bool
is_bundle(const char *type)
{
	for (size_t i = 0; i < NELEM(bundle_types); i++)
		if (strcmp(type, bundle_types[i]) == 0)
			return true;
	return false;
}

static int
read_bundle(struct attest *a, const json_t *o, const char *type,
    const char **why)
{
	const json_t *dsse = sigtext_member(o, "dsseEnvelope");
	const json_t *message = sigtext_member(o, "messageSignature");

	if (!is_bundle(type))
		return refuse(why, "mediaType is no bundle's of v0.1 to v0.3");
	if ((dsse != NULL) == (message != NULL))
		return refuse(why, "a bundle has an envelope or a signature");
	a->material = json_incref(json_object_get(o, "verificationMaterial"));
	return dsse != NULL ? read_dsse(a, dsse, why) :
	    read_message(a, message, why);
}

/*
 * As `cosign download signature` prints a keyless one of the older form: Go's
 * own view of a certificate, with numbers of any size, and a log's promise.
 */
static bool
has_old_cert(const char *text, size_t len)
{
	static const char member[] = "\"Cert\":{";

	return memmem(text, len, member, strlen(member)) != NULL;
}

int
attest_read(struct attest *a, const char *text, size_t len, const char **why)
{
	json_t *o = jdoc_parse_any(text, len, ATTEST_TEXT_MAX, ATTEST_DEPTH,
	    why);
	const char *type;
	size_t n;
	int rc;

	memset(a, 0, sizeof(*a));
	if (o == NULL)
		return has_old_cert(text, len) ? refuse(why, "a certificate in "
		    "cosign's older form, which has no proof of inclusion: its "
		    "bundle is wanted") : -1;
	if (json_object_get(o, "Base64Signature") != NULL)
		rc = read_simple(a, o, why);
	else if (jdoc_text(o, "mediaType", &type, &n))
		rc = read_bundle(a, o, type, why);
	else if (json_object_get(o, "payloadType") != NULL)
		rc = read_dsse(a, o, why);
	else
		rc = refuse(why, "none of the three forms of a signature");
	json_decref(o);
	if (rc < 0)
		attest_clear(a);
	return rc;
}

void
attest_clear(struct attest *a)
{
	free(a->signed_bytes);
	json_decref(a->material);
	memset(a, 0, sizeof(*a));
}

static bool
holds(const struct attest *a, const struct attest_sig *g,
    const struct pemkey *k)
{
	if (a->form == ATTEST_DIGEST)
		return pemkey_holds_sum(k, &a->sum, g->b, g->n);
	/* a key of ours signs envelopes by a scheme of its own (klp.md 2) */
	if (a->form == ATTEST_STATEMENT && k->kind == PEMKEY_KLP)
		return g->n == SIG_LEN && pae_verify(&k->klp, g->b,
		    STATEMENT_TYPE, a->payload, a->payload_len);
	return pemkey_holds(k, a->signed_bytes, a->signed_len, g->b, g->n);
}

bool
attest_by(const struct attest *a, const struct pemkey *k)
{
	for (unsigned i = 0; i < a->nsigs; i++)
		if (holds(a, &a->sig[i], k))
			return true;
	return false;
}

/* ---- what was signed ---- */

static bool
add_image(struct attest_said *s, const char *hex, size_t n)
{
	return s->nimages < ATTEST_IMAGES_MAX &&
	    hex_decode(s->image[s->nimages].b, 32, hex, n) &&
	    ++s->nimages > 0;
}

static int
simple_says(struct attest_said *s, const json_t *o, const char **why)
{
	const json_t *critical = json_object_get(o, "critical");
	const json_t *image = json_object_get(critical, "image");
	static const char key[] = "docker-manifest-digest";
	const json_t *value = NULL;
	const char *type, *name;
	json_t *v;
	size_t n;

	if (!jdoc_text(critical, "type", &type, &n) ||
	    strcmp(type, SIMPLE_TYPE) != 0)
		return refuse(why, "critical.type is not cosign's");
	/* cosign and others write it in capitals of their own */
	json_object_foreach((json_t *)(uintptr_t)image, name, v)
		if (strcasecmp(name, key) == 0) {
			if (value != NULL)
				return refuse(why, "two digests in one");
			value = v;
		}
	if (!json_is_string(value) ||
	    strncmp(json_string_value(value), "sha256:", 7) != 0 ||
	    !add_image(s, json_string_value(value) + 7,
		json_string_length(value) - 7))
		return refuse(why, "critical.image has no sha256 digest");
	return 0;
}

static int
statement_says(struct attest_said *s, const json_t *o, const char **why)
{
	const json_t *subjects = json_object_get(o, "subject");
	const char *type, *hex;
	size_t n;

	if (!jdoc_text(o, "_type", &type, &n) ||
	    (strcmp(type, "https://in-toto.io/Statement/v1") != 0 &&
	    strcmp(type, "https://in-toto.io/Statement/v0.1") != 0))
		return refuse(why, "no in-toto statement of v1 or v0.1");
	if (!jdoc_text(o, "predicateType", &type, &n) || n < 1 ||
	    n > ATTEST_TYPE_MAX)
		return refuse(why, "predicateType");
	if (strcmp(type, SIGN_PREDICATE) != 0)
		memcpy(s->type, type, n + 1);
	for (size_t i = 0; i < json_array_size(subjects); i++) {
		const json_t *d = json_object_get(json_array_get(subjects, i),
		    "digest");

		if (jdoc_text(d, "sha256", &hex, &n) && !add_image(s, hex, n))
			return refuse(why, s->nimages == ATTEST_IMAGES_MAX ?
			    "more than 16 subjects" : "a subject's digest");
	}
	return s->nimages > 0 ? 0 : refuse(why, "no subject with a SHA-256");
}

int
attest_says(struct attest_said *s, const struct attest *a, const char **why)
{
	json_t *o;
	int rc;

	memset(s, 0, sizeof(*s));
	if (a->form == ATTEST_DIGEST) {
		s->image[s->nimages++] = a->sum;
		return 0;
	}
	o = jdoc_parse_any((const char *)a->payload, a->payload_len,
	    ATTEST_TEXT_MAX, ATTEST_DEPTH, why);
	if (o == NULL)
		return -1;
	rc = a->form == ATTEST_SIMPLE ? simple_says(s, o, why) :
	    statement_says(s, o, why);
	if (rc == 0 && a->form == ATTEST_STATEMENT)
		s->statement = json_incref(o);
	json_decref(o);
	return rc;
}

void
attest_said_clear(struct attest_said *s)
{
	json_decref(s->statement);
	memset(s, 0, sizeof(*s));
}

/* ---- what a verifier says ---- */

static int
images_told(struct attest_said *s, const json_t *list, const char **why)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *t = json_string_value(json_array_get(list, i));

		if (t == NULL || strncmp(t, "sha256:", 7) != 0 ||
		    !add_image(s, t + 7, strlen(t + 7)))
			return refuse(why, "images are 1 to 16 digests, each "
			    "sha256: and 64 digits");
	}
	return s->nimages > 0 ? 0 : refuse(why, "it names no image");
}

int
attest_told(struct attest_said *s, char who[ATTEST_WHO_MAX + 1],
    const char *text, size_t len, const char **why)
{
	json_t *o = jdoc_parse_any(text, len, ATTEST_TEXT_MAX, ATTEST_DEPTH,
	    why), *statement = json_object_get(o, "statement");
	const char *name;
	size_t n;
	int rc;

	memset(s, 0, sizeof(*s));
	if (o == NULL)
		return -1;
	if (!jdoc_text(o, "who", &name, &n) || n < 1 || n > ATTEST_WHO_MAX)
		rc = refuse(why, "it does not say who");
	else
		rc = statement != NULL ? statement_says(s, statement, why) :
		    images_told(s, json_object_get(o, "images"), why);
	if (rc == 0) {
		memcpy(who, name, n + 1);
		s->statement = json_incref(statement);
	}
	json_decref(o);
	return rc;
}

/* ---- rules about a predicate ---- */

static bool
like(const char *pattern, const char *text)
{
	return pattern_name(pattern, strlen(pattern), text, strlen(text),
	    false);
}

static bool
fits(const json_t *v, const char *pattern)
{
	char text[32];

	if (json_is_string(v))
		return like(pattern, json_string_value(v));
	if (json_is_boolean(v))
		return like(pattern, json_is_true(v) ? "true" :
		    "false");
	if (!json_is_integer(v))
		return false;
	(void)snprintf(text, sizeof(text), "%lld",
	    (long long)json_integer_value(v));
	return like(pattern, text);
}

struct way {
	const json_t *v;
	const char *path;
};

/* Bounded: each step goes one level deeper, or to a list's next value. */
static unsigned
step(struct way *out, unsigned cap, const struct way *w)
{
	unsigned n = 0;

	if (json_is_array(w->v)) {
		for (size_t i = 0; i < json_array_size(w->v) && n < cap; i++)
			out[n++] = (struct way){json_array_get(w->v, i),
			    w->path};
		return n;
	}
	/* each beginning that ends at a dot, or at the end, may be a name */
	for (const char *p = w->path; n < cap; p++) {
		const json_t *v;

		if (*p != '.' && *p != '\0')
			continue;
		v = json_object_getn(w->v, w->path, (size_t)(p - w->path));
		if (v != NULL)
			out[n++] = (struct way){v, *p == '.' ? p + 1 : p};
		if (*p == '\0')
			break;
	}
	return n;
}

bool
attest_where(const struct attest_said *s, const char *path,
    const char *pattern)
{
	struct way stack[256] = {{s->statement, path}};
	unsigned n = 1, steps = 0;

	while (n > 0 && steps++ < 4096) {
		struct way w = stack[--n];

		if (*w.path == '\0' && !json_is_array(w.v)) {
			if (fits(w.v, pattern))
				return true;
			continue;
		}
		n += step(stack + n, NELEM(stack) - n, &w);
	}
	return false;
}
