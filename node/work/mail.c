/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "node/proto/letter.h"
#include "node/proto/proto_get.h"
#include "node/work/mailtalk.h"
#include "node/work/state.h"
#include "transport/lxmf/lxmf.h"
#include "trust/doc/binding.h"

#define LETTERS 120 /* ours: looked at in a minute, of all senders */
#define WITHIN_S 3600u /* ours: transport tries so long */
#define AGAIN_S 60u /* ours: ... and is asked again, then doubled */
#define LOOK_S 30 /* ours: at a job that has no receipt yet */

void
mail_init(struct node *n)
{
	mailbag_init(&n->mail.bag);
	n->mail.at = MONO_NEVER;
}

/* Its row of the ledger is as it is now. */
static void
keep(struct node *n, const struct mail *m)
{
	if (!n->host.keep_mail(n->host.ctx, m))
		log_warnx("mail", "no memory to write a letter down: after a "
		    "restart it is answered again");
}

static void
over(struct node *n, struct mail *m)
{
	struct mail *old;

	mailtalk_end(n, m);
	mailbag_over(&n->mail.bag, m);
	keep(n, m);
	while ((old = mailbag_old(&n->mail.bag)) != NULL) {
		n->host.drop_mail(n->host.ctx, &old->id);
		mailbag_remove(&n->mail.bag, old);
	}
}

/* ---- what comes ---- */

/* May its path be asked so? Whose key it brings, and which job it names. */
static bool
sound(const struct letter *l, uint8_t *pub, const uint8_t **job)
{
	struct proto_req q;
	struct binding b;
	const char *why;
	uint64_t max;

	if (l->answer || (l->path != PATH_SUBMIT && l->path != PATH_STATUS &&
		l->path != PATH_RESULT && l->path != PATH_CANCEL) ||
	    proto_req_get(&q, l->path, l->value.p, l->value.n, &why, &max) != 0)
		return false;
	if (q.binding != NULL && binding_parse(&b, q.binding, BINDING_LEN))
		memcpy(pub, b.rns, 64);
	*job = l->path == PATH_SUBMIT ? NULL : q.id;
	return true;
}

/*
 * NULL: it is a letter, whose words are its source's, who is pub. Else what it
 * is. A binding that is not the source's own is nobody's key here.
 */
static const char *
look(struct node *n, const struct lxmf *m, struct letter *l, bool known,
    uint8_t pub[64], const uint8_t **job)
{
	uint8_t brought[64] = {0};
	struct hash16 of;

	if (!m->has_type || !m->has_data ||
	    m->type.n != strlen(LETTER_TYPE) ||
	    memcmp(m->type.p, LETTER_TYPE, m->type.n) != 0)
		return "other";
	if (!letter_get(l, m->data.p, m->data.n) || !sound(l, brought, job))
		return "malformed";
	lxmf_address(&of, brought);
	if (hash16_eq(&of, &m->source))
		memcpy(pub, brought, 64);
	else if (!known)
		return "unknown";
	if (!lxmf_signed_by(m, pub))
		return "signature";
	return lxmf_stamp_ok(m, n->policy.mail_cost) ? NULL : "stamp";
}

static bool
add(struct node *n, const struct lxmf *m, const struct letter *l,
    const uint8_t pub[64], const uint8_t *job)
{
	struct mail *e;

	if (!mailbag_room(&n->mail.bag, &m->source, m->data.n) ||
	    (e = mailbag_add(&n->mail.bag, &m->id, m->data.p,
		m->data.n)) == NULL)
		return false;
	e->source = m->source;
	memcpy(e->pub, pub, 64);
	e->came = n->unix_now;
	e->give = (uint32_t)l->give;
	e->path = l->path;
	if ((e->has_job = job != NULL))
		e->job = *id32_at(job);
	if (n->host.keep_mail(n->host.ctx, e))
		return true;
	mailbag_remove(&n->mail.bag, e);
	return false;
}

void
mail_came(struct node *n, const struct msg_T_MAIL *t, const uint8_t *packed,
    size_t len)
{
	struct msg_N_MAIL_TAKEN said = {.handle = t->handle, .kept = true};
	const uint8_t *job = NULL;
	const char *what = NULL;
	uint8_t pub[64];
	struct letter l;
	struct lxmf m;

	memcpy(pub, t->pub, 64);
	if (n->mail.room.period_s == 0)
		bucket_init(&n->mail.room, LETTERS, 60, n->now);
	if (lxmf_parse(&m, packed, len) != 0)
		what = "malformed";
	else if (mailbag_find(&n->mail.bag, &m.id) != NULL)
		what = "again";
	else if (n->ledger_fails || bucket_wait(&n->mail.room, 1, n->now) > 0)
		what = "later";
	else if (bucket_take(&n->mail.room, 1, n->now),
	    (what = look(n, &m, &l, t->known, pub, &job)) == NULL &&
	    !add(n, &m, &l, pub, job))
		what = "later";
	if (what != NULL && strcmp(what, "later") == 0)
		said.kept = false; /* it comes again */
	else if (what != NULL)
		log_info("mail", "a message is not taken: %s", what);
	numbers_count(&n->mail.count, what == NULL ? "taken" : what);
	n->host.send_N_MAIL_TAKEN(n->host.ctx, &said);
	n->mail.at = n->now;
}

/* ---- what goes ---- */

/* The newest letter about a job is the one that answers go to. */
static void
supersede(struct node *n, const struct mail *by)
{
	struct mail *m, *next;

	TAILQ_FOREACH_SAFE(m, &n->mail.bag.open, link, next) {
		if (m == by || !m->has_job || m->state == MAIL_ASKS ||
		    m->last || !id32_eq(&m->job, &by->job) ||
		    !hash16_eq(&m->source, &by->source))
			continue;
		numbers_count(&n->mail.count, "superseded");
		over(n, m);
	}
}

static void
wait_for_job(struct node *n, struct mail *m)
{
	mailtalk_end(n, m);
	mailbag_data(&n->mail.bag, m, NULL, 0);
	m->state = MAIL_WAITS;
	m->tag = 0;
	keep(n, m);
}

static void
due(struct node *n, struct mail *m, uint8_t *letter, size_t len, bool last)
{
	mailtalk_end(n, m);
	mailbag_data(&n->mail.bag, m, letter, len);
	m->state = MAIL_DUE;
	m->wrote = n->unix_now;
	m->last = last;
	m->tag = 0;
	m->tries = 0;
	m->why[0] = '\0';
	m->again = m->since = n->now;
	keep(n, m);
}

static struct mono
talk(struct node *n, struct mail *m)
{
	struct mailtalk_end e;
	struct mono next;

	switch (mailtalk_step(n, m, &e, &next)) {
	case MAILTALK_ON:
		return next;
	case MAILTALK_WAIT:
		supersede(n, m);
		wait_for_job(n, m);
		break;
	case MAILTALK_ANSWER:
		if (m->has_job && m->path == PATH_SUBMIT)
			supersede(n, m);
		due(n, m, e.letter, e.len, e.last);
		break;
	default:
		numbers_count(&n->mail.count, e.what);
		log_info("mail", "a letter gets no answer: %s", e.what);
		over(n, m);
	}
	return n->now;
}

static struct mono
in_s(const struct node *n, uint64_t s)
{
	return mono_add(n->now, (int64_t)s * MONO_SECOND);
}

/* Has the job come to where something is to be said of it? */
static bool
ripe(struct node *n, const struct mail *m)
{
	const struct job *j = job_find(&n->jobs, &m->job);

	return j == NULL || (job_ended(j) &&
	    (j->has_receipt || j->expired || j->state == JS_REFUSED));
}

static struct mono
send(struct node *n, struct mail *m)
{
	struct msg_N_MAIL q = {.dest = m->source, .wrote = m->wrote,
	    .within_s = WITHIN_S};

	if (!m->last && ripe(n, m)) { /* more is to be said by now */
		wait_for_job(n, m);
		return n->now;
	}
	if (mono_sub(n->now, m->since) / MONO_SECOND >=
	    n->policy.keep_results_s) {
		log_notice("mail", "an answer could not be handed over for so "
		    "long that it is given up (keep_results of node.yaml)");
		numbers_count(&n->mail.count, "given up");
		over(n, m);
		return n->now;
	}
	if (!n->greeted)
		return MONO_NEVER; /* mail_transport() */
	if (!mono_reached(n->now, m->again))
		return m->again;
	memcpy(q.pub, m->pub, 64);
	q.tag = m->tag = ++n->mail.tag;
	/* transport says what becomes of it before that */
	m->again = in_s(n, WITHIN_S + AGAIN_S);
	n->host.mail(n->host.ctx, &q, m->data, m->len);
	return m->again;
}

void
mail_ended(struct node *n, const struct msg_T_MAIL_END *e)
{
	struct mail *m;

	if (e->tag == 0) {
		mail_transport(n);
		return;
	}
	TAILQ_FOREACH(m, &n->mail.bag.open, link)
		if (m->tag == e->tag)
			break;
	if (m == NULL || m->state != MAIL_DUE)
		return;
	n->mail.at = n->now;
	m->tag = 0;
	if (e->end != MAIL_DELIVERED && e->end != MAIL_STORED) {
		log_debug("mail", "an answer is tried again: %s", e->why);
		numbers_count(&n->mail.count, "failed");
		m->again = in_s(n, MIN_OF(AGAIN_S << MIN_OF(m->tries, 6u),
		    3600u));
		m->tries++;
		(void)snprintf(m->why, sizeof(m->why), "%s", e->why);
		return;
	}
	numbers_count(&n->mail.count, e->end == MAIL_STORED ? "stored" :
	    "delivered");
	if (m->last)
		over(n, m);
	else
		wait_for_job(n, m);
}

void
mail_transport(struct node *n)
{
	struct mail *m;

	n->mail.at = n->now;
	TAILQ_FOREACH(m, &n->mail.bag.open, link) {
		m->tag = 0;
		m->again = n->now;
	}
}

/* ---- time ---- */

void
mail_restore(struct node *n, const struct id32 *id, const void *rec, size_t len)
{
	struct mail *m;

	if (!mail_decode(&n->mail.bag, id, rec, len)) {
		log_errx("ledger.db", "a letter in it does not read and is left "
		    "alone");
		return;
	}
	m = mailbag_find(&n->mail.bag, id);
	m->since = mono_add(n->now, -MONO_SECOND *
	    (int64_t)(n->unix_now > m->wrote ? n->unix_now - m->wrote : 0));
	n->mail.at = n->now;
}

struct mono
mail_tick(struct node *n)
{
	struct mono next = MONO_NEVER, at;
	struct mail *m, *more;

	if (n->stopping || !mono_reached(n->now, n->mail.at))
		return n->stopping ? MONO_NEVER : n->mail.at;
	n->mail.at = MONO_NEVER;
	TAILQ_FOREACH_SAFE(m, &n->mail.bag.open, link, more) {
		if (m->state == MAIL_DUE)
			at = send(n, m);
		else if (m->state == MAIL_ASKS || ripe(n, m))
			at = talk(n, m);
		else
			at = in_s(n, LOOK_S);
		next = mono_min(next, at);
	}
	/* what it asked may be answered already */
	n->mail.at = mono_min(n->mail.at, next);
	return n->mail.at;
}
