/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/lawio.h"
#include "trust/lawroots.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"

#define LAW_TURN (1u << 20) /* bytes of a file in one slice */

/* The authority whose files are looked at. */
static struct law_authority *
who(struct law *l)
{
	return &l->auth[l->at];
}

void
lawio_event(struct law *l, enum event_kind kind, unsigned severity,
    const char *code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->ops.event(l->ops.ctx, kind, severity, code, text);
}

/* ---- files ---- */

/* What is being read: a turn of it. Freed with the step that wants it. */
static uint8_t *
read_more(struct law *l, size_t *len)
{
	int rc = file_in_more(&l->in, LAW_TURN);
	uint8_t *p = (uint8_t *)l->in.p;

	if (rc > 0) {
		errno = EAGAIN;
		return NULL;
	}
	*len = l->in.n;
	if (rc == 0)
		l->in.p = NULL; /* the caller's now */
	file_in_close(&l->in);
	return rc < 0 ? NULL : p;
}

static uint8_t *
io_read(void *ctx, const char *name, size_t max, size_t *len)
{
	struct law *l = ctx;

	if (l->web)
		return sources_read(who(l)->src, name, max, len);
	return !l->in.open && klpdir_document_in(&l->dir, &l->in,
	    who(l)->a.name, name, max) < 0 ? NULL : read_more(l, len);
}

static uint8_t *
io_blob(void *ctx, const struct id32 *sha, size_t max, size_t *len)
{
	struct law *l = ctx;

	return !l->in.open && klpdir_blob_in(&l->dir, &l->in, sha, max) < 0 ?
	    NULL : read_more(l, len);
}

static int
io_keep(void *ctx, const struct id32 *sha, const void *p, size_t n)
{
	struct law *l = ctx;
	int rc = !l->out.open && klpdir_keep_out(&l->dir, &l->out, sha, p, n) <
	    0 ? -1 : file_out_more(&l->out, LAW_TURN);

	if (rc < 0)
		file_out_close(&l->out);
	return rc;
}

void
lawio_drop(struct law *l)
{
	file_in_close(&l->in);
	file_out_close(&l->out);
}

static int
io_commit(void *ctx, const void *state, size_t n)
{
	struct law *l = ctx;

	return klpdir_commit(&l->dir, who(l)->a.name, state, n);
}

static void
io_evidence(void *ctx, const struct id32 *sha, const void *p, size_t n)
{
	struct law *l = ctx;

	if (klpdir_evidence(&l->dir, sha, p, n) < 0)
		log_warn(who(l)->a.name, "the second head of one version cannot "
		    "be kept as evidence");
}

/* ---- the brake (klp.md 4.2) ---- */

struct hits {
	const struct law *l;
	struct revset fresh; /* what the new list adds */
};

static bool
is_new(void *ctx, const struct fp *fp, const struct hash16 *rns)
{
	const struct hits *h = ctx;

	if (standing_exempt(&h->l->standing.levels, fp, rns))
		return false;
	return (fp != NULL && revset_find(&h->fresh, REV_KEY, fp->b) != NULL) ||
	    (rns != NULL && revset_find(&h->fresh, REV_RNS, rns->b) != NULL);
}

/* An identity that is listed hits the key that it is bound to. */
static void
bound_hit(void *ctx, const struct binding *b, const struct hash16 *rns)
{
	struct hits *h = ctx;
	struct rev_entry e = {.kind = REV_KEY};
	struct klp_key k;
	struct fp fp;

	if (!binding_key(&k, b) ||
	    revset_find(&h->fresh, REV_RNS, rns->b) == NULL)
		return;
	key_fp(&fp, &k);
	memcpy(e.id, HASH_BYTES(fp));
	(void)revset_add(&h->fresh, &e, 1);
}

/* other: there is a word, of another set. */
static bool
confirmed(struct law *l, const struct law_authority *la,
    const struct id32 *digest, bool *other)
{
	char hex[65];
	size_t n;
	char *text = (char *)klpdir_document(&l->dir, la->a.name,
	    l->list_uri.path, ".confirm", 256, &n);
	bool yes;

	hex_encode(hex, HASH_BYTES(*digest));
	yes = text != NULL && strncmp(text, hex, 64) == 0 &&
	    strspn(text + 64, " \t\r\n") == strlen(text + 64);
	*other = text != NULL && !yes;
	free(text);
	return yes;
}

bool
lawio_held(struct law *l, const struct law_authority *la,
    const struct revlist *next, char why[AUTH_WHY])
{
	struct hits h = {.l = l};
	uint64_t positive, hit;
	char hex[65];
	bool is, other = false;

	/* a first list is what the operator asked for */
	if (l->list.n == 0 && l->list.version == 0)
		return false;
	for (size_t i = 0; i < next->n; i++) {
		const struct rev_entry *e = &next->e[i];

		if (revset_find(&l->standing.revoked, (enum rev_kind)e->kind,
			e->id) == NULL)
			(void)revset_add(&h.fresh, e, 1);
	}
	revset_sort(&h.fresh);
	bindstore_each(l->store, bound_hit, &h);
	revset_sort(&h.fresh);
	standing_count(&l->standing, l->now, is_new, &h, &positive, &hit);
	revset_clear(&h.fresh);
	is = rev_brake(hit, positive) &&
	    !confirmed(l, la, &next->digest, &other);
	hex_encode(hex, HASH_BYTES(next->digest));
	if (is)
		(void)snprintf(why, AUTH_WHY, "would take %llu of %llu at "
		    "once%s: %s", (unsigned long long)hit,
		    (unsigned long long)positive, other ?
		    ", and its .confirm names another set" : "", hex);
	return is;
}

/* ---- documents ---- */

static void
drop_new(struct law *l)
{
	revlist_clear(&l->new_list);
	graph_load_free(l->load);
	l->load = NULL;
	free(l->graph_own);
	l->graph_own = NULL;
	sigset_free(l->kept_sigs);
	l->kept_sigs = NULL;
	l->took_list = l->took_graph = false;
}

static enum auth_take
bad(char why[AUTH_WHY], const char *text)
{
	(void)snprintf(why, AUTH_WHY, "%s", text);
	return TAKE_BAD;
}

static enum auth_take
take_list(struct law *l, const struct env *e, struct auth_claim *c,
    char why[AUTH_WHY])
{
	const char *text;

	revlist_clear(&l->new_list);
	text = revlist_parse(&l->new_list, e->payload, e->payload_len);
	if (text != NULL)
		return bad(why, text);
	l->took_list = true;
	(void)snprintf(c->uri, sizeof(c->uri), "%s", l->new_list.uri);
	c->version = l->new_list.version;
	c->issued = l->new_list.issued;
	c->expires = l->new_list.expires;
	return !l->recall && lawio_held(l, who(l), &l->new_list, why) ?
	    TAKE_HELD : TAKE_GOOD;
}

/*
 * Signatures that need no second check: of the graph that is here, or of this
 * very file before a restart.
 */
static const struct sigset *
checked_before(struct law *l)
{
	uint8_t *buf;
	size_t len;

	if (l->graph != NULL)
		return graph_known(l->graph);
	buf = klpdir_signatures(&l->dir, sigset_file_bytes(GRAPH_EDGES_MAX),
	    &len);
	if (buf != NULL)
		l->kept_sigs = sigset_get(buf, len, &l->graph_sha);
	free(buf);
	return l->kept_sigs;
}

/* They are written in slices behind this one: nothing waits for them. */
static void
keep_checked(struct law *l)
{
	file_out_close(&l->sigs_out);
	free(l->sigs);
	l->sigs = NULL;
	if (l->kept_sigs != NULL || graph_known(l->graph) == NULL)
		return; /* they are what is kept */
	l->sigs = sigset_put(graph_known(l->graph), &l->graph_sha, &l->nsigs);
	if (l->sigs == NULL)
		log_warnx("trust_graph", "no memory to keep its signatures: "
		    "they are checked again after a restart");
}

void
lawio_keep_on(struct law *l)
{
	int rc = !l->sigs_out.open && klpdir_signatures_out(&l->dir,
	    &l->sigs_out, l->sigs, l->nsigs) < 0 ? -1 :
	    file_out_more(&l->sigs_out, LAW_TURN);

	if (rc > 0)
		return;
	if (rc < 0)
		log_warn("trust_graph", "its signatures cannot be kept: they "
		    "are checked again after a restart");
	file_out_close(&l->sigs_out);
	free(l->sigs);
	l->sigs = NULL;
}

/* true: l->load is there, with nothing read yet. */
static bool
begin_graph(struct law *l, struct env *e, const struct auth_claim *c,
    char why[AUTH_WHY])
{
	const char *text;

	free(l->graph_own);
	sigset_free(l->kept_sigs);
	l->kept_sigs = NULL;
	l->graph_sha = c->sha256;
	/* it outlives the file that it came in */
	l->graph_own = e->own;
	e->own = NULL;
	l->load = graph_load_begin(e->payload, e->payload_len, c->signers,
	    c->nsigners, checked_before(l), &text);
	if (l->load == NULL)
		(void)bad(why, text);
	return l->load != NULL;
}

static enum auth_take
take_graph(struct law *l, struct env *e, struct auth_claim *c,
    char why[AUTH_WHY])
{
	const struct graph_head *h;
	const char *text;

	if (l->load == NULL)
		return begin_graph(l, e, c, why) ? TAKE_MORE : TAKE_BAD;
	if (graph_load_step(l->load, GRAPH_BUDGET, &text) < 0)
		return bad(why, text);
	if ((h = graph_load_head(l->load)) == NULL)
		return TAKE_MORE;
	l->took_graph = true;
	(void)snprintf(c->uri, sizeof(c->uri), "%s", h->uri);
	c->version = h->version;
	c->issued = h->issued;
	c->expires = h->expires;
	return TAKE_GOOD;
}

static enum auth_take
io_take(void *ctx, const struct root_doc *rd, struct env *e,
    struct auth_claim *c, char why[AUTH_WHY])
{
	struct law *l = ctx;
	const char *name = who(l)->a.name;

	if (l->has_list && strcmp(rd->path, l->list_uri.path) == 0 &&
	    strcmp(name, l->list_uri.authority) == 0)
		return strcmp(rd->type, REVLIST_TYPE) == 0 ?
		    take_list(l, e, c, why) :
		    bad(why, "its root says that it is no revocation list");
	if (lawroots_of(l, name, rd->path))
		return lawroots_take(l, name, rd, e, c, why);
	return strcmp(rd->type, "klp.trust-graph") == 0 ?
	    take_graph(l, e, c, why) :
	    bad(why, "its root says that it is no trust graph");
}

int
lawio_read_on(struct law *l, const char **why)
{
	return l->load == NULL ? 0 :
	    graph_load_step(l->load, GRAPH_BUDGET, why);
}

static bool
revoked_fp(void *ctx, const struct fp *fp)
{
	const struct law *l = ctx;

	return revset_state(&l->standing.revoked, REV_KEY, fp->b) !=
	    REV_NONE && !standing_exempt(&l->standing.levels, fp, NULL);
}

void
lawio_revoked(struct law *l)
{
	if (l->standing.now != NULL)
		kte1_revoked(l->standing.now, revoked_fp, l);
	if (l->standing.then != NULL)
		kte1_revoked(l->standing.then, revoked_fp, l);
}

int
lawio_index(struct law *l)
{
	struct standing *s = &l->standing;

	kte1_free(s->now);
	kte1_free(s->then);
	s->now = s->then = NULL;
	s->g = l->graph;
	if (l->graph == NULL)
		return 0;
	s->now = kte1_new(l->graph, s->levels.anchors, s->levels.nanchors);
	s->then = kte1_new(l->graph, s->levels.anchors, s->levels.nanchors);
	if (s->now == NULL || s->then == NULL) {
		kte1_free(s->now);
		kte1_free(s->then);
		s->now = s->then = NULL;
		log_errx("trust_graph", "no memory for its index: pins and "
		    "anchors alone count");
		return -1;
	}
	lawio_revoked(l);
	return 0;
}

static void
settle_graph(struct law *l)
{
	char says[GRAPH_SAYS_MAX];

	graph_load_says(says, l->load);
	graph_free(l->graph);
	l->graph = graph_load_take(l->load);
	log_notice("trust_graph", "%s", says);
	keep_checked(l);
	/* law_follow() makes its index, since l->changed */
}

static void
io_settle(void *ctx, bool yes)
{
	struct law *l = ctx;

	if (yes && l->took_list) {
		revlist_clear(&l->list);
		l->list = l->new_list;
		memset(&l->new_list, 0, sizeof(l->new_list));
		l->held[0] = '\0';
		l->replay = true;
	}
	if (yes && l->took_graph)
		settle_graph(l);
	lawroots_settle(l, yes);
	l->changed |= yes;
	drop_new(l);
}

void
lawio_init(struct law *l)
{
	l->io = (struct auth_io){l, io_read, io_blob, io_keep, io_commit,
	    io_evidence, io_take, io_settle};
}

void
lawio_free(struct law *l)
{
	drop_new(l);
	lawio_drop(l);
	file_out_close(&l->sigs_out);
	free(l->sigs);
	kte1_free(l->standing.now);
	kte1_free(l->standing.then);
}
