/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/authority.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/doc/authstate.h"
#include "trust/doc/authstep.h"
#include "trust/doc/digest.h"
#include "trust/doc/fresh.h"
#include "trust/doc/revlist.h"
#include "common/util.h"

/* Takes p. */
static void
hold(struct auth_step *s, uint8_t *p, size_t len, struct id32 *sha)
{
	digest_of(sha, p, len);
	s->files[s->nfiles].p = p;
	s->files[s->nfiles].len = len;
	s->files[s->nfiles++].sha = *sha;
}

static void
step_free(struct auth_step *s)
{
	if (s == NULL)
		return;
	authdoc_clear(s);
	if (s->root != NULL)
		root_turns_end(&s->turns);
	free(s->root);
	while (s->nfiles > 0)
		free(s->files[--s->nfiles].p);
	free(s);
}

bool
authority_want(struct authority *a, const char *path)
{
	for (unsigned i = 0; i < a->nwant; i++)
		if (strcmp(a->want[i], path) == 0)
			return true;
	if (a->nwant >= AUTH_WANT_MAX || strlen(path) > URI_MAX)
		return false;
	memcpy(a->want[a->nwant++], path, strlen(path) + 1);
	return true;
}

static struct auth_doc *
doc_find(struct auth_state *st, const char *path)
{
	for (unsigned i = 0; i < st->ndocs; i++)
		if (strcmp(st->docs[i].path, path) == 0)
			return &st->docs[i];
	return NULL;
}

const struct auth_doc *
authority_doc(const struct authority *a, const char *path)
{
	return doc_find((struct auth_state *)(uintptr_t)&a->state, path);
}

bool
authority_keeps(const struct authority *a, unsigned i, struct id32 *sha)
{
	if (i == 0)
		*sha = a->state.root_sha;
	else if (i == 1)
		*sha = a->state.has_head ? a->state.head_sha :
		    a->state.root_sha;
	else if (i - 2 < a->state.ndocs)
		*sha = a->state.docs[i - 2].sha256;
	else
		return false;
	return true;
}

/* ---- step 2: the root ---- */

static void
forget(struct auth_state *st)
{
	st->has_head = false;
	st->ndocs = 0;
}

static void
root_name(char out[32], const struct auth_step *s)
{
	(void)snprintf(out, 32, "%llu.root.json",
	    (unsigned long long)s->next.state.root_version + 1);
}

static bool walk(struct auth_step *);

static void
take_root(struct auth_step *s)
{
	struct root *r = s->root;

	if (!root_role_same(&s->next.root, r, "head")) {
		/* who had the old keys could have signed any version */
		forget(&s->next.state);
		if (r->version > s->next.least.root_version)
			forget(&s->next.least);
		s->forgot = true;
	}
	s->walked = true;
	s->next.root = *r;
	s->next.state.root_version = r->version;
	root_turns_end(&s->turns);
	free(r);
	s->root = NULL;
	s->turn = walk;
}

static bool
check_root(struct auth_step *s)
{
	const char *why = "";
	char name[32];
	int rc = root_turns_step(&s->turns, AUTH_TURN, &why);

	root_name(name, s);
	if (rc < 0)
		return auth_ended(s, AUTH_BAD, name, why);
	if (rc == 0)
		take_root(s);
	return true;
}

static bool
walk_one(struct auth_step *s, const char *name, uint8_t *buf, size_t len)
{
	const char *why = "";

	if ((s->root = malloc(sizeof(*s->root))) == NULL)
		return auth_ended(s, AUTH_FAILED, name, "no memory");
	s->turn = check_root;
	return root_turns_begin(&s->turns, s->root, &s->next.root, buf, len,
		   &why) == 0 || auth_ended(s, AUTH_BAD, name, why);
}

static bool take_head(struct auth_step *);

/* No newer one is there. */
static bool
walked_all(struct auth_step *s)
{
	if (s->next.state.root_version < s->next.least.root_version)
		return auth_ended(s, AUTH_ROLLBACK, "root",
		    "older than the one that was known: the roots up to that "
		    "are missing");
	if (auth_early(s->next.root.issued, s->now))
		return auth_ended(s, AUTH_BAD, "root",
		    "issued in the future: is the clock right?");
	if (s->next.root.expires <= s->now)
		return auth_ended(s, AUTH_BAD, "root", "has expired");
	s->turn = take_head;
	return true;
}

/* The next root. */
static bool
walk(struct auth_step *s)
{
	char name[32];
	uint8_t *buf;
	size_t len;

	if (s->roots++ == AUTH_ROOT_STEPS)
		return walked_all(s);
	root_name(name, s);
	buf = s->io->read(s->io->ctx, name, ROOT_BYTES, &len);
	if (buf == NULL && errno == ENOENT)
		return walked_all(s);
	if (buf == NULL)
		return auth_ended(s, AUTH_FAILED, name, strerror(errno));
	hold(s, buf, len, &s->next.state.root_sha);
	return walk_one(s, name, buf, len);
}

/* ---- step 3: the head ---- */

static bool take_docs(struct auth_step *);

/* What is not wanted any more is not kept either. */
static void
drop_docs(struct authority *a)
{
	struct auth_state *st = &a->state;

	for (unsigned i = 0; i < st->ndocs;) {
		bool wanted = false;

		for (unsigned k = 0; k < a->nwant; k++)
			wanted |= strcmp(a->want[k], st->docs[i].path) == 0;
		if (wanted)
			i++;
		else
			st->docs[i] = st->docs[--st->ndocs];
	}
}

static bool
head_newer(struct auth_step *s, const struct head *h,
    const struct auth_state *st)
{
	if (!st->has_head)
		return true;
	if (h->version < st->head_version)
		return auth_ended(s, AUTH_ROLLBACK, "head",
		    "older than the one that is known");
	if (h->version == st->head_version &&
	    !id32_eq(&h->digest, &st->head_digest))
		return auth_ended(s, AUTH_EQUIVOCATION, "head",
		    "another of this version is known: its authority has "
		    "signed both");
	return true;
}

static bool
head_good(struct auth_step *s, const struct head *h)
{
	if (!env_check_good(&s->at.check))
		return auth_ended(s, AUTH_BAD, "head",
		    "fewer keys have signed it than its root asks for");
	if (memcmp(h->atag, s->next.state.id.b, sizeof(h->atag)) != 0)
		return auth_ended(s, AUTH_BAD, "head", "of another authority");
	if (h->root_version != s->next.state.root_version)
		return auth_ended(s, AUTH_BAD, "head",
		    "of another version of the root");
	if (auth_early(h->issued, s->now))
		return auth_ended(s, AUTH_BAD, "head",
		    "issued in the future: is the clock right?");
	if (!head_newer(s, h, &s->next.state) ||
	    !head_newer(s, h, &s->next.least))
		return false;
	if (h->expires <= s->now)
		return auth_ended(s, AUTH_BAD, "head", "has expired");
	return true;
}

static bool
check_head(struct auth_step *s)
{
	struct auth_state *st = &s->next.state;
	const struct head *h = &s->head;
	bool good;

	if (env_check_step(&s->at.check, AUTH_TURN))
		return true;
	/* evidence against an authority is kept */
	if ((good = head_good(s, h)) || s->report.end == AUTH_EQUIVOCATION) {
		hold(s, s->at.buf, s->at.len, &st->head_sha);
		s->at.buf = NULL;
	}
	if (!good)
		return false;
	st->has_head = true;
	st->head_version = h->version;
	st->head_issued = h->issued;
	st->head_digest = h->digest;
	s->next.head = *h;
	drop_docs(&s->next);
	s->turn = take_docs;
	return true;
}

static bool
take_head(struct auth_step *s)
{
	const struct root *r = &s->next.root;
	const char *why;
	uint8_t *buf;
	size_t len;

	buf = s->io->read(s->io->ctx, "head", HEAD_BYTES, &len);
	if (buf == NULL && errno == ENOENT)
		return !s->walked ? auth_ended(s, AUTH_NONE, "", "") :
		    auth_ended(s, AUTH_BAD, "head",
			"there is none for the new root");
	if (buf == NULL)
		return auth_ended(s, AUTH_FAILED, "head", strerror(errno));
	s->at.buf = buf;
	s->at.len = len;
	if ((why = head_parse(&s->head, &s->at.e, buf, len)) != NULL)
		return auth_ended(s, AUTH_BAD, "head", why);
	root_check_begin(&s->at.check, s->at.keys, r, root_role(r, "head"),
	    &s->at.e, TYPE_HEAD);
	s->turn = check_head;
	return true;
}

/* ---- step 4: documents ---- */

static bool
take_doc(struct auth_step *s, const char *path)
{
	const struct root_doc *rd = root_doc(&s->next.root, path);
	const struct head_doc *hd = head_doc(&s->next.head, path);
	struct auth_doc *d = doc_find(&s->next.state, path);
	const struct auth_doc *least = doc_find(&s->next.least, path);

	if (rd == NULL || hd == NULL)
		return auth_ended(s, AUTH_BAD, path, rd == NULL ?
			"its root does not name it" :
			"the head does not name it");
	if ((d != NULL && hd->version < d->version) ||
	    (least != NULL && hd->version < least->version))
		return auth_ended(s, AUTH_ROLLBACK, path,
		    "older than the one that is known");
	/* the same bytes under the same keys need no second look */
	if (d != NULL && id32_eq(&d->sha256, &hd->sha256) &&
	    d->version == hd->version && !s->walked)
		return true;
	if (d == NULL) {
		d = &s->next.state.docs[s->next.state.ndocs++];
		memcpy(d->path, path, strlen(path) + 1);
	}
	authdoc_begin(s, rd, d, hd->version, hd->length, &hd->sha256);
	return true;
}

static bool
same(const struct authority *a, const struct auth_step *s)
{
	const struct auth_state *x = &a->state, *y = &s->next.state;

	if (!x->has_head || x->root_version != y->root_version ||
	    !id32_eq(&x->head_digest, &y->head_digest) ||
	    x->ndocs != y->ndocs)
		return false;
	for (unsigned i = 0; i < x->ndocs; i++)
		if (strcmp(x->docs[i].path, y->docs[i].path) != 0 ||
		    !id32_eq(&x->docs[i].sha256, &y->docs[i].sha256))
			return false;
	return true;
}

static bool
take_docs(struct auth_step *s)
{
	int rc = s->at.turn == NULL ? 0 : authdoc_turn(s);

	if (rc != 0)
		return rc > 0;
	if (s->doc < s->next.nwant)
		return take_doc(s, s->next.want[s->doc++]);
	s->turn = NULL;
	return !same(s->a, s) ? true : auth_ended(s, AUTH_SAME, "", "");
}

/* ---- step 5: everything kept, then the state ---- */

static uint32_t
latest(const struct auth_step *s)
{
	uint32_t at = MAX_OF(s->next.root.issued, s->next.head.issued);

	for (unsigned i = 0; i < s->next.state.ndocs; i++)
		at = MAX_OF(at, s->next.state.docs[i].issued);
	/* what may lie ahead of the clock is no proof against it */
	return MIN_OF(at, s->now);
}

static bool
commit(struct auth_step *s)
{
	uint8_t *out = malloc(AUTH_STATE_BYTES);
	size_t n;
	bool ok;

	s->next.state.floor = MAX_OF(s->next.state.floor, latest(s));
	n = out == NULL ? 0 : authstate_put(out, AUTH_STATE_BYTES,
	    &s->next.state);
	ok = n > 0 && s->io->commit(s->io->ctx, out, n) == 0;
	free(out);
	return ok;
}

int
authority_keep(struct auth_step *s)
{
	int rc = 0;

	if (s->ended)
		return -1;
	if (s->kept || s->committed)
		return 0;
	if (s->nkept < s->nfiles) {
		rc = s->io->keep(s->io->ctx, &s->files[s->nkept].sha,
		    s->files[s->nkept].p, s->files[s->nkept].len);
		s->nkept += rc == 0;
		if (rc >= 0)
			return 1;
	} else if (commit(s)) {
		s->committed = true;
		return 0;
	}
	(void)auth_ended(s, AUTH_FAILED, "",
	    "cannot be kept, and so does not count");
	return -1;
}

/* Two heads of one version: both are kept, and neither is followed. */
static void
keep_evidence(struct auth_step *s)
{
	const unsigned last = s->nfiles - 1;

	s->io->evidence(s->io->ctx, &s->files[last].sha, s->files[last].p,
	    s->files[last].len);
}

static struct auth_step *
step_new(const struct authority *a, const struct auth_io *io, uint32_t now)
{
	struct auth_step *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->report.end = AUTH_NONE;
	s->a = a;
	s->io = io;
	s->now = now;
	s->next = *a;
	return s;
}

struct auth_step *
authority_begin(const struct authority *a, const struct auth_io *io,
    uint32_t now)
{
	struct auth_step *s = step_new(a, io, now);

	if (s != NULL)
		s->turn = walk;
	return s;
}

int
authority_step(struct auth_step *s)
{
	if (!s->ended && s->turn != NULL)
		(void)s->turn(s);
	return s->ended ? -1 : s->turn != NULL;
}

/* It is over, and counts. */
static void
accept(struct authority *a, struct auth_step *s)
{
	*a = s->next;
	memset(&a->least, 0, sizeof(a->least));
	s->report.end = s->kept ? AUTH_NONE : AUTH_NEW;
	(void)snprintf(s->report.why, sizeof(s->report.why), "%s", s->forgot ?
	    "the head has other keys: versions begin anew" : "");
}

void
authority_end(struct authority *a, struct auth_step *s, const char *why,
    struct auth_report *rep)
{
	if (s == NULL) {
		*rep = (struct auth_report){.end = AUTH_FAILED,
		    .why = "no memory"};
		return;
	}
	if (why != NULL && !s->ended)
		(void)auth_ended(s, AUTH_BAD, "", why);
	while (authority_step(s) > 0 || authority_keep(s) > 0)
		continue;
	if (s->took)
		s->io->settle(s->io->ctx, !s->ended);
	if (!s->ended)
		accept(a, s);
	else if (s->report.end == AUTH_EQUIVOCATION)
		keep_evidence(s);
	/* what was known bounds what may come instead */
	if (s->ended && s->known)
		a->least = s->next.state;
	*rep = s->report;
	step_free(s);
}

void
authority_update(struct authority *a, const struct auth_io *io, uint32_t now,
    struct auth_report *rep)
{
	authority_end(a, authority_begin(a, io, now), NULL, rep);
}

/* ---- at the start ---- */

/* NULL as well when it is not what was kept. */
static uint8_t *
kept(const struct auth_io *io, const struct id32 *sha, size_t max, size_t *len)
{
	uint8_t *p = io->blob(io->ctx, sha, max, len);
	struct id32 is;

	if (p == NULL)
		return NULL;
	digest_of(&is, p, *len);
	if (id32_eq(&is, sha))
		return p;
	free(p);
	return NULL;
}

/* The root that was reached, when it is not the pinned one. */
static bool
load_root(struct auth_step *s)
{
	struct auth_state *st = &s->next.state;
	const char *why;
	uint8_t *buf;
	struct env e;
	size_t len;

	if (st->root_version <= 1)
		return true;
	buf = kept(s->io, &st->root_sha, ROOT_BYTES, &len);
	if (buf == NULL)
		return auth_ended(s, AUTH_BAD, "root",
		    "what was kept of it is gone: the chain of roots is "
		    "walked again");
	/* it was checked against its forerunner when it was kept */
	if (env_parse(&e, buf, len, ROOT_BYTES, ROOT_BYTES, &why) == 0)
		why = root_parse(&s->next.root, e.payload, e.payload_len);
	env_clear(&e);
	free(buf);
	if (why == NULL && s->next.root.version != st->root_version)
		why = "of another version";
	return why == NULL ? true : auth_ended(s, AUTH_BAD, "root", why);
}

static bool
load_head(struct auth_step *s)
{
	struct auth_state *st = &s->next.state;
	const char *why;
	uint8_t *buf;
	struct env e;
	size_t len;

	if (!st->has_head)
		return true;
	buf = kept(s->io, &st->head_sha, HEAD_BYTES, &len);
	why = buf == NULL ? "what was kept of it is gone" :
	    head_parse(&s->next.head, &e, buf, len);
	if (why == NULL && !id32_eq(&s->next.head.digest, &st->head_digest))
		why = "what was kept of it is another one";
	free(buf);
	return why == NULL ? true : auth_ended(s, AUTH_BAD, "head", why);
}

static bool
load_doc(struct auth_step *s, struct auth_doc *d)
{
	const struct root_doc *rd = root_doc(&s->next.root, d->path);

	if (rd == NULL)
		return auth_ended(s, AUTH_BAD, d->path,
		    "its root does not name it");
	authdoc_begin(s, rd, d, d->version, d->length, &d->sha256);
	return true;
}

static bool
load_docs(struct auth_step *s)
{
	int rc = s->at.turn == NULL ? 0 : authdoc_turn(s);

	if (rc != 0)
		return rc > 0;
	if (s->doc < s->next.state.ndocs)
		return load_doc(s, &s->next.state.docs[s->doc++]);
	s->turn = NULL;
	return true;
}

static bool
load_rest(struct auth_step *s)
{
	if (!load_root(s) || !load_head(s))
		return false;
	drop_docs(&s->next);
	s->turn = load_docs;
	return true;
}

/*
 * What was kept. What cannot be used comes again from the folder, but no older
 * version of it than the state says: that is what the state is for.
 */
struct auth_step *
authority_recall(const struct authority *a, const void *state, size_t len,
    const struct auth_io *io)
{
	/* its times were looked at when it came */
	struct auth_step *s = step_new(a, io, UINT32_MAX);

	if (s == NULL)
		return NULL;
	s->kept = true;
	s->turn = load_rest;
	if (!authstate_get(&s->next.state, state, len))
		(void)auth_ended(s, AUTH_BAD, "state", "damaged");
	else if (!id32_eq(&s->next.state.id, &a->state.id))
		(void)auth_ended(s, AUTH_BAD, "state",
		    "of another root: the operator has pinned a new one");
	else
		s->known = true;
	return s;
}

void
authority_load(struct authority *a, const void *state, size_t len,
    const struct auth_io *io, struct auth_report *rep)
{
	authority_end(a, authority_recall(a, state, len, io), NULL, rep);
}

const char *
authority_pin(struct authority *a, const void *root, size_t len)
{
	const char *why;

	memset(&a->state, 0, sizeof(a->state));
	memset(&a->least, 0, sizeof(a->least));
	if ((why = root_first(&a->root, &a->state.id, root, len)) != NULL)
		return why;
	if (strncmp(a->name, "x-", 2) == 0) {
		char self[URI_SELF_LEN + 1];

		uri_self(self, &a->state.id);
		if (strcmp(self, a->name) != 0)
			return "not the root whose digest this name is";
	} else if (strcmp(a->root.authority, a->name) != 0) {
		return "names another authority than its file";
	}
	digest_of(&a->state.root_sha, root, len);
	a->state.root_version = 1;
	return NULL;
}
