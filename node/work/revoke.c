/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/revoke.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "node/work/banned.h"
#include "node/work/bury.h"
#include "node/work/event.h"
#include "node/work/finish.h"
#include "node/work/forensics.h"
#include "node/work/freeze.h"
#include "node/work/peers.h"
#include "node/work/warm.h"

/* ---- whom transport drops no more ---- */

/* Does a list, a pin, or the last verdict still speak for it? */
static bool
still(struct node *n, const struct hash16 *rns)
{
	const struct peer *p = peer_find(n, rns);
	const struct listed *e = banned_find(n, LISTED_RNS, rns->b);
	const struct fp *fp = p != NULL && p->v.known && p->v.key_len > 0 ?
	    &p->v.fp : NULL;

	if (e != NULL && !e->suspended)
		return true;
	if (policy_pinned(&n->policy, rns, fp) <= -3)
		return true;
	return p != NULL && p->v.known && p->v.level <= -3;
}

void
revoke_holes_check(struct node *n)
{
	size_t k = 0;

	for (size_t i = 0; i < n->nholes; i++) {
		if (still(n, &n->holes[i]))
			n->holes[k++] = n->holes[i];
		else
			banned_say(n, &n->holes[i], false);
	}
	n->nholes = k;
}

/* ---- what follows ---- */

/* What lending has frozen stays so. */
static void
lift(struct node *n, struct job *j)
{
	j->suspended = false;
	if (n->lends || n->policy.when.running != WHEN_FREEZE)
		job_thaw(n, j);
}

static void
apply_job(struct node *n, struct job *j)
{
	const char *which;
	const struct listed *e = banned_job(n, j, &which);
	bool was = j->suspended;

	if (e == NULL || !e->suspended) {
		if (was)
			lift(n, j);
		if (e == NULL)
			return;
	}
	if (job_waiting(j)) {
		node_event(n, EVK_REVOKED, 4, j, NULL, which, "queued", 0,
		    e->reason);
		finish_refuse(n, j, "revoked", which);
	} else if (!job_active(j) || j->kill != 0 || (e->suspended && was)) {
		return;
	} else if (j->phase > PHASE_RUNNING) {
		/* it has ended by itself: what it made is not given out */
		if (j->phase == PHASE_PACKING)
			j->kill = KILL_REVOKED;
	} else {
		node_event(n, EVK_REVOKED, 4, j, NULL, which,
		    e->suspended ? "suspended" : "running", 0, e->reason);
		if (e->suspended)
			finish_suspend(n, j);
		else if (e->reason != REVOKED_SNAPSHOT ||
		    !forensics_revoked(n, j))
			finish_kill(n, j, KILL_REVOKED);
	}
}

static void
apply_jobs(struct node *n)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&n->jobs.live); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		apply_job(n, j);
	}
}

static void
apply_peers(struct node *n)
{
	struct peer *p;

	for (p = peer_next(n, NULL); p != NULL; p = peer_next(n, p)) {
		const struct listed *e = banned_peer(n,
		    p->v.known && p->v.key_len > 0 ? &p->v.fp : NULL,
		    &p->rns_hash);

		if (e == NULL || p->links == 0)
			continue;
		node_event(n, EVK_REVOKED, 4, NULL, p, "link",
		    e->suspended ? "suspended" : "revoked", 0, e->reason);
		peer_refuse(n, p, e->suspended ? -2 : -3);
	}
}

/* An agent looks for itself, too (klp.md 4.6). */
static void
apply_self(struct node *n)
{
	struct hash16 rns;
	bool was = n->self_listed;

	rns_hash_of(&rns, n->rns_public);
	n->self_listed = banned_peer(n, &n->fp, &rns) != NULL;
	if (n->self_listed == was)
		return;
	if (!n->self_listed) {
		log_notice("revoked", "the key of this node is listed no more");
		return;
	}
	log_errx("revoked", "the key or the identity of THIS node is listed: "
	    "jobs are not taken, documents not given. Ask those who sign the list why; a key that "
	    "is revoked for good is replaced by a new one");
	node_event(n, EVK_SELF_REVOKED, 5, NULL, NULL, "self",
	    "the key or the identity of this node is listed", 0, 0);
}

void
revoke_take(struct node *n, struct listed *l, size_t count)
{
	free(n->listed);
	n->listed = l;
	n->nlisted = count;
	log_debug("revoked", "entries=%zu", count);
	apply_self(n);
	apply_jobs(n);
	apply_peers(n);
	banned_dig(n);
	revoke_holes_check(n);
	bury_listed(n);
	/* whatever is prepared of what was withdrawn */
	warm_void(n);
}
