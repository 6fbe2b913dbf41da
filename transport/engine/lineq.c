/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/lineq.h"

#include <stdlib.h>
#include <string.h>

/*
 * One block of memory: each packet behind its length. It is moved to the front
 * when the end is reached, which a line of that pace does not notice.
 */
struct lineq {
	size_t from, to; /* what waits in mem */
	size_t packets;
	uint8_t mem[LINEQ_BYTES];
};
#define HEAD sizeof(uint16_t)

struct lineq *
lineq_new(void)
{
	return calloc(1, sizeof(struct lineq));
}

void
lineq_free(struct lineq *q)
{
	free(q);
}

bool
lineq_put(struct lineq *q, const struct rns_tx *tx, struct mono now)
{
	uint16_t len = (uint16_t)tx->len;

	(void)now;
	if (tx->len == 0 || tx->len > UINT16_MAX)
		return false;
	if (sizeof(q->mem) - q->to < HEAD + tx->len && q->from > 0) {
		memmove(q->mem, q->mem + q->from, q->to - q->from);
		q->to -= q->from;
		q->from = 0;
	}
	if (sizeof(q->mem) - q->to < HEAD + tx->len)
		return false;
	memcpy(q->mem + q->to, &len, HEAD);
	memcpy(q->mem + q->to + HEAD, tx->data, tx->len);
	q->to += HEAD + tx->len;
	q->packets++;
	return true;
}

bool
lineq_next(struct lineq *q, const uint8_t **p, size_t *n, struct mono now)
{
	uint16_t len;

	(void)now;
	if (q->packets == 0)
		return false;
	memcpy(&len, q->mem + q->from, HEAD);
	*p = q->mem + q->from + HEAD;
	*n = len;
	q->from += HEAD + len;
	q->packets--;
	return true;
}

struct mono
lineq_due(const struct lineq *q, struct mono now)
{
	return q->packets > 0 ? now : MONO_NEVER;
}

size_t
lineq_clear(struct lineq *q, size_t *bytes)
{
	size_t n = q->packets;

	*bytes = lineq_waiting(q);
	q->from = q->to = q->packets = 0;
	return n;
}

size_t
lineq_waiting(const struct lineq *q)
{
	return q->to - q->from - q->packets * HEAD;
}
