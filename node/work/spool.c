/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/spool.h"

#include "node/work/peers.h"

/* Of all his jobs, which may be thousands. */
static uint64_t
logs_of(struct node *n, const struct fp *fp)
{
	uint64_t sum = 0, after = 0;
	struct job *j;

	while ((j = job_next_of(&n->jobs, fp, after)) != NULL) {
		after = j->order;
		if (!j->expired)
			sum += j->log[0] + j->log[1];
	}
	return sum;
}

uint64_t
spool_held(struct node *n, const struct fp *fp)
{
	struct owner *o = owner_get(n, fp);
	uint64_t blobs = n->host.blob_held(n->host.ctx, fp);

	if (o == NULL)
		return blobs + logs_of(n, fp);
	if (mono_reached(n->now, o->logs_at)) {
		o->logs = logs_of(n, fp);
		o->logs_at = mono_add(n->now, MONO_SECOND);
	}
	return blobs + o->logs;
}
