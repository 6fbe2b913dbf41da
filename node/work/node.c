/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "node/work/anchored.h"
#include "node/work/imagepolicy.h"
#include "node/work/announce.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/banned.h"
#include "node/work/bury.h"
#include "node/work/challenge.h"
#include "node/work/lend.h"
#include "node/work/mail.h"
#include "node/work/contracts.h"
#include "node/work/ready.h"
#include "node/work/review.h"
#include "node/work/revoke.h"
#include "node/work/serve.h"
#include "node/work/silent.h"
#include "node/work/submit.h"
#include "node/work/stepped.h"
#include "node/work/turn.h"
#include "node/work/verified.h"
#include "node/work/warm.h"
#include "node/work/watchdog.h"
#include "node/work/watched.h"
#include "trust/doc/binding.h"

static void
changed(void *ctx, struct job *j, enum job_state old)
{
	turn_changed(ctx, j);
	finish_changed(ctx, j, old);
	((struct node *)ctx)->mail.at = ((struct node *)ctx)->now;
	/* its manifest goes when it can never run again */
	if (job_ended(j) && j->m == NULL)
		review_over(ctx, j);
}

bool
node_init(struct node *n, const struct policy *p, const struct host *h)
{
	memset(n, 0, sizeof(*n));
	n->policy = *p;
	n->host = *h;
	n->caps = (struct quota_caps){p->jobs_queued, p->jobs_per_hour,
	    p->cpu_seconds_per_day, p->peer_spool, p->image_bytes_per_day};
	jobs_init(&n->jobs, changed, n);
	sched_init(&n->sched);
	RB_INIT(&n->asleep);
	n->lends = !p->when.set;
	n->facts_at = MONO_NEVER;
	n->waiting_at = MONO_NEVER;
	RB_INIT(&n->peers);
	RB_INIT(&n->callers);
	RB_INIT(&n->owners);
	votes_init(&n->votes);
	mail_init(n);
	TAILQ_INIT(&n->idle);
	TAILQ_INIT(&n->parked);
	TAILQ_INIT(&n->held);
	n->announce_at = n->changed_at = MONO_NEVER;
	n->fp = p->fp;
	n->answer = malloc(NODE_ANSWER_MAX);
	return n->answer != NULL;
}

void
node_time(struct node *n, struct mono now, int64_t wall_us)
{
	if (now.us > n->now.us)
		n->now = now;
	stepped_look(n, n->now, wall_us);
	n->wall_us = wall_us;
	n->unix_now = (uint32_t)(wall_us / 1000000);
	if (n->unidentified.period_s == 0) { /* the first time */
		bucket_init(&n->unidentified,
		    quota_unidentified_bytes(n->policy.bytes_per_minute), 60,
		    n->now);
		n->announced_unix = n->unix_now;
	}
}

void
node_binding(struct node *n, const struct msg_K_BINDING *m)
{
	struct binding b;
	struct klp_key k;

	if (!binding_parse(&b, m->binding, BINDING_LEN) ||
	    !binding_key(&k, &b)) {
		log_errx("keys", "the binding that it sent does not read: jobs are "
		    "not taken");
		return;
	}
	memcpy(n->binding, m->binding, BINDING_LEN);
	n->fp = m->fp;
	n->has_binding = true;
	key_text(n->key_text, &k);
	(void)urn_make(n->urn, "kindai", "device", &n->fp);
	finish_receipts(n);
}

void
node_verdicts_void(struct node *n)
{
	peers_changed(n);
	revoke_holes_check(n);
	review_again(n);
	contract_again(n);
}

/* ---- siblings ---- */

void
node_up(struct node *n, enum program who)
{
	bool again = n->up[who];

	n->up[who] = true;
	if (who == PROGRAM_TRANSPORT) {
		/* it starts without any link; what it announces is ours to say */
		peers_gone(n);
		n->greeted = false;
	} else if (who == PROGRAM_JAIL && again) {
		/* replaced before the old one's end was seen */
		finish_jail_down(n);
		warm_down(n);
	} else if (who == PROGRAM_KEYS) {
		finish_receipts(n);
	} else if (who == PROGRAM_TRUST) {
		n->trust_life++;
		peers_unasked(n);
		review_again(n);
		contract_again(n);
	} else if (who == PROGRAM_AUDIT) {
		verified_up(n);
	}
}

void
node_down(struct node *n, enum program who)
{
	n->up[who] = false;
	if (who == PROGRAM_TRANSPORT) {
		n->greeted = false;
		peers_gone(n);
	} else if (who == PROGRAM_JAIL) {
		forensics_down(n, who);
		finish_jail_down(n);
		warm_down(n);
	} else if (who == PROGRAM_AUDIT) {
		forensics_down(n, who);
		watched_down(n);
		memset(&n->hub, 0, sizeof(n->hub));
		watchdog_down(n);
	}
}

void
node_hello(struct node *n, const struct msg_T_HELLO *m)
{
	memcpy(n->rns_public, m->rns_public, 64);
	n->dest = m->dest;
	announce_hello(n);
	banned_holes_again(n);
	mail_transport(n);
}

void
node_follow_end(struct node *n, const struct msg_T_FOLLOW_END *m)
{
	struct caller *l = caller_find(n, &m->link);

	if (l == NULL || m->stream < 1 || m->stream > 2)
		return;
	l->follow[m->stream - 1].on = false;
	n->host.unfollow(n->host.ctx, &l->id, m->stream);
}

void
node_packed(struct node *n, const struct id32 *job, unsigned volume, bool ok,
    const struct id32 *sha, uint64_t size, const struct left *left,
    const char *why)
{
	struct job *j = job_find(&n->jobs, job);

	if (j != NULL)
		finish_packed(n, j, volume, ok, sha, size, left, why);
}

void
node_output(struct node *n, struct job *j)
{
	if (job_floods(j))
		finish_kill(n, j, KILL_OUTPUT);
}

void
node_log_sealed(struct node *n, struct job *j)
{
	finish_log_sealed(n, j);
}

/* ---- start, stop, time ---- */

/* Seconds since that time, as far as the clock of this start can tell. */
static uint32_t
ago(const struct node *n, uint32_t then)
{
	return n->unix_now > then ? n->unix_now - then : 0;
}

/* From here on the clock may be set as it likes: what lasts is measured. */
static void
restore_since(struct node *n, struct job *j)
{
	j->since = mono_add(n->now, -(int64_t)ago(n, job_ended(j) ? j->at :
		j->admitted_at) * MONO_SECOND);
}

/* Budgets of the last hour and day, from the jobs that there were. */
static void
restore_budget(struct node *n, const struct job *j)
{
	struct owner *o = owner_get(n, &j->owner);

	if (o == NULL)
		return;
	/* what was before that is in what was kept */
	if (ago(n, j->admitted_at) < 3600 &&
	    j->admitted_at > n->budgets_saved)
		bucket_take(&o->quota.jobs, 1, n->now);
	if (j->started != 0 && ago(n, j->started) < 86400 &&
	    j->at > n->budgets_saved)
		bucket_take(&o->quota.cpu, j->cpu_ms, n->now);
}

/* What the ledger says that it waits for may have come or gone since. */
static void
restore_turn(struct node *n, struct job *j)
{
	n->waiting_at = n->now;
	if (j->state != JS_QUEUED)
		return;
	(void)job_set(&n->jobs, j, JS_QUEUED,
	    job_inputs_here(n, j) ? "slots" : "inputs", n->unix_now);
	turn_changed(n, j);
}

void
node_restore(struct node *n)
{
	struct job *j, *next;

	stepped_start(n);
	TAILQ_FOREACH(j, &n->jobs.ended, link) {
		restore_budget(n, j);
		restore_since(n, j);
		finish_unsealed(n, j);
	}
	for (j = TAILQ_FIRST(&n->jobs.live); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		restore_budget(n, j);
		restore_since(n, j);
		j->queued_at = j->input_at = n->now;
		/* asked for again before it starts */
		j->verdict_gen = UINT32_MAX;
		if (n->host.load_body(n->host.ctx, j)) {
			restore_turn(n, j);
			continue;
		}
		log_errx("ledger.db", "a job without its manifest: refused");
		if (job_waiting(j))
			finish_refuse(n, j, "manifest", "not found in the ledger");
	}
	/* one that was lost and whose requeueing did not reach the ledger */
	for (j = TAILQ_FIRST(&n->jobs.ended); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		if (j->state == JS_LOST && !j->has_receipt &&
		    j->attempts <= j->retries && n->unix_now < j->deadline &&
		    n->host.load_body(n->host.ctx, j) &&
		    job_set(&n->jobs, j, JS_QUEUED, "slots", n->unix_now)) {
			j->queued_at = j->input_at = n->now;
			j->verdict_gen = UINT32_MAX;
		}
	}
}

/* What the ledger says is there is there: first it says that it is not. */
static void
drop_files(struct node *n, struct job *j)
{
	j->dropped = true;
	n->host.log_drop(n->host.ctx, j);
	for (unsigned i = 0; i < j->nouts; i++) {
		if (j->outs[i].packed)
			n->host.blob_drop(n->host.ctx, &j->owner,
			    &j->outs[i].sha256);
	}
}

/* Results go after keep_results; the job itself not before not_after. */
static void
expire(struct node *n)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&n->jobs.ended); j != NULL; j = next) {
		int64_t age = mono_sub(n->now, j->since) / MONO_SECOND;

		next = TAILQ_NEXT(j, link);
		if (age < n->policy.keep_results_s)
			continue;
		if (!j->expired) {
			job_expire(&n->jobs, j);
			n->expire_at = n->now;
		} else if (!j->dropped && !j->dirty) {
			drop_files(n, j);
		}
		if (j->dropped && n->unix_now >= j->not_after && j->slot == 0 &&
		    age / 2 >= n->policy.keep_results_s) {
			n->forgotten = MAX_OF(n->forgotten, j->not_after);
			n->host.forget(n->host.ctx, j);
			job_remove(&n->jobs, j);
		}
	}
}

struct mono
node_tick(struct node *n)
{
	struct mono next;

	/* verdicts were said until a time of the other clock */
	if (stepped_say(n))
		node_verdicts_void(n);
	next = finish_tick(n);
	next = mono_min(next, silent_tick(n));
	next = mono_min(next, peers_tick(n));
	next = mono_min(next, asked_tick(n));
	next = mono_min(next, ready_tick(n));
	next = mono_min(next, announce_tick(n));
	next = mono_min(next, review_tick(n));
	next = mono_min(next, contract_tick(n));
	next = mono_min(next, watched_tick(n));
	next = mono_min(next, forensics_tick(n));
	next = mono_min(next, verified_tick(n));
	next = mono_min(next, bury_tick(n));
	next = mono_min(next, watchdog_tick(n));
	next = mono_min(next, mail_tick(n));
	if (mono_reached(n->now, n->expire_at)) {
		n->expire_at = mono_add(n->now, MONO_SECOND *
			(int64_t)MIN_OF(60u,
			    MAX_OF(n->policy.keep_results_s, 1u)));
		expire(n);
	}
	next = mono_min(next, lend_tick(n));
	warm_tick(n);
	next = mono_min(next, turn_tick(n));
	/* what it starts is looked at by the next tick, at once */
	if (run_schedule(n))
		next = n->now;
	next = mono_min(next, serve_held(n));
	return mono_min(next, n->expire_at);
}

void
node_stop(struct node *n)
{
	struct job *j, *next;

	n->stopping = true;
	for (j = TAILQ_FIRST(&n->jobs.live); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		if (!job_active(j))
			continue;
		(void)n->host.kill(n->host.ctx, j);
		(void)job_lose(&n->jobs, j, "the node was stopped",
		    n->unix_now, n->now);
	}
}

void
node_clear(struct node *n)
{
	peers_gone(n); /* and what waited for their links */
	peers_clear(n);
	sched_clear(&n->sched);
	banned_clear(n);
	anchored_clear(n);
	imagepolicy_clear(n);
	jobs_clear(&n->jobs);
	votes_clear(&n->votes);
	mailbag_clear(&n->mail.bag);
	free(n->answer);
	n->answer = NULL;
}
