/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/documents.h"

#include <stdio.h>
#include <string.h>

#include "common/mpk.h"
#include "node/proto/proto_put.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/park.h"
#include "node/work/peers.h"
#include "node/work/state.h"

static enum give_what
what_of(enum proto_path path)
{
	switch (path) {
	case PATH_ROOT:
		return GIVE_ROOT;
	case PATH_HEAD:
		return GIVE_HEAD;
	case PATH_DELTA:
		return GIVE_DELTA;
	case PATH_SET:
		return GIVE_SET;
	case PATH_TLOG:
		return GIVE_LOG;
	default:
		return GIVE_DOC;
	}
}

static uint64_t
most_of(const struct asked *a)
{
	uint64_t n = a->req.n;

	if (a->caller->peer != NULL)
		return n;
	return MIN_OF(n, (uint64_t)(a->req.path == PATH_SET ?
		NODE_STRANGER_SLICE / PROTO_SET_ENTRY : NODE_STRANGER_SLICE));
}

void
document_request(struct node *n, struct asked *a)
{
	const struct proto_req *q = &a->req;
	struct proto_meta bad = {.why = pstr_of("u")};
	struct msg_V_GIVE m = {.what = (uint8_t)what_of(q->path)};

	if (n->self_listed) {
		struct refusal r = {.code = "not_accepting", .step = 1};

		(void)snprintf(r.why, sizeof(r.why), "the key of the node "
		    "itself is revoked or suspended");
		answer_refusal(n, a, &r);
		return;
	}
	if (!n->up[PROGRAM_TRUST]) {
		answer_busy(n, a, "trust", NODE_BUSY_S);
		return;
	}
	if (q->uri.n >= sizeof(m.uri) ||
	    (q->uri.n > 0 && memchr(q->uri.p, '\0', q->uri.n) != NULL)) {
		answer_status(n, a, ST_MALFORMED, &bad);
		return;
	}
	/* there is no version above 2^32 - 1 */
	if (q->version > UINT32_MAX) {
		answer_status(n, a, q->has_have ? ST_NOT_MODIFIED :
		    ST_NOT_FOUND, NULL);
		return;
	}
	m.qid = node_qid(n);
	if (q->atag != NULL)
		memcpy(m.atag, q->atag, sizeof(m.atag));
	if (q->ptag != NULL)
		memcpy(m.ptag, q->ptag, sizeof(m.ptag));
	pstr_copy(m.uri, sizeof(m.uri), q->uri);
	m.version = (uint32_t)q->version;
	m.has_have = q->has_have;
	m.offset = q->offset;
	m.n = (uint32_t)most_of(a);
	m.max = q->has_max ? q->max : UINT64_MAX;
	if (q->id16 != NULL) {
		m.has_id16 = true;
		memcpy(m.id16, q->id16, sizeof(m.id16));
	}
	if (asked_wait(n, a, ASKED_GIVEN, m.qid))
		n->host.send_V_GIVE(n->host.ctx, &m);
}

/* false: it is not what trust would send. */
static bool
frames(struct proto_deltas *d, const uint8_t *bytes, size_t len)
{
	struct rd r = rd_make(bytes, len), one;
	uint16_t n;

	for (d->n = 0; !rd_end(&r); d->n++) {
		if (d->n == PROTO_DELTAS_MAX || !rd_u16(&r, &n) ||
		    !rd_sub(&r, n, &one))
			return false;
		d->frame[d->n] = (struct pbin){one.p, n};
	}
	return true;
}

static void
answer_ok(struct node *n, const struct asked *a, const struct proto_meta *meta,
    const uint8_t *bytes, size_t len)
{
	struct wr w = answer_begin(n, ST_OK, meta);
	struct proto_deltas d;

	if (a->req.path != PATH_DELTA)
		mpk_put_bin(&w, bytes, len);
	else if (frames(&d, bytes, len))
		proto_put_deltas(&w, &d);
	else
		mpk_put_array(&w, 0);
	answer_send(n, a, &w);
}

void
document_given(struct node *n, const struct msg_V_GIVEN *m,
    const uint8_t *bytes, size_t len)
{
	struct asked *a = park_take(n, m->qid, ASKED_GIVEN);
	struct proto_meta meta = {0};

	if (a == NULL)
		return;
	meta.has_v = m->version != 0;
	meta.v = m->version;
	meta.has_len = m->len != 0;
	meta.len = m->len;
	meta.sha = m->len != 0 ? m->sha.b : NULL;
	meta.has_end = m->status == ST_OK && a->req.path == PATH_SET;
	meta.end = m->end;
	if (m->status == ST_TOO_LARGE) {
		meta.has_max = true;
		meta.max = a->req.max;
	}
	if (m->why[0] != '\0')
		meta.why = pstr_of(m->why);
	if (m->status == ST_OK)
		answer_ok(n, a, &meta, bytes, len);
	else
		answer_status(n, a, (enum proto_status)m->status, &meta);
	asked_end(a);
}
