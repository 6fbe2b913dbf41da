/* SPDX-License-Identifier: BSD-2-Clause */
/* warren klp verify FILE */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/util.h"
#include "node/cli/format.h"
#include "node/cli/klpdoc.h"
#include "node/cli/klpfile.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "trust/doc/graph.h"
#include "trust/doc/head.h"
#include "trust/doc/root.h"

/* By whom a document has to be signed, and what of it is. */
struct verifying {
	const char *root_path, *role;
	struct klp_key keys[ENV_KEYS_MAX];
	unsigned nkeys, threshold; /* 0: all of the keys */
	struct klpdoc doc;
	unsigned good;
};

/* A key as text, or the file of one of ours. */
static bool
add_key(struct cli *c, struct verifying *v, const char *value)
{
	struct klp_secret s;
	bool ok;

	if (v->nkeys >= ENV_KEYS_MAX) {
		cli_error(c, "--key: %u are the most", ENV_KEYS_MAX);
		return false;
	}
	if (key_parse(&v->keys[v->nkeys], value, strlen(value))) {
		v->nkeys++;
		return true;
	}
	if (access(value, F_OK) != 0) {
		cli_error(c, "--key: %s is no key (pubkey:ed25519:...) and no "
			     "file", value);
		return false;
	}
	if (klpfile_key_read(c, value, &s) != CLI_OK)
		return false;
	ok = secret_public(&v->keys[v->nkeys++], &s);
	explicit_bzero(&s, sizeof(s));
	return ok;
}

static bool
set(struct cli *c, void *ctx, int option, const char *value)
{
	struct verifying *v = ctx;
	char *end;
	long n;

	switch (option) {
	case OPT_KEY:
		return add_key(c, v, value);
	case OPT_ROOT:
		v->root_path = value;
		return true;
	case OPT_ROLE:
		v->role = value;
		return true;
	}
	n = strtol(value, &end, 10);
	if (*end == '\0' && end != value && n >= 1 && n <= ENV_SIGS_MAX) {
		v->threshold = (unsigned)n;
		return true;
	}
	cli_error(c, "--threshold: %s is no number from 1 to %u", value,
	    ENV_SIGS_MAX);
	return false;
}

/* ---- whose signatures count ---- */

/* The role that signs this document, by what it says of itself. */
static const struct root_role *
role_of(const struct root *r, const struct klpdoc *d)
{
	if (strcmp(d->what, "klp.root") == 0 || strcmp(d->what, "head") == 0)
		return root_role(r, strcmp(d->what, "head") == 0 ? "head" :
								   "root");
	for (unsigned i = 0; i < r->ndocs; i++)
		if (klpdoc_at(d, r->authority, r->docs[i].path) &&
		    strcmp(r->docs[i].type, d->what) == 0)
			return &r->roles[r->docs[i].role];
	return NULL;
}

static int
keys_of_root(struct cli *c, struct verifying *v)
{
	static struct root r;
	const struct root_role *role;
	int rc = klpfile_root(c, v->root_path, &r);

	if (rc != CLI_OK)
		return rc;
	role = v->role != NULL ? root_role(&r, v->role) : role_of(&r, &v->doc);
	if (role == NULL && v->role != NULL) {
		cli_error(c, "%s has no role %s", v->root_path, v->role);
		return CLI_FAILED;
	}
	if (role == NULL) {
		cli_error(c, "%s declares no %s %s", v->root_path, v->doc.what,
		    v->doc.name);
		return CLI_FAILED;
	}
	for (unsigned i = 0; i < role->nkeys; i++)
		v->keys[v->nkeys++] = r.keys[role->keys[i]];
	if (v->threshold == 0)
		v->threshold = role->threshold;
	return CLI_OK;
}

/* ---- what is printed ---- */

/* What a trust graph brings, given those of the keys that have signed it. */
static void
print_edges(struct cli *c, const struct verifying *v, const struct env *e)
{
	struct klp_key signer[ENV_KEYS_MAX];
	char text[KLPDOC_EDGES];
	struct klpdoc_edges g;
	size_t n = 0;

	for (unsigned i = 0; i < v->nkeys; i++)
		if (env_verify(e, v->doc.type, &v->keys[i], 1, NULL) == 1)
			signer[n++] = v->keys[i];
	if (c->json || strcmp(v->doc.what, "klp.trust-graph") != 0 ||
	    !klpdoc_edges(&g, e->payload, e->payload_len, signer, n,
		(uint32_t)time(NULL)))
		return;
	klpdoc_edges_text(text, &g);
	printf("edges      %s\n", text);
}

/* Is this one signature by one of the keys? */
static const char *
one_signature(const struct verifying *v, const struct env *e, unsigned i,
    const char *type)
{
	struct env one = *e;
	unsigned failed;

	one.nsigs = 1;
	one.sigs[0] = e->sigs[i];
	if (env_verify(&one, type, v->keys, v->nkeys, &failed) == 1)
		return "good";
	return failed > 0 ? "BAD" : "not asked for";
}

static void
print_all(struct cli *c, const struct verifying *v, const struct env *e,
    const char *type, bool ok, bool expired)
{
	const struct klpdoc *d = &v->doc;
	char from[24], to[24], hex[2 * FP_LEN + 1], name[4 * URI_MAX + 1];
	json_t *sigs = json_array();

	for (unsigned i = 0; i < e->nsigs; i++) {
		const char *how = one_signature(v, e, i, type);

		hex_encode(hex, e->sigs[i].hint.b, e->sigs[i].hint_len);
		if (c->json)
			(void)json_array_append_new(sigs, json_pack("{s:s,s:s}",
			    "key", hex, "is", how));
		else
			printf("signature  %s %s\n", hex[0] != '\0' ? hex : "-",
			    how);
	}
	if (c->json) {
		cli_json(json_pack("{s:b,s:s,s:s,s:I,s:I,s:I,s:b,s:I,s:I,s:o}",
		    "ok", ok, "type", d->what, "name", d->name, "version",
		    (json_int_t)d->version, "issued", (json_int_t)d->issued,
		    "expires", (json_int_t)d->expires, "expired", expired,
		    "good", (json_int_t)v->good, "threshold",
		    (json_int_t)v->threshold, "signatures", sigs));
		return;
	}
	json_decref(sigs);
	printf("type       %s\n", d->what);
	/* whoever wrote it may have written anything */
	(void)text_escape(name, sizeof(name), d->name, strlen(d->name));
	if (name[0] != '\0')
		printf("name       %s\n", name);
	if (d->dated)
		printf("version    %u\nissued     %s\nexpires    %s%s\n",
		    d->version, cli_time(from, d->issued),
		    cli_time(to, d->expires), expired ? ", EXPIRED" : "");
	if (v->nkeys > 0)
		printf("signed     by %u of %u that are asked for\n", v->good,
		    v->threshold);
}

/* ---- the verb ---- */

static int
verify(struct cli *c, struct verifying *v, const struct env *e,
    const char *type)
{
	bool ok, expired = v->doc.dated &&
	    v->doc.expires <= (uint64_t)time(NULL);
	int rc = v->root_path == NULL ? CLI_OK : keys_of_root(c, v);

	if (rc != CLI_OK)
		return rc;
	if (v->threshold == 0)
		v->threshold = MAX_OF(v->nkeys, 1u);
	v->good = env_verify(e, type, v->keys, v->nkeys, NULL);
	ok = v->nkeys > 0 && v->good >= v->threshold && !expired;
	print_all(c, v, e, type, ok, expired);
	print_edges(c, v, e);
	if (ok)
		return CLI_OK;
	if (v->nkeys == 0) {
		cli_error(c, "nothing is known about the keys");
		cli_hint(c, "Say with --root (a root document) or --key whose "
			    "signatures count.");
		return CLI_USAGE;
	}
	cli_error(c, "NOT valid: %s", v->good < v->threshold
	    ? "too few good signatures" : "it has expired");
	return CLI_FAILED;
}

/* A head has no payload in JSON: its frame says what a document's head does. */
static const char *
open_head(struct verifying *v, struct env *e, const char *buf, size_t len)
{
	struct head h;
	const char *why = head_parse(&h, e, buf, len);

	(void)snprintf(v->doc.what, sizeof(v->doc.what), "head");
	(void)snprintf(v->doc.type, sizeof(v->doc.type), "%s", TYPE_HEAD);
	v->doc.dated = true;
	v->doc.version = h.version;
	v->doc.issued = h.issued;
	v->doc.expires = h.expires;
	return why;
}

static const char *
open_document(struct verifying *v, struct env *e, const char *buf, size_t len,
    char bad[KLPDOC_WHY])
{
	const char *why = NULL;

	if (env_parse(e, buf, len, KLPDOC_ENVELOPE_MAX, KLPDOC_BYTES_MAX,
		&why) != 0)
		return why;
	if (!klpdoc_check(&v->doc, e->payload, e->payload_len, bad))
		return bad;
	return strcmp(v->doc.type, e->type) == 0 ? NULL :
	    "its payload is of another type than its envelope";
}

int
verb_klp_verify(struct cli *c, int argc, char **argv)
{
	static struct verifying v;
	char bad[KLPDOC_WHY], *text;
	const uint8_t seed[32] = {0};
	const char *why;
	struct env e;
	size_t len;
	int rc;

	memset(&v, 0, sizeof(v));
	if (!secp_init(seed)) /* verifies only: nothing secret to blind */
		return CLI_FAILED;
	rc = cli_options(c, VERB_KLP_VERIFY, argc, argv, set, &v);
	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (v.root_path != NULL && v.nkeys > 0) {
		cli_error(c, "--root and --key: one of them says whose "
			     "signatures count");
		return CLI_USAGE;
	}
	text = klpfile_load(c, argv[c->arg], KLPDOC_ENVELOPE_MAX, &len);
	if (text == NULL)
		return CLI_FAILED;
	why = len > 2 && memcmp(text, "KH\001", 3) == 0
	    ? open_head(&v, &e, text, len)
	    : open_document(&v, &e, text, len, bad);
	if (why != NULL) {
		cli_error(c, "NOT valid");
		klpfile_bad(c, argv[c->arg], why);
		rc = CLI_FAILED;
	} else {
		rc = verify(c, &v, &e, v.doc.type);
	}
	env_clear(&e);
	free(text);
	return rc;
}
