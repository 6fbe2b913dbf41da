/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/witness.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"

#define AT_RUN 2 /* behind the type, as MSG_EVENT has it */

void
witness_init(struct witness *w, uint64_t run, size_t max)
{
	*w = (struct witness){.run = run, .max = max};
	TAILQ_INIT(&w->kept);
}

static void
drop(struct witness *w, struct witness_kept *k)
{
	TAILQ_REMOVE(&w->kept, k, link);
	free(k);
	w->n--;
}

void
witness_clear(struct witness *w)
{
	struct witness_kept *k;

	while ((k = TAILQ_FIRST(&w->kept)) != NULL)
		drop(w, k);
}

static void
keep(struct witness *w, const uint8_t *message, size_t len)
{
	struct witness_kept *k = w->n >= w->max ? NULL :
	    malloc(sizeof(*k) + len);

	if (k == NULL) /* its number tells, should it not arrive */
		return;
	k->number = w->last;
	k->len = len;
	memcpy(k->bytes, message, len);
	TAILQ_INSERT_TAIL(&w->kept, k, link);
	w->n++;
}

void
witness_send(struct witness *w, struct ipc *audit, uint8_t *message,
    size_t len)
{
	struct wr number = wr_make(message + AT_RUN, 16);

	w->last++;
	wr_u64(&number, w->run);
	wr_u64(&number, w->last);
	keep(w, message, len);
	if (audit != NULL && ipc_send(audit, message, len, NULL, 0) < 0)
		log_debug("audit", "event %llu waits",
		    (unsigned long long)w->last);
}

void
witness_tell(struct witness *w, struct ipc *audit, const struct msg_EVENT *m)
{
	uint8_t buf[IPC_SIZE_EVENT];
	struct wr to = wr_make(buf, sizeof(buf));

	ipc_put_EVENT(&to, m);
	if (wr_ok(&to))
		witness_send(w, audit, buf, to.len);
}

void
witness_up(struct witness *w, struct ipc *audit)
{
	struct msg_EVENT_RUN m = {.run = w->run, .acked = w->acked,
	    .upto = w->acked};
	struct witness_kept *k;

	(void)ipc_send_EVENT_RUN(audit, &m, NULL, 0);
	TAILQ_FOREACH(k, &w->kept, link)
		(void)ipc_send(audit, k->bytes, k->len, NULL, 0);
	/* what is not among them found no room */
	m.upto = w->last;
	(void)ipc_send_EVENT_RUN(audit, &m, NULL, 0);
}

void
witness_acked(struct witness *w, const struct msg_EVENT_ACK *m)
{
	struct witness_kept *k;

	if (m->run != w->run || m->upto <= w->acked || m->upto > w->last)
		return;
	w->acked = m->upto;
	while ((k = TAILQ_FIRST(&w->kept)) != NULL && k->number <= m->upto)
		drop(w, k);
}

void
heard_run(struct heard *h, uint64_t run)
{
	if (h->run != run)
		*h = (struct heard){.run = run};
}

void
heard_base(struct heard *h, uint64_t acked)
{
	h->upto = MAX_OF(h->upto, acked);
}

void
heard_settled(struct heard *h, uint64_t number)
{
	h->upto = MAX_OF(h->upto, number);
}

void
heard_failed(struct heard *h, uint64_t number)
{
	h->failed = MAX_OF(h->failed, number);
}
