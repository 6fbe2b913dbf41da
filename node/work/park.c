/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/park.h"

#include <stdlib.h>
#include <string.h>

#include "node/work/answer.h"
#include "node/work/node.h"
#include "node/work/peers.h"

struct parked *
park_put(struct node *n, struct caller *l, const uint8_t request[16],
    enum proto_path path, const uint8_t *data, size_t len, enum stage stage,
    uint64_t qid)
{
	struct parked *p;

	if (n->nparked >= NODE_PARKED_MAX || l->parked >= NODE_PARKED_LINK ||
	    n->parked_bytes + len > NODE_PARKED_BYTES ||
	    (p = calloc(1, sizeof(*p) + len)) == NULL) {
		n->count.parked_out++;
		answer_busy(n, l, request, NODE_BUSY_S);
		return NULL;
	}
	p->qid = qid;
	memcpy(p->link, l->id, 16);
	memcpy(p->request, request, 16);
	p->path = path;
	p->stage = stage;
	p->until = mono_add(n->now, NODE_ASK_S * MONO_SECOND);
	p->len = len;
	memcpy(p->data, data, len);
	TAILQ_INSERT_TAIL(&n->parked, p, link_entry);
	n->nparked++;
	n->parked_bytes += len;
	l->parked++;
	return p;
}

struct parked *
park_find(struct node *n, uint64_t qid)
{
	struct parked *p;

	TAILQ_FOREACH(p, &n->parked, link_entry) {
		if (p->qid == qid)
			return p;
	}
	return NULL;
}

void
park_take(struct node *n, struct parked *p)
{
	struct caller *l = caller_find(n, p->link);

	TAILQ_REMOVE(&n->parked, p, link_entry);
	n->nparked--;
	n->parked_bytes -= p->len;
	if (l != NULL)
		l->parked--;
}

void
park_drop(struct node *n, struct parked *p)
{
	park_take(n, p);
	free(p);
}

struct mono
park_tick(struct node *n)
{
	struct parked *p;

	/* in order of their time-outs, which are all alike */
	while ((p = TAILQ_FIRST(&n->parked)) != NULL) {
		struct caller *l = caller_find(n, p->link);

		if (!mono_reached(n->now, p->until))
			return p->until;
		if (l != NULL)
			answer_busy(n, l, p->request, NODE_BUSY_S);
		park_drop(n, p);
	}
	return MONO_NEVER;
}
