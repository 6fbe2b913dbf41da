/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/manifest_parse.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "trust/doc/jdoc.h"
#include "common/util.h"
#include "trust/doc/manifest_form.h"

struct ctx {
	struct manifest *m;
	char *why;
	char of[48]; /* ".disk": which of a member's own is wrong */
};

static bool
bad(struct ctx *c, const char *member, const char *text)
{
	(void)snprintf(c->why, MANIFEST_WHY, "%s%s: %s", member, c->of, text);
	return false;
}

/* The key is a stranger's: told where it is a short word. */
static bool
bad_of(struct ctx *c, const char *key)
{
	size_t n = strlen(key);

	if (n < sizeof(c->of) && env_name_ok(key, n))
		(void)snprintf(c->of, sizeof(c->of), ".%.46s", key);
	return false;
}

/* Copies a text member of at most cap - 1 bytes without NUL. */
static bool
text_to(char *dst, size_t cap, const json_t *v)
{
	size_t n = json_string_length(v);

	if (!json_is_string(v) || !text_ok(json_string_value(v), n, cap - 1))
		return false;
	memcpy(dst, json_string_value(v), n);
	dst[n] = '\0';
	return true;
}

static bool
u32_of(const json_t *v, uint32_t max, uint32_t *out)
{
	json_int_t i = json_integer_value(v);

	if (!json_is_integer(v) || i < 0 || i > (json_int_t)max)
		return false;
	*out = (uint32_t)i;
	return true;
}

static bool
bool_of(const json_t *v, bool *out)
{
	*out = json_is_true(v);
	return json_is_boolean(v);
}

static bool
blob_of(const json_t *v, struct blob_ref *b)
{
	return json_is_object(v) &&
	    jdoc_hex(json_object_get(v, "sha256"), HASH_BYTES(b->sha256)) &&
	    jdoc_uint(v, "size", (uint64_t)JDOC_INT_MAX, &b->size);
}

static bool
urn_of(char urn[URN_MAX], struct fp *fp, const json_t *v)
{
	return text_to(urn, URN_MAX, v) && urn_parse(fp, urn, strlen(urn));
}

/* ---- one function a member; absent ones are not called ---- */

static bool
get_type(struct ctx *c, const json_t *v)
{
	(void)c;
	return json_is_string(v) &&
	    json_string_length(v) == strlen(json_string_value(v)) &&
	    strcmp(json_string_value(v), "klp.manifest") == 0;
}

static bool
get_submitter(struct ctx *c, const json_t *v)
{
	return urn_of(c->m->submitter_urn, &c->m->submitter, v);
}

static bool
get_node(struct ctx *c, const json_t *v)
{
	c->m->has |= HAS_NODE;
	return urn_of(c->m->node_urn, &c->m->node, v);
}

static bool
get_nonce(struct ctx *c, const json_t *v)
{
	return jdoc_hex(v, c->m->nonce, sizeof(c->m->nonce));
}

static bool
get_not_after(struct ctx *c, const json_t *v)
{
	return u32_of(v, UINT32_MAX, &c->m->not_after);
}

static bool
get_deadline(struct ctx *c, const json_t *v)
{
	return u32_of(v, UINT32_MAX, &c->m->deadline);
}

static bool
get_image(struct ctx *c, const json_t *v)
{
	return text_to(c->m->image, sizeof(c->m->image), v) &&
	    image_ok(c->m->image, strlen(c->m->image));
}

static bool
get_wasm(struct ctx *c, const json_t *v)
{
	const json_t *fuel = json_object_get(v, "fuel");
	const json_t *det = json_object_get(v, "deterministic");
	const char *files = json_string_value(json_object_get(v, "files"));
	const json_t *chunks = json_object_get(v, "chunks");
	struct wasm_ask *a = &c->m->module;

	c->m->has |= HAS_WASM;
	if (!blob_of(v, &c->m->wasm) || (fuel != NULL && (!jdoc_uint(v, "fuel",
	    (uint64_t)JDOC_INT_MAX, &a->fuel) || a->fuel == 0)))
		return false;
	/* false, and what a node does by itself, are said by their absence */
	if (det != NULL && (!bool_of(det, &a->deterministic) ||
	    !a->deterministic))
		return false;
	a->has_chunks = chunks != NULL;
	if (chunks != NULL && !blob_of(chunks, &a->chunks))
		return false;
	a->files = wasm_files_word(files);
	return json_object_get(v, "files") == NULL ||
	    a->files != WASM_FILES_AS_NODE;
}

static bool
get_contract(struct ctx *c, const json_t *v)
{
	c->m->has |= HAS_CONTRACT;
	return blob_of(v, &c->m->contract);
}

static bool
list_of(struct text_list *l, const json_t *v, size_t most, size_t max,
    bool (*ok)(const char *, size_t))
{
	if (!json_is_array(v) || json_array_size(v) > most)
		return false;
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *one = json_array_get(v, i);
		const char *s = json_string_value(one);
		size_t n = json_string_length(one);

		if (s == NULL || !text_ok(s, n, max) ||
		    (ok != NULL && !ok(s, n)) || !text_list_add(l, s, n))
			return false;
	}
	return true;
}

static bool
get_command(struct ctx *c, const json_t *v)
{
	c->m->has |= HAS_COMMAND;
	return list_of(&c->m->command, v, MANIFEST_ARGS_MAX,
	    MANIFEST_ARGS_BYTES, NULL);
}

static bool
get_cap_drop(struct ctx *c, const json_t *v)
{
	c->m->has |= HAS_CAP_DROP;
	return list_of(&c->m->cap_drop, v, MANIFEST_CAPS_MAX, 64, cap_name_ok);
}

static bool
get_env(struct ctx *c, const json_t *v)
{
	json_t *obj = (json_t *)(uintptr_t)v, *one;
	const char *name;

	c->m->has |= HAS_ENV;
	if (!json_is_object(v) || json_object_size(v) > MANIFEST_ENV_MAX)
		return false;
	json_object_foreach(obj, name, one) {
		char line[MANIFEST_ENV_NAME + 1 + MANIFEST_ENV_VALUE];
		const char *s = json_string_value(one);
		size_t nn = strlen(name), n = json_string_length(one);

		if (!env_name_ok(name, nn) || s == NULL ||
		    !text_ok(s, n, MANIFEST_ENV_VALUE))
			return bad_of(c, name);
		memcpy(line, name, nn);
		line[nn] = '=';
		memcpy(line + nn + 1, s, n);
		if (!text_list_add(&c->m->env, line, nn + 1 + n))
			return false;
	}
	return true;
}

static bool
get_seccomp(struct ctx *c, const json_t *v)
{
	c->m->has |= HAS_SECCOMP;
	return text_to(c->m->seccomp, sizeof(c->m->seccomp), v);
}

static bool
get_read_only(struct ctx *c, const json_t *v)
{
	c->m->has |= HAS_READ_ONLY_FS;
	return bool_of(v, &c->m->read_only_fs);
}

static bool
get_limits(struct ctx *c, const json_t *v)
{
	json_t *obj = (json_t *)(uintptr_t)v, *one;
	const char *name;

	c->m->has |= HAS_LIMITS;
	if (!json_is_object(v))
		return false;
	json_object_foreach(obj, name, one) {
		unsigned i = 0;

		while (i < LIMIT_COUNT &&
		    strcmp(manifest_limit_name(i), name) != 0)
			i++;
		/* an unknown one would be a promise that nobody keeps */
		if (i == LIMIT_COUNT || !json_is_integer(one) ||
		    json_integer_value(one) < 1)
			return bad_of(c, name);
		c->m->limit[i] = (uint64_t)json_integer_value(one);
	}
	return true;
}

static bool
get_volume(struct manifest_volume *vol, const json_t *v)
{
	const json_t *chunks = json_object_get(v, "chunks");
	const char *mode;
	size_t n;

	if (!json_is_object(v) || !blob_of(v, &vol->blob) ||
	    !text_to(vol->target, sizeof(vol->target),
		json_object_get(v, "target")) ||
	    manifest_target_bad(vol->target, strlen(vol->target)) != NULL ||
	    !jdoc_text(v, "mode", &mode, &n) || n != 2)
		return false;
	vol->rw = memcmp(mode, "rw", 2) == 0;
	if (!vol->rw && memcmp(mode, "ro", 2) != 0)
		return false;
	vol->has_chunks = chunks != NULL;
	return chunks == NULL || blob_of(chunks, &vol->chunks);
}

static bool
get_volumes(struct ctx *c, const json_t *v)
{
	c->m->has |= HAS_VOLUMES;
	if (!json_is_array(v) || json_array_size(v) > MANIFEST_VOLUMES)
		return false;
	for (size_t i = 0; i < json_array_size(v); i++)
		if (!get_volume(&c->m->volume[c->m->nvolumes++],
			json_array_get(v, i)))
			return false;
	return true;
}

static bool
get_network(struct ctx *c, const json_t *v)
{
	char word[16];

	c->m->has |= HAS_NETWORK;
	if (!text_to(word, sizeof(word), v))
		return false;
	c->m->network_none = strcmp(word, "none") == 0;
	c->m->network = strcmp(word, "broker") == 0 ? NET_BROKER : NET_ISOLATED;
	return c->m->network_none || c->m->network == NET_BROKER ||
	    strcmp(word, "isolated") == 0;
}

static bool
get_trust(struct ctx *c, const json_t *v)
{
	struct manifest *m = c->m;
	const json_t *one;
	char word[16];

	m->has |= HAS_TRUST;
	if (!json_is_object(v))
		return false;
	if ((one = json_object_get(v, "level")) != NULL) {
		m->has |= HAS_TRUST_LEVEL;
		if (!text_to(word, sizeof(word), one) ||
		    (m->trust_level = trust_word(word, strlen(word))) < 0)
			return false;
		m->trust_critical = strcmp(word, "critical") == 0;
	}
	if ((one = json_object_get(v, "requires_review")) != NULL) {
		m->has |= HAS_REVIEW;
		if (!bool_of(one, &m->requires_review))
			return false;
	}
	if ((one = json_object_get(v, "approved_by")) != NULL) {
		m->has |= HAS_APPROVED_BY;
		if (!text_to(m->approved_by, sizeof(m->approved_by), one))
			return false;
	}
	return true;
}

static bool
get_retries(struct ctx *c, const json_t *v)
{
	uint32_t n;

	c->m->has |= HAS_RETRIES;
	if (!u32_of(v, MANIFEST_RETRIES, &n))
		return false;
	c->m->retries = n;
	return true;
}

static bool get_crit(struct ctx *, const json_t *);

static const struct member {
	const char *name;
	bool needed;
	bool (*get)(struct ctx *, const json_t *);
	const char *what;
} members[] = {
    {"_type", true, get_type, "is not klp.manifest"},
    {"submitter", true, get_submitter, "is no URN"},
    {"nonce", true, get_nonce, "is not 32 lower-case hex digits"},
    {"not_after", true, get_not_after, "is no u32"},
    {"deadline", true, get_deadline, "is no u32"},
    {"node", false, get_node, "is no URN"},
    {"image", false, get_image, "is no name and no sha256: digest"},
    {"wasm", false, get_wasm, "is not {sha256, size}"},
    {"behavior_contract", false, get_contract, "is not {sha256, size}"},
    {"command", false, get_command, "is no list of at most 256 texts"},
    {"env", false, get_env, "has a name or value that cannot be"},
    {"cap_drop", false, get_cap_drop, "is no list of names"},
    {"seccomp_profile", false, get_seccomp, "is no text of 255 bytes"},
    {"read_only_fs", false, get_read_only, "is no bool"},
    {"limits", false, get_limits, "unknown, or no integer of 1 or more"},
    {"volumes", false, get_volumes, "has an entry that cannot be"},
    {"network", false, get_network, "is not isolated, none or broker"},
    {"trust", false, get_trust, "has a member that cannot be"},
    {"retries", false, get_retries, "is not 0 to 16"},
    {"crit", false, get_crit, "names what is unknown here"},
};

/* klp.md 2: a member that must be understood, and is not, rejects. */
static bool
get_crit(struct ctx *c, const json_t *v)
{
	(void)c;
	if (!json_is_array(v))
		return false;
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *s = json_string_value(json_array_get(v, i));
		bool known = false;

		for (size_t k = 0; s != NULL && k < NELEM(members); k++)
			known |= strcmp(members[k].name, s) == 0;
		if (!known)
			return false;
	}
	return true;
}

static bool
parse_tree(struct ctx *c, const json_t *root)
{
	const char *whole;

	if (!json_is_object(root))
		return bad(c, "payload", "is no object");
	for (size_t i = 0; i < NELEM(members); i++) {
		const json_t *v = json_object_get(root, members[i].name);

		if (v == NULL && members[i].needed)
			return bad(c, members[i].name, "is missing");
		if (v != NULL && !members[i].get(c, v))
			return bad(c, members[i].name, members[i].what);
	}
	if ((whole = manifest_whole_bad(c->m)) != NULL) {
		(void)snprintf(c->why, MANIFEST_WHY, "%s", whole);
		return false;
	}
	if (c->m->trust_critical)
		c->m->requires_review = true;
	return true;
}

int
manifest_parse(struct manifest *m, const void *payload, size_t len,
    char why[MANIFEST_WHY])
{
	struct ctx c = {m, why, ""};
	const char *text;
	json_t *root;
	bool ok;

	manifest_init(m);
	why[0] = '\0';
	root = jdoc_parse_canonical(payload, len, MANIFEST_PAYLOAD_MAX, &text);
	if (root == NULL) {
		(void)bad(&c, "payload", text);
		return -1;
	}
	ok = parse_tree(&c, root);
	json_decref(root);
	if (!ok)
		return -1;
	(void)crypto_hash_sha256(m->job.b, payload, len);
	return 0;
}
