/* SPDX-License-Identifier: BSD-2-Clause */
/* warren revoke ID --list FILE; warren revoke --self KEY --out FILE */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/units.h"
#include "common/util.h"
#include "common/wire.h"
#include "node/cli/klpdoc.h"
#include "node/cli/klpfile.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "trust/doc/delta.h"
#include "trust/doc/frame.h"
#include "trust/doc/head.h"
#include "trust/doc/jdoc.h"
#include "trust/doc/revlist.h"
#include "trust/doc/root.h"

#define LIST_LIFE (30u * 86400u) /* s; klp.md 1.8: the default */
#define REASONS 16
#define KINDS 4
#define NO_KIND KINDS
#define HEX "0123456789abcdefABCDEF"
#define ID_FORMS "A key is urn:klp:... or pubkey:..., a Reticulum identity " \
	"32 hex digits, an image, job or contract sha256:..."

struct revoking {
	struct klpfile_keys keys;
	const char *list, *self, *out, *uri, *delta, *root;
	unsigned kind, reason;
	bool suspend, lift;
	uint32_t now, life, since; /* s ago */
	struct rev_entry entry;	   /* who it is about */
};

/* ---- options ---- */

/* The number of a name; n: none. */
static unsigned
number_of(const char *name, const char *(*names)(unsigned), unsigned n)
{
	unsigned i = 0;

	while (i < n && strcmp(names(i), name) != 0)
		i++;
	return i;
}

static bool
set_time(struct cli *c, const char *option, const char *value, uint32_t *s)
{
	uint64_t ms;

	if (units_time_ms(value, &ms) && ms / 1000 <= UINT32_MAX / 2) {
		*s = (uint32_t)(ms / 1000);
		return true;
	}
	cli_error(c, "%s: %s is no time (like 24h, 30d)", option, value);
	return false;
}

/* "other" is what every unknown number is called, so it is its last one. */
static bool
set_reason(struct cli *c, struct revoking *r, const char *value)
{
	r->reason = number_of(value, rev_reason_name, REASONS);
	if (strcmp(value, "other") == 0)
		r->reason = REASONS - 1;
	if (r->reason < REASONS)
		return true;
	cli_error(c, "--reason: %s is none", value);
	cli_hint(c, "key_compromise, behavior_violation, policy, superseded, "
		    "retired, impersonation, integrity_failure, "
		    "resource_abuse, operator, unspecified, other");
	return false;
}

static bool
set(struct cli *c, void *ctx, int option, const char *value)
{
	struct revoking *r = ctx;

	switch (option) {
	case OPT_KEY:
		return klpfile_keys_add(c, &r->keys, value);
	case OPT_LIST:
		r->list = value;
		return true;
	case OPT_SELF:
		r->self = value;
		return true;
	case OPT_OUT:
		r->out = value;
		return true;
	case OPT_URI:
		r->uri = value;
		return true;
	case OPT_DELTA:
		r->delta = value;
		return true;
	case OPT_ROOT:
		r->root = value;
		return true;
	case OPT_SUSPEND:
		r->suspend = true;
		return true;
	case OPT_LIFT:
		r->lift = true;
		return true;
	case OPT_EXPIRES:
		return set_time(c, "--expires", value, &r->life);
	case OPT_SINCE:
		return set_time(c, "--since", value, &r->since);
	case OPT_REASON:
		return set_reason(c, r, value);
	}
	r->kind = number_of(value, rev_kind_name, KINDS);
	if (r->kind < KINDS)
		return true;
	cli_error(c, "--kind: %s is none of key, rns, artifact, token", value);
	return false;
}

/* ---- who ---- */

/* URN or key: a key. 32 digits: a Reticulum identity. sha256:: an artifact. */
static bool
parse_id(struct cli *c, struct revoking *r, const char *text)
{
	static const char sha[] = "sha256:";
	struct rev_entry *e = &r->entry;
	size_t n = strlen(text);
	struct fp fp;

	if (ident_parse(&fp, text, n) &&
	    (r->kind == NO_KIND || r->kind == REV_KEY)) {
		e->kind = REV_KEY;
		memcpy(e->id, HASH_BYTES(fp));
		return true;
	}
	if (strncmp(text, sha, strlen(sha)) == 0 && r->kind == NO_KIND)
		r->kind = REV_ARTIFACT;
	if (strncmp(text, sha, strlen(sha)) == 0)
		text += strlen(sha);
	n = strlen(text);
	if (n == 2 * RNS_HASH_LEN && r->kind == NO_KIND)
		r->kind = REV_RNS;
	if (r->kind == NO_KIND) {
		if (n == 2 * sizeof(e->id) && strspn(text, HEX) == n) {
			cli_error(c, "%s: a key or an artifact?", text);
			cli_hint(c, "Say it: --kind key (a fingerprint), or "
			    "--kind artifact (an image, job or contract).");
		} else {
			cli_error(c, "%s: nothing that can be revoked", text);
			cli_hint(c, ID_FORMS);
		}
		return false;
	}
	e->kind = (uint8_t)r->kind;
	if (hex_decode(e->id, r->kind == REV_RNS ? RNS_HASH_LEN : 32, text, n))
		return true;
	cli_error(c, "%s: no %s, which has %u hex digits", text,
	    rev_kind_name(r->kind), r->kind == REV_RNS ? 32 : 64);
	cli_hint(c, ID_FORMS);
	return false;
}

/* ---- the list ---- */

/* A list of ours: the payload, or what an envelope holds. */
static json_t *
load_list(struct cli *c, const struct revoking *r)
{
	_cleanup_free_ char *text = NULL;
	const char *why = NULL;
	struct env e;
	json_t *o;
	size_t len;

	if (access(r->list, F_OK) != 0 && errno == ENOENT && r->uri != NULL)
		return json_pack("{s:s,s:s,s:i,s:[]}", "_type", REVLIST_TYPE,
		    "uri", r->uri, "version", 0, "entries");
	if ((text = klpfile_load(c, r->list, 2 * REVLIST_BYTES, &len)) == NULL) {
		cli_hint(c, "A first list begins with --uri klp://NAME/PATH.");
		return NULL;
	}
	if (memmem(text, len, "\"payloadType\"", 13) == NULL) {
		o = jdoc_parse(text, len, REVLIST_BYTES, &why);
	} else {
		o = env_parse(&e, text, len, 2 * REVLIST_BYTES, REVLIST_BYTES,
		    &why) != 0 ? NULL : jdoc_parse(e.payload, e.payload_len,
		    REVLIST_BYTES, &why);
		env_clear(&e);
	}
	if (o == NULL)
		cli_error(c, "%s: %s", r->list, why);
	return o;
}

/* An entry as far as the digest knows it; false: it is none. */
static bool
entry_read(struct rev_entry *e, const json_t *o)
{
	const char *kind = json_string_value(json_object_get(o, "kind"));
	const char *state = json_string_value(json_object_get(o, "state"));
	const char *reason = json_string_value(json_object_get(o, "reason"));

	memset(e, 0, sizeof(*e));
	if (kind == NULL || state == NULL || reason == NULL)
		return false;
	e->kind = (uint8_t)number_of(kind, rev_kind_name, KINDS);
	e->reason = strcmp(reason, "other") == 0
	    ? REASONS - 1
	    : (uint8_t)number_of(reason, rev_reason_name, REASONS);
	e->suspended = strcmp(state, "suspended") == 0;
	return e->kind < KINDS && e->reason < REASONS &&
	    jdoc_hex(json_object_get(o, "id"), e->id,
		e->kind == REV_RNS ? RNS_HASH_LEN : 32);
}

/* The place of the one that it is about; the size when there is none. */
static size_t
entry_find(const struct revoking *r, const json_t *entries, bool *suspended)
{
	struct rev_entry e;
	size_t i = 0;

	for (; i < json_array_size(entries); i++)
		if (entry_read(&e, json_array_get(entries, i)) &&
		    e.kind == r->entry.kind &&
		    memcmp(e.id, r->entry.id, sizeof(e.id)) == 0) {
			*suspended = e.suspended;
			break;
		}
	return i;
}

static json_t *
entry_json(const struct revoking *r, uint32_t version)
{
	char hex[65];
	json_t *o;

	hex_encode(hex, r->entry.id,
	    r->entry.kind == REV_RNS ? RNS_HASH_LEN : 32);
	o = json_pack("{s:s,s:s,s:s,s:s,s:I,s:[s,s],s:I}", "kind",
	    rev_kind_name(r->entry.kind), "id", hex, "state",
	    r->suspend ? "suspended" : "revoked", "reason",
	    rev_reason_name(r->reason), "revoked_at", (json_int_t)r->now,
	    "scope", "mesh", "container", "added_in", (json_int_t)version);
	if (o != NULL && r->since > 0)
		(void)json_object_set_new(o, "invalid_since",
		    json_integer((json_int_t)r->now - r->since));
	return o;
}

static int
digest_set(struct cli *c, json_t *list, const json_t *entries)
{
	size_t n = json_array_size(entries);
	struct rev_entry *e = calloc(n + 1, sizeof(*e));
	struct id32 digest;
	char hex[65];
	int rc = CLI_OK;

	for (size_t i = 0; e != NULL && i < n; i++)
		if (!entry_read(&e[i], json_array_get(entries, i))) {
			cli_error(c, "entry %zu of the list has a mistake",
			    i + 1);
			rc = CLI_FAILED;
		}
	if (e == NULL)
		return CLI_FAILED;
	qsort(e, n, sizeof(*e), rev_cmp);
	revlist_digest(&digest, e, n);
	free(e);
	hex_encode(hex, HASH_BYTES(digest));
	(void)json_object_set_new(list, "set_digest", json_string(hex));
	return rc;
}

/* The entry is put in or taken out; the version goes up. */
static int
change(struct cli *c, const struct revoking *r, json_t *list)
{
	json_t *entries = json_object_get(list, "entries"), *one;
	uint64_t version;
	bool suspended = false;
	size_t at;

	if (!jdoc_uint(list, "version", UINT32_MAX - 1, &version) ||
	    !json_is_array(entries)) {
		cli_error(c, "%s: no revocation list", r->list);
		return CLI_FAILED;
	}
	version++;
	at = entry_find(r, entries, &suspended);
	if (at < json_array_size(entries) && !suspended) {
		cli_error(c, "it is revoked already, which is for ever");
		return CLI_REFUSED;
	}
	if (r->lift && at == json_array_size(entries)) {
		cli_error(c, "it is not in the list");
		return CLI_REFUSED;
	}
	if (at < json_array_size(entries))
		(void)json_array_remove(entries, at);
	one = r->lift ? NULL : entry_json(r, (uint32_t)version);
	if (one != NULL)
		(void)json_array_append_new(entries, one);
	(void)json_object_set_new(list, "version",
	    json_integer((json_int_t)version));
	(void)json_object_set_new(list, "issued", json_integer(r->now));
	(void)json_object_set_new(list, "expires",
	    json_integer((json_int_t)r->now + r->life));
	return digest_set(c, list, entries);
}

static void
said(struct cli *c, const struct revoking *r, const struct klpdoc *d,
    unsigned nsigs)
{
	char hex[65];

	hex_encode(hex, r->entry.id,
	    r->entry.kind == REV_RNS ? RNS_HASH_LEN : 32);
	if (c->json) {
		cli_json(json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "list", d->name,
		    "kind", rev_kind_name(r->entry.kind), "id", hex, "state",
		    r->lift ? "lifted" : r->suspend ? "suspended" : "revoked",
		    "version", (json_int_t)d->version, "signatures",
		    (json_int_t)nsigs));
		return;
	}
	cli_note(c, "%s %s %s in version %u of %s", rev_kind_name(r->entry.kind),
	    hex, r->lift ? "lifted" : r->suspend ? "suspended" : "revoked",
	    d->version, d->name);
	if (nsigs == 0)
		cli_hint(c, "Sign it (`warren klp sign`), then publish it.");
}

/* What has changed, alone: beside the list in the folder of the authority. */
static int
write_delta(struct cli *c, const struct revoking *r, const struct klpdoc *d,
    const json_t *list)
{
	static uint8_t frame[DELTA_FRAME(1)], out[DELTA_BYTES];
	static struct root root;
	struct env_signed sigs[ENV_SIGS_MAX];
	struct delta delta = {.from = d->version - 1, .to = d->version,
	    .issued = r->now, .n = 1};
	_cleanup_free_ char *text = klpfile_load(c, r->root, ROOT_BYTES,
	    &(size_t){0});
	char path[CLI_PATH];
	struct klp_uri u;
	const char *why;
	struct id32 id;
	unsigned nsigs = 0;
	size_t n;
	int rc;

	if (text == NULL)
		return CLI_FAILED;
	if ((why = root_first(&root, &id, text, strlen(text))) != NULL ||
	    !uri_parse(&u, d->name, strlen(d->name)) ||
	    root_doc(&root, u.path) == NULL) {
		cli_error(c, "%s: %s", r->root, why != NULL ? why :
		    "names no such list");
		cli_hint(c, "--root is the first root of the authority, as "
			    "nodes have it.");
		return CLI_FAILED;
	}
	memcpy(delta.atag, id.b, sizeof(delta.atag));
	head_ptag(delta.ptag, u.path);
	(void)jdoc_hex(json_object_get(list, "set_digest"),
	    HASH_BYTES(delta.after));
	delta.op[0].action = r->lift ? DELTA_LIFT : r->suspend ?
	    DELTA_SUSPEND : DELTA_REVOKE;
	delta.op[0].kind = r->entry.kind;
	delta.op[0].reason = (uint8_t)r->reason;
	memcpy(delta.op[0].id, r->entry.id, sizeof(delta.op[0].id));
	n = delta_put(frame, sizeof(frame), &delta);
	rc = klpfile_sign(c, &r->keys, TYPE_DELTA, frame, n, sigs, &nsigs);
	if (rc != CLI_OK)
		return rc;
	n = frame_put(out, sizeof(out), frame, n, sigs, nsigs);
	if (snprintf(path, sizeof(path), "%s/%s.%u.delta", r->delta, u.path,
		delta.from) >= (int)sizeof(path) || n == 0) {
		cli_error(c, "--delta: the path is too long");
		return CLI_FAILED;
	}
	return klpfile_save(c, path, out, n);
}

static int
write_list(struct cli *c, const struct revoking *r, const json_t *list)
{
	const char *out = r->out != NULL ? r->out : r->list;
	_cleanup_free_ char *text = NULL, *env = NULL;
	struct env_signed sigs[ENV_SIGS_MAX];
	char why[KLPDOC_WHY];
	struct klpdoc d;
	unsigned nsigs = 0;
	size_t len = 0, n;
	int rc;

	text = jdoc_canonical(list, &len);
	if (text == NULL || !klpdoc_check(&d, text, len, why)) {
		cli_error(c, "%s: %s", r->list,
		    text == NULL ? "it has no canonical form" : why);
		return CLI_FAILED;
	}
	rc = klpfile_sign(c, &r->keys, d.type, text, len, sigs, &nsigs);
	if (rc == CLI_OK && nsigs > 0) {
		env = klpfile_envelope(c, d.type, text, len, sigs, nsigs, &n);
		rc = env == NULL ? CLI_FAILED : klpfile_save(c, out, env, n);
	} else if (rc == CLI_OK) {
		rc = klpfile_save(c, out, text, len);
	}
	if (rc == CLI_OK && r->delta != NULL)
		rc = write_delta(c, r, &d, list);
	if (rc == CLI_OK)
		said(c, r, &d, nsigs);
	return rc;
}

static int
revoke_in_list(struct cli *c, struct revoking *r, const char *id)
{
	json_t *list;
	int rc;

	if (!parse_id(c, r, id))
		return CLI_USAGE;
	if ((rc = klpfile_keys_read(c, &r->keys, false)) != CLI_OK)
		return rc;
	if ((list = load_list(c, r)) == NULL)
		return CLI_FAILED;
	rc = change(c, r, list);
	if (rc == CLI_OK)
		rc = write_list(c, r, list);
	json_decref(list);
	return rc;
}

/* ---- a key's own last word ---- */

static int
revoke_self(struct cli *c, struct revoking *r)
{
	uint8_t frame[SELFREV_FRAME], out[FRAME_LEN(SELFREV_FRAME, 1)];
	struct env_signed sigs[ENV_SIGS_MAX];
	struct wr w = wr_make(frame, sizeof(frame));
	struct klp_key k;
	char hex[2 * FP_LEN + 1];
	struct fp fp;
	unsigned nsigs = 0;
	int rc;

	if (!klpfile_keys_add(c, &r->keys, r->self) ||
	    klpfile_keys_read(c, &r->keys, false) != CLI_OK ||
	    !secret_public(&k, &r->keys.secret[0]))
		return CLI_FAILED;
	key_fp(&fp, &k);
	wr_bytes(&w, "KX\001", 3);
	wr_u8(&w, (uint8_t)r->reason);
	wr_bytes(&w, HASH_BYTES(fp));
	wr_u32(&w, r->now);
	wr_u32(&w, r->now - r->since);
	rc = klpfile_sign(c, &r->keys, TYPE_SELFREV, frame, sizeof(frame), sigs,
	    &nsigs);
	if (rc != CLI_OK)
		return rc;
	if (frame_put(out, sizeof(out), frame, sizeof(frame), sigs, nsigs) !=
		sizeof(out) || !selfrev_by(out, sizeof(out), &k)) {
		cli_error(c, "the self-revocation cannot be built");
		return CLI_FAILED;
	}
	if ((rc = klpfile_save(c, r->out, out, sizeof(out))) != CLI_OK)
		return rc;
	hex_encode(hex, HASH_BYTES(fp));
	if (c->json)
		cli_json(json_pack("{s:s,s:s,s:s,s:s}", "kind", "key", "id", hex,
		    "state", "revoked", "file", r->out));
	else
		cli_note(c, "key %s revokes itself: whoever has %s can end it, "
			    "for ever", hex, r->out);
	return CLI_OK;
}

/* ---- the verb ---- */

static const char *
usage(const struct revoking *r, int words)
{
	if (r->self != NULL && (words > 0 || r->list != NULL))
		return "--self: a key's own revocation names nobody else and "
		       "is in no list";
	if (r->self != NULL && (r->suspend || r->lift || r->keys.n > 0))
		return "--self: it is for ever, and by that key alone";
	if (r->self != NULL && (r->kind != NO_KIND || r->uri != NULL))
		return "--kind and --uri are of a list; --self has none";
	if (r->self != NULL && r->out == NULL)
		return "--out is missing: the file that it is written to";
	if (r->self == NULL && (words == 0 || r->list == NULL))
		return "ID and --list, or --self and --out";
	if (r->suspend && r->lift)
		return "--suspend and --lift: one of them";
	if ((r->delta != NULL) != (r->root != NULL))
		return "--delta and --root belong together";
	if (r->delta != NULL && (r->keys.n == 0 || r->self != NULL))
		return "--delta: it is signed at once, by --key";
	return NULL;
}

int
verb_revoke(struct cli *c, int argc, char **argv)
{
	static struct revoking r;
	const char *why;
	int rc;

	memset(&r, 0, sizeof(r));
	r.kind = NO_KIND;
	r.life = LIST_LIFE;
	r.now = (uint32_t)time(NULL);
	rc = cli_options(c, VERB_REVOKE, argc, argv, set, &r);
	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if ((why = usage(&r, argc - c->arg)) != NULL) {
		cli_error(c, "%s", why);
		cli_hint(c, "`warren revoke ID --list FILE`, or `warren revoke "
			    "--self KEYFILE --out FILE`.");
		return CLI_USAGE;
	}
	if (r.since > r.now)
		r.since = r.now;
	rc = r.self != NULL ? revoke_self(c, &r)
			    : revoke_in_list(c, &r, argv[c->arg]);
	klpfile_keys_clear(&r.keys);
	return rc;
}
