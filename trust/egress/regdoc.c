/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/egress/regdoc.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "trust/doc/jdoc.h"

#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker.distribution.manifest."

static const struct {
	enum regdoc_kind kind;
	const char *type;
} types[] = {
	{REGDOC_OCI_INDEX, OCI "index.v1+json"},
	{REGDOC_OCI_MANIFEST, OCI "manifest.v1+json"},
	{REGDOC_DOCKER_LIST, DOCKER "list.v2+json"},
	{REGDOC_DOCKER_MANIFEST, DOCKER "v2+json"},
	{REGDOC_DOCKER_OLD, DOCKER "v1+json"},
	{REGDOC_DOCKER_OLD, DOCKER "v1+prettyjws"},
};

const char regdoc_accept[] = "Accept: " OCI "index.v1+json, " OCI
	"manifest.v1+json, " DOCKER "list.v2+json, " DOCKER "v2+json";

/* Of images; an artifact of another kind has another configuration. */
static const char *const configs[] = {OCI "config.v1+json",
	"application/vnd.docker.container.image.v1+json"};

static bool fail(char *why, size_t cap, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static bool
fail(char *why, size_t cap, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, cap, fmt, ap);
	va_end(ap);
	return false;
}

enum regdoc_kind
regdoc_kind(const char *media_type)
{
	for (size_t i = 0; i < NELEM(types); i++)
		if (strcmp(types[i].type, media_type) == 0)
			return types[i].kind;
	return REGDOC_OTHER;
}

const char *
regdoc_type(enum regdoc_kind kind)
{
	for (size_t i = 0; i < NELEM(types); i++)
		if (types[i].kind == kind)
			return types[i].type;
	return "";
}

static const char *
text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s == NULL ? "" : s;
}

static bool
take_blob(const json_t *o, const char *what, struct regdoc_blob *b, char *why,
    size_t cap)
{
	const char *digest = text_of(o, "digest");

	if (!image_digest(&b->digest, digest))
		return fail(why, cap, "%s: \"%.80s\" is no digest by sha256",
		    what, digest);
	/* 2^53 at most: jdoc.h */
	if (!jdoc_uint(o, "size", JDOC_INT_MAX, &b->size))
		return fail(why, cap, "%s: it has no size", what);
	return true;
}

/* This machine's, by the rule by which hand takes one: the first of the best. */
static bool
take_index(struct regdoc *d, const json_t *doc, const struct platform *here,
    char *why, size_t cap)
{
	const json_t *list = json_object_get(doc, "manifests"), *pick = NULL;
	char have[160] = "";
	size_t i, n = 0;
	int best = -1;
	json_t *v;

	if (!json_is_array(list))
		return fail(why, cap, "its index has no list of manifests");
	json_array_foreach (list, i, v) {
		const json_t *p = json_object_get(v, "platform");
		int rank = platform_rank(here, text_of(p, "os"),
		    text_of(p, "architecture"), text_of(p, "variant"));

		if (n < sizeof(have) && strcmp(text_of(p, "os"), "unknown") !=
		    0)
			n += (size_t)snprintf(have + n, sizeof(have) - n,
			    "%s%.20s/%.20s", n > 0 ? ", " : "",
			    text_of(p, "os"), text_of(p, "architecture"));
		if (rank > best) {
			best = rank;
			pick = v;
		}
	}
	if (pick == NULL)
		return fail(why, cap, "it has no image for %s/%s, but for "
		    "%s", here->os, here->arch, have[0] == '\0' ? "nothing" :
		    have);
	if (!take_blob(pick, "index", &d->pick, why, cap))
		return false;
	return d->pick.size <= REGDOC_MAX ? true : fail(why, cap,
	    "its manifest has more than 4 MiB");
}

static bool
add_layer(struct regdoc *d, const struct regdoc_blob *b, char *why, size_t cap)
{
	for (unsigned i = 0; i < d->nlayers; i++) {
		if (!id32_eq(&d->layer[i].digest, &b->digest))
			continue;
		return d->layer[i].size == b->size ? true : fail(why, cap,
		    "a layer has two sizes");
	}
	d->layer[d->nlayers++] = *b;
	d->total += b->size;
	return true;
}

static bool
take_manifest(struct regdoc *d, const json_t *doc, char *why, size_t cap)
{
	const json_t *config = json_object_get(doc, "config");
	const json_t *layers = json_object_get(doc, "layers");
	const char *type = text_of(config, "mediaType");
	struct regdoc_blob b;
	size_t i;
	json_t *v;

	for (i = 0; i < NELEM(configs) && strcmp(configs[i], type) != 0; i++)
		;
	if (i == NELEM(configs))
		return fail(why, cap, "no image, but a %.80s", type);
	if (!take_blob(config, "configuration", &d->config, why, cap))
		return false;
	if (d->config.size > REGDOC_MAX)
		return fail(why, cap, "its configuration has more than 4 MiB");
	d->total = d->config.size;
	if (!json_is_array(layers) || json_array_size(layers) > REGDOC_LAYERS)
		return fail(why, cap, "its layers are no list, or more than "
		    "%d", REGDOC_LAYERS);
	json_array_foreach (layers, i, v)
		if (!take_blob(v, "layer", &b, why, cap) ||
		    !add_layer(d, &b, why, cap))
			return false;
	return true;
}

/* A small text can be a great many values, of some 100 bytes each. */
static bool
too_many(const char *p, size_t n)
{
	size_t values = 0;

	for (size_t i = 0; i < n; i++)
		values += p[i] == '{' || p[i] == '[' || p[i] == ',';
	return values > REGDOC_VALUES;
}

static json_t *
load(const void *text, size_t len, size_t max, const char **why)
{
	if (too_many(text, len)) {
		*why = "too many values";
		return NULL;
	}
	return jdoc_parse(text, len, max, why);
}

static bool
take(struct regdoc *d, const char *type, const json_t *doc,
    const struct platform *here, char *why, size_t cap)
{
	const char *own = text_of(doc, "mediaType");

	if (type[0] != '\0' && own[0] != '\0' && strcmp(own, type) != 0)
		return fail(why, cap, "it is called %.80s and calls itself "
		    "%.80s", type, own);
	type = type[0] != '\0' ? type : own;
	switch (d->kind = regdoc_kind(type)) {
	case REGDOC_OCI_INDEX:
	case REGDOC_DOCKER_LIST:
		/* one document that is both means two things */
		return json_object_get(doc, "layers") != NULL ?
		    fail(why, cap, "it is an index and a manifest") :
		    take_index(d, doc, here, why, cap);
	case REGDOC_OCI_MANIFEST:
	case REGDOC_DOCKER_MANIFEST:
		return json_object_get(doc, "manifests") != NULL ?
		    fail(why, cap, "it is an index and a manifest") :
		    take_manifest(d, doc, why, cap);
	case REGDOC_DOCKER_OLD:
		return fail(why, cap, "its manifest is of schema 1: let it be "
		    "pushed anew by a newer tool");
	case REGDOC_OTHER:
		break;
	}
	return fail(why, cap, "no image, but a %.80s", type[0] == '\0' ?
	    "document without a type" : type);
}

bool
regdoc_parse(struct regdoc *d, const char *type, const void *text, size_t len,
    const struct platform *here, char *why, size_t cap)
{
	const char *what = "";
	json_t *doc = load(text, len, REGDOC_MAX, &what);
	bool ok;

	memset(d, 0, sizeof(*d));
	if (doc == NULL)
		return fail(why, cap, "its manifest is no JSON as it should "
		    "be: %s", what);
	ok = take(d, type, doc, here, why, cap);
	json_decref(doc);
	return ok;
}

bool
regdoc_token(char out[REGDOC_TOKEN + 1], const void *text, size_t len)
{
	const char *what, *s;
	json_t *doc = load(text, len, REGDOC_TOKEN_MAX, &what);
	bool ok = false;

	out[0] = '\0';
	if (doc == NULL)
		return false;
	s = text_of(doc, "token");
	if (s[0] == '\0')
		s = text_of(doc, "access_token");
	if (s[0] != '\0' && strlen(s) <= REGDOC_TOKEN) {
		ok = true;
		for (const char *p = s; *p != '\0'; p++)
			ok = ok && *p > ' ' && *p <= '~';
	}
	if (ok)
		(void)snprintf(out, REGDOC_TOKEN + 1, "%s", s);
	json_decref(doc);
	return ok;
}
