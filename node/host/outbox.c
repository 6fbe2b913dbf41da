/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/host.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

/*
 * What the node sends, in order, behind the commit that it depends on. Three
 * kinds do: an answer, the start of a job, and the order to forget one. The
 * others may overtake a write that is lazy (ledger_lazy()).
 */

static const enum program TO[IPC_TYPES] = {
    [IPC_N_REPLY] = PROGRAM_TRANSPORT, [IPC_N_FOLLOW] = PROGRAM_TRANSPORT,
    [IPC_N_CLOSE] = PROGRAM_TRANSPORT, [IPC_N_APP_DATA] = PROGRAM_TRANSPORT,
    [IPC_N_BLACKHOLE] = PROGRAM_TRANSPORT, [IPC_N_HOLD] = PROGRAM_TRANSPORT,
    [IPC_V_ASK] = PROGRAM_TRUST, [IPC_V_ENVELOPE] = PROGRAM_TRUST,
    [IPC_V_LIVE] = PROGRAM_TRUST, [IPC_K_RECEIPT] = PROGRAM_KEYS,
    [IPC_K_CHALLENGE] = PROGRAM_KEYS, [IPC_J_RUN] = PROGRAM_JAIL,
    [IPC_J_STEP] = PROGRAM_JAIL, [IPC_J_KILL] = PROGRAM_JAIL,
    [IPC_J_FORGET] = PROGRAM_JAIL, [IPC_EVENT] = PROGRAM_AUDIT};

static bool
depends(enum ipc_type t)
{
	return t == IPC_N_REPLY || t == IPC_J_RUN || t == IPC_J_FORGET;
}

static bool
put_body(struct wr *w, enum ipc_type t, const void *m)
{
	switch (t) {
#define CASE(T)                                                                \
	case IPC_##T:                                                          \
		ipc_put_##T(w, m);                                             \
		break;
		CASE(N_REPLY)
		CASE(N_FOLLOW)
		CASE(N_CLOSE)
		CASE(N_APP_DATA)
		CASE(N_BLACKHOLE)
		CASE(N_HOLD)
		CASE(V_ASK)
		CASE(V_ENVELOPE)
		CASE(V_LIVE)
		CASE(K_RECEIPT)
		CASE(K_CHALLENGE)
		CASE(J_RUN)
		CASE(J_STEP)
		CASE(J_KILL)
		CASE(J_FORGET)
		CASE(EVENT)
#undef CASE
	default:
		return false;
	}
	return wr_ok(w);
}

void
outbox_add(struct warren_node *wn, enum ipc_type type, const void *msg,
    const int *fds, unsigned nfds)
{
	uint8_t body[IPC_MAX];
	struct wr w = wr_make(body, sizeof(body));
	struct queued *q;

	if (!put_body(&w, type, msg))
		fatalx("message %d does not fit", (int)type);
	if ((q = malloc(sizeof(*q) + w.len)) == NULL)
		fatal("out of memory");
	q->to = TO[type];
	q->type = type;
	q->held = false;
	q->len = w.len;
	q->nfds = nfds;
	for (unsigned i = 0; i < nfds; i++)
		q->fds[i] = fds[i];
	memcpy(q->body, body, w.len);
	TAILQ_INSERT_TAIL(&wn->queue, q, link);
}

void
outbox_send(void *ctx, enum ipc_type type, const void *msg,
    const uint8_t *blob, size_t len)
{
	struct warren_node *wn = ctx;
	struct msg_N_REPLY reply;
	int fd;

	if (type == IPC_N_REPLY) {
		reply = *(const struct msg_N_REPLY *)msg;
		if (len <= sizeof(reply.data)) {
			reply.data_len = (uint16_t)len;
			memcpy(reply.data, blob, len);
			outbox_add(wn, type, &reply, NULL, 0);
			return;
		}
		msg = &reply;
	}
	if (blob == NULL) {
		outbox_add(wn, type, msg, NULL, 0);
		return;
	}
	if ((fd = memfd_sealed("node", blob, len)) < 0) {
		/* the other side asks again */
		log_warn(NULL, "no memory for a message");
		return;
	}
	outbox_add(wn, type, msg, &fd, 1);
}

static void
queued_free(struct warren_node *wn, struct queued *q)
{
	for (unsigned i = 0; i < q->nfds; i++)
		(void)close(q->fds[i]);
	TAILQ_REMOVE(&wn->queue, q, link);
	free(q);
}

static void
let_out(struct warren_node *wn, struct queued *q)
{
	struct ipc_ev *c = wn->channel[q->to];

	/* who is not there hears at its hello what it must know */
	if (c != NULL && wn->node.up[q->to] &&
	    ipc_send(ipc_ev_channel(c), q->body, q->len, q->fds, q->nfds) < 0)
		log_warn(program_name(q->to), "cannot send");
	queued_free(wn, q);
}

void
outbox_drop(struct warren_node *wn, enum program who)
{
	struct queued *q, *next;

	for (q = TAILQ_FIRST(&wn->queue); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		if (q->to == who)
			queued_free(wn, q);
	}
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
		if (!q->held && q->type != IPC_J_RUN && q->type != IPC_J_FORGET &&
		    q->type != IPC_EVENT && q->type != IPC_K_RECEIPT)
			let_out(wn, q);
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
	if (ledger_pending(wn->ledger, &n->jobs)) {
		if (!urgent && ledger_lazy(wn->ledger, &n->jobs)) {
			if (!ev_is_active(&wn->lazy)) {
				ev_timer_set(&wn->lazy, HOST_LAZY_S, 0.);
				ev_timer_start(wn->loop, &wn->lazy);
			}
		} else if (ledger_commit(wn->ledger, &n->jobs, &full) != 0) {
			n->ledger_fails = true;
			wn->lazy_due = false;
			TAILQ_FOREACH(q, &wn->queue, link)
				q->held = true;
			ev_timer_again(wn->loop, &wn->retry);
			return;
		}
	}
	wn->lazy_due = false;
	if (failed) {
		n->ledger_fails = false;
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
	TAILQ_INIT(&wn->queue);
	ev_timer_init(&wn->retry, on_retry, HOST_RETRY_S, HOST_RETRY_S);
	wn->retry.data = wn;
	ev_timer_init(&wn->lazy, on_retry, HOST_LAZY_S, 0.);
	wn->lazy.data = wn;
}
