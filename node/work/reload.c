/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/reload.h"

#include <stdio.h>

#include "node/work/event.h"
#include "node/work/finish.h"
#include "node/work/lend.h"
#include "node/work/peers.h"
#include "node/work/warm.h"

void
node_reload(struct node *n, const struct policy *p)
{
	struct fp fp = n->policy.fp;
	struct peer *q;
	struct owner *o;

	n->policy = *p;
	n->policy.fp = fp; /* of the keys that keys has */
	n->caps = (struct quota_caps){p->jobs_queued, p->jobs_per_hour,
	    p->cpu_seconds_per_day, p->peer_spool, p->image_bytes_per_day};
	bucket_grow(&n->unidentified,
	    quota_unidentified_bytes(p->bytes_per_minute), n->now);
	for (q = peer_next(n, NULL); q != NULL; q = peer_next(n, q)) {
		bucket_grow(&q->bytes, quota_peer_bytes(p->bytes_per_minute,
		    q->v.known ? q->v.level : 0), n->now);
		bucket_grow(&q->requests, p->requests_per_minute, n->now);
	}
	for (o = owner_next(n, NULL); o != NULL; o = owner_next(n, o))
		quota_resize(&o->quota, &n->caps, n->now);
	if (n->announced)
		n->announce_at = mono_min(n->announce_at,
		    mono_add(n->announced_at, MONO_SECOND *
			(int64_t)p->announce_every_s));
	n->expire_at = n->now;
	lend_again(n);
	warm_void(n);
	node_event(n, EVK_RELOADED, 0, NULL, NULL, "node.yaml", NULL, 0, 0);
}

void
reload_judged(struct node *n, struct peer *p)
{
	int floor = MAX_OF(n->policy.floor, 0);
	char why[JOB_REASON_MAX];
	struct job *j;
	uint64_t after = 0;

	if (!p->v.pinned || p->v.status != VERDICT_OK || p->v.level >= floor)
		return;
	(void)snprintf(why, sizeof(why), "level %d, needed %d%s%.100s",
	    p->v.level, floor, p->v.why[0] == '\0' ? "" : ": ", p->v.why);
	while ((j = job_next_live(&n->jobs, &p->v.fp, after)) != NULL) {
		after = j->order;
		if (job_waiting(j))
			finish_refuse(n, j, "trust", why);
		else
			finish_kill(n, j, KILL_REVOKED);
	}
}
