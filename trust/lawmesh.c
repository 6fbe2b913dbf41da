/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/ipc.h"
#include "common/util.h"
#include "common/wire.h"
#include "node/proto/proto_get.h"
#include "node/proto/proto_req.h"
#include "trust/doc/delta.h"
#include "trust/doc/head.h"
#include "trust/lawio.h"

/*
 * A file that an update needs, asked of the klp.node of somebody (klp.md 1.6):
 * what the name of the file is on a web server is a request here, a document is
 * asked for in pieces, and what comes of it is told as if egress had fetched it.
 * Nothing is believed of it: the update looks at every byte.
 */
#define PIECE PROTO_SLICE
#define SLOW_BYTES 65536u	 /* klp.md 1.5 */
#define ANSWER_MORE 4096u	 /* ours: around a piece */
#define SMALL_MS 120000
#define PIECE_MS 600000
#define BUSY_S 300 /* ours: longer is later */

/* ---- what is asked ---- */

static bool
is_number(const char *s, const char *end, uint32_t *n)
{
	uint64_t v = 0;

	if (s == end)
		return false;
	for (; s < end; s++) {
		if (*s < '0' || *s > '9' || v > UINT32_MAX)
			return false;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	*n = (uint32_t)v;
	return v <= UINT32_MAX;
}

/* NUMBER.root.json */
static bool
is_root(const char *name, uint32_t *version)
{
	const char *dot = strchr(name, '.');

	return dot != NULL && strcmp(dot, ".root.json") == 0 &&
	    is_number(name, dot, version);
}

/* PATH.NUMBER.delta: the list's */
static bool
is_delta(const struct law *l, const char *name, uint32_t *from)
{
	size_t n = strlen(l->list_uri.path), len = strlen(name);

	return l->has_list && len > n + 7 &&
	    strncmp(name, l->list_uri.path, n) == 0 && name[n] == '.' &&
	    strcmp(name + len - 6, ".delta") == 0 &&
	    is_number(name + n + 1, name + len - 6, from);
}

static bool
is_set(const struct sources *x)
{
	return x->set == SET_PAGES;
}

static bool
is_short(const struct sources *x)
{
	return x->need_max <= ROOT_BYTES;
}

/* The largest document that may come; over a slow way little. */
static size_t
most(const struct law *l, const struct sources *x)
{
	return x->mesh.slow && !l->conf->allow_slow_fetch ?
	    MIN_OF(x->need_max, (size_t)SLOW_BYTES) : x->need_max;
}

static void
request(const struct law *l, const struct law_authority *la,
    struct msg_M_ASK *m)
{
	const struct sources *x = la->src;
	struct proto_req q = {.atag = la->a.state.id.b};
	char uri[sizeof("klp://") + URI_NAME_MAX + 1 + URI_MAX];
	uint8_t ptag[4], id16[16];
	struct wr w = wr_make(m->data, sizeof(m->data));
	uint32_t n;

	q.path = PATH_GET;
	if (strcmp(x->need, "head") == 0) {
		q.path = PATH_HEAD;
	} else if (is_root(x->need, &n)) {
		q.path = PATH_ROOT;
		q.version = n;
	} else if (lawlog_named(x->need, id16, &q.id16)) {
		q.path = PATH_TLOG;
		q.version = lawlog_size(la, q.id16);
		if (q.version > UINT32_MAX)
			q.version = 0;
	} else if (is_set(x)) {
		q.path = PATH_SET;
		q.n = PROTO_SET_MAX;
		q.id16 = lawset_after(&x->part);
		head_ptag(ptag, l->list_uri.path);
		q.ptag = ptag;
	} else if (is_delta(l, x->need, &n)) {
		q.path = PATH_DELTA;
		q.version = n;
		head_ptag(ptag, l->list_uri.path);
		q.ptag = ptag;
	} else {
		(void)snprintf(uri, sizeof(uri), "klp://%s/%s", la->a.name,
		    x->need);
		q.uri = pstr_of(uri);
		q.has_max = true;
		q.max = most(l, x);
		q.offset = x->mesh.len;
		q.n = PIECE;
	}
	proto_req_put(&w, &q);
	m->data_len = wr_ok(&w) ? (uint16_t)w.len : 0;
	m->len = m->data_len;
	(void)snprintf(m->path, sizeof(m->path), "%s", proto_path(q.path));
	m->max = q.path == PATH_GET ? PIECE + ANSWER_MORE :
	    q.path == PATH_SET ? PROTO_SET_MAX * PROTO_SET_ENTRY + ANSWER_MORE :
	    q.path == PATH_DELTA ? SOURCE_DELTAS * (DELTA_BYTES + 8) +
	    ANSWER_MORE : ROOT_BYTES + ANSWER_MORE;
	m->deadline_ms = q.path == PATH_GET || q.path == PATH_SET ? PIECE_MS :
	    SMALL_MS;
	m->slow = q.path != PATH_GET || x->mesh.slow ||
	    l->conf->allow_slow_fetch;
}

int
lawmesh_ask(struct law *l, struct law_authority *la)
{
	struct sources *x = la->src;
	const char *hex = x->s[x->at].url + strlen(SOURCE_RNS);
	struct msg_M_ASK m = {.identify = true};

	if (x->mesh.p == NULL)
		x->mesh.slow = x->mesh.slow || is_set(x) || is_short(x);
	x->mesh.waits = false;
	if (++l->seq == 0)
		l->seq = 1;
	m.seq = l->seq;
	if (!hex_decode(HASH_BYTES(m.identity), hex, strlen(hex)))
		return -1;
	request(l, la, &m);
	if (l->ops.ask == NULL || l->ops.ask(l->ops.ctx, &m) < 0)
		return -1;
	x->seq = m.seq;
	return 0;
}

void
lawmesh_again(struct law *l, struct mono now, struct mono *next)
{
	for (unsigned i = 0; i < l->nauth; i++) {
		struct sources *x = l->auth[i].src;

		if (x == NULL || !x->mesh.waits)
			continue;
		if (!mono_reached(now, x->mesh.again))
			*next = mono_min(*next, x->mesh.again);
		else if (lawmesh_ask(l, &l->auth[i]) < 0)
			sources_later(x, now, SOURCES_AGAIN_S);
	}
}

/* ---- what comes ---- */

/* What is told of it; in why for people. */
struct result {
	struct msg_FETCHED m;
	int fd;
};

static void
ended(struct result *r, enum fetch_end end, const char *why)
{
	r->m.end = (uint8_t)end;
	(void)snprintf(r->m.why, sizeof(r->m.why), "%s", why);
}

static void
whole(struct result *r, const uint8_t *p, size_t len)
{
	ended(r, FETCH_OK, "");
	r->m.len = (uint32_t)len;
	if (len > 0 && (r->fd = memfd_sealed("document", p, len)) < 0)
		ended(r, FETCH_OWN, "no memory");
}

/* true: it is whole, or not good; false: there is more of it. */
static bool
piece(const struct law *l, struct sources *x, const struct proto_meta *meta,
    struct pbin b, struct result *r)
{
	uint8_t *p;

	if (!meta->has_len || meta->sha == NULL || b.n == 0 ||
	    meta->len > most(l, x)) {
		ended(r, meta->has_len && meta->len > most(l, x) ?
		    FETCH_SIZE : FETCH_BROKEN, "not what was asked for");
		return true;
	}
	if (x->mesh.p == NULL) {
		x->mesh.total = (size_t)meta->len;
		x->mesh.sha = *id32_at(meta->sha);
	}
	if (meta->len != x->mesh.total ||
	    !id32_eq(&x->mesh.sha, id32_at(meta->sha)) ||
	    b.n > x->mesh.total - x->mesh.len) {
		ended(r, FETCH_BROKEN, "it was changed meanwhile");
		return true;
	}
	/* room for what has come, not for what is promised */
	if (x->mesh.len + b.n > x->mesh.cap) {
		x->mesh.cap = MIN_OF(x->mesh.total, 2 * (x->mesh.len + b.n));
		if ((p = realloc(x->mesh.p, x->mesh.cap)) == NULL) {
			ended(r, FETCH_OWN, "no memory");
			return true;
		}
		x->mesh.p = p;
	}
	memcpy(x->mesh.p + x->mesh.len, b.p, b.n);
	x->mesh.len += b.n;
	if (x->mesh.len < x->mesh.total)
		return false;
	whole(r, x->mesh.p, x->mesh.len);
	return true;
}

/* The first is what was asked for, the others wait for it. */
static void
deltas(struct sources *x, const struct proto_ans *a, struct result *r)
{
	struct proto_deltas d;
	size_t len = 0;
	struct wr w;

	if (!proto_get_deltas(&d, a) || d.n == 0) {
		ended(r, FETCH_BROKEN, "not what was asked for");
		return;
	}
	for (size_t i = 0; i < d.n; i++) {
		if (d.frame[i].n > DELTA_BYTES) {
			ended(r, FETCH_SIZE, "a delta that is too long");
			return;
		}
		len += 2 + d.frame[i].n;
	}
	free(x->mesh.deltas);
	x->mesh.deltas_len = 0;
	if ((x->mesh.deltas = malloc(len)) != NULL) {
		w = wr_make(x->mesh.deltas, len);
		for (size_t i = 1; i < d.n; i++) {
			wr_u16(&w, (uint16_t)d.frame[i].n);
			wr_bytes(&w, d.frame[i].p, d.frame[i].n);
		}
		x->mesh.deltas_len = w.len;
	}
	whole(r, d.frame[0].p, d.frame[0].n);
}

#define SET_RESTARTS 2 /* ours: of one round */

/* A page of the set; true: as piece(). */
static bool
set_page(const struct law *l, struct sources *x, const struct proto_meta *meta,
    struct pbin b, struct result *r)
{
	const char *why;
	bool again;

	if (meta->has_v && meta->v == (uint64_t)l->list.version + 1) {
		/* the delta to it, which it does not have, would be enough */
		ended(r, FETCH_ABSENT, "");
		lawset_drop(&x->part);
		return true;
	}
	why = lawset_page(l, &x->part, meta, b, most(l, x), &again);
	if (why == NULL && again && x->mesh.restarts++ == SET_RESTARTS)
		why = "it is another one each time";
	if (why != NULL) {
		ended(r, strcmp(why, LAWSET_LONG) == 0 ? FETCH_SIZE :
		    FETCH_BROKEN, why);
		lawset_drop(&x->part);
		return true;
	}
	if (!x->part.whole)
		return false;
	whole(r, NULL, 0);
	return true;
}

/* true: as piece(). */
static bool
came(const struct law *l, struct sources *x, const struct proto_ans *a,
    struct result *r)
{
	uint32_t from;
	struct pbin b;

	if (is_delta(l, x->need, &from)) {
		deltas(x, a, r);
		return true;
	}
	if (!proto_get_bytes(&b, a)) {
		ended(r, FETCH_BROKEN, "not what was asked for");
		return true;
	}
	if (is_set(x))
		return set_page(l, x, &a->meta, b, r);
	if (!is_short(x) || x->mesh.p != NULL)
		return piece(l, x, &a->meta, b, r);
	if (b.n > x->need_max)
		ended(r, FETCH_SIZE, "it is too large");
	else
		whole(r, b.p, b.n);
	return true;
}

static void
busy(struct sources *x, const struct proto_meta *meta, struct result *r)
{
	uint32_t s = meta->has_s ? (uint32_t)MIN_OF(meta->s, (uint64_t)3600) :
	    SOURCES_AGAIN_S;

	s = MAX_OF(s, 1u);
	r->m.wait_s = s;
	if ((x->mesh.p == NULL && (!is_set(x) || x->part.len == 0)) ||
	    s > BUSY_S) {
		ended(r, FETCH_LATER, "it is busy");
		return;
	}
	/* what has come of it is worth waiting for */
	x->mesh.waits = true;
	x->mesh.again = mono_add(clock_mono(), (int64_t)s * MONO_SECOND);
}

/* true: r says how it ended; false: it goes on. */
static bool
answered(const struct law *l, struct sources *x, const uint8_t *p, size_t len,
    struct result *r)
{
	struct proto_ans a;
	char why[64];
	uint32_t from;

	ended(r, FETCH_BROKEN, "what it answers cannot be read");
	if (!proto_ans_get(&a, p, len))
		return true;
	switch (a.status) {
	case ST_OK:
		return came(l, x, &a, r);
	case ST_NOT_FOUND:
	case ST_GONE:
		x->mesh.gap = is_delta(l, x->need, &from);
		/* FALLTHROUGH */
	case ST_NOT_MODIFIED:
		ended(r, FETCH_ABSENT, "");
		return true;
	case ST_TOO_LARGE:
		ended(r, FETCH_SIZE, x->mesh.slow ? "it is too large for a way "
		    "that is slow: klp.allow_slow_fetch" : "it is too large");
		return true;
	case ST_BUSY:
		busy(x, &a.meta, r);
		return !x->mesh.waits;
	default:
		(void)snprintf(why, sizeof(why), "it answers: %s",
		    proto_status_name(a.status));
		ended(r, FETCH_BROKEN, why);
		return true;
	}
}

static const struct {
	enum fetch_end end;
} ends[] = {
    [MESH_OK] = {FETCH_OK},
    [MESH_NO_PATH] = {FETCH_UNREACHABLE},
    [MESH_NO_LINK] = {FETCH_UNREACHABLE},
    [MESH_TIMEOUT] = {FETCH_SLOW},
    [MESH_TOO_LARGE] = {FETCH_SIZE},
    [MESH_SLOW] = {FETCH_SLOW},
    [MESH_LATER] = {FETCH_LATER},
    [MESH_OWN] = {FETCH_OWN},
};

/* true: as answered(). */
static bool
outcome(const struct law *l, struct sources *x, const struct msg_M_ANSWER *m,
    int fd, struct result *r)
{
	const uint8_t *p = NULL;
	size_t len = m->len;
	bool over;

	if (m->end != MESH_OK) {
		/* short ones go over a slow way as well */
		if (m->end == MESH_SLOW && !x->mesh.slow) {
			x->mesh.slow = true;
			return false;
		}
		ended(r, m->end < NELEM(ends) ? ends[m->end].end : FETCH_OWN,
		    m->why);
		r->m.wait_s = SOURCES_AGAIN_S;
		return true;
	}
	if (len > 0)
		p = memfd_map(fd, &len, IPC_MESH_BYTES);
	over = answered(l, x, p, p == NULL ? 0 : len, r);
	if (p != NULL)
		memfd_unmap(p, len);
	return over;
}

bool
lawmesh_came(struct law *l, struct law_authority *la,
    const struct msg_M_ANSWER *m, int fd, struct msg_FETCHED *out,
    int *fetched)
{
	struct result r = {.fd = -1};

	if (!outcome(l, la->src, m, fd, &r)) {
		la->src->seq = 0;
		return false;
	}
	if (r.m.end == FETCH_SIZE && la->src->mesh.slow && l->has_list &&
	    strcmp(la->src->need, l->list_uri.path) == 0)
		la->src->mesh.too_long = true;
	sources_part_drop(la->src);
	r.m.seq = m->seq;
	*out = r.m;
	*fetched = r.fd;
	return true;
}
