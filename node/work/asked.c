/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/asked.h"

#include <stdlib.h>
#include <string.h>

#include "node/work/answer.h"
#include "node/work/park.h"
#include "node/work/state.h"

struct asked *
asked_new(struct caller *c, const struct msg_T_REQUEST *m,
    const uint8_t *data, size_t len)
{
	struct asked *a = malloc(sizeof(*a) + len);

	if (a == NULL)
		return NULL;
	/* not calloc(): a slice would be written twice */
	*a = (struct asked){.caller = c, .len = len, .took_ms = m->took_ms};
	a->id = m->request;
	if (len > 0)
		memcpy(a->data, data, len);
	return a;
}

bool
asked_wait(struct node *n, struct asked *a, enum asked_stage stage,
    uint64_t qid)
{
	if (park_put(n, a, stage, qid))
		return true;
	answer_busy(n, a, "load", NODE_BUSY_S);
	return false;
}

void
asked_binding_time(const struct node *n, const struct asked *a,
    struct refusal *r)
{
	struct binding b;

	if (strcmp(r->code, "binding") != 0 || !a->bad_binding ||
	    a->req.binding == NULL ||
	    !binding_parse(&b, a->req.binding, BINDING_LEN))
		return;
	if (b.not_before > (uint64_t)n->unix_now + BINDING_EARLY)
		r->value = b.not_before;
	else if (b.not_after <= n->unix_now)
		r->value = b.not_after;
	else
		return;
	r->time = n->unix_now;
}

void
asked_end(struct asked *a)
{
	if (a->qid == 0)
		free(a);
}

struct mono
asked_tick(struct node *n)
{
	struct mono next;
	struct asked *a;

	while ((a = park_expired(n, &next)) != NULL) {
		answer_busy(n, a, a->stage == ASKED_CHALLENGE ? "keys" :
			"trust", NODE_BUSY_S);
		asked_end(a);
	}
	return next;
}
