/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/klpremote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "node/cli/folders.h"
#include "node/cli/klpfile.h"
#include "node/cli/nodes.h"
#include "node/cli/say.h"
#include "trust/doc/authority.h"
#include "trust/doc/digest.h"
#include "trust/doc/fresh.h"

/* ---- whom ---- */

int
klpremote_open(struct cli *c, struct klpremote *m, const char *authority)
{
	m->authority = authority;
	m->person.dir = -1;
	if (!cli_config_dir(c, m->dir))
		return CLI_FAILED;
	return klpfile_pinned(c, m->dir, authority, &m->root, &m->id);
}

static int
find(struct cli *c, struct klpremote *m, const char *node)
{
	struct session_opts o = {.identify = true,
	    .outage_us = SESSION_CONTACT_MS * INT64_C(1000)};
	struct hash16 dest;
	enum node_by by;
	int rc;

	if (node != NULL) {
		rc = nodes_resolve(c, m->s, &m->person, node,
		    SESSION_CONTACT_MS * INT64_C(1000), &dest, &by);
		return rc != CLI_OK ? rc : session_connect(m->s, &dest, &o);
	}
	if (m->root.nrns == 0) {
		cli_error(c, "the root of %s names no node of the mesh",
		    m->authority);
		cli_hint(c, "Name a node that has its documents.");
		return CLI_USAGE;
	}
	if (rns_dest_hash(&dest, "klp.node", &m->root.rns[0]) != RNS_OK)
		return CLI_FAILED;
	return session_connect(m->s, &dest, &o);
}

int
klpremote_connect(struct cli *c, struct klpremote *m, const char *node)
{
	int rc = person_load(c, &m->person);

	if (rc == CLI_OK)
		rc = session_open(&m->s, c, &m->person);
	return rc == CLI_OK ? find(c, m, node) : rc;
}

void
klpremote_close(struct klpremote *m)
{
	session_close(m->s);
	person_clear(&m->person);
}

/* ---- what comes ---- */

/* CLI_OK with *p NULL: there is none of it. */
static int
ask_small(struct cli *c, struct klpremote *m, struct proto_req *q, size_t max,
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
piece(struct cli *c, struct klpremote *m, const struct proto_req *q,
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

/* ---- roots, head, documents ---- */

int
klpremote_roots(struct cli *c, struct klpremote *m, klpremote_fn *fn, void *ctx)
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
		if (fn != NULL)
			rc = fn(c, ctx, name, p, len);
	}
	free(next);
	if (rc == CLI_OK && why == NULL && m->root.expires <= time(NULL))
		why = "has expired";
	if (why != NULL)
		cli_error(c, "root: %s", why);
	return why != NULL ? CLI_FAILED : rc;
}

static const char *
head_bad(struct klpremote *m, const uint8_t *p, size_t len)
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

int
klpremote_head(struct cli *c, struct klpremote *m, uint8_t **frame,
    size_t *len)
{
	struct proto_req q = {.path = PATH_HEAD};
	int rc = ask_small(c, m, &q, HEAD_BYTES, frame, len);
	const char *why;

	if (rc != CLI_OK)
		return rc;
	why = *frame == NULL ? "the node has none" : head_bad(m, *frame, *len);
	if (why == NULL)
		return CLI_OK;
	cli_error(c, "head: %s", why);
	free(*frame);
	*frame = NULL;
	return CLI_FAILED;
}

int
klpremote_document(struct cli *c, struct klpremote *m,
    const struct root_doc *rd, const struct head_doc *hd, uint8_t **envelope)
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
	(void)snprintf(uri, sizeof(uri), "klp://%s/%s", m->authority,
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
	if (why == NULL) {
		*envelope = p;
		p = NULL;
		return CLI_OK;
	}
	cli_error(c, "NOT valid: %s: %s", rd->path, why);
	return CLI_FAILED;
}
