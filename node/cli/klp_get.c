/* SPDX-License-Identifier: BSD-2-Clause */
/* warren klp get URI */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "node/cli/folders.h"
#include "node/cli/format.h"
#include "node/cli/klpdoc.h"
#include "node/cli/klpfile.h"
#include "node/cli/klpremote.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "trust/doc/authstate.h"
#include "trust/doc/digest.h"
#include "trust/doc/head.h"
#include "trust/doc/root.h"

/*
 * What this node has of an authority, from the files of warren-trust: the chain
 * to its pinned root was walked when they were kept; digests and signatures are
 * looked at again here. With --via the same comes from another node over the
 * mesh, and nothing of it is kept.
 */
struct get {
	const char *out, *via;
	bool envelope;
	struct klp_uri uri;
	char dir[CLI_PATH];
	struct root root;
	struct auth_state state;
	uint32_t until; /* of the head */
};

static bool
set(struct cli *c, void *ctx, int option, const char *value)
{
	struct get *g = ctx;

	(void)c;
	if (option == OPT_OUT)
		g->out = value;
	else if (option == OPT_VIA)
		g->via = value;
	else
		g->envelope = true;
	return true;
}

/* ---- what is kept ---- */

/* A file below the folder of trust's; NULL: said. */
static char *
load(struct cli *c, const struct get *g, const char *name, size_t max,
    size_t *len)
{
	char below[400], path[CLI_PATH];

	(void)snprintf(below, sizeof(below), "warren/trust/klp/%s", name);
	if (!cli_path(path, g->dir, below))
		return NULL;
	if (access(path, F_OK) != 0 && errno == EACCES) {
		cli_error(c, "%s: only root, or who started the node, may read "
			     "it", path);
		return NULL;
	}
	return klpfile_load(c, path, max, len);
}

/* ... of this digest. */
static char *
blob(struct cli *c, const struct get *g, const struct id32 *sha, size_t max,
    size_t *len)
{
	char hex[65], *text;
	struct id32 is;

	hex_encode(hex, HASH_BYTES(*sha));
	if ((text = load(c, g, hex, max, len)) == NULL)
		return NULL;
	digest_of(&is, text, *len);
	if (id32_eq(&is, sha))
		return text;
	cli_error(c, "warren/trust/klp/%.16s...: is not what was kept: its "
		     "digest is another", hex);
	free(text);
	return NULL;
}

static int
state_of(struct cli *c, struct get *g)
{
	char name[URI_NAME_MAX + 8];
	_cleanup_free_ char *text = NULL;
	struct id32 id;
	size_t len;
	int rc = klpfile_pinned(c, g->dir, g->uri.authority, &g->root, &id);

	if (rc != CLI_OK)
		return rc;
	(void)snprintf(name, sizeof(name), "%s.state", g->uri.authority);
	if ((text = load(c, g, name, AUTH_STATE_BYTES, &len)) == NULL)
		return CLI_FAILED;
	if (!authstate_get(&g->state, (const uint8_t *)text, len) ||
	    !id32_eq(&g->state.id, &id)) {
		cli_error(c, "%s: what is kept of it is damaged, or of another "
			     "root than the pinned one", g->uri.authority);
		return CLI_FAILED;
	}
	return CLI_OK;
}

/* The newest root, and until when the head says that this is the newest. */
static int
root_and_head(struct cli *c, struct get *g)
{
	_cleanup_free_ char *text = NULL, *head = NULL;
	const char *why = NULL;
	struct head *h;
	struct env e;
	size_t len;

	if (g->state.root_version > 1) {
		text = blob(c, g, &g->state.root_sha, ROOT_BYTES, &len);
		if (text == NULL)
			return CLI_FAILED;
		if (env_parse(&e, text, len, ROOT_BYTES, ROOT_BYTES, &why) ==
		    0)
			why = root_parse(&g->root, e.payload, e.payload_len);
		env_clear(&e);
	}
	if (why == NULL && g->state.has_head) {
		head = blob(c, g, &g->state.head_sha, HEAD_BYTES, &len);
		if (head == NULL || (h = malloc(sizeof(*h))) == NULL)
			return CLI_FAILED;
		if ((why = head_parse(h, &e, head, len)) == NULL)
			g->until = h->expires;
		free(h);
	}
	if (why != NULL)
		cli_error(c, "%s: %s", g->uri.authority, why);
	return why == NULL ? CLI_OK : CLI_FAILED;
}

static const struct auth_doc *
document(struct cli *c, const struct get *g)
{
	const struct klp_uri *u = &g->uri;
	const struct auth_doc *d = NULL;

	for (unsigned i = 0; i < g->state.ndocs; i++)
		if (strcmp(g->state.docs[i].path, u->path) == 0)
			d = &g->state.docs[i];
	if (d == NULL) {
		cli_error(c, "this node has no %s of %s", u->path,
		    u->authority);
		cli_hint(c, "It reads what node.yaml names (trust_graph, "
			    "revocation_list); `warren trust show` lists it.");
	} else if (u->select == URI_VERSION && u->version != d->version) {
		cli_error(c, "this node has version %u of it, the newest that "
			     "it knows", d->version);
		d = NULL;
	} else if (u->select == URI_SHA256 &&
	    !id32_eq(&u->sha256, &d->sha256)) {
		cli_error(c, "this node has version %u of it, which has "
			     "another digest", d->version);
		d = NULL;
	}
	return d;
}

/* ---- what is printed ---- */

static int
number_of(const char *s, size_t n)
{
	int v = 0;

	if (n == 0 || n > 8 || (n > 1 && s[0] == '0'))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

/* RFC 6901; "" is the whole. NULL: nothing is there. */
static const json_t *
pointed(const json_t *at, const char *p)
{
	char key[URI_MAX + 1];

	while (at != NULL && *p == '/') {
		size_t n = 0;

		for (p++; *p != '\0' && *p != '/'; p++) {
			char ch = *p;

			if (ch == '~' && (p[1] == '0' || p[1] == '1'))
				ch = *++p == '0' ? '~' : '/';
			key[n++] = ch;
		}
		key[n] = '\0';
		if (json_is_array(at)) {
			int i = number_of(key, n);

			at = i < 0 ? NULL : json_array_get(at, (size_t)i);
		} else {
			at = json_object_get(at, key);
		}
	}
	return *p == '\0' ? at : NULL;
}

static int
save_part(struct cli *c, const struct get *g, const struct env *e)
{
	json_t *doc = json_loadb((const char *)e->payload, e->payload_len, 0,
	    NULL);
	const json_t *part = pointed(doc, g->uri.pointer);
	char *text = part == NULL ? NULL : json_dumps(part, JSON_ENCODE_ANY |
		JSON_SORT_KEYS | JSON_COMPACT);
	int rc = CLI_FAILED;

	if (text != NULL)
		rc = klpfile_save(c, g->out, text, strlen(text));
	else
		cli_error(c, "nothing is at #%s", g->uri.pointer);
	free(text);
	json_decref(doc);
	return rc;
}

static void
describe(const struct get *g, const struct auth_doc *d,
    const struct klpdoc *says)
{
	uint32_t until = MIN_OF(says->expires, g->until);
	char hex[65];

	hex_encode(hex, HASH_BYTES(d->sha256));
	cli_json(json_pack("{s:s,s:s,s:I,s:I,s:I,s:b,s:I,s:s}", "uri",
	    says->name, "type", says->what, "version",
	    (json_int_t)says->version, "issued", (json_int_t)says->issued,
	    "expires", (json_int_t)until, "fresh",
	    (int64_t)until > (int64_t)time(NULL), "length",
	    (json_int_t)d->length, "sha256", hex));
}

/* Signed by its role as the root asks for, and of its type. */
static int
open_document(struct cli *c, const struct get *g, const struct auth_doc *d,
    const char *text, size_t len, struct env *e, struct klpdoc *says)
{
	const struct root_doc *rd = root_doc(&g->root, d->path);
	char type[ENV_TYPE_MAX + 1], bad[KLPDOC_WHY];
	const char *why = NULL;

	if (rd == NULL) {
		why = "its root does not name it";
	} else if (env_parse(e, text, len, len, len, &why) == 0) {
		(void)snprintf(type, sizeof(type), "application/vnd.%s+json",
		    rd->type);
		if (!root_signed(&g->root, &g->root.roles[rd->role], e, type))
			why = "fewer keys have signed it than its root asks "
			      "for";
		else if (!klpdoc_check(says, e->payload, e->payload_len, bad))
			why = bad;
	}
	if (why != NULL)
		cli_error(c, "NOT valid: %s: %s", d->path, why);
	return why == NULL ? CLI_OK : CLI_FAILED;
}

static int
print_it(struct cli *c, const struct get *g, const struct auth_doc *d,
    const char *text, size_t len)
{
	struct env e = {.own = NULL};
	struct klpdoc says;
	int rc = open_document(c, g, d, text, len, &e, &says);

	if (rc == CLI_OK && g->envelope)
		rc = klpfile_save(c, g->out, text, len);
	else if (rc == CLI_OK && (!c->json || g->out != NULL))
		rc = save_part(c, g, &e);
	if (rc == CLI_OK && c->json && (!g->envelope || g->out != NULL))
		describe(g, d, &says);
	if (rc == CLI_OK && (int64_t)MIN_OF(says.expires, g->until) <=
	    (int64_t)time(NULL))
		cli_note(c, "EXPIRED: the authority may have a newer one");
	env_clear(&e);
	return rc;
}

static int
get(struct cli *c, struct get *g)
{
	_cleanup_free_ char *text = NULL;
	const struct auth_doc *d;
	size_t len;
	int rc = state_of(c, g);

	if (rc != CLI_OK || (rc = root_and_head(c, g)) != CLI_OK)
		return rc;
	if ((d = document(c, g)) == NULL ||
	    (text = blob(c, g, &d->sha256, AUTH_GRAPH_BYTES, &len)) == NULL)
		return CLI_FAILED;
	return print_it(c, g, d, text, len);
}

/* ---- from another node ---- */

/* What the head there says of it; false: said. */
static bool
offered(struct cli *c, const struct get *g, const struct head *h,
    struct auth_doc *d)
{
	const struct klp_uri *u = &g->uri;
	const struct head_doc *hd = head_doc(h, u->path);

	if (hd == NULL || root_doc(&g->root, u->path) == NULL) {
		cli_error(c, "%s publishes no %s", u->authority, u->path);
		return false;
	}
	if ((u->select == URI_VERSION && u->version != hd->version) ||
	    (u->select == URI_SHA256 && !id32_eq(&u->sha256, &hd->sha256))) {
		cli_error(c, "that node has version %u of it%s", hd->version,
		    u->select == URI_SHA256 ? ", which has another digest" :
		    "");
		return false;
	}
	*d = (struct auth_doc){.version = hd->version, .length = hd->length,
	    .sha256 = hd->sha256};
	(void)snprintf(d->path, sizeof(d->path), "%s", u->path);
	return true;
}

static int
get_via(struct cli *c, struct get *g)
{
	static struct klpremote r;
	_cleanup_free_ uint8_t *frame = NULL, *text = NULL;
	struct auth_doc d;
	size_t len;
	int rc = klpremote_open(c, &r, g->uri.authority);

	if (rc == CLI_OK)
		rc = klpremote_connect(c, &r, g->via);
	if (rc == CLI_OK)
		rc = klpremote_roots(c, &r, NULL, NULL);
	if (rc == CLI_OK)
		rc = klpremote_head(c, &r, &frame, &len);
	g->root = r.root;
	g->until = r.head.expires;
	if (rc == CLI_OK && !offered(c, g, &r.head, &d))
		rc = CLI_FAILED;
	if (rc == CLI_OK)
		rc = klpremote_document(c, &r, root_doc(&r.root, d.path),
		    head_doc(&r.head, d.path), &text);
	if (rc == CLI_OK)
		rc = print_it(c, g, &d, (const char *)text, d.length);
	klpremote_close(&r);
	return rc;
}

int
verb_klp_get(struct cli *c, int argc, char **argv)
{
	static struct get g;
	const uint8_t seed[32] = {0};
	const char *uri;
	int rc;

	memset(&g, 0, sizeof(g));
	if (!secp_init(seed)) /* verifies only: nothing secret to blind */
		return CLI_FAILED;
	rc = cli_options(c, VERB_KLP_GET, argc, argv, set, &g);
	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	uri = argv[c->arg];
	if (!uri_parse(&g.uri, uri, strlen(uri))) {
		cli_error(c, "%s is not the name of a document", uri);
		cli_hint(c, "As in klp://trust.kos/mesh-overlay.json, with "
			    "?v=VERSION or #/POINTER behind it.");
		return CLI_USAGE;
	}
	if (g.via != NULL)
		return get_via(c, &g);
	return cli_config_dir(c, g.dir) ? get(c, &g) : CLI_FAILED;
}
