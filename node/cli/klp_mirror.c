/* SPDX-License-Identifier: BSD-2-Clause */
/* warren klp mirror NAME */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "node/cli/folders.h"
#include "node/cli/klpfile.h"
#include "node/cli/nodes.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/session.h"
#include "node/cli/verb.h"
#include "trust/doc/authority.h"
#include "trust/doc/digest.h"
#include "trust/doc/fresh.h"

/*
 * All that an authority publishes, over the mesh from one node that has it, into
 * klp/documents/NAME/ or a folder: each root after the one before, the head, and
 * every document that it names, each verified before it is written; the head
 * last, so that what it names is there.
 */
struct mirror {
	const char *from, *out;
	struct klp_uri name; /* the authority alone */
	char dir[CLI_PATH], into[CLI_PATH];
	struct root root;
	struct id32 id;
	struct head head;
	struct session *s;
	uint64_t bytes;
};

static bool
set(struct cli *c, void *ctx, int option, const char *value)
{
	struct mirror *m = ctx;

	(void)c;
	if (option == OPT_OUT)
		m->out = value;
	else
		m->from = value;
	return true;
}

/* ---- what comes ---- */

/* CLI_OK with *p NULL: there is none of it. */
static int
ask_small(struct cli *c, struct mirror *m, struct proto_req *q, size_t max,
    uint8_t **p, size_t *len)
{
	struct proto_ans a;
	struct pbin b;
	int rc;

	*p = NULL;
	q->atag = m->id.b;
	if ((rc = session_ask(m->s, q, &a, NULL, NULL)) != CLI_OK)
		return rc;
	if (a.status == ST_NOT_FOUND)
		return CLI_OK;
	if (a.status != ST_OK)
		return session_refused(c, &a);
	if (!proto_get_bytes(&b, &a) || b.n == 0 || b.n > max ||
	    (*p = malloc(b.n)) == NULL) {
		cli_error(c, "the node's answer is no document");
		return CLI_FAILED;
	}
	memcpy(*p, b.p, b.n);
	*len = b.n;
	m->bytes += b.n;
	return CLI_OK;
}

/* One piece more of it; the node may be anybody. */
static int
piece(struct cli *c, struct mirror *m, const struct proto_req *q,
    const struct head_doc *hd, uint8_t *p, size_t *have)
{
	struct proto_ans a;
	struct pbin b;
	int rc;

	if ((rc = session_ask(m->s, q, &a, NULL, NULL)) != CLI_OK)
		return rc;
	if (a.status != ST_OK)
		return session_refused(c, &a);
	if (!a.meta.has_len || a.meta.len != hd->length ||
	    !proto_get_bytes(&b, &a) || b.n == 0 ||
	    b.n > hd->length - *have) {
		cli_error(c, "the node's answer is not what its head names");
		return CLI_FAILED;
	}
	memcpy(p + *have, b.p, b.n);
	*have += b.n;
	m->bytes += b.n;
	return CLI_OK;
}

static int
save(struct cli *c, struct mirror *m, const char *name, const void *p,
    size_t len)
{
	char path[CLI_PATH], *slash;

	if (!cli_path(path, m->into, name))
		return CLI_FAILED;
	for (slash = path + strlen(m->into) + 1;
	     (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	return klpfile_save(c, path, p, len);
}

/* ---- roots, head, documents ---- */

static int
roots(struct cli *c, struct mirror *m)
{
	struct root *next = malloc(sizeof(*next));
	const char *why = NULL;
	int rc = next == NULL ? CLI_FAILED : CLI_OK;

	for (unsigned i = 0; rc == CLI_OK && why == NULL &&
	     i < AUTH_ROOT_STEPS; i++) {
		struct proto_req q = {.path = PATH_ROOT,
		    .version = m->root.version + 1};
		_cleanup_free_ uint8_t *p = NULL;
		char name[32];
		size_t len;

		rc = ask_small(c, m, &q, ROOT_BYTES, &p, &len);
		if (rc != CLI_OK || p == NULL)
			break;
		if ((why = root_next(next, &m->root, p, len)) != NULL)
			break;
		m->root = *next;
		(void)snprintf(name, sizeof(name), "%u.root.json",
		    m->root.version);
		rc = save(c, m, name, p, len);
	}
	free(next);
	if (rc == CLI_OK && why == NULL && m->root.expires <= time(NULL))
		why = "has expired";
	if (why != NULL)
		cli_error(c, "root: %s", why);
	return why != NULL ? CLI_FAILED : rc;
}

static const char *
head_bad(struct mirror *m, const uint8_t *p, size_t len)
{
	struct env e;
	const char *why = head_parse(&m->head, &e, p, len);
	int64_t now = time(NULL);

	if (why != NULL)
		return why;
	if (!root_signed(&m->root, root_role(&m->root, "head"), &e, TYPE_HEAD))
		return "fewer keys have signed it than its root asks for";
	if (memcmp(m->head.atag, m->id.b, sizeof(m->head.atag)) != 0 ||
	    m->head.root_version != m->root.version)
		return "of another authority, or of another version of the root";
	if (m->head.issued > now + FRESH_AHEAD)
		return "issued in the future: is the clock right?";
	return m->head.expires <= now ? "has expired" : NULL;
}

static int
document(struct cli *c, struct mirror *m, const struct root_doc *rd,
    const struct head_doc *hd)
{
	char uri[8 + URI_NAME_MAX + URI_MAX], type[ENV_TYPE_MAX + 1];
	struct proto_req q = {.path = PATH_GET, .n = PROTO_SLICE,
	    .has_max = true, .max = hd->length};
	_cleanup_free_ uint8_t *p = NULL;
	const char *why = NULL;
	struct id32 is;
	struct env e;
	size_t have = 0;
	int rc = CLI_OK;

	if (hd->length == 0 || hd->length > rd->max ||
	    hd->length > AUTH_GRAPH_BYTES ||
	    (p = malloc(hd->length)) == NULL) {
		cli_error(c, "%s: %u bytes are more than its root allows",
		    rd->path, hd->length);
		return CLI_FAILED;
	}
	(void)snprintf(uri, sizeof(uri), "klp://%s/%s", m->name.authority,
	    rd->path);
	q.uri = pstr_of(uri);
	while (rc == CLI_OK && have < hd->length) {
		q.offset = have;
		rc = piece(c, m, &q, hd, p, &have);
	}
	if (rc != CLI_OK)
		return rc;
	digest_of(&is, p, have);
	(void)snprintf(type, sizeof(type), "application/vnd.%s+json",
	    rd->type);
	if (!id32_eq(&is, &hd->sha256)) {
		why = "not the bytes that the head names";
	} else if (env_parse(&e, p, have, have, have, &why) == 0) {
		if (!root_signed(&m->root, &m->root.roles[rd->role], &e, type))
			why = "fewer keys have signed it than its root asks "
			      "for";
		env_clear(&e);
	}
	if (why == NULL)
		return save(c, m, rd->path, p, have);
	cli_error(c, "NOT valid: %s: %s", rd->path, why);
	return CLI_FAILED;
}

static int
fetch(struct cli *c, struct mirror *m)
{
	struct proto_req q = {.path = PATH_HEAD};
	_cleanup_free_ uint8_t *head = NULL;
	const char *why;
	size_t len = 0;
	unsigned n = 0;
	int rc = roots(c, m);

	if (rc != CLI_OK ||
	    (rc = ask_small(c, m, &q, HEAD_BYTES, &head, &len)) != CLI_OK)
		return rc;
	why = head == NULL ? "the node has none" : head_bad(m, head, len);
	if (why != NULL) {
		cli_error(c, "head: %s", why);
		return CLI_FAILED;
	}
	for (unsigned i = 0; rc == CLI_OK && i < m->root.ndocs; i++) {
		const struct root_doc *rd = &m->root.docs[i];
		const struct head_doc *hd = head_doc(&m->head, rd->path);

		if (hd == NULL)
			continue;
		rc = document(c, m, rd, hd);
		n++;
	}
	if (rc == CLI_OK)
		rc = save(c, m, "head", head, len);
	if (rc != CLI_OK)
		return rc;
	if (c->json)
		cli_json(json_pack("{s:s,s:I,s:I,s:I,s:I,s:s}", "authority",
		    m->name.authority, "root", (json_int_t)m->root.version,
		    "head", (json_int_t)m->head.version, "documents",
		    (json_int_t)n, "bytes", (json_int_t)m->bytes, "folder",
		    m->into));
	else
		printf("%s: root %u, head %u, %u documents, in %s\n",
		    m->name.authority, m->root.version, m->head.version, n,
		    m->into);
	return CLI_OK;
}

/* ---- whom, and where to ---- */

/* --from, or the first node that its root names. */
static int
connect_to(struct cli *c, struct mirror *m, const struct person *p)
{
	struct session_opts o = {.identify = true,
	    .outage_us = SESSION_CONTACT_MS * INT64_C(1000)};
	struct hash16 dest;
	enum node_by by;
	int rc;

	if (m->from != NULL) {
		rc = nodes_resolve(c, m->s, p, m->from,
		    SESSION_CONTACT_MS * INT64_C(1000), &dest, &by);
		return rc != CLI_OK ? rc : session_connect(m->s, &dest, &o);
	}
	if (m->root.nrns == 0) {
		cli_error(c, "the root of %s names no node of the mesh",
		    m->name.authority);
		cli_hint(c, "--from NODE names one that has its documents.");
		return CLI_USAGE;
	}
	if (rns_dest_hash(&dest, "klp.node", &m->root.rns[0]) != RNS_OK)
		return CLI_FAILED;
	return session_connect(m->s, &dest, &o);
}

static int
folder(struct cli *c, struct mirror *m)
{
	char below[400];

	if (m->out != NULL) {
		(void)snprintf(m->into, sizeof(m->into), "%s", m->out);
		(void)mkdir(m->into, 0755);
		return CLI_OK;
	}
	(void)snprintf(below, sizeof(below), "klp/documents");
	if (!cli_path(m->into, m->dir, below))
		return CLI_FAILED;
	(void)mkdir(m->into, 0755);
	(void)snprintf(below, sizeof(below), "klp/documents/%s",
	    m->name.authority);
	if (!cli_path(m->into, m->dir, below))
		return CLI_FAILED;
	if (mkdir(m->into, 0755) < 0 && errno != EEXIST) {
		cli_error(c, "%s: %s", m->into, strerror(errno));
		return CLI_FAILED;
	}
	return CLI_OK;
}

int
verb_klp_mirror(struct cli *c, int argc, char **argv)
{
	static struct mirror m;
	struct person p = {.dir = -1};
	const uint8_t seed[32] = {0};
	int rc;

	memset(&m, 0, sizeof(m));
	if (!secp_init(seed)) /* verifies only: nothing secret to blind */
		return CLI_FAILED;
	rc = cli_options(c, VERB_KLP_MIRROR, argc, argv, set, &m);
	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (!uri_authority(&m.name, argv[c->arg], strlen(argv[c->arg]))) {
		cli_error(c, "%s is no name of an authority", argv[c->arg]);
		cli_hint(c, "As in trust.kos.");
		return CLI_USAGE;
	}
	if (!cli_config_dir(c, m.dir))
		return CLI_FAILED;
	if ((rc = klpfile_pinned(c, m.dir, m.name.authority, &m.root,
		 &m.id)) == CLI_OK &&
	    (rc = folder(c, &m)) == CLI_OK &&
	    (rc = person_load(c, &p)) == CLI_OK &&
	    (rc = session_open(&m.s, c, &p)) == CLI_OK &&
	    (rc = connect_to(c, &m, &p)) == CLI_OK)
		rc = fetch(c, &m);
	session_close(m.s);
	person_clear(&p);
	return rc;
}
