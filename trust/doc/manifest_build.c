/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/manifest_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonhex.h"
#include "common/util.h"
#include "trust/doc/manifest_form.h"
#include "trust/doc/manifest_parse.h"
#include "trust/doc/jdoc.h"

static json_t *
blob_json(const struct blob_ref *b)
{
	return json_pack("{s:o, s:I}", "sha256",
	    json_hex(HASH_BYTES(b->sha256)), "size", (json_int_t)b->size);
}

static json_t *
wasm_json(const struct manifest *m)
{
	const struct wasm_ask *a = &m->module;
	json_t *o = blob_json(&m->wasm);

	if (o == NULL || (a->has_chunks && json_object_set_new(o, "chunks",
		blob_json(&a->chunks)) != 0) ||
	    (a->fuel != 0 && json_object_set_new(o, "fuel",
		json_integer((json_int_t)a->fuel)) != 0) ||
	    (a->deterministic && json_object_set_new(o, "deterministic",
		json_true()) != 0) ||
	    (a->files != WASM_FILES_AS_NODE && json_object_set_new(o, "files",
		json_string(a->files == WASM_FILES_MEMORY ? "memory" :
		"folders")) != 0)) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *
list_json(const struct text_list *l)
{
	json_t *arr = json_array();

	for (unsigned i = 0; arr != NULL && i < l->n; i++)
		if (json_array_append_new(arr, json_string(l->v[i])) != 0) {
			json_decref(arr);
			return NULL;
		}
	return arr;
}

static json_t *
env_json(const struct text_list *l)
{
	json_t *obj = json_object();

	for (unsigned i = 0; obj != NULL && i < l->n; i++) {
		char name[MANIFEST_ENV_NAME + 1];
		const char *eq = strchr(l->v[i], '=');

		if (eq == NULL || (size_t)(eq - l->v[i]) >= sizeof(name) ||
		    snprintf(name, sizeof(name), "%.*s", (int)(eq - l->v[i]),
			l->v[i]) < 0 ||
		    json_object_get(obj, name) != NULL ||
		    json_object_set_new(obj, name, json_string(eq + 1)) != 0) {
			json_decref(obj);
			return NULL;
		}
	}
	return obj;
}

static json_t *
limits_json(const struct manifest *m)
{
	json_t *obj = json_object();

	for (unsigned i = 0; obj != NULL && i < LIMIT_COUNT; i++)
		if (m->limit[i] > 0 &&
		    json_object_set_new(obj, manifest_limit_name(i),
			json_integer((json_int_t)m->limit[i])) != 0) {
			/* a payload without it would promise something else */
			json_decref(obj);
			return NULL;
		}
	return obj;
}

static json_t *
volumes_json(const struct manifest *m)
{
	json_t *arr = json_array();

	for (unsigned i = 0; arr != NULL && i < m->nvolumes; i++) {
		const struct manifest_volume *v = &m->volume[i];
		json_t *one = blob_json(&v->blob);
		bool ok = json_object_set_new(one, "mode",
			      json_string(v->rw ? "rw" : "ro")) == 0 &&
		    json_object_set_new(one, "target",
			json_string(v->target)) == 0 &&
		    (!v->has_chunks ||
			json_object_set_new(one, "chunks",
			    blob_json(&v->chunks)) == 0);

		if (!ok) {
			json_decref(one);
			one = NULL;
		}
		if (json_array_append_new(arr, one) != 0) {
			json_decref(arr);
			return NULL;
		}
	}
	return arr;
}

static json_t *
trust_json(const struct manifest *m)
{
	static const char *const words[] = {"none", "low", "medium", "high"};
	json_t *obj = json_object();
	bool ok = obj != NULL && m->trust_level >= 0 && m->trust_level <= 3;

	if (ok && (m->has & HAS_TRUST_LEVEL) != 0)
		ok = json_object_set_new(obj, "level",
			 json_string(m->trust_critical
				 ? "critical"
				 : words[m->trust_level])) == 0;
	if (ok && (m->has & HAS_REVIEW) != 0)
		ok = json_object_set_new(obj, "requires_review",
			 json_boolean(m->requires_review)) == 0;
	if (ok && (m->has & HAS_APPROVED_BY) != 0)
		ok = json_object_set_new(obj, "approved_by",
			 json_string(m->approved_by)) == 0;
	if (!ok) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

/* json_object_set_new() with NULL fails, as it does for what is not UTF-8;
 * *bad is then the member. Other mistakes are found by the parser. */
static json_t *
tree(const struct manifest *m, const char **bad)
{
	json_t *o = json_object();
	const char *net = m->network == NET_BROKER ? "broker"
	    : m->network_none			   ? "none"
						   : "isolated";
	bool ok = o != NULL;

	*bad = "payload";
#define SET(name, value)                                                       \
	do {                                                                   \
		if (ok && json_object_set_new(o, name, value) != 0) {          \
			ok = false;                                            \
			*bad = name;                                           \
		}                                                              \
	} while (0)
	SET("_type", json_string("klp.manifest"));
	SET("submitter", json_string(m->submitter_urn));
	SET("nonce", json_hex(m->nonce, sizeof(m->nonce)));
	SET("not_after", json_integer(m->not_after));
	SET("deadline", json_integer(m->deadline));
	if (m->has & HAS_NODE)
		SET("node", json_string(m->node_urn));
	if (m->image[0] != '\0')
		SET("image", json_string(m->image));
	if (m->has & HAS_WASM)
		SET("wasm", wasm_json(m));
	if (m->has & HAS_CONTRACT)
		SET("behavior_contract", blob_json(&m->contract));
	if (m->has & HAS_COMMAND)
		SET("command", list_json(&m->command));
	if (m->has & HAS_ENV)
		SET("env", env_json(&m->env));
	if (m->has & HAS_CAP_DROP)
		SET("cap_drop", list_json(&m->cap_drop));
	if (m->has & HAS_SECCOMP)
		SET("seccomp_profile", json_string(m->seccomp));
	if (m->has & HAS_READ_ONLY_FS)
		SET("read_only_fs", json_boolean(m->read_only_fs));
	if (m->has & HAS_LIMITS)
		SET("limits", limits_json(m));
	if (m->has & HAS_VOLUMES)
		SET("volumes", volumes_json(m));
	if (m->has & HAS_NETWORK)
		SET("network", json_string(net));
	if (m->has & HAS_TRUST)
		SET("trust", trust_json(m));
	if (m->has & HAS_RETRIES)
		SET("retries", json_integer(m->retries));
#undef SET
	if (!ok) {
		json_decref(o);
		return NULL;
	}
	return o;
}

char *
manifest_build(struct manifest *m, size_t *len, char why[MANIFEST_WHY])
{
	struct manifest check;
	const char *bad;
	json_t *root = tree(m, &bad);
	char *text = NULL;

	if (root == NULL || (text = jdoc_canonical(root, len)) == NULL) {
		(void)snprintf(why, MANIFEST_WHY,
		    "%s: a text is not UTF-8, or no memory", bad);
		json_decref(root);
		return NULL;
	}
	json_decref(root);
	if (manifest_parse(&check, text, *len, why) != 0) {
		free(text);
		text = NULL;
	} else {
		m->job = check.job;
	}
	manifest_clear(&check);
	return text;
}
