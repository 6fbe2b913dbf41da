/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "trust/egress/pull.h"

#include <errno.h>
#include <nettle/base64.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fileat.h"
#include "common/ipc.h"
#include "common/util.h"
#include "trust/egress/regget.h"

#define AT_ONCE 3    /* blobs; ours: what registries and people bear */
#define DEPTH_MOST 2 /* indexes, one in another; as hand takes */
#define SAY_S .25    /* how often progress is told */

struct pull {
	struct regset set;
	char *named;
	struct msg_PULL ask;
	struct platform platform;
	ev_timer say;

	/* the document that is asked for, or one that waits for its file */
	struct regget doc;
	struct id32 want; /* its digest, when one is promised */
	bool promised, waits;
	struct id32 got; /* the digest that it has */
	unsigned depth;
	struct regdoc *image;
	struct msg_PULL_END end;
	bool over;

	/* config and layers: each waits, is wanted, is fetched, is here */
	struct blob {
		struct regdoc_blob is;
		enum { BLOB_WAITS, BLOB_WANTED, BLOB_COMES, BLOB_HERE } state;
	} blob[REGDOC_LAYERS + 1];
	unsigned nblobs, here, busy;
	struct regget get[AT_ONCE];
	uint64_t done; /* bytes of those that are here */
};

static void next_document(struct pull *, const struct regdoc_blob *);
static void go_on(struct pull *);

/* ---- what is said ---- */

static void
tell(struct pull *p)
{
	struct msg_PULL_AT m = {.done = p->done, .total = p->end.total,
	    .fetched = p->set.fetched};

	for (unsigned i = 0; i < AT_ONCE; i++)
		if (p->get[i].state != REGGET_FREE)
			m.done += p->get[i].len;
	(void)ipc_send_PULL_AT(p->set.prog->parent, &m, NULL, 0);
}

static void
on_say(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	tell(w->data);
}

/* Once; what is under way ends. */
static void
end(struct pull *p, enum fetch_end how, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void
end(struct pull *p, enum fetch_end how, const char *fmt, ...)
{
	char text[sizeof(p->end.why)];
	va_list ap;

	if (p->over)
		return;
	p->over = true;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)text_printable(p->end.why, sizeof(p->end.why), text,
	    strlen(text));
	p->end.end = (uint8_t)how;
	p->end.fetched = p->set.fetched;
	ev_timer_stop(p->set.loop, &p->say);
	(void)ipc_send_PULL_END(p->set.prog->parent, &p->end, NULL, 0);
}

/* ---- blobs ---- */

static bool
want(struct pull *p, enum pull_kind kind, const struct id32 *digest,
    uint64_t size, const char *type)
{
	struct msg_PULL_WANT m = {.kind = (uint8_t)kind, .digest = *digest,
	    .size = size};

	(void)snprintf(m.type, sizeof(m.type), "%s", type);
	return ipc_send_PULL_WANT(p->set.prog->parent, &m, NULL, 0) == 0;
}

static void
go_on(struct pull *p)
{
	if (p->over)
		return;
	if (p->here == p->nblobs) {
		end(p, FETCH_OK, "%s", "");
		return;
	}
	for (unsigned i = 0; i < p->nblobs && p->busy < AT_ONCE; i++) {
		struct blob *b = &p->blob[i];

		if (b->state != BLOB_WAITS)
			continue;
		b->state = BLOB_WANTED;
		p->busy++;
		if (!want(p, PULL_BLOB, &b->is.digest, b->is.size, ""))
			return; /* who asked is gone, and we with him */
	}
}

static struct blob *
blob_of(struct pull *p, const struct id32 *digest)
{
	for (unsigned i = 0; i < p->nblobs; i++)
		if (id32_eq(&p->blob[i].is.digest, digest))
			return &p->blob[i];
	return NULL;
}

static void
blob_done(struct pull *p, struct regget *g)
{
	struct msg_PULL_GOT m = {.digest = g->digest};
	struct blob *b = blob_of(p, &g->digest);
	char hex[65];

	if (g->end != FETCH_OK) {
		hex_encode(hex, HASH_BYTES(g->digest));
		end(p, g->end, "sha256:%.12s: %s", hex, g->why);
		return;
	}
	b->state = BLOB_HERE;
	p->done += b->is.size;
	p->here++;
	p->busy--;
	regget_clear(g);
	(void)ipc_send_PULL_GOT(p->set.prog->parent, &m, NULL, 0);
	go_on(p);
}

/* A file for the document that is here. */
static bool
want_document(struct pull *p, enum pull_kind kind)
{
	p->waits = true;
	return want(p, kind, &p->got, p->doc.len, regdoc_type(p->image->kind));
}

/* Config first: it is small, and the first to be refused. */
static void
plan(struct pull *p, const struct regdoc *d)
{
	p->end.total = d->total;
	p->end.layers = (uint16_t)d->nlayers;
	if (d->total > p->ask.max) {
		end(p, FETCH_SIZE, "it has %llu bytes, more than the %llu "
		    "that --max allows", (unsigned long long)d->total,
		    (unsigned long long)p->ask.max);
		return;
	}
	p->blob[p->nblobs++].is = d->config;
	for (unsigned i = 0; i < d->nlayers; i++)
		if (blob_of(p, &d->layer[i].digest) == NULL)
			p->blob[p->nblobs++].is = d->layer[i];
	/* its file, then all others: the command may have it already */
	if (want_document(p, PULL_MANIFEST))
		ev_timer_start(p->set.loop, &p->say);
}

/* ---- documents ---- */

static bool
same_as_said(struct pull *p, const struct id32 *got)
{
	const char *said = p->doc.head.digest;
	struct id32 d;

	if (p->promised && !id32_eq(got, &p->want)) {
		end(p, FETCH_BROKEN, "its manifest has another digest than "
		    "the one that was asked for");
		return false;
	}
	if (said[0] != '\0' && (!image_digest(&d, said) ||
		!id32_eq(got, &d))) {
		end(p, FETCH_BROKEN, "its manifest has another digest than "
		    "the registry says");
		return false;
	}
	return true;
}

static void
doc_done(struct pull *p)
{
	struct regget *g = &p->doc;
	struct sha256_ctx sum;
	char why[256];

	if (g->end != FETCH_OK) {
		end(p, g->end, "%s", g->why);
		return;
	}
	sha256_init(&sum);
	sha256_update(&sum, (size_t)g->len, g->doc);
	sha256_digest(&sum, sizeof(p->got.b), p->got.b);
	if (!same_as_said(p, &p->got))
		return;
	if (!regdoc_parse(p->image, g->head.type, g->doc, (size_t)g->len,
		&p->platform, why, sizeof(why))) {
		end(p, FETCH_BROKEN, "%s", why);
		return;
	}
	switch (p->image->kind) {
	case REGDOC_OCI_INDEX:
	case REGDOC_DOCKER_LIST:
		if (++p->depth > DEPTH_MOST)
			end(p, FETCH_BROKEN, "an index within an index, and "
			    "so on");
		else
			(void)want_document(p, PULL_INDEX);
		break;
	default:
		plan(p, p->image);
	}
}

static void
next_document(struct pull *p, const struct regdoc_blob *b)
{
	char path[96], hex[65];
	size_t max = (size_t)b->size;

	p->want = b->digest;
	p->promised = true;
	hex_encode(hex, HASH_BYTES(b->digest));
	(void)snprintf(path, sizeof(path), "manifests/sha256:%s", hex);
	regget_clear(&p->doc);
	regget_doc(&p->doc, &p->set, path, max > 0 ? max : 1);
}

static void
on_done(void *ctx, struct regget *g)
{
	struct pull *p = ctx;

	if (p->over)
		return;
	if (g == &p->doc)
		doc_done(p);
	else
		blob_done(p, g);
}

static void
on_shown(void *ctx, bool ok, const struct regget *token)
{
	struct pull *p = ctx;
	struct regget *t = (struct regget *)(uintptr_t)token;

	regget_shown(&p->doc, ok, token);
	for (unsigned i = 0; i < AT_ONCE; i++)
		regget_shown(&p->get[i], ok, token);
	regget_clear(t);
	free(t);
}

/* ---- what comes from the command ---- */

static void
document_file(struct pull *p, int fd)
{
	struct msg_PULL_GOT m = {.digest = p->got};
	bool ok = p->doc.len > 0 && ftruncate(fd, 0) == 0 &&
	    write_at(fd, p->doc.doc, (size_t)p->doc.len, 0);

	p->waits = false;
	(void)close(fd);
	if (!ok) {
		end(p, FETCH_OWN, "its manifest cannot be written: %s",
		    strerror(errno));
		return;
	}
	regget_clear(&p->doc);
	(void)ipc_send_PULL_GOT(p->set.prog->parent, &m, NULL, 0);
	if (p->image->kind == REGDOC_OCI_INDEX ||
	    p->image->kind == REGDOC_DOCKER_LIST)
		next_document(p, &p->image->pick);
	else
		go_on(p);
}

void
pull_file(struct pull *p, const struct msg_PULL_FILE *m, int fd)
{
	struct blob *b = blob_of(p, &m->digest);

	if (p->over) {
		(void)close(fd);
		return;
	}
	if (p->waits && id32_eq(&m->digest, &p->got)) {
		document_file(p, fd);
		return;
	}
	for (unsigned i = 0; b != NULL && b->state == BLOB_WANTED &&
	     i < AT_ONCE; i++) {
		if (p->get[i].state != REGGET_FREE)
			continue;
		b->state = BLOB_COMES;
		regget_blob(&p->get[i], &p->set, &b->is.digest, b->is.size, fd);
		return;
	}
	(void)close(fd); /* nobody has asked for it */
}

bool
pull_looked_up(struct pull *p, const struct msg_LOOKED_UP *m)
{
	if (p == NULL)
		return false;
	if (regget_looked_up(&p->doc, m) ||
	    (p->set.token != NULL && regget_looked_up(p->set.token, m)))
		return true;
	for (unsigned i = 0; i < AT_ONCE; i++)
		if (regget_looked_up(&p->get[i], m))
			return true;
	return false;
}

/* ---- begin and end ---- */

/* "Authorization: Basic ..." of what the memfd says; false: there is none. */
static bool
take_secret(struct pull *p, int fd)
{
	static const char head[] = "Authorization: Basic ";
	size_t len = 0, n;
	const uint8_t *map = memfd_map(fd, &len, IPC_PULL_SECRET);

	if (map == NULL)
		return false;
	n = sizeof(head) + BASE64_ENCODE_RAW_LENGTH(len);
	p->set.basic = malloc(n);
	if (p->set.basic != NULL) {
		memcpy(p->set.basic, head, sizeof(head));
		base64_encode_raw(p->set.basic + sizeof(head) - 1, len, map);
		p->set.basic[n - 1] = '\0';
	}
	memfd_unmap(map, len);
	return p->set.basic != NULL;
}

/* The registry itself is named by being asked for. */
static bool
name_hosts(struct pull *p, const char *hosts)
{
	const struct weburl *u = &p->set.registry.host;

	if (asprintf(&p->named, u->family == 6 ? "[%s]:%u\n%s" : "%s:%u\n%s",
		u->host, u->port, hosts == NULL ? "" : hosts) < 0)
		p->named = NULL;
	p->set.named = p->named;
	return p->named != NULL;
}

static const char *
registry_url(struct pull *p)
{
	char url[sizeof(p->ask.host) + 32];
	bool v6 = strchr(p->ask.host, ':') != NULL;
	int n = snprintf(url, sizeof(url), "%s://%s%s%s", p->ask.insecure ?
	    "http" : "https", v6 ? "[" : "", p->ask.host, v6 ? "]" : "");

	if (p->ask.port != 0)
		n += snprintf(url + n, sizeof(url) - (size_t)n, ":%u",
		    p->ask.port);
	return regurl_parse(&p->set.registry, url, (size_t)n);
}

static void
begin(struct pull *p)
{
	char path[160];

	p->promised = image_digest(&p->want, p->ask.ref);
	(void)snprintf(path, sizeof(path), "manifests/%s", p->ask.ref);
	regget_doc(&p->doc, &p->set, path, REGDOC_MAX);
}

struct pull *
pull_new(struct ev_loop *loop, struct transfers *ts, struct process *prog,
    uint32_t *asked, const struct msg_PULL *m, const char *hosts, int secret)
{
	struct pull *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->ask = *m;
	p->platform = platform_here();
	p->set = (struct regset){.loop = loop, .ts = ts, .prog = prog,
	    .asked = asked, .insecure = m->insecure, .hub = m->hub,
	    .done = on_done, .shown = on_shown, .ctx = p};
	memcpy(p->set.pin, m->pin, sizeof(p->set.pin));
	memcpy(p->set.repo, m->repo, sizeof(p->set.repo));
	ev_timer_init(&p->say, on_say, SAY_S, SAY_S);
	p->say.data = p;
	if (registry_url(p) != NULL || !name_hosts(p, hosts) ||
	    (p->image = malloc(sizeof(*p->image))) == NULL ||
	    (secret >= 0 && !take_secret(p, secret))) {
		pull_free(p);
		return NULL;
	}
	begin(p);
	return p;
}

void
pull_free(struct pull *p)
{
	if (p == NULL)
		return;
	ev_timer_stop(p->set.loop, &p->say);
	regget_clear(&p->doc);
	for (unsigned i = 0; i < AT_ONCE; i++)
		regget_clear(&p->get[i]);
	if (p->set.token != NULL)
		regget_clear(p->set.token);
	free(p->set.token);
	if (p->set.basic != NULL)
		explicit_bzero(p->set.basic, strlen(p->set.basic));
	free(p->set.basic);
	explicit_bzero(p->set.bearer, sizeof(p->set.bearer));
	free(p->named);
	free(p->image);
	free(p);
}
