/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/events.h"

#include <stdio.h>
#include <string.h>

#include "audit/trail_line.h"
#include "common/mpk.h"
#include "common/util.h"
#include "node/config/hubconf.h"
#include "node/proto/proto_put.h"
#include "node/work/admit.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/event.h"
#include "node/work/peers.h"
#include "node/work/state.h"
#include "trust/doc/alert.h"
#include "trust/doc/digest.h"

#define ALARM_EARLY_S 300u   /* klp.md 1.7 */
#define ALARM_OLD_S 86400u   /* ours: its node's trail has the rest */

/* A batch on its way through the chain that is here. */
struct batch {
	bool has;	    /* anything is here */
	uint64_t last;	    /* the number of the last line */
	struct id32 digest; /* ... */
	const uint8_t *fresh; /* the first line that is new; NULL: none */
	uint64_t end;	      /* the number of the batch's last line */
	const char *broken;   /* what does not follow; NULL: all does */
	uint64_t broken_at;
};

bool
events_path(enum proto_path path)
{
	return path == PATH_EVENTS || path == PATH_ALERT;
}

static bool
listed(const struct node *n, const struct peer *p, bool by_rns)
{
	for (unsigned i = 0; p != NULL && i < n->policy.nhub; i++) {
		const struct hub_peer *h = &n->policy.hub[i];

		if (h->by_rns != by_rns)
			continue;
		if (memcmp(h->id.b, by_rns ? p->rns_hash.b : p->v.fp.b,
			by_rns ? RNS_HASH_LEN : FP_LEN) == 0)
			return true;
	}
	return false;
}

bool
events_named(const struct node *n, const struct asked *a)
{
	return listed(n, a->caller->peer, true);
}

static void
answer_number(struct node *n, const struct asked *a, uint64_t v)
{
	struct wr w = answer_begin(n, ST_OK, NULL);

	mpk_put_uint(&w, v);
	answer_send(n, a, &w);
}

/* One line, without its newline. false: it is none, or out of order. */
static bool
add(struct batch *b, const uint8_t *text, size_t len)
{
	struct trail_line l;
	uint64_t first;

	if (!trail_line_parse(&l, (const char *)text, len) ||
	    l.seq <= b->end)
		return false;
	b->end = l.seq;
	if (b->has && l.seq <= b->last)
		return true; /* it was here */
	first = l.is_tomb ? l.tomb.from : l.seq;
	if (b->has && b->broken == NULL && (first != b->last + 1 ||
	    !id32_eq(&l.prev, &b->digest))) {
		b->broken = first > b->last + 1 ? "lines are missing" :
		    first <= b->last ? "they go on before their end" :
		    "a line is another one than it was";
		b->broken_at = l.seq;
	}
	if (b->fresh == NULL)
		b->fresh = text;
	b->has = true;
	b->last = l.seq;
	if (l.is_tomb)
		b->digest = l.tomb.digest;
	else
		digest_of(&b->digest, text, len);
	return true;
}

static bool
add_all(struct batch *b, struct pbin body)
{
	const uint8_t *p = body.p, *end = body.p + body.n;

	if (body.n == 0)
		return false;
	while (p < end) {
		const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));

		if (nl == NULL || !add(b, p, (size_t)(nl - p)))
			return false;
		p = nl + 1;
	}
	return true;
}

static void
batch_request(struct node *n, const struct asked *a)
{
	const struct hash16 *who = &a->caller->peer->rns_hash;
	struct proto_meta bad = {.why = pstr_of("b")};
	struct batch b = {.end = 0};
	struct pbin body = a->req.body;

	b.has = n->host.events_last(n->host.ctx, who, &b.last, &b.digest);
	if (!add_all(&b, body)) {
		answer_status(n, a, ST_MALFORMED, &bad);
		return;
	}
	if (b.fresh != NULL && !n->host.events_keep(n->host.ctx, who, b.fresh,
		(size_t)(body.p + body.n - b.fresh), b.last, &b.digest)) {
		answer_busy(n, a, "disk", NODE_FULL_S);
		return;
	}
	if (b.broken != NULL)
		node_event(n, EVK_PEER_BROKEN, 4, NULL, a->caller->peer, NULL,
		    b.broken, (int64_t)b.broken_at, 0);
	answer_number(n, a, b.end);
}

static void
tell(struct node *n, const struct peer *p, const struct alert *al)
{
	char text[200], subject[33];

	hex_encode(subject, al->subject, sizeof(al->subject));
	(void)snprintf(text, sizeof(text), "alarm of line %u: severity %u, "
	    "OCSF class %u activity %u disposition %u, %u such lines, about "
	    "%s", al->seq, al->severity, al->class_uid, al->activity,
	    al->disposition, al->count, subject);
	node_event(n, EVK_PEER_ALARM, al->severity, NULL, p, NULL, text,
	    al->seq, al->count);
}

static void
alert_request(struct node *n, const struct asked *a)
{
	struct proto_meta bad = {.why = pstr_of("b")};
	struct alert al;
	struct env e;

	/* on a link that shows whose it is, so without a signature */
	if (alert_parse(&al, &e, a->req.body.p, a->req.body.n) != NULL ||
	    e.nsigs != 0) {
		answer_status(n, a, ST_MALFORMED, &bad);
		return;
	}
	tell(n, a->caller->peer, &al);
	answer_number(n, a, al.seq);
}

/* ---- as a packet of its own ---- */

void
events_packet(struct node *n, const struct msg_T_ALERT *m)
{
	struct msg_V_ALERT v = {.packet = m->packet};

	n->count.alarms++;
	if (n->policy.nhub == 0 || !n->up[PROGRAM_TRUST]) {
		n->count.alarms_refused++;
		return;
	}
	memcpy(v.frame, m->frame, sizeof(v.frame));
	n->host.send_V_ALERT(n->host.ctx, &v);
}

/*
 * Whoever has caught one may send it again: the last that was told, or one of
 * the last line that is here, is taken and not told. Another that is no later
 * may be an old one, or its sender's clock went back or its trail began anew:
 * it is not taken, so that a sender who is there brings it by a link.
 */
enum alarm { ALARM_NEWS, ALARM_AGAIN, ALARM_OLD };

static enum alarm
alarm_is(struct node *n, const struct hash16 *who, const struct alert *al)
{
	struct id32 digest;
	uint64_t last;
	unsigned i = 0;
	bool has = n->host.events_last(n->host.ctx, who, &last, &digest);

	if (has && al->seq == (uint32_t)last &&
	    memcmp(al->chain, digest.b, sizeof(al->chain)) == 0)
		return ALARM_AGAIN;
	while (i < n->nalarm && !hash16_eq(&n->alarm[i].who, who))
		i++;
	if (i < n->nalarm && al->time == n->alarm[i].time &&
	    al->seq == n->alarm[i].line && memcmp(al->chain,
		n->alarm[i].chain, sizeof(al->chain)) == 0)
		return ALARM_AGAIN;
	if ((has && al->seq <= (uint32_t)last) || (i < n->nalarm &&
		(al->time < n->alarm[i].time || (al->time ==
		    n->alarm[i].time && al->seq <= n->alarm[i].line))))
		return ALARM_OLD;
	/* more than hub.accept names there are only after it was changed */
	if (i == NELEM(n->alarm))
		i = 0;
	n->nalarm = MAX_OF(n->nalarm, i + 1);
	n->alarm[i].who = *who;
	n->alarm[i].time = al->time;
	n->alarm[i].line = al->seq;
	memcpy(n->alarm[i].chain, al->chain, sizeof(al->chain));
	return ALARM_NEWS;
}

void
events_alerted(struct node *n, const struct msg_V_ALERTED *m)
{
	struct msg_N_ALERT_TAKEN taken = {.packet = m->packet};
	struct peer p = {.rns_hash = m->rns};
	enum alarm is = ALARM_OLD;
	struct alert al;
	struct env e;

	p.v.known = true;
	p.v.fp = m->fp;
	p.v.key_len = sizeof(p.v.key);
	if (!m->ok || (!listed(n, &p, true) && !listed(n, &p, false)) ||
	    alert_parse(&al, &e, m->frame, sizeof(m->frame)) != NULL ||
	    al.time > n->unix_now + ALARM_EARLY_S ||
	    al.time + ALARM_OLD_S < n->unix_now ||
	    (is = alarm_is(n, &m->rns, &al)) == ALARM_OLD) {
		n->count.alarms_refused++;
		return;
	}
	if (is == ALARM_NEWS)
		tell(n, &p, &al);
	n->host.send_N_ALERT_TAKEN(n->host.ctx, &taken);
}

void
events_request(struct node *n, struct asked *a)
{
	struct refusal r = {.code = "trust"};

	if (!events_named(n, a) && !listed(n, a->caller->peer, false)) {
		(void)snprintf(r.why, sizeof(r.why),
		    "hub.accept does not name you");
		answer_refusal(n, a, &r);
		return;
	}
	if (a->req.path == PATH_ALERT)
		alert_request(n, a);
	else
		batch_request(n, a);
}
