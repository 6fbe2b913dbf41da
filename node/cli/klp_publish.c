/* SPDX-License-Identifier: BSD-2-Clause */
/* warren klp publish DIR [FILE...] */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/units.h"
#include "common/util.h"
#include "node/cli/format.h"
#include "node/cli/klpdoc.h"
#include "node/cli/klpfile.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "trust/doc/frame.h"
#include "trust/doc/head.h"
#include "trust/doc/root.h"
#include "trust/doc/rootsdoc.h"

#define HEAD_LIFE (24u * 3600u) /* s; klp.md 1.8: the default */
#define ROOTS_LIFE (30u * 24u * 3600u) /* s; the same of a document */
#define STAGED_MAX 96
#define NAME_MAX_LEN (URI_MAX + 16)

/* A file that is taken into the folder, when everything has been looked at. */
struct staged {
	const char *from;
	char name[NAME_MAX_LEN];
	char *text;
	size_t len;
	bool bare; /* a trusted_root.json, which becomes a document */
};

struct publishing {
	struct klpfile_keys keys;
	uint32_t life, now;
	const char *folder;
	int dir;
	struct staged staged[STAGED_MAX];
	unsigned nstaged;
	struct root root; /* the newest */
	struct id32 id;	  /* of the authority */
	bool had_head;
	struct head old, head;
	uint8_t frame[HEAD_BYTES];
	size_t frame_len;
};

static bool
set(struct cli *c, void *ctx, int option, const char *value)
{
	struct publishing *p = ctx;
	uint64_t ms;

	if (option == OPT_KEY)
		return klpfile_keys_add(c, &p->keys, value);
	if (units_time_ms(value, &ms) && ms >= 60000 &&
	    ms / 1000 <= HEAD_LIFE_MAX) {
		p->life = (uint32_t)(ms / 1000);
		return true;
	}
	cli_error(c, "--expires: %s is no time from 1m to 14d", value);
	return false;
}

static int
refuse(struct cli *c, const char *file, const char *why)
{
	klpfile_bad(c, file, why);
	return CLI_REFUSED;
}

/* ---- what is to be taken ---- */

/* By what the payload says of itself; signatures are looked at later. */
static int
name_of(struct cli *c, struct staged *s)
{
	static const char scheme[] = "klp://";
	char bad[KLPDOC_WHY];
	const char *why = NULL, *path;
	struct klpdoc d;
	struct env e;
	int rc = CLI_OK;

	if (env_parse(&e, s->text, s->len, KLPDOC_ENVELOPE_MAX,
		KLPDOC_BYTES_MAX, &why) != 0)
		rc = refuse(c, s->from, why);
	else if (!klpdoc_check(&d, e.payload, e.payload_len, bad))
		rc = refuse(c, s->from, bad);
	else if (strcmp(d.what, "klp.root") == 0)
		(void)snprintf(s->name, sizeof(s->name), "%u.root.json",
		    d.version);
	else if (strncmp(d.name, scheme, strlen(scheme)) == 0 &&
	    (path = strchr(d.name + strlen(scheme), '/')) != NULL &&
	    uri_path_ok(path + 1, strlen(path + 1)))
		(void)snprintf(s->name, sizeof(s->name), "%s", path + 1);
	else
		rc = refuse(c, s->from, "no klp:// uri in it, so it has no "
					"place here");
	env_clear(&e);
	return rc;
}

static const struct staged *
find_staged(const struct publishing *p, const char *name)
{
	for (unsigned i = 0; i < p->nstaged; i++)
		if (strcmp(p->staged[i].name, name) == 0)
			return &p->staged[i];
	return NULL;
}

static int
stage(struct cli *c, struct publishing *p, const char *path)
{
	struct staged *s = &p->staged[p->nstaged];
	int rc;

	if (p->nstaged == STAGED_MAX)
		return refuse(c, path, "too many files at once");
	s->from = path;
	s->text = klpfile_load(c, path, KLPDOC_ENVELOPE_MAX, &s->len);
	if (s->text == NULL)
		return CLI_FAILED;
	s->bare = rootsdoc_bare(s->text, s->len);
	rc = s->bare ? CLI_OK : name_of(c, s);
	if (rc == CLI_OK && !s->bare && find_staged(p, s->name) != NULL)
		rc = refuse(c, path, "another file has the same name and uri");
	p->nstaged++; /* what it has loaded is freed in any case */
	if (rc != CLI_OK)
		s->name[0] = '\0';
	return rc;
}

/*
 * A file as it will be: the one that is taken, else the one that is there. In
 * an own allocation; NULL with errno.
 */
static char *
future(const struct publishing *p, const char *name, size_t *len)
{
	const struct staged *s = find_staged(p, name);
	char *text;

	if (s == NULL)
		return file_load(p->dir, name, KLPDOC_ENVELOPE_MAX, len);
	if ((text = malloc(s->len + 1)) != NULL)
		memcpy(text, s->text, s->len);
	*len = s->len;
	return text;
}

/* ---- roots ---- */

/* A root that is published is never another. */
static int
root_settled(struct cli *c, const struct publishing *p, const char *name)
{
	const struct staged *s = find_staged(p, name);
	_cleanup_free_ char *there = NULL;
	size_t len;

	if (s == NULL || (there = file_load(p->dir, name, ROOT_BYTES, &len)) ==
			     NULL)
		return CLI_OK;
	if (len == s->len && memcmp(there, s->text, len) == 0)
		return CLI_OK;
	return refuse(c, s->from, "another root of this version is published "
				  "already: raise its version");
}

static int
read_roots(struct cli *c, struct publishing *p)
{
	static struct root next;
	const char *why;
	char name[32];
	size_t len;
	int rc;

	for (uint32_t v = 1; v <= UINT16_MAX; v++) {
		_cleanup_free_ char *text = NULL;

		(void)snprintf(name, sizeof(name), "%u.root.json", v);
		if ((rc = root_settled(c, p, name)) != CLI_OK)
			return rc;
		if ((text = future(p, name, &len)) == NULL && errno == ENOENT &&
		    v > 1)
			break;
		if (text == NULL)
			return refuse(c, name, errno == ENOENT
			    ? "an authority begins with it: sign a root and "
			      "name it behind the folder" : strerror(errno));
		why = v == 1 ? root_first(&next, &p->id, text, len)
			     : root_next(&next, &p->root, text, len);
		if (why != NULL)
			return refuse(c, name, why);
		p->root = next;
	}
	if (p->root.expires <= p->now)
		return refuse(c, name, "the newest root has expired: sign one "
				       "of the next version");
	for (unsigned i = 0; i < p->nstaged; i++)
		if (strstr(p->staged[i].name, ".root.json") != NULL &&
		    strtoul(p->staged[i].name, NULL, 10) > p->root.version)
			return refuse(c, p->staged[i].from, "a root of a "
			    "version between is missing");
	return CLI_OK;
}

/* ---- documents and head ---- */

static int
read_head(struct cli *c, struct publishing *p)
{
	size_t len;
	struct env e;
	const char *why;
	_cleanup_free_ char *text = file_load(p->dir, "head", HEAD_BYTES, &len);

	if (text == NULL)
		return errno == ENOENT ? CLI_OK
				       : refuse(c, "head", strerror(errno));
	if ((why = head_parse(&p->old, &e, text, len)) != NULL)
		return refuse(c, "head", why);
	if (memcmp(p->old.atag, p->id.b, sizeof(p->old.atag)) != 0)
		return refuse(c, "head", "of another authority");
	p->had_head = true;
	return CLI_OK;
}

/* The one document of roots that the root declares; NULL: said. */
static const struct root_doc *
roots_place(struct cli *c, const struct publishing *p, const struct staged *s)
{
	const struct root_doc *doc = NULL;

	for (unsigned i = 0; i < p->root.ndocs; i++) {
		if (strcmp(p->root.docs[i].type, ROOTSDOC_TYPE) != 0)
			continue;
		if (doc != NULL) {
			(void)refuse(c, s->from, "the root declares several "
			    "documents of roots: sign the one that is meant");
			return NULL;
		}
		doc = &p->root.docs[i];
	}
	if (doc == NULL)
		(void)refuse(c, s->from, "the root declares no document of the "
		    "type " ROOTSDOC_TYPE);
	else if (find_staged(p, doc->path) != NULL)
		(void)refuse(c, s->from, "another file has the same place");
	else
		return doc;
	return NULL;
}

/* A trusted_root.json as its next version, signed by all the keys. */
static int
make_roots(struct cli *c, struct publishing *p, struct staged *s)
{
	const struct root_doc *doc = roots_place(c, p, s);
	const struct head_doc *was;
	struct env_signed sigs[ENV_SIGS_MAX];
	char uri[URI_MAX + 1], why[SIGROOT_WHY_MAX];
	_cleanup_free_ char *payload = NULL;
	char *text = NULL;
	unsigned nsigs = 0;
	size_t n = 0, len = 0;
	int rc;

	if (doc == NULL)
		return CLI_REFUSED;
	was = p->had_head ? head_doc(&p->old, doc->path) : NULL;
	if (snprintf(uri, sizeof(uri), "klp://%s/%s", p->root.authority,
		doc->path) >= (int)sizeof(uri))
		return refuse(c, s->from, "its uri is too long");
	payload = rootsdoc_make(s->text, s->len, uri,
	    was == NULL ? 1 : was->version + 1, p->now, p->now + ROOTS_LIFE,
	    &n, why);
	if (payload == NULL)
		return refuse(c, s->from, why);
	rc = klpfile_sign(c, &p->keys, TYPE_ROOTSDOC, payload, n, sigs, &nsigs);
	if (rc == CLI_OK)
		text = klpfile_envelope(c, TYPE_ROOTSDOC, payload, n, sigs,
		    nsigs, &len);
	if (text == NULL)
		return rc == CLI_OK ? CLI_FAILED : rc;
	free(s->text);
	s->text = text;
	s->len = len;
	(void)snprintf(s->name, sizeof(s->name), "%s", doc->path);
	return CLI_OK;
}

/* Is it what its root declares, signed by its role, and in its form? */
static const char *
document_bad(const struct publishing *p, const struct root_doc *doc,
    const struct env *e, struct klpdoc *d, char bad[KLPDOC_WHY])
{
	if (!klpdoc_check(d, e->payload, e->payload_len, bad))
		return bad;
	if (strcmp(d->what, doc->type) != 0)
		return "of another type than its root declares";
	if (!klpdoc_at(d, p->root.authority, doc->path))
		return "its uri is of another authority or path";
	if (!root_signed(&p->root, &p->root.roles[doc->role], e, d->type))
		return "not signed by as many keys of its role as its root "
		       "asks for";
	if (!d->dated)
		return "version, issued or expires is missing";
	if (d->expires <= p->now)
		return "it has expired";
	return NULL;
}

/* Against what the head said of it before. */
static const char *
goes_back(const struct publishing *p, const struct head_doc *now,
    const char *path)
{
	const struct head_doc *was = p->had_head ? head_doc(&p->old, path)
						 : NULL;

	if (was == NULL || now->version > was->version)
		return NULL;
	if (now->version < was->version)
		return "a rollback: a newer version is published already";
	return id32_eq(&now->sha256, &was->sha256)
	    ? NULL
	    : "changed, with the version that is published already: raise it";
}

/* CLI_OK also when there is no such document yet. */
static int
read_document(struct cli *c, struct publishing *p, const struct root_doc *doc)
{
	struct head_doc *h = &p->head.docs[p->head.n];
	char bad[KLPDOC_WHY];
	const char *why = NULL;
	struct klpdoc d;
	struct env e;
	size_t len;
	_cleanup_free_ char *text = future(p, doc->path, &len);

	if (text == NULL && errno == ENOENT) {
		cli_note(c, "%s is declared and not here yet", doc->path);
		return CLI_OK;
	}
	if (text == NULL)
		return refuse(c, doc->path, strerror(errno));
	if (len > doc->max)
		return refuse(c, doc->path, "larger than its root allows");
	if (env_parse(&e, text, len, KLPDOC_ENVELOPE_MAX, KLPDOC_BYTES_MAX,
		&why) == 0)
		why = document_bad(p, doc, &e, &d, bad);
	env_clear(&e);
	if (why != NULL)
		return refuse(c, doc->path, why);
	head_ptag(h->ptag, doc->path);
	h->version = d.version;
	h->length = (uint32_t)len;
	(void)crypto_hash_sha256(h->sha256.b, (const uint8_t *)text, len);
	if ((why = goes_back(p, h, doc->path)) != NULL)
		return refuse(c, doc->path, why);
	p->head.n++;
	return CLI_OK;
}

static int
read_documents(struct cli *c, struct publishing *p)
{
	int rc = CLI_OK;

	for (unsigned i = 0; i < p->nstaged && rc == CLI_OK; i++)
		if (p->staged[i].bare)
			rc = make_roots(c, p, &p->staged[i]);
	for (unsigned i = 0; i < p->nstaged && rc == CLI_OK; i++)
		if (strstr(p->staged[i].name, ".root.json") == NULL &&
		    root_doc(&p->root, p->staged[i].name) == NULL)
			rc = refuse(c, p->staged[i].from, "the root declares no "
			    "document of this path");
	for (unsigned i = 0; i < p->root.ndocs && rc == CLI_OK; i++)
		rc = read_document(c, p, &p->root.docs[i]);
	return rc;
}

static int
make_head(struct cli *c, struct publishing *p)
{
	struct head *h = &p->head;
	struct env_signed sigs[ENV_SIGS_MAX];
	uint8_t frame[HEAD_BYTES];
	const char *why = NULL;
	struct env e;
	unsigned n = 0;
	size_t len;
	int rc;

	memcpy(h->atag, p->id.b, sizeof(h->atag));
	h->root_version = p->root.version;
	h->version = p->had_head ? p->old.version + 1 : 1;
	h->issued = p->now;
	h->expires = p->now + p->life;
	len = head_put(frame, sizeof(frame), h);
	rc = klpfile_sign(c, &p->keys, TYPE_HEAD, frame, len, sigs, &n);
	if (rc != CLI_OK)
		return rc;
	p->frame_len = frame_put(p->frame, sizeof(p->frame), frame, len, sigs,
	    n);
	/* as a node will read it */
	why = head_parse(h, &e, p->frame, p->frame_len);
	if (why == NULL && !root_signed(&p->root, root_role(&p->root, "head"),
	    &e, TYPE_HEAD)) {
		cli_error(c, "--key: the root asks for %u key%s of the role "
			     "head",
		    root_role(&p->root, "head")->threshold,
		    root_role(&p->root, "head")->threshold == 1 ? "" : "s");
		return CLI_REFUSED;
	}
	return why == NULL ? CLI_OK : refuse(c, "head", why);
}

/* ---- writing ---- */

/* A path in the folder; the folders in it are made. */
static int
write_one(struct cli *c, int dir, const char *path, const void *data, size_t n)
{
	char part[NAME_MAX_LEN];
	const char *name = path, *slash;
	int at = dup(dir), next;

	while (at >= 0 && (slash = strchr(name, '/')) != NULL) {
		(void)snprintf(part, sizeof(part), "%.*s",
		    (int)(slash - name), name);
		next = dir_open(at, part, true, 0755);
		(void)close(at);
		at = next;
		name = slash + 1;
	}
	if (at < 0 || file_replace(at, name, data, n, 0644) != 0) {
		cli_error(c, "%s: %s", path, strerror(errno));
		if (at >= 0)
			(void)close(at);
		return CLI_FAILED;
	}
	(void)close(at);
	return CLI_OK;
}

/* The head last: until then nodes go by the one before. */
static int
write_all(struct cli *c, const struct publishing *p)
{
	int rc = CLI_OK;

	for (unsigned i = 0; i < p->nstaged && rc == CLI_OK; i++)
		rc = write_one(c, p->dir, p->staged[i].name, p->staged[i].text,
		    p->staged[i].len);
	return rc != CLI_OK ? rc : write_one(c, p->dir, "head", p->frame,
	    p->frame_len);
}

static void
said(struct cli *c, const struct publishing *p)
{
	char to[24], root_to[24];
	json_t *docs = json_object();

	for (unsigned i = 0; i < p->root.ndocs; i++) {
		const struct head_doc *h = head_doc(&p->head,
		    p->root.docs[i].path);

		if (h != NULL)
			(void)json_object_set_new(docs, p->root.docs[i].path,
			    json_integer(h->version));
	}
	if (c->json) {
		cli_json(json_pack("{s:s,s:I,s:I,s:I,s:o}", "authority",
		    p->root.authority, "root", (json_int_t)p->root.version,
		    "head", (json_int_t)p->head.version, "expires",
		    (json_int_t)p->head.expires, "documents", docs));
		return;
	}
	printf("authority  %s\n", p->root.authority);
	printf("root       version %u, until %s\n", p->root.version,
	    cli_time(root_to, p->root.expires));
	printf("head       version %u, until %s\n", p->head.version,
	    cli_time(to, p->head.expires));
	for (unsigned i = 0; i < p->root.ndocs; i++) {
		const struct head_doc *h = head_doc(&p->head,
		    p->root.docs[i].path);

		if (h != NULL)
			printf("document   %s version %u, %u bytes\n",
			    p->root.docs[i].path, h->version, h->length);
	}
	json_decref(docs);
}

static int
publish(struct cli *c, struct publishing *p, char **file)
{
	int rc;

	if ((rc = klpfile_keys_read(c, &p->keys, false)) != CLI_OK)
		return rc;
	if (mkdir(p->folder, 0755) != 0 && errno != EEXIST) {
		cli_error(c, "%s: %s", p->folder, strerror(errno));
		return CLI_FAILED;
	}
	p->dir = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0) {
		cli_error(c, "%s: %s", p->folder, strerror(errno));
		return CLI_FAILED;
	}
	for (; *file != NULL; file++)
		if ((rc = stage(c, p, *file)) != CLI_OK)
			return rc;
	if ((rc = read_roots(c, p)) != CLI_OK ||
	    (rc = read_head(c, p)) != CLI_OK ||
	    (rc = read_documents(c, p)) != CLI_OK ||
	    (rc = make_head(c, p)) != CLI_OK ||
	    (rc = write_all(c, p)) != CLI_OK)
		return rc;
	said(c, p);
	return CLI_OK;
}

int
verb_klp_publish(struct cli *c, int argc, char **argv)
{
	static struct publishing p;
	int rc;

	memset(&p, 0, sizeof(p));
	p.dir = -1;
	p.life = HEAD_LIFE;
	p.now = (uint32_t)time(NULL);
	rc = cli_options(c, VERB_KLP_PUBLISH, argc, argv, set, &p);
	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (p.keys.n == 0) {
		cli_error(c, "--key is missing: the head is signed anew each "
			     "time");
		return CLI_USAGE;
	}
	p.folder = argv[c->arg];
	rc = publish(c, &p, argv + c->arg + 1);
	if (rc == CLI_REFUSED)
		cli_hint(c, "Nothing in %s was changed.", p.folder);
	klpfile_keys_clear(&p.keys);
	for (unsigned i = 0; i < p.nstaged; i++)
		free(p.staged[i].text);
	if (p.dir >= 0)
		(void)close(p.dir);
	return rc;
}
