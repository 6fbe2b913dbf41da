/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/event.h"

#include <stdio.h>
#include <string.h>

#include "node/work/admit.h"

static void
fill_event(struct node *n, struct msg_EVENT *m, enum event_kind kind,
    const struct job *j, const struct peer *p, const char *code,
    const char *text)
{
	memset(m, 0, sizeof(*m));
	m->kind = (uint16_t)kind;
	m->when_us = n->wall_us;
	if (j != NULL) {
		m->job_len = 32;
		memcpy(m->job, HASH_BYTES(j->id));
	}
	if (p != NULL && p->v.known && p->v.key_len > 0) {
		m->peer_len = FP_LEN;
		memcpy(m->peer, HASH_BYTES(p->v.fp));
	} else if (p != NULL) {
		m->peer_len = 16;
		memcpy(m->peer, HASH_BYTES(p->rns_hash));
	} else if (j != NULL) {
		m->peer_len = FP_LEN;
		memcpy(m->peer, HASH_BYTES(j->owner));
	}
	(void)snprintf(m->code, sizeof(m->code), "%.64s",
	    code == NULL ? "" : code);
	/* why and value come from people: as text of strangers everywhere */
	if (text != NULL)
		(void)text_printable(m->text, sizeof(m->text), text,
		    MIN_OF(strlen(text), (size_t)190));
	n->count.events++;
}

void
node_event(struct node *n, enum event_kind kind, unsigned severity,
    const struct job *j, const struct peer *p, const char *code,
    const char *text, int64_t a, int64_t b)
{
	struct msg_EVENT m;

	fill_event(n, &m, kind, j, p, code, text);
	m.severity = (uint8_t)severity;
	m.a = a;
	m.b = b;
	/* each decision asks whether it could be written: see node_trail() */
	if (kind == EVK_JOB_ADMITTED || kind == EVK_JOB_REFUSED)
		m.qid = node_qid(n);
	n->host.send_EVENT(n->host.ctx, &m);
}

void
node_event_refused(struct node *n, const struct job *j, const struct peer *p,
    const struct refusal *r)
{
	char text[MANIFEST_TEXT + sizeof(r->why) + 2];
	struct msg_EVENT m;

	refusal_text(text, sizeof(text), r);
	fill_event(n, &m, EVK_JOB_REFUSED, j, p, r->code, text);
	m.severity = 1;
	m.a = r->step;
	m.b = r->s;
	if (r->has_limit || r->time != 0) {
		m.limit = r->has_limit ? r->limit : r->time;
		m.value = r->value;
	}
	m.qid = node_qid(n);
	n->host.send_EVENT(n->host.ctx, &m);
}

void
node_event_head(struct node *n, enum event_kind kind, const struct job *j,
    const char *code, int64_t a, int64_t b, uint64_t qid)
{
	struct msg_EVENT m;

	fill_event(n, &m, kind, j, NULL, code, NULL);
	m.a = a;
	m.b = b;
	m.qid = qid;
	n->host.send_EVENT(n->host.ctx, &m);
}
