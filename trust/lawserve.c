/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "common/wire.h"
#include "node/proto/proto.h"
#include "trust/doc/delta.h"
#include "trust/doc/digest.h"
#include "trust/lawio.h"

/*
 * Documents that others ask this node for (klp.md 1.6). What is given is what
 * counts here: the root and the head that were accepted, and of documents the
 * bytes that this head names, be they read here or lie in klp/documents for
 * others. Whoever gets them verifies them himself.
 */
#define GIVEN_BYTES (4u << 20) /* ours: of one that only lies in the folder */

static struct law_authority *
by_tag(struct law *l, const uint8_t atag[8])
{
	for (unsigned i = 0; i < l->nauth; i++)
		if (l->auth[i].pinned &&
		    memcmp(l->auth[i].a.state.id.b, atag, 8) == 0)
			return &l->auth[i];
	return NULL;
}

static struct law_authority *
by_uri(struct law *l, const struct klp_uri *u)
{
	for (unsigned i = 0; i < l->nauth; i++) {
		struct law_authority *la = &l->auth[i];

		if (la->pinned && (u->self ? id32_eq(&la->a.state.id,
		    &u->root) : strcmp(la->a.name, u->authority) == 0))
			return la;
	}
	return NULL;
}

static size_t
whole(struct msg_V_GIVEN *out, uint32_t version, const uint8_t *p, size_t len)
{
	if (p == NULL)
		return 0;
	out->status = ST_OK;
	out->version = version;
	out->len = (uint32_t)len;
	digest_of(&out->sha, p, len);
	return len;
}

/* ---- roots and heads ---- */

void
lawserve_roots(struct law *l, const struct law_authority *la, uint32_t before)
{
	for (uint32_t v = before + 1; v <= la->a.state.root_version; v++) {
		char name[32];
		size_t len;
		uint8_t *p;

		(void)snprintf(name, sizeof(name), "%u.root.json", v);
		p = l->io.read(l->io.ctx, name, ROOT_BYTES, &len);
		if (p == NULL || klpdir_keep_root(&l->dir, la->a.name, v, p,
		    len) < 0)
			log_warn(la->a.name, "root %u cannot be kept for "
			    "others", v);
		free(p);
	}
}

static size_t
give_root(struct law *l, const struct law_authority *la,
    const struct msg_V_GIVE *m, struct msg_V_GIVEN *out, uint8_t **body)
{
	struct id32 sha;
	size_t len = 0;

	if (m->version == 0 || m->version > la->a.state.root_version)
		return 0;
	if (m->version == 1) {
		*body = klpdir_root(&l->dir, la->a.name, ROOT_BYTES, &len);
		/* another one lies there since */
		if (*body != NULL) {
			digest_of(&sha, *body, len);
			if (!id32_eq(&sha, &la->root_file))
				len = 0;
		}
	} else {
		*body = klpdir_kept_root(&l->dir, la->a.name, m->version,
		    ROOT_BYTES, &len);
	}
	return len == 0 ? 0 : whole(out, m->version, *body, len);
}

static size_t
give_head(struct law *l, const struct law_authority *la,
    struct msg_V_GIVEN *out, uint8_t **body)
{
	ssize_t n;

	if (!la->a.state.has_head || (*body = malloc(HEAD_BYTES)) == NULL)
		return 0;
	n = klpdir_blob_read(&l->dir, &la->a.state.head_sha, 0, *body,
	    HEAD_BYTES);
	return n <= 0 ? 0 : whole(out, la->a.state.head_version, *body,
	    (size_t)n);
}

/* ---- documents ---- */

/* It lies in klp/documents; read once and kept while it is asked for. */
static bool
in_folder(struct law *l, const struct law_authority *la, const char *path,
    const struct head_doc *hd)
{
	if (l->given != NULL && id32_eq(&l->given_sha, &hd->sha256))
		return true;
	free(l->given);
	l->given = hd->length > GIVEN_BYTES ? NULL : klpdir_document(&l->dir,
	    la->a.name, path, "", hd->length, &l->given_len);
	if (l->given == NULL)
		return false;
	digest_of(&l->given_sha, l->given, l->given_len);
	return id32_eq(&l->given_sha, &hd->sha256);
}

static size_t
slice(struct law *l, const struct law_authority *la, const char *path,
    const struct head_doc *hd, uint64_t offset, size_t n, uint8_t **body)
{
	const struct auth_doc *d = authority_doc(&la->a, path);
	ssize_t got = -1;

	n = MIN_OF(n, (size_t)(hd->length - offset));
	if ((*body = malloc(n + 1)) == NULL)
		return 0;
	if (d != NULL && id32_eq(&d->sha256, &hd->sha256))
		got = klpdir_blob_read(&l->dir, &hd->sha256, offset, *body, n);
	if (got < 0 && in_folder(l, la, path, hd)) {
		memcpy(*body, l->given + offset, n);
		got = (ssize_t)n;
	}
	return got < 0 ? 0 : (size_t)got;
}

static bool
selects(const struct klp_uri *u, const struct head_doc *hd)
{
	return u->select == URI_NEWEST ||
	    (u->select == URI_VERSION && u->version == hd->version) ||
	    (u->select == URI_SHA256 && id32_eq(&u->sha256, &hd->sha256));
}

static size_t
give_doc(struct law *l, const struct msg_V_GIVE *m, struct msg_V_GIVEN *out,
    uint8_t **body)
{
	const struct law_authority *la;
	const struct head_doc *hd;
	struct klp_uri u;
	size_t n;

	if (!uri_parse(&u, m->uri, strlen(m->uri))) {
		out->status = ST_MALFORMED;
		(void)snprintf(out->why, sizeof(out->why), "u");
		return 0;
	}
	la = by_uri(l, &u);
	hd = la == NULL || !la->a.state.has_head ? NULL :
	    head_doc(&la->a.head, u.path);
	if (hd == NULL || !selects(&u, hd) || m->offset > hd->length ||
	    (m->offset == hd->length && hd->length > 0))
		return 0;
	out->version = hd->version;
	out->len = hd->length;
	out->sha = hd->sha256;
	if (m->has_have && m->version >= hd->version) {
		out->status = ST_NOT_MODIFIED;
		return 0;
	}
	if (hd->length > m->max) {
		out->status = ST_TOO_LARGE;
		return 0;
	}
	n = slice(l, la, u.path, hd, m->offset, m->n, body);
	out->status = n > 0 ? ST_OK : ST_NOT_FOUND;
	return n;
}

/* ---- the list: deltas, and all of it ---- */

static bool
is_list(const struct law *l, const struct law_authority *la,
    const uint8_t ptag[4])
{
	uint8_t ours[4];

	if (!lawdelta_of(l, la))
		return false;
	head_ptag(ours, l->list_uri.path);
	return memcmp(ours, ptag, sizeof(ours)) == 0;
}

/* Those from that version on, one behind the other; 0: not all are here. */
static size_t
deltas_from(struct law *l, uint32_t from, uint8_t *out)
{
	struct rd r = rd_make(l->history, l->history_len), one;
	struct wr w = wr_make(out, PROTO_DELTAS_MAX * (2 + DELTA_BYTES));
	unsigned count = 0;
	uint16_t n;

	while (count < PROTO_DELTAS_MAX && rd_u16(&r, &n) &&
	    rd_sub(&r, n, &one)) {
		struct delta d;
		struct env e;

		if (delta_parse(&d, &e, one.p, n) != NULL || d.from != from)
			continue;
		wr_u16(&w, n);
		wr_bytes(&w, one.p, n);
		from = d.to;
		count++;
	}
	return wr_ok(&w) ? w.len : 0;
}

static size_t
give_delta(struct law *l, const struct law_authority *la,
    const struct msg_V_GIVE *m, struct msg_V_GIVEN *out, uint8_t **body)
{
	size_t n;

	if (!is_list(l, la, m->ptag))
		return 0;
	out->version = l->list.version;
	if (m->version >= l->list.version) {
		out->status = ST_NOT_MODIFIED;
		return 0;
	}
	lawhist_read(l, la->a.name);
	if (l->history == NULL || (*body =
	    malloc(PROTO_DELTAS_MAX * (2 + DELTA_BYTES))) == NULL)
		return 0;
	n = deltas_from(l, m->version, *body);
	out->status = n > 0 ? ST_OK : ST_NOT_FOUND;
	return n;
}

/* By id16, then kind: a page ends between two ids. */
static int
by_id(const void *a, const void *b)
{
	const uint8_t *x = a, *y = b;
	int c = memcmp(x + 1, y + 1, 16);

	return c != 0 ? c : (int)(x[0] >> 4 & 3) - (int)(y[0] >> 4 & 3);
}

static size_t
page(uint8_t *set, size_t n, const struct msg_V_GIVE *m, bool *end)
{
	size_t from = 0, to, most = MAX_OF(m->n, 4u);

	while (m->has_id16 && from < n &&
	    memcmp(set + from * PROTO_SET_ENTRY + 1, m->id16, 16) <= 0)
		from++;
	to = MIN_OF(n, from + most);
	while (to > from && to < n && memcmp(set + to * PROTO_SET_ENTRY + 1,
	    set + (to - 1) * PROTO_SET_ENTRY + 1, 16) == 0)
		to--;
	*end = to == n;
	if (to > from)
		memmove(set, set + from * PROTO_SET_ENTRY,
		    (to - from) * PROTO_SET_ENTRY);
	return (to - from) * PROTO_SET_ENTRY;
}

static size_t
give_set(struct law *l, const struct law_authority *la,
    const struct msg_V_GIVE *m, struct msg_V_GIVEN *out, uint8_t **body)
{
	const struct revlist *r = &l->list;

	if (!is_list(l, la, m->ptag) ||
	    (*body = malloc(r->n * PROTO_SET_ENTRY + 1)) == NULL)
		return 0;
	for (size_t i = 0; i < r->n; i++) {
		uint8_t *e = *body + i * PROTO_SET_ENTRY;

		e[0] = (uint8_t)(r->e[i].suspended << 6 | r->e[i].kind << 4 |
		    r->e[i].reason);
		memcpy(e + 1, r->e[i].id, 16);
	}
	if (r->n > 0)
		qsort(*body, r->n, PROTO_SET_ENTRY, by_id);
	out->status = ST_OK;
	out->version = r->version;
	out->len = (uint32_t)(r->n * PROTO_SET_ENTRY);
	out->sha = r->digest;
	return page(*body, r->n, m, &out->end);
}

size_t
law_give(struct law *l, const struct msg_V_GIVE *m, struct msg_V_GIVEN *out,
    uint8_t **body)
{
	const struct law_authority *la = by_tag(l, m->atag);
	size_t n;

	*body = NULL;
	memset(out, 0, sizeof(*out));
	out->qid = m->qid;
	out->status = ST_NOT_FOUND;
	if (m->what == GIVE_DOC)
		return give_doc(l, m, out, body);
	if (la == NULL)
		return 0;
	switch (m->what) {
	case GIVE_ROOT:
		return give_root(l, la, m, out, body);
	case GIVE_HEAD:
		return give_head(l, la, out, body);
	case GIVE_DELTA:
		return give_delta(l, la, m, out, body);
	case GIVE_SET:
		return give_set(l, la, m, out, body);
	case GIVE_LOG:
		n = lawlog_give(l, la, m->version, m->has_id16 ? m->id16 :
		    NULL, body);
		return n == 0 ? 0 : whole(out, 0, *body, n);
	default:
		return 0;
	}
}
