/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/outbox.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/log.h"
#include "node/host/host.h"
#include "node/host/ledger.h"
#include "node/proto/proto_put.h"
#include "node/work/ready.h"
#include "sandbox/plan/plan.h"

/*
 * What the node sends, in order, behind the commit that it depends on. These
 * kinds do: an answer, the start of a job, and the order to forget one that has
 * run; and so does what is said of letters. The others may overtake a write that is lazy (ledger_lazy()).
 */

#define EVENTS_KEPT 512 /* ours: what happens in the second that audit needs */

static bool
depends(enum ipc_type t)
{
	return t == IPC_N_REPLY || t == IPC_J_RUN || t == IPC_J_FORGET ||
	    t == IPC_N_MAIL || t == IPC_N_MAIL_TAKEN;
}

/* What says that something was written, and waits until it is. */
static bool
waits(enum ipc_type t)
{
	return depends(t) || t == IPC_EVENT || t == IPC_K_RECEIPT;
}

static struct queued *
queued_new(enum ipc_type type, enum program to, size_t size)
{
	struct queued *q = malloc(sizeof(*q) + size);

	if (q == NULL)
		fatal("out of memory");
	q->to = to;
	q->type = type;
	q->held = false;
	return q;
}

static void
queue(struct warren_node *wn, struct queued *q, const struct wr *w,
    const int *fds, unsigned nfds)
{
	if (!wr_ok(w))
		fatalx("message %s does not fit", ipc_row(q->type)->name);
	q->len = w->len;
	q->nfds = nfds;
	for (unsigned i = 0; i < nfds; i++)
		q->fds[i] = fds[i];
	TAILQ_INSERT_TAIL(&wn->queue, q, link);
}

#define ADD(name, from, to, least, most)                                       \
	IPC_IF(IPC_BY(NODE, from))                                             \
	(void outbox_##name(struct warren_node *wn,                            \
	    const struct msg_##name *m, const int *fds, unsigned nfds)         \
	{                                                                      \
		struct queued *q = queued_new(                                 \
		    IPC_##name, PROGRAM_##to, IPC_SIZE_##name);                \
		struct wr w = wr_make(q->body, IPC_SIZE_##name);               \
                                                                               \
		ipc_put_##name(&w, m);                                         \
		queue(wn, q, &w, fds, nfds);                                   \
	})
IPC_MESSAGES(ADD)

#define SEND(name, from, to, least, most)                                      \
	IPC_IF(NODE_PLAIN(from, most))                                         \
	(static void send_##name(void *ctx, const struct msg_##name *m)        \
	{                                                                      \
		outbox_##name(ctx, m, NULL, 0);                                \
	})
IPC_MESSAGES(SEND)

static int
along(const uint8_t *bytes, size_t len)
{
	int fd = memfd_sealed("node", bytes, len);

	if (fd < 0) /* the other side asks again */
		log_warn(NULL, "no memory for a message");
	return fd;
}

static void
reply(void *ctx, struct msg_N_REPLY *m, const uint8_t *answer, size_t len)
{
	int fd;

	m->len = (uint32_t)len;
	if (len <= sizeof(m->data)) {
		m->data_len = (uint16_t)len;
		memcpy(m->data, answer, len);
		outbox_N_REPLY(ctx, m, NULL, 0);
	} else if ((fd = along(answer, len)) >= 0) {
		outbox_N_REPLY(ctx, m, &fd, 1);
	}
}

static void
mail(void *ctx, struct msg_N_MAIL *m, const uint8_t *letter, size_t len)
{
	int fd = along(letter, len);

	m->len = (uint32_t)len;
	if (fd >= 0)
		outbox_N_MAIL(ctx, m, &fd, 1);
}

static void
envelope(void *ctx, const struct msg_V_ENVELOPE *m, const uint8_t *bytes,
    size_t len)
{
	int fd = along(bytes, len);

	if (fd >= 0)
		outbox_V_ENVELOPE(ctx, m, &fd, 1);
}

static void
contract(void *ctx, const struct msg_V_CONTRACT *m, const uint8_t *bytes,
    size_t len)
{
	int fd = along(bytes, len);

	if (fd >= 0)
		outbox_V_CONTRACT(ctx, m, &fd, 1);
}

void
outbox_fill(struct host *h)
{
#define FILL(name, from, to, least, most)                                      \
	IPC_IF(NODE_PLAIN(from, most))(h->send_##name = send_##name;)
	IPC_MESSAGES(FILL)
	h->reply = reply;
	h->mail = mail;
	h->envelope = envelope;
	h->contract = contract;
}

static void
queued_free(struct warren_node *wn, struct queued *q)
{
	for (unsigned i = 0; i < q->nfds; i++)
		(void)close(q->fds[i]);
	TAILQ_REMOVE(&wn->queue, q, link);
	free(q);
}

void
outbox_up(struct warren_node *wn, enum program who)
{
	if (who == PROGRAM_AUDIT)
		witness_up(&wn->witness, program_channel(&wn->prog, who));
}

static void
let_out(struct warren_node *wn, struct queued *q)
{
	struct ipc *c = program_channel(&wn->prog, q->to);

	if (q->type == IPC_EVENT) {
		witness_send(&wn->witness, c, q->body, q->len);
		queued_free(wn, q);
		return;
	}
	/* who is not there hears at its hello what it must know */
	if (c != NULL && ipc_send(c, q->body, q->len, q->fds, q->nfds) < 0)
		log_warn(program_name(q->to), "cannot send");
	queued_free(wn, q);
}

void
outbox_drop(struct warren_node *wn, enum program who)
{
	struct queued *q, *next;

	for (q = TAILQ_FIRST(&wn->queue); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		if (q->to == who && q->type != IPC_EVENT)
			queued_free(wn, q);
	}
}

/* An order to forget a job that need not wait: job_makes_room(). */
static bool
makes_room(struct warren_node *wn, const struct queued *q)
{
	struct rd r = rd_make(q->body, q->len);
	struct id32 id;
	uint16_t type;

	return q->type == IPC_J_FORGET && rd_u16(&r, &type) &&
	    rd_copy(&r, HASH_BYTES(id)) &&
	    job_makes_room(&wn->node.jobs, &id);
}

/*
 * While the ledger cannot be written, what was decided waits with it. What
 * depends on nothing goes on: "busy", the end of a link, a kill.
 */
static void
let_out_free(struct warren_node *wn)
{
	struct queued *q, *next;

	for (q = TAILQ_FIRST(&wn->queue); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		if (makes_room(wn, q) || (!q->held &&
			(q->type == IPC_N_REPLY || !waits(q->type))))
			let_out(wn, q);
	}
}

/* ---- rows that cannot be written ---- */

/* The job that a J_RUN starts. */
static struct job *
started_by(struct warren_node *wn, const struct queued *q)
{
	struct msg_J_RUN m;
	struct plan plan;

	if (q->type != IPC_J_RUN || q->len < 2 ||
	    !msg_get_J_RUN(rd_make(q->body + 2, q->len - 2), &m) ||
	    !plan_decode(rd_make(m.plan, m.plan_len), &plan))
		return NULL;
	return job_find(&wn->node.jobs, &plan.job);
}

/* An answer of this turn may be about it: who asked asks again. */
static void
unsay(struct warren_node *wn, struct queued *q)
{
	const struct proto_meta busy = {.has_s = true, .s = NODE_ASIDE_S,
	    .code = pstr_of("ledger")};
	struct msg_N_REPLY m;
	struct wr w;

	if (q->type != IPC_N_REPLY ||
	    !msg_get_N_REPLY(rd_make(q->body + 2, q->len - 2), &m))
		return;
	w = wr_make(m.data, sizeof(m.data));
	proto_ans_put(&w, ST_BUSY, &busy);
	m.len = m.data_len = (uint16_t)w.len;
	outbox_N_REPLY(wn, &m, NULL, 0);
	queued_free(wn, q);
}

/* A start whose job the ledger does not have does not leave. */
static void
stop_starts(struct warren_node *wn)
{
	struct queued *q, *next;
	struct job *j;

	for (q = TAILQ_FIRST(&wn->queue); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		if ((j = started_by(wn, q)) == NULL || !j->aside)
			continue;
		queued_free(wn, q);
		j->told_aside = true;
		(void)finish_unwritten(&wn->node, j, true,
		    ledger_why(wn->ledger));
	}
}

/* Those that this commit has set aside. */
static void
set_aside(struct warren_node *wn)
{
	struct queued *q, *next, *last = TAILQ_LAST(&wn->queue, queue);
	struct job *j, *after;
	bool any = false;

	TAILQ_FOREACH(j, &wn->node.jobs.aside, dirty_link)
		any |= !j->told_aside;
	for (q = any ? TAILQ_FIRST(&wn->queue) : NULL; q != NULL; q = next) {
		next = q == last ? NULL : TAILQ_NEXT(q, link);
		unsay(wn, q);
	}
	stop_starts(wn);
	for (j = TAILQ_FIRST(&wn->node.jobs.aside); j != NULL; j = after) {
		after = TAILQ_NEXT(j, dirty_link);
		if (!j->told_aside && finish_unwritten(&wn->node, j, false,
			ledger_why(wn->ledger)))
			j->told_aside = true;
	}
}

void
outbox_flush(struct warren_node *wn)
{
	struct node *n = &wn->node;
	struct queued *q;
	bool urgent = wn->lazy_due, full, failed = n->ledger_fails;

	if (failed) {
		if (!wn->lazy_due) { /* the retry timer commits */
			let_out_free(wn);
			return;
		}
	}
	TAILQ_FOREACH(q, &wn->queue, link)
		urgent |= depends(q->type);
	if (!TAILQ_EMPTY(&n->jobs.aside) && mono_reached(n->now, n->aside_at)) {
		n->aside_at = mono_add(n->now, NODE_ASIDE_S * MONO_SECOND);
		jobs_try_aside(&n->jobs);
	}
	if (ledger_pending(wn->ledger, &n->jobs)) {
		if (!urgent && ledger_lazy(wn->ledger, &n->jobs)) {
			if (!ev_is_active(&wn->lazy)) {
				ev_timer_set(&wn->lazy, HOST_LAZY_S, 0.);
				ev_timer_start(wn->loop, &wn->lazy);
			}
		} else if (ledger_commit(wn->ledger, &n->jobs, &full) != 0) {
			n->ledger_fails = true;
			node_disk(n); /* often that is why */
			wn->lazy_due = false;
			TAILQ_FOREACH(q, &wn->queue, link)
				q->held = waits(q->type);
			let_out_free(wn);
			ev_timer_again(wn->loop, &wn->retry);
			return;
		}
	}
	wn->lazy_due = false;
	if (!TAILQ_EMPTY(&n->jobs.aside))
		set_aside(wn);
	if (failed) {
		n->ledger_fails = false;
		node_disk(n);
		ev_timer_stop(wn->loop, &wn->retry);
	}
	while ((q = TAILQ_FIRST(&wn->queue)) != NULL)
		let_out(wn, q);
}

static void
on_retry(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct warren_node *wn = t->data;

	(void)loop;
	(void)revents;
	wn->lazy_due = true; /* commit whatever there is */
}

void
outbox_init(struct warren_node *wn)
{
	uint64_t run;

	TAILQ_INIT(&wn->queue);
	randombytes_buf(&run, sizeof(run));
	witness_init(&wn->witness, run, EVENTS_KEPT);
	ev_timer_init(&wn->retry, on_retry, HOST_RETRY_S, HOST_RETRY_S);
	wn->retry.data = wn;
	ev_timer_init(&wn->lazy, on_retry, HOST_LAZY_S, 0.);
	wn->lazy.data = wn;
}
