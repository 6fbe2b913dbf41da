/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/root.h"

#include <string.h>

#include <sodium.h>

#include "trust/doc/jdoc.h"
#include "common/util.h"
#include "common/weburl.h"

static const char *const known[] = {"_type", "authority", "version", "issued",
    "expires", "keys", "roles", "documents", "transports", "crit"};

/* ---- members ---- */

static bool
scheme_ok(struct klp_key *k, const char *s, size_t n)
{
	k->bip340 = n == 6 && memcmp(s, "bip340", 6) == 0;
	if (k->kind == KEY_ED25519)
		return n == 7 && memcmp(s, "ed25519", 7) == 0;
	return k->bip340 || (n == 5 && memcmp(s, "ecdsa", 5) == 0);
}

static const char *
get_keys(struct root *r, const json_t *keys)
{
	const char *name;
	json_t *v;

	if (!json_is_object(keys) || json_object_size(keys) < 1 ||
	    json_object_size(keys) > ENV_KEYS_MAX)
		return "keys: 1 to 64";
	json_object_foreach((json_t *)(uintptr_t)keys, name, v)
	{
		struct klp_key *k = &r->keys[r->nkeys];
		struct fp *fp = &r->fps[r->nkeys];
		char hex[2 * FP_LEN + 1];
		const char *s;
		size_t n;

		if (!jdoc_text(v, "key", &s, &n) || !key_parse(k, s, n) ||
		    !jdoc_text(v, "scheme", &s, &n) || !scheme_ok(k, s, n))
			return "keys: a key or its scheme";
		key_fp(fp, k);
		hex_encode(hex, HASH_BYTES(*fp));
		if (strcmp(hex, name) != 0)
			return "keys: a key under another fingerprint";
		r->nkeys++;
	}
	return NULL;
}

static int
key_index(const struct root *r, const json_t *v)
{
	struct fp fp;

	if (!jdoc_hex(v, HASH_BYTES(fp)))
		return -1;
	for (unsigned i = 0; i < r->nkeys; i++)
		if (fp_eq(&r->fps[i], &fp))
			return (int)i;
	return -1;
}

static const char *
get_role(struct root *r, const char *name, const json_t *v)
{
	struct root_role *role = &r->roles[r->nroles];
	const json_t *keys = json_object_get(v, "keys");
	size_t n = strlen(name);
	uint64_t threshold;

	if (n < 1 || n > ROOT_TYPE_MAX)
		return "roles: a name of 1 to 32 bytes";
	memcpy(role->name, name, n);
	if (!json_is_array(keys) || json_array_size(keys) > ENV_KEYS_MAX)
		return "roles: keys";
	for (size_t i = 0; i < json_array_size(keys); i++) {
		int k = key_index(r, json_array_get(keys, i));

		if (k < 0)
			return "roles: a key that is not in keys";
		if (memchr(role->keys, k, role->nkeys) != NULL)
			return "roles: a key twice";
		role->keys[role->nkeys++] = (uint8_t)k;
	}
	if (!jdoc_uint(v, "threshold", role->nkeys, &threshold) ||
	    threshold < 1)
		return "roles: a threshold of 1 to the number of keys";
	role->threshold = (uint8_t)threshold;
	r->nroles++;
	return NULL;
}

static const char *
get_roles(struct root *r, const json_t *roles)
{
	const char *name, *why;
	json_t *v;

	if (!json_is_object(roles) || json_object_size(roles) > ROOT_ROLES_MAX)
		return "roles: at most 64";
	json_object_foreach((json_t *)(uintptr_t)roles, name, v)
		if ((why = get_role(r, name, v)) != NULL)
			return why;
	if (root_role(r, "root") == NULL || root_role(r, "head") == NULL)
		return "roles: root and head";
	return NULL;
}

static const char *
get_doc(struct root *r, const char *path, const json_t *v)
{
	struct root_doc *d = &r->docs[r->ndocs];
	const struct root_role *role;
	size_t n = strlen(path), tn, rn;
	const char *type, *rs;
	uint64_t max = UINT32_MAX;

	if (!uri_path_ok(path, n))
		return "documents: a path";
	memcpy(d->path, path, n);
	if (!jdoc_text(v, "type", &type, &tn) || tn < 1 ||
	    tn > ROOT_TYPE_MAX || memchr(type, '\0', tn) != NULL)
		return "documents: type";
	memcpy(d->type, type, tn);
	if (!jdoc_text(v, "role", &rs, &rn) ||
	    memchr(rs, '\0', rn) != NULL || (role = root_role(r, rs)) == NULL)
		return "documents: a role that is not in roles";
	d->role = (uint8_t)(role - r->roles);
	if (json_object_get(v, "max") != NULL &&
	    !jdoc_uint(v, "max", UINT32_MAX, &max))
		return "documents: max";
	d->max = (uint32_t)max;
	r->ndocs++;
	return NULL;
}

static const char *
get_docs(struct root *r, const json_t *docs)
{
	const char *path, *why;
	json_t *v;

	if (!json_is_object(docs) || json_object_size(docs) > ROOT_DOCS_MAX)
		return "documents: at most 64";
	json_object_foreach((json_t *)(uintptr_t)docs, path, v)
		if ((why = get_doc(r, path, v)) != NULL)
			return why;
	return NULL;
}

/*
 * Where its files are, as a hint: another form than ours, or of another way, is
 * no reason to refuse what is signed.
 */
static void
get_https(struct root *r, const json_t *t)
{
	struct weburl u;
	const char *s;
	size_t n;

	if (r->nhttps == ROOT_HTTPS_MAX || !jdoc_text(t, "https", &s, &n) ||
	    n > ROOT_URL_MAX || strlen(s) != n || weburl_base(&u, s) != NULL)
		return;
	memcpy(r->https[r->nhttps++], s, n + 1);
}

/* {"rns": {"identity": 32 hex digits, "aspect": "klp.node"}} */
static void
get_rns(struct root *r, const json_t *t)
{
	const json_t *rns = json_object_get(t, "rns");
	const char *s, *aspect;
	struct hash16 h;
	size_t n, na;

	if (r->nrns == ROOT_RNS_MAX ||
	    !jdoc_text(rns, "identity", &s, &n) ||
	    !jdoc_text(rns, "aspect", &aspect, &na) || na != 8 ||
	    memcmp(aspect, "klp.node", 8) != 0 ||
	    !hex_decode(HASH_BYTES(h), s, n))
		return;
	r->rns[r->nrns++] = h;
}

static void
get_transports(struct root *r, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		get_https(r, json_array_get(list, i));
		get_rns(r, json_array_get(list, i));
	}
}

static const char *
get_all(struct root *r, const json_t *doc)
{
	struct klp_uri u;
	uint64_t version, issued, expires;
	const char *s, *why;
	size_t n;

	if (!json_is_object(doc) || !jdoc_text(doc, "_type", &s, &n) ||
	    n != 8 || memcmp(s, "klp.root", 8) != 0)
		return "not a root document";
	if (!jdoc_crit(doc, known, NELEM(known)))
		return "crit: names what is not known here";
	if (!jdoc_text(doc, "authority", &s, &n) || !uri_authority(&u, s, n))
		return "authority: a name";
	memcpy(r->authority, u.authority, sizeof(r->authority));
	if (!jdoc_uint(doc, "version", UINT32_MAX, &version) || version < 1 ||
	    !jdoc_uint(doc, "issued", UINT32_MAX, &issued) ||
	    !jdoc_uint(doc, "expires", UINT32_MAX, &expires) ||
	    expires <= issued)
		return "version, issued or expires";
	r->version = (uint32_t)version;
	r->issued = (uint32_t)issued;
	r->expires = (uint32_t)expires;
	if ((why = get_keys(r, json_object_get(doc, "keys"))) != NULL ||
	    (why = get_roles(r, json_object_get(doc, "roles"))) != NULL)
		return why;
	get_transports(r, json_object_get(doc, "transports"));
	return get_docs(r, json_object_get(doc, "documents"));
}

const char *
root_parse(struct root *r, const void *payload, size_t len)
{
	const char *why;
	json_t *doc;

	memset(r, 0, sizeof(*r));
	doc = jdoc_parse_canonical(payload, len, ROOT_BYTES, &why);
	if (doc == NULL)
		return why;
	why = get_all(r, doc);
	json_decref(doc);
	return why;
}

/* ---- questions ---- */

const struct root_role *
root_role(const struct root *r, const char *name)
{
	for (unsigned i = 0; i < r->nroles; i++)
		if (strcmp(r->roles[i].name, name) == 0)
			return &r->roles[i];
	return NULL;
}

const struct root_doc *
root_doc(const struct root *r, const char *path)
{
	for (unsigned i = 0; i < r->ndocs; i++)
		if (strcmp(r->docs[i].path, path) == 0)
			return &r->docs[i];
	return NULL;
}

bool
root_signed(const struct root *r, const struct root_role *role,
    const struct env *e, const char *type)
{
	struct klp_key keys[ENV_KEYS_MAX];

	for (unsigned i = 0; i < role->nkeys; i++)
		keys[i] = r->keys[role->keys[i]];
	return env_verify(e, type, keys, role->nkeys, NULL) >= role->threshold;
}

/* By their hints: each look hashes the payload, which may be large. */
static bool
hinted(const struct env *e, const struct fp *fp)
{
	for (unsigned i = 0; i < e->nsigs; i++)
		if (e->sigs[i].hint_len > 0 && memcmp(e->sigs[i].hint.b, fp->b,
			e->sigs[i].hint_len) == 0)
			return true;
	return false;
}

unsigned
root_signers(const struct root *r, const struct root_role *role,
    const struct env *e, const char *type, struct klp_key *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < role->nkeys; i++) {
		const struct klp_key *k = &r->keys[role->keys[i]];

		if (hinted(e, &r->fps[role->keys[i]]) &&
		    env_verify(e, type, k, 1, NULL) == 1)
			out[n++] = *k;
	}
	return n;
}

static bool
role_has(const struct root *r, const struct root_role *role,
    const struct fp *fp)
{
	for (unsigned i = 0; i < role->nkeys; i++)
		if (fp_eq(&r->fps[role->keys[i]], fp))
			return true;
	return false;
}

bool
root_role_same(const struct root *a, const struct root *b, const char *name)
{
	const struct root_role *x = root_role(a, name);
	const struct root_role *y = root_role(b, name);

	if (x == NULL || y == NULL || x->nkeys != y->nkeys ||
	    x->threshold != y->threshold)
		return false;
	for (unsigned i = 0; i < x->nkeys; i++)
		if (!role_has(b, y, &a->fps[x->keys[i]]))
			return false;
	return true;
}

/* ---- the chain ---- */

#define FEW_OWN "fewer of its own root keys have signed it than it asks for"

/* Payload and its own signatures; type and size are checked. */
static const char *
own_root(struct root *r, const struct env *e)
{
	const char *why = root_parse(r, e->payload, e->payload_len);

	if (why == NULL && !root_signed(r, root_role(r, "root"), e, TYPE_ROOT))
		why = FEW_OWN;
	return why;
}

/*
 * The first one names the keys that sign it, so its payload is looked at
 * before they are known; the operator has put it there.
 */
const char *
root_first(struct root *r, struct id32 *id, const void *buf, size_t len)
{
	struct env e;
	const char *why = NULL;

	if (env_parse(&e, buf, len, ROOT_BYTES, ROOT_BYTES, &why) == 0)
		why = own_root(r, &e);
	if (why == NULL && r->version != 1)
		why = "not version 1, which alone can be pinned";
	if (why == NULL)
		(void)crypto_hash_sha256(id->b, e.payload, e.payload_len);
	env_clear(&e);
	return why;
}

void
root_check_begin(struct env_check *c, struct klp_key keys[ENV_KEYS_MAX],
    const struct root *r, const struct root_role *role, const struct env *e,
    const char *type)
{
	for (unsigned i = 0; i < role->nkeys; i++)
		keys[i] = r->keys[role->keys[i]];
	env_check_begin(c, e, type, keys, role->nkeys, role->threshold);
}

static int
refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

static int
follows(const struct root *r, const struct root *old, const char **why)
{
	if (strcmp(r->authority, old->authority) != 0)
		return refuse(why, "of another authority");
	if (old->version == UINT32_MAX || r->version != old->version + 1)
		return refuse(why, "not the version that follows");
	return 0;
}

/* Those who signed it are the old root's: its content may be looked at. */
static int
begin_own(struct root_turns *t, const char **why)
{
	*why = root_parse(t->r, t->e.payload, t->e.payload_len);
	if (*why != NULL)
		return -1;
	t->own = true;
	root_check_begin(&t->check, t->keys, t->r, root_role(t->r, "root"),
	    &t->e, TYPE_ROOT);
	return 1;
}

int
root_turns_step(struct root_turns *t, size_t budget, const char **why)
{
	if (env_check_step(&t->check, budget))
		return 1;
	if (!env_check_good(&t->check))
		return refuse(why, t->own ? FEW_OWN :
		    "fewer root keys of the version before have signed it "
		    "than that asks for");
	return t->own ? follows(t->r, t->old, why) : begin_own(t, why);
}

int
root_turns_begin(struct root_turns *t, struct root *r, const struct root *old,
    const void *buf, size_t len, const char **why)
{
	t->old = old;
	t->r = r;
	t->own = false;
	if (env_parse(&t->e, buf, len, ROOT_BYTES, ROOT_BYTES, why) < 0)
		return -1;
	root_check_begin(&t->check, t->keys, old, root_role(old, "root"),
	    &t->e, TYPE_ROOT);
	return 0;
}

void
root_turns_end(struct root_turns *t)
{
	env_clear(&t->e);
}

const char *
root_next(struct root *r, const struct root *old, const void *buf, size_t len)
{
	struct root_turns t;
	const char *why = NULL;
	int rc = root_turns_begin(&t, r, old, buf, len, &why);

	if (rc == 0)
		while ((rc = root_turns_step(&t, SIZE_MAX, &why)) > 0)
			continue;
	root_turns_end(&t);
	return rc == 0 ? NULL : why;
}
