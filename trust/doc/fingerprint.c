/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/fingerprint.h"

#include <stdio.h>
#include <string.h>

#include "common/fp.h"
#include "common/util.h"
#include "trust/doc/jdoc.h"

#define TYPE "klp.fingerprint"
#define SHA "sha256:"

static const char *const names[] = {[FINGERPRINT_IMAGE] = "image",
    [FINGERPRINT_NODE] = "node", [FINGERPRINT_TRAIL] = "trail",
    [FINGERPRINT_AGENT] = "agent"};

const char *
fingerprint_name(enum fingerprint_of of)
{
	return names[of];
}

/* ---- made ---- */

static void
put_digest(json_t *o, const char *name, const struct id32 *digest)
{
	char text[sizeof(SHA) + 64];

	memcpy(text, SHA, sizeof(SHA) - 1);
	hex_encode(text + sizeof(SHA) - 1, HASH_BYTES(*digest));
	(void)json_object_set_new(o, name, json_string(text));
}

static void
put_trail(json_t *o, const struct fingerprint *f)
{
	char root[65];

	hex_encode(root, HASH_BYTES(f->root));
	(void)json_object_set_new(o, "trail", json_pack("{s:s,s:I}", "root",
		root, "size", (json_int_t)f->size));
}

char *
fingerprint_put(const struct fingerprint *f, size_t *len)
{
	json_t *o = json_pack("{s:s,s:i,s:I}", "_type", TYPE, "version", 1,
	    "issued", (json_int_t)f->issued);
	char *text;

	switch (f->of) {
	case FINGERPRINT_IMAGE:
		put_digest(o, "image", &f->image);
		break;
	case FINGERPRINT_NODE:
		(void)json_object_set_new(o, "node", json_string(f->urn));
		put_digest(o, "binding", &f->binding);
		break;
	case FINGERPRINT_TRAIL:
		(void)json_object_set_new(o, "node", json_string(f->urn));
		put_trail(o, f);
		break;
	case FINGERPRINT_AGENT:
		(void)json_object_set_new(o, "agent", json_string(f->urn));
		put_digest(o, "image", &f->image);
		put_digest(o, "manifest", &f->manifest);
		put_digest(o, "contract", &f->contract);
		if (f->has_observed)
			put_digest(o, "observed", &f->observed);
		break;
	}
	text = o == NULL ? NULL : jdoc_canonical(o, len);
	json_decref(o);
	return text;
}

/* ---- read ---- */

static bool
digest_of(const json_t *o, const char *name, struct id32 *out)
{
	const char *s;
	size_t n;

	return jdoc_text(o, name, &s, &n) && n == sizeof(SHA) - 1 + 64 &&
	    memcmp(s, SHA, sizeof(SHA) - 1) == 0 &&
	    strspn(s + sizeof(SHA) - 1, "0123456789abcdef") == 64 &&
	    hex_decode(HASH_BYTES(*out), s + sizeof(SHA) - 1, 64);
}

static bool
urn_of(const json_t *o, const char *name, char out[URN_MAX])
{
	const char *s;
	struct fp fp;
	size_t n;

	if (!jdoc_text(o, name, &s, &n) || n >= URN_MAX ||
	    !urn_parse(&fp, s, n))
		return false;
	memcpy(out, s, n + 1);
	return true;
}

static bool
trail_of(const json_t *o, struct fingerprint *f)
{
	const json_t *t = json_object_get(o, "trail");

	return json_is_object(t) && json_object_size(t) == 2 &&
	    jdoc_uint(t, "size", JDOC_INT_MAX, &f->size) &&
	    jdoc_hex(json_object_get(t, "root"), HASH_BYTES(f->root));
}

/* Which it is follows from the members that only one kind has. */
static const char *
members(const json_t *o, struct fingerprint *f)
{
	size_t want = 4;
	bool ok;

	if (json_object_get(o, "agent") != NULL) {
		f->of = FINGERPRINT_AGENT;
		f->has_observed = json_object_get(o, "observed") != NULL;
		want = f->has_observed ? 8 : 7;
		ok = urn_of(o, "agent", f->urn) &&
		    digest_of(o, "image", &f->image) &&
		    digest_of(o, "manifest", &f->manifest) &&
		    digest_of(o, "contract", &f->contract) &&
		    (!f->has_observed ||
			digest_of(o, "observed", &f->observed));
	} else if (json_object_get(o, "trail") != NULL) {
		f->of = FINGERPRINT_TRAIL;
		want = 5;
		ok = urn_of(o, "node", f->urn) && trail_of(o, f);
	} else if (json_object_get(o, "node") != NULL) {
		f->of = FINGERPRINT_NODE;
		want = 5;
		ok = urn_of(o, "node", f->urn) &&
		    digest_of(o, "binding", &f->binding);
	} else {
		f->of = FINGERPRINT_IMAGE;
		ok = digest_of(o, "image", &f->image);
	}
	if (!ok)
		return "a member is missing or malformed";
	return json_object_size(o) == want ? NULL : "a member too many";
}

bool
fingerprint_parse(struct fingerprint *out, const void *text, size_t len,
    const char **why)
{
	struct fingerprint f = {.of = FINGERPRINT_IMAGE};
	json_t *o = jdoc_parse_canonical(text, len, FINGERPRINT_MAX, why);
	uint64_t version = 0, issued = 0;
	const char *type;
	size_t n;

	if (o == NULL)
		return false;
	if (!json_is_object(o) || !jdoc_text(o, "_type", &type, &n) ||
	    strcmp(type, TYPE) != 0)
		*why = "no " TYPE;
	else if (!jdoc_uint(o, "version", JDOC_INT_MAX, &version) ||
	    version != 1)
		*why = "of a version that is not known here";
	else if (!jdoc_uint(o, "issued", UINT32_MAX, &issued))
		*why = "without the time when it was issued";
	else
		*why = members(o, &f);
	json_decref(o);
	if (*why != NULL)
		return false;
	f.issued = (uint32_t)issued;
	*out = f;
	return true;
}
