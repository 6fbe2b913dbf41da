/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/graph_json.h"

#include <math.h>
#include <string.h>

#include "trust/doc/jdoc.h"
#include "trust/doc/level.h"

/* An absent member leaves *v alone. */
static bool
opt_uint(const json_t *o, const char *name, uint64_t max, uint64_t *v)
{
	return json_object_get(o, name) == NULL || jdoc_uint(o, name, max, v);
}

static bool
is_texts(const json_t *list)
{
	if (list != NULL && !json_is_array(list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return false;
	return true;
}

/* Names to bits; *unknown: one that has none. */
static bool
bits(const json_t *o, const char *name, int (*parse)(const char *, size_t),
    uint32_t *out, bool *unknown)
{
	const json_t *list = json_object_get(o, name);

	if (!is_texts(list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);
		int bit = parse(json_string_value(s), json_string_length(s));

		if (bit < 0)
			*unknown = true;
		else
			*out |= UINT32_C(1) << bit;
	}
	return true;
}

static bool
permille(const json_t *v, uint16_t *out)
{
	if (v == NULL) {
		*out = 1000;
	} else if (json_is_integer(v) && json_integer_value(v) >= 0 &&
	    json_integer_value(v) <= 1) {
		*out = (uint16_t)(json_integer_value(v) * 1000);
	} else if (json_is_real(v)) {
		/* 0.d{1,3}: jdoc.c lets no other pass */
		*out = (uint16_t)lround(json_real_value(v) * 1000);
	} else {
		return false;
	}
	return true;
}

static bool
urn_member(const json_t *o, const char *name, struct fp *fp)
{
	const char *s;
	size_t n;

	return jdoc_text(o, name, &s, &n) && urn_parse(fp, s, n);
}

const char *
edge_json(struct edge *e, const json_t *o, bool *unknown, bool *never)
{
	uint64_t issued = 0, expires = 0, half = 0, depth = 0;
	const json_t *level = json_object_get(o, "trust_level");

	memset(e, 0, sizeof(*e));
	if (!urn_member(o, "source", &e->source))
		return "edges: source";
	if (!urn_member(o, "target", &e->target))
		return "edges: target";
	if (level != NULL && !json_is_integer(level))
		return "edges: trust_level";
	if (!permille(json_object_get(o, "confidence"), &e->conf))
		return "edges: confidence";
	if (!bits(o, "tags", tag_parse, &e->tags, unknown))
		return "edges: tags";
	if (!bits(o, "scopes", scope_parse, &e->scopes, unknown))
		return "edges: scopes";
	if (!opt_uint(o, "issued", UINT32_MAX, &issued) ||
	    !opt_uint(o, "expires", UINT32_MAX, &expires))
		return "edges: issued, expires";
	if (!opt_uint(o, "half_life_days", UINT16_MAX, &half))
		return "edges: half_life_days";
	if (!opt_uint(o, "depth", UINT8_MAX, &depth))
		return "edges: depth";
	*never = level != NULL && (json_integer_value(level) < LEVEL_MIN ||
				      json_integer_value(level) > LEVEL_MAX);
	e->level = level == NULL || *never ? 0
					   : (int8_t)json_integer_value(level);
	e->issued = (uint32_t)issued;
	e->expires = (uint32_t)expires;
	e->half_life = (uint16_t)half;
	e->depth = (uint8_t)depth;
	return NULL;
}

static bool
scheme_set(struct klp_key *k, const json_t *scheme)
{
	const char *s = json_string_value(scheme);

	if (scheme == NULL)
		return true;
	if (s == NULL)
		return false;
	if (k->kind == KEY_ED25519)
		return strcmp(s, "ed25519") == 0;
	k->bip340 = strcmp(s, "bip340") == 0;
	return k->bip340 || strcmp(s, "ecdsa") == 0;
}

const char *
node_json(struct fp *id, struct klp_key *out, const json_t *o)
{
	const json_t *key = json_object_get(o, "key");
	const json_t *rns = json_object_get(o, "rns");
	const json_t *label = json_object_get(o, "label");
	struct hash16 hash;
	struct fp fp;

	memset(out, 0, sizeof(*out));
	if (!urn_member(o, "id", id))
		return "nodes: id";
	if (rns != NULL && !json_is_array(rns))
		return "nodes: rns";
	for (size_t i = 0; i < json_array_size(rns); i++)
		if (!jdoc_hex(json_array_get(rns, i), HASH_BYTES(hash)))
			return "nodes: rns";
	if (label != NULL && !json_is_string(label))
		return "nodes: label";
	if (!is_texts(json_object_get(o, "tags")))
		return "nodes: tags";
	if (key == NULL)
		return NULL;
	if (!json_is_string(key) || !key_parse(out,
		json_string_value(key), json_string_length(key)))
		return "nodes: key";
	key_fp(&fp, out);
	if (!fp_eq(&fp, id))
		return "nodes: a key that is not the one its id names";
	if (!scheme_set(out, json_object_get(o, "scheme")))
		return "nodes: scheme";
	return NULL;
}
