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
#include "node/cli/klpremote.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "trust/doc/authority.h"

/*
 * All that an authority publishes, over the mesh from one node that has it, into
 * klp/documents/NAME/ or a folder: each root after the one before, the head, and
 * every document that it names, each verified before it is written; the head
 * last, so that what it names is there.
 */
struct mirror {
	const char *from, *out;
	struct klp_uri name; /* the authority alone */
	char into[CLI_PATH];
	struct klpremote r;
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

static int
save(struct cli *c, void *ctx, const char *name, const void *p, size_t len)
{
	struct mirror *m = ctx;
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

/* ---- all of it ---- */

static int
document(struct cli *c, struct mirror *m, const struct root_doc *rd,
    const struct head_doc *hd)
{
	_cleanup_free_ uint8_t *p = NULL;
	int rc = klpremote_document(c, &m->r, rd, hd, &p);

	return rc == CLI_OK ? save(c, m, rd->path, p, hd->length) : rc;
}

static int
fetch(struct cli *c, struct mirror *m)
{
	struct klpremote *r = &m->r;
	_cleanup_free_ uint8_t *head = NULL;
	size_t len = 0;
	unsigned n = 0;
	int rc = klpremote_roots(c, r, save, m);

	if (rc == CLI_OK)
		rc = klpremote_head(c, r, &head, &len);
	for (unsigned i = 0; rc == CLI_OK && i < r->root.ndocs; i++) {
		const struct root_doc *rd = &r->root.docs[i];
		const struct head_doc *hd = head_doc(&r->head, rd->path);

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
		    m->name.authority, "root", (json_int_t)r->root.version,
		    "head", (json_int_t)r->head.version, "documents",
		    (json_int_t)n, "bytes", (json_int_t)r->bytes, "folder",
		    m->into));
	else
		printf("%s: root %u, head %u, %u documents, in %s\n",
		    m->name.authority, r->root.version, r->head.version, n,
		    m->into);
	return CLI_OK;
}

/* ---- whom, and where to ---- */

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
	if (!cli_path(m->into, m->r.dir, below))
		return CLI_FAILED;
	(void)mkdir(m->into, 0755);
	(void)snprintf(below, sizeof(below), "klp/documents/%s",
	    m->name.authority);
	if (!cli_path(m->into, m->r.dir, below))
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
	if ((rc = klpremote_open(c, &m.r, m.name.authority)) == CLI_OK &&
	    (rc = folder(c, &m)) == CLI_OK &&
	    (rc = klpremote_connect(c, &m.r, m.from)) == CLI_OK)
		rc = fetch(c, &m);
	klpremote_close(&m.r);
	return rc;
}
