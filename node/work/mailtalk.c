/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/mailtalk.h"

#include <stdlib.h>
#include <string.h>

#include <rns/rns.h>

#include "node/proto/letter.h"
#include "node/proto/proto_get.h"
#include "node/proto/proto_req.h"
#include "node/work/mailbag.h"
#include "node/work/serve.h"
#include "node/work/state.h"

#define BUSY_MOST_S 3600u
#define ROUNDS 8 /* ours: lists of chunks, then chunks */
#define LETTER_AROUND 1024 /* bytes of a letter around its answer and blobs */

enum step { STEP_ASK, STEP_PUT, STEP_RESULT, STEP_STATUS, STEP_GIVE };

void
mailtalk_end(struct node *n, struct mail *m)
{
	struct caller *l = m->talk.on ? caller_find(n, &m->talk.link) : NULL;

	if (l != NULL && l->slip == &m->talk.slip)
		peers_closed(n, &l->id);
	if (m->talk.on)
		n->mail.at = n->now; /* another one may begin */
	mail_hush(m);
}

static enum mailtalk
none(struct mailtalk_end *e, const char *what)
{
	e->what = what;
	return MAILTALK_NONE;
}

/* ---- its end ---- */

/* The answer as a letter. Failing memory is no reason to lose it. */
static enum mailtalk
answer(const struct node *n, struct mail *m, struct mailtalk_end *e, enum proto_path path,
    const uint8_t *ans, size_t len, bool last)
{
	struct mail_talk *t = &m->talk;
	struct letter l = {.path = path, .answer = true, .value = {ans, len},
	    .re = m->id.b, .id = m->has_job ? m->job.b : NULL,
	    .binding = path == PATH_RESULT && n->has_binding ? n->binding :
		NULL};
	const uint8_t *p = t->blobs;
	size_t cap = len + t->blobs_len + LETTER_AROUND;
	struct wr w;

	for (; l.nblobs < t->nblobs; l.nblobs++) {
		l.blob[l.nblobs] = (struct pbin){p, t->blob_len[l.nblobs]};
		p += t->blob_len[l.nblobs];
	}
	if ((e->letter = malloc(cap)) == NULL)
		return none(e, "memory");
	w = wr_make(e->letter, cap);
	letter_put(&w, &l);
	e->len = w.len;
	e->last = last;
	if (wr_ok(&w))
		return MAILTALK_ANSWER;
	free(e->letter);
	return none(e, "large");
}

/* ---- asking ---- */

static enum mailtalk
ask_bytes(struct node *n, struct mail *m, enum proto_path path,
    const uint8_t *data, size_t len, struct mailtalk_end *e)
{
	struct msg_T_REQUEST q = {.link = m->talk.link, .len = (uint32_t)len};
	const struct caller *l;

	free(m->talk.slip.p);
	m->talk.slip = (struct slip){0};
	proto_path_hash(&q.path_hash, path);
	serve_request(n, &q, data, len);
	l = caller_find(n, &m->talk.link);
	/* neither answered nor waiting: a request that gets no answer */
	if (l != NULL && !m->talk.slip.came && l->parked == 0)
		return none(e, "mute");
	return MAILTALK_ON;
}

static enum mailtalk
ask(struct node *n, struct mail *m, const struct proto_req *q,
    struct mailtalk_end *e)
{
	size_t cap = q->body.n + 512;
	uint8_t *buf = malloc(cap);
	enum mailtalk r;
	struct wr w;

	if (buf == NULL)
		return none(e, "memory");
	w = wr_make(buf, cap);
	proto_req_put(&w, q);
	r = wr_ok(&w) ? ask_bytes(n, m, q->path, buf, w.len, e) :
	    none(e, "large");
	free(buf);
	return r;
}

/* ---- job/submit, with what came along ---- */

static bool
lacks(const struct proto_submitted *s, const struct id32 *sha)
{
	struct plist l = s->missing;
	const uint8_t *d;

	while (plist_next(&l, &d))
		if (memcmp(d, sha->b, sizeof(sha->b)) == 0)
			return true;
	return false;
}

static enum mailtalk
ask_letter(struct node *n, struct mail *m, struct mailtalk_end *e)
{
	struct letter l;

	m->talk.step = STEP_ASK;
	if (!letter_get(&l, m->data, m->len))
		return none(e, "malformed");
	return ask_bytes(n, m, l.path, l.value.p, l.value.n, e);
}

/* The next input that it brought and that lacks; or what it comes to. */
static enum mailtalk
put_next(struct node *n, struct mail *m, struct mailtalk_end *e)
{
	struct mail_talk *t = &m->talk;
	struct proto_submitted s;
	struct proto_ans a;
	struct letter l;
	struct id32 sha;

	if (!proto_ans_get(&a, t->first, t->first_len) ||
	    !proto_get_submitted(&s, &a) || !letter_get(&l, m->data, m->len))
		return none(e, "malformed");
	for (; t->blob < l.nblobs; t->blob++) {
		struct proto_req q = {.path = PATH_BLOB_PUT, .digest = sha.b,
		    .body = l.blob[t->blob], .n = l.blob[t->blob].n};

		rns_sha256(&sha, l.blob[t->blob].p, l.blob[t->blob].n);
		if (!lacks(&s, &sha))
			continue;
		t->step = STEP_PUT;
		return ask(n, m, &q, e);
	}
	if (t->put > 0 && ++t->rounds < ROUNDS) {
		t->put = t->blob = 0;
		return ask_letter(n, m, e);
	}
	if (s.nmissing > 0 || pstr_is(s.state, job_state_name(JS_HELD)))
		return answer(n, m, e, PATH_SUBMIT, t->first, t->first_len,
		    false);
	return MAILTALK_WAIT;
}

/* ---- job/result, with logs and outputs ---- */

/* The i-th thing to give: its request, and its size. false: no more. */
static bool
thing(const struct proto_result *r, const struct mail *m, unsigned i,
    struct proto_req *q, uint64_t *size)
{
	*q = (struct proto_req){.path = PATH_LOG, .id = m->job.b,
	    .stream = (uint8_t)(i + 1)};
	if (i < 2) {
		*size = r->log_size[i];
	} else if (i - 2 < r->noutputs) {
		*q = (struct proto_req){.path = PATH_BLOB_GET,
		    .digest = r->outputs[i - 2].sha256};
		*size = r->outputs[i - 2].size;
	} else {
		return false;
	}
	q->n = MIN_OF(*size, PROTO_SLICE);
	return true;
}

static enum mailtalk
give_next(struct node *n, struct mail *m, struct mailtalk_end *e)
{
	struct mail_talk *t = &m->talk;
	struct proto_result r;
	struct proto_ans a;
	struct proto_req q;
	uint64_t size;

	if (!proto_ans_get(&a, t->first, t->first_len) ||
	    !proto_get_result(&r, &a))
		return none(e, "malformed");
	t->step = STEP_GIVE;
	for (; thing(&r, m, t->blob, &q, &size); t->blob++)
		if (size > 0 && size <= m->give - t->blobs_len)
			return ask(n, m, &q, e);
	return answer(n, m, e, PATH_RESULT, t->first, t->first_len, true);
}

/* The content that has come, if it is all of it. */
static void
given(struct mail *m, const struct proto_ans *a)
{
	struct mail_talk *t = &m->talk;
	struct proto_ans first;
	struct proto_result r;
	struct proto_req q;
	struct pbin b;
	uint64_t size;
	uint8_t *p;

	if (a->status != ST_OK || !proto_get_bytes(&b, a) ||
	    !proto_ans_get(&first, t->first, t->first_len) ||
	    !proto_get_result(&r, &first) ||
	    !thing(&r, m, t->blob, &q, &size) || b.n != size ||
	    t->nblobs == MAIL_GIVEN ||
	    (p = realloc(t->blobs, t->blobs_len + b.n)) == NULL)
		return;
	memcpy(p + t->blobs_len, b.p, b.n);
	t->blobs = p;
	t->blobs_len += b.n;
	t->blob_len[t->nblobs++] = (uint32_t)b.n;
}

/* ---- one answer after the other ---- */

static void
keep_first(struct mail_talk *t)
{
	free(t->first);
	t->first = t->slip.p;
	t->first_len = t->slip.len;
	t->slip = (struct slip){0};
}

static enum mailtalk
asked(struct node *n, struct mail *m, const struct proto_ans *a,
    struct mailtalk_end *e)
{
	struct mail_talk *t = &m->talk;
	struct proto_submitted s;

	if (m->path == PATH_SUBMIT && a->status == ST_OK &&
	    proto_get_submitted(&s, a)) {
		m->job = *id32_at(s.id);
		m->has_job = true;
		keep_first(t);
		return put_next(n, m, e);
	}
	if (m->path == PATH_RESULT && a->status == ST_OK) {
		struct proto_result r;

		if (proto_get_result(&r, a)) {
			keep_first(t);
			return give_next(n, m, e);
		}
	}
	return answer(n, m, e, m->path, t->slip.p, t->slip.len, true);
}

static enum mailtalk
heard(struct node *n, struct mail *m, struct mailtalk_end *e)
{
	struct mail_talk *t = &m->talk;
	struct proto_result r;
	struct proto_ans a;

	if (!proto_ans_get(&a, t->slip.p, t->slip.len))
		return none(e, "malformed");
	switch (t->step) {
	case STEP_ASK:
		return asked(n, m, &a, e);
	case STEP_PUT:
		t->put += a.status == ST_OK;
		t->blob++;
		return put_next(n, m, e);
	case STEP_RESULT:
		if (a.status == ST_OK && proto_get_result(&r, &a)) {
			keep_first(t);
			return give_next(n, m, e);
		}
		return answer(n, m, e, PATH_RESULT, t->slip.p, t->slip.len, true);
	case STEP_GIVE:
		given(m, &a);
		t->blob++;
		return give_next(n, m, e);
	default:
		return answer(n, m, e, PATH_STATUS, t->slip.p, t->slip.len, true);
	}
}

/* ---- its beginning, and what it waits for ---- */

static unsigned
talks(const struct node *n)
{
	const struct mail *m;
	unsigned k = 0;

	TAILQ_FOREACH(m, &n->mail.bag.open, link)
		k += m->talk.on;
	return k;
}

static enum mailtalk
ask_step(struct node *n, struct mail *m, struct mailtalk_end *e)
{
	struct proto_req q = {.path = m->talk.step == STEP_STATUS ?
	    PATH_STATUS : PATH_RESULT, .id = m->job.b};

	switch (m->talk.step) {
	case STEP_ASK:
		return ask_letter(n, m, e);
	case STEP_PUT:
		return put_next(n, m, e);
	case STEP_GIVE:
		return give_next(n, m, e);
	default:
		return ask(n, m, &q, e);
	}
}

static enum mailtalk
begin(struct node *n, struct mail *m, struct mailtalk_end *e)
{
	const struct job *j = m->state == MAIL_WAITS ?
	    job_find(&n->jobs, &m->job) : NULL;

	if (n->ncallers >= NODE_CALLERS_MAX) {
		m->talk.again = mono_add(n->now, 5 * MONO_SECOND);
		return MAILTALK_ON;
	}
	memcpy(m->talk.link.b, m->id.b, sizeof(m->talk.link.b));
	if (peers_letter(n, &m->talk.link, m->pub, &m->talk.slip) == NULL)
		return none(e, "kept out");
	m->talk.on = true;
	m->talk.step = m->state == MAIL_ASKS ? STEP_ASK :
	    j != NULL && j->state == JS_REFUSED ? STEP_STATUS : STEP_RESULT;
	return ask_step(n, m, e);
}

/* false: what has come is no "busy". */
static bool
busy(struct node *n, struct mail *m)
{
	struct mail_talk *t = &m->talk;
	struct proto_ans a;

	if (t->slip.p != NULL && (!proto_ans_get(&a, t->slip.p, t->slip.len) ||
	    a.status != ST_BUSY))
		return false;
	t->again = mono_add(n->now, MONO_SECOND * (int64_t)(t->slip.p == NULL ?
		60 : MAX_OF(MIN_OF(a.meta.s, BUSY_MOST_S), 1u)));
	free(t->slip.p);
	t->slip = (struct slip){0};
	return true;
}

/* Its link was closed, by transport's end or since he is kept out. */
static enum mailtalk
lost(struct node *n, struct mail *m, struct mono *next)
{
	mailtalk_end(n, m);
	m->talk.again = *next = mono_add(n->now, MONO_SECOND);
	return MAILTALK_ON;
}

enum mailtalk
mailtalk_step(struct node *n, struct mail *m, struct mailtalk_end *e,
    struct mono *next)
{
	struct mail_talk *t = &m->talk;
	enum mailtalk r = MAILTALK_ON;

	*next = t->again;
	if (n->unix_now > m->came && n->unix_now - m->came > MAILTALK_AGE_S &&
	    m->state == MAIL_ASKS)
		return none(e, "too old");
	if (!mono_reached(n->now, t->again))
		return MAILTALK_ON;
	if (t->on && caller_find(n, &t->link) == NULL)
		return lost(n, m, next);
	*next = MONO_NEVER; /* an answer wakes it up */
	if (!t->on) {
		t->again = (struct mono){0};
		r = talks(n) >= MAILTALKS ? MAILTALK_ON : begin(n, m, e);
		*next = t->again.us != 0 ? t->again : MONO_NEVER;
		return r;
	}
	if (t->again.us != 0) { /* it was busy */
		t->again = (struct mono){0};
		return ask_step(n, m, e);
	}
	if (!t->slip.came)
		return MAILTALK_ON;
	if (!busy(n, m))
		r = heard(n, m, e);
	if (r == MAILTALK_ON)
		*next = t->again.us != 0 ? t->again : MONO_NEVER;
	return r;
}
