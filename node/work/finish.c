/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/finish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/layers.h"
#include "common/log.h"
#include "node/work/anchored.h"
#include "node/work/event.h"
#include "node/work/freeze.h"
#include "node/work/late.h"
#include "node/work/numbers.h"
#include "node/work/peers.h"
#include "node/work/ready.h"
#include "node/work/receipts.h"
#include "node/work/said.h"
#include "node/work/seen.h"
#include "node/work/throttle.h"
#include "node/work/turn.h"
#include "node/work/watch.h"

/*
 * A job from J_RUN to its receipt. It holds a slot until J_FORGOTTEN; whatever
 * ends it, the slot is given back by one J_FORGET.
 */

void
finish_send_kill(struct node *n, const struct id32 *job, uint8_t why)
{
	struct msg_J_KILL m = {.why = why};

	m.job = *job;
	n->host.send_J_KILL(n->host.ctx, &m);
}

static void
send_forget(struct node *n, const struct id32 *job)
{
	struct msg_J_FORGET m = {0};

	m.job = *job;
	n->host.send_J_FORGET(n->host.ctx, &m);
}

static void
forget_slot(struct node *n, struct job *j)
{
	if (j->slot == 0 || j->forgetting)
		return;
	j->forgetting = true;
	late_forget(n, j);
	if (n->up[PROGRAM_JAIL])
		send_forget(n, &j->id);
}

void
finish_slot_free(struct node *n, struct job *j)
{
	n->host.free_slot(n->host.ctx, j);
	n->slot[j->slot] = NULL;
	n->bury_at = n->now; /* its image may be one that goes */
	j->slot = 0;
	j->forgetting = false;
	turn_over(n, j);
}

static void
drop_manifest(struct node *n, struct job *j)
{
	if (j->m == NULL)
		return;
	manifest_clear(j->m);
	free(j->m);
	j->m = NULL;
	n->host.drop_body(n->host.ctx, j);
}

static void
ask_receipt(struct node *n, struct job *j)
{
	struct msg_K_RECEIPT m;

	if (!n->up[PROGRAM_KEYS] || j->log_open)
		return;
	receipt_fill(&m, j);
	m.qid = j->seal_qid = node_qid(n);
	n->host.send_K_RECEIPT(n->host.ctx, &m);
}

static bool
missing(const struct job *j)
{
	return j->state == JS_QUEUED && strcmp(j->reason, "inputs") == 0;
}

void
finish_changed(struct node *n, struct job *j, enum job_state old)
{
	char text[256];
	struct mono at;
	bool again;

	(void)snprintf(text, sizeof(text), "%s%s%s%s",
	    job_state_name(j->state), j->reason[0] != '\0' ? " " : "",
	    j->reason, old == JS_COUNT ? " (admitted)" : "");
	node_event(n, old == JS_COUNT ? EVK_JOB_ADMITTED :
		j->state == JS_CANCELLED ? EVK_JOB_CANCELLED :
		j->state == JS_REFUSED ? EVK_JOB_REFUSED : EVK_JOB_STATE,
	    j->state == JS_LOST ? 2 : 0, j, NULL, job_state_name(j->state),
	    text, (int64_t)j->seq, j->attempts);
	if (old == JS_COUNT)
		said_accepted(n, j);
	if (job_waiting(j)) {
		(void)job_due(j, missing(j), n->unix_now, n->now, &at);
		n->waiting_at = mono_min(n->waiting_at, at);
	}
	if (!job_ended(j) || old == j->state)
		return;
	j->since = n->now;
	/* a job that is lost may be queued again by the next line */
	again = j->state == JS_LOST && job_again(j, n->unix_now);
	said_ended(n, j, again);
	if (again)
		return;
	drop_manifest(n, j);
	if (j->state != JS_DONE)
		n->host.log_end(n->host.ctx, j);
	if (j->state == JS_CANCELLED || j->state == JS_LOST) {
		j->log_open = !n->host.log_seal(n->host.ctx, j);
		ask_receipt(n, j);
	}
}

void
finish_refuse(struct node *n, struct job *j, const char *code, const char *why)
{
	char reason[JOB_REASON_MAX];

	(void)snprintf(reason, sizeof(reason), "%s%s%s", code,
	    why == NULL || *why == '\0' ? "" : ": ", why == NULL ? "" : why);
	if (j->state != JS_REFUSED &&
	    job_set(&n->jobs, j, JS_REFUSED, reason, n->unix_now))
		numbers_count(&n->refusals, code);
}

/* ---- the end of a job ---- */

void
finish_kill(struct node *n, struct job *j, enum kill_reason why)
{
	if (!job_active(j) || j->phase > PHASE_RUNNING || j->kill != 0)
		return;
	j->kill = (uint8_t)why;
	/*
	 * Jail kills by the first process of the job's pid namespace, which
	 * takes all others along, and its outputs can still be packed. A jail
	 * that does not is overtaken by finish_tick(), through the group.
	 */
	j->killed_at = n->now;
	n->host.ending(n->host.ctx, j);
	if (n->up[PROGRAM_JAIL])
		finish_send_kill(n, &j->id, j->kill);
	else
		j->overtaken = j->group_killed = n->host.kill(n->host.ctx, j);
	node_event(n, EVK_JOB_STATE, 1, j, NULL, "kill", kill_name(why), why,
	    0);
}

void
finish_suspend(struct node *n, struct job *j)
{
	j->suspended = true;
	job_freeze(n, j, "suspended");
	if (!j->frozen && j->phase == PHASE_RUNNING)
		finish_kill(n, j, KILL_REVOKED);
}

static void
settle(struct node *n, struct job *j)
{
	uint8_t outcome;
	int32_t code;

	job_verdict(&outcome, &code, j);
	(void)job_set_phase(&n->jobs, j, PHASE_NONE);
	j->seal_qid = 0;
	(void)job_done(&n->jobs, j, outcome, code, j->lost_output,
	    n->unix_now);
	/* behind the commit that says done: until then jail keeps it for us */
	forget_slot(n, j);
	n->host.log_end(n->host.ctx, j);
}

/* The trail's head has come, or will not: sign. */
static void
sign(struct node *n, struct job *j)
{
	if (!n->up[PROGRAM_KEYS]) {
		settle(n, j);
		return;
	}
	j->sealed_at = n->now;
	j->signing = true;
	ask_receipt(n, j);
}

static void
seal(struct node *n, struct job *j)
{
	uint8_t outcome;
	int32_t code;
	struct owner *o = owner_get(n, &j->owner);

	job_verdict(&outcome, &code, j);
	if (!job_keeps_outputs(outcome, code)) {
		for (unsigned i = 0; i < j->nouts; i++)
			j->outs[i].packed = false;
		job_left(j, 0, NULL);
	}
	/* what the receipt is about, before the state says so */
	j->outcome = outcome;
	j->code = code;
	if (o != NULL)
		bucket_take(&o->quota.cpu, j->cpu_ms, n->now);
	n->budgets_changed = true;
	(void)job_set_phase(&n->jobs, j, PHASE_SEALING);
	j->sealed_at = n->now;
	j->signing = false;
	j->seal_qid = n->up[PROGRAM_AUDIT] ? node_qid(n) : 0;
	node_event_head(n, EVK_JOB_EXITED, j,
	    outcome == OUT_KILLED ? kill_name((unsigned)code & 0xff) :
		outcome_name(outcome), code, (int64_t)j->wall_ms, j->seal_qid);
	if (j->seal_qid == 0) /* nobody answers: the line is written later */
		sign(n, j);
}

/* All outputs are here; the log's digests too? */
static void
packed_all(struct node *n, struct job *j)
{
	j->seal_waits = j->log_open || seen_open(j);
	if (!j->seal_waits)
		seal(n, j);
}

void
finish_log_sealed(struct node *n, struct job *j)
{
	j->log_open = false;
	if (j->seal_waits && j->phase == PHASE_PACKING && seen_open(j))
		return;
	if (j->seal_waits && j->phase == PHASE_PACKING)
		seal(n, j);
	else if (job_ended(j)) {
		job_touch(&n->jobs, j);
		ask_receipt(n, j);
	}
	j->seal_waits = false;
}

void
finish_watched(struct node *n, struct job *j)
{
	if (!j->seal_waits || j->log_open || j->phase != PHASE_PACKING)
		return;
	j->seal_waits = false;
	seal(n, j);
}

void
finish_unsealed(struct node *n, struct job *j)
{
	static const struct id32 none;

	if (j->has_receipt || j->expired || !id32_eq(&j->log_sha[0], &none) ||
	    (j->state != JS_CANCELLED && j->state != JS_LOST))
		return;
	j->log_open = !n->host.log_seal(n->host.ctx, j);
	job_touch(&n->jobs, j);
}

static void
pack_next(struct node *n, struct job *j, unsigned from)
{
	struct msg_J_STEP m = {.step = STEP_PACK};
	uint8_t outcome;
	int32_t code;

	job_verdict(&outcome, &code, j);
	if (!job_keeps_outputs(outcome, code) || from >= j->nouts ||
	    !n->up[PROGRAM_JAIL]) {
		packed_all(n, j);
		return;
	}
	m.job = j->id;
	m.volume = j->outs[from].volume;
	late_step(n, j);
	n->host.send_J_STEP(n->host.ctx, &m);
}

/*
 * Of this volume nothing is given out. What ended the job stays its outcome;
 * only a job that ended of itself is killed for too large an output.
 */
static void
lose_output(struct node *n, struct job *j, unsigned i, const char *why,
    bool over)
{
	uint8_t outcome;
	int32_t code;

	node_event(n, EVK_VOLUME_DROPPED, 2, j, NULL, "output", why, 0, 0);
	j->outs[i].packed = false;
	job_verdict(&outcome, &code, j);
	if (over && outcome != OUT_KILLED)
		j->kill = KILL_OUTPUT;
	else if (j->lost_output[0] == '\0')
		(void)snprintf(j->lost_output, sizeof(j->lost_output),
		    "lost outputs: %.80s: %.64s", j->outs[i].target, why);
}

void
finish_packed(struct node *n, struct job *j, unsigned volume, bool ok,
    const struct id32 *sha, uint64_t size, const struct left *left,
    const char *why)
{
	uint64_t most = j->limits.v[LIMIT_OUTPUT], sum = 0;
	unsigned i;

	if (j->phase != PHASE_PACKING)
		return;
	for (i = 0; i < j->nouts && j->outs[i].volume != volume; i++)
		continue;
	if (i == j->nouts)
		return;
	if (left->count > 0)
		node_event(n, EVK_VOLUME_DROPPED, 1, j, NULL, "volume",
		    j->outs[i].target, left->count, 0);
	if (ok) {
		j->outs[i].packed = true;
		j->outs[i].size = size;
		j->outs[i].sha256 = *sha;
	} else {
		lose_output(n, j, i, why, size > most);
	}
	for (unsigned k = 0; k <= i; k++)
		sum += j->outs[k].packed ? j->outs[k].size : 0;
	if (sum > most)
		lose_output(n, j, i, "larger than limits.output", true);
	if (j->outs[i].packed)
		job_left(j, volume, left);
	pack_next(n, j, i + 1);
}

/*
 * The reason that ended it is the one that jail had before its end: what was
 * decided here while it ended already has ended nothing. Of what a group kill
 * did jail knows nothing, and what withholds outputs is never taken back.
 */
static void
kill_of(struct job *j, uint8_t jail_kill)
{
	if (j->group_killed || j->kill == KILL_OUTPUT ||
	    j->kill == KILL_REVOKED || j->kill == KILL_VIOLATION)
		return;
	j->kill = jail_kill;
}

static void
exited(struct node *n, struct job *j, const struct msg_J_EXITED *m)
{
	throttle_over(n, j);
	job_thaw(n, j);
	j->exit_how = m->how;
	j->exit_code = m->code;
	kill_of(j, m->kill);
	/* as jail has measured it: we may have slept, or not have been there */
	j->wall_ms = m->ran_ms;
	n->host.usage(n->host.ctx, j);
	seen_ask(n, j);
	contract_over(n, j);
	if (j->given && m->how != EXIT_CODE && !j->oom) {
		/* no fault of the job; one that was quicker has its result */
		forget_slot(n, j);
		(void)job_lose(&n->jobs, j, "given back: the machine is lent no "
		    "more", n->unix_now, n->now);
		return;
	}
	j->log_open = !n->host.log_seal(n->host.ctx, j);
	(void)job_set_phase(&n->jobs, j, PHASE_PACKING);
	for (unsigned i = 0; i < j->nouts; i++) /* of an attempt before */
		j->outs[i].packed = false;
	job_left(j, 0, NULL);
	n->host.ending(n->host.ctx, j);
	pack_next(n, j, 0);
}

/* ---- jail's words ---- */

void
finish_started(struct node *n, const struct msg_J_STARTED *m)
{
	struct job *j = job_find(&n->jobs, &m->job);

	if (j == NULL || j->state != JS_STAGING ||
	    j->phase != PHASE_FILLING || j->slot != m->slot) {
		n->count.edges++; /* or of an attempt that was given up */
		return;
	}
	j->layers = m->layers | (j->watched ? LAYER_BPF : 0) |
	    anchored_layer(n, &j->image);
	j->policy = m->policy;
	j->compile_ms = m->compile_ms;
	j->runner = n->runner.number;
	memcpy(j->runner_version, n->runner.version, sizeof(j->runner_version));
	(void)job_set_phase(&n->jobs, j, PHASE_RUNNING);
	j->started = n->unix_now;
	j->started_at = n->now;
	(void)job_set(&n->jobs, j, JS_RUNNING, NULL, n->unix_now);
	node_event(n, EVK_JOB_STARTED, 0, j, NULL, NULL, NULL, m->slot,
	    j->layers);
	n->lend_at = n->now; /* does it go on? */
	if (j->suspended)
		finish_suspend(n, j);
}

void
finish_not_ours(struct node *n, const struct id32 *id, uint32_t slot)
{
	/* its slot is taken until jail has emptied it */
	if (slot > 0 && slot <= NODE_SLOTS_MAX)
		n->ghost[slot] = n->slot[slot] == NULL;
	send_forget(n, id);
}

/* It never started: refused, cancelled, or our own fault. */
void
finish_failed(struct node *n, const struct msg_J_FAILED *m)
{
	struct job *j = job_find(&n->jobs, &m->job);
	struct owner *o;

	if (j == NULL || !job_active(j)) {
		n->count.edges++;
		finish_not_ours(n, &m->job, m->slot);
		return;
	}
	if (j->kill == 0)
		j->kill = m->kill;
	/* a module that does not compile costs who brought it all the same */
	if (m->compile_ms > 0 && (o = owner_get(n, &j->owner)) != NULL) {
		bucket_take(&o->quota.cpu, m->compile_ms, n->now);
		n->budgets_changed = true;
	}
	if (j->slot == 0) /* told again to us, who were not there */
		finish_not_ours(n, &m->job, m->slot);
	forget_slot(n, j);
	(void)job_set_phase(&n->jobs, j, PHASE_NONE);
	if (j->state == JS_STAGING && j->given) {
		(void)job_lose(&n->jobs, j, "given back: the machine is lent no "
		    "more", n->unix_now, n->now);
	} else if (j->state == JS_STAGING && j->kill == KILL_WATCHDOG) {
		/* the node's trouble, not the job's: a retry may find room */
		(void)job_lose(&n->jobs, j, "resources: free space fell below "
		    "the reserve while its volumes were filled", n->unix_now,
		    n->now);
	} else if (j->state == JS_STAGING && j->kill != 0) {
		const char *reason = j->kill == KILL_DEADLINE ? "deadline" :
		    j->kill == KILL_OPERATOR ? "operator" : "submitter";

		if (j->kill == KILL_REVOKED)
			finish_refuse(n, j, "revoked", "key");
		else
			(void)job_set(&n->jobs, j, JS_CANCELLED, reason,
			    n->unix_now);
	} else if (j->state == JS_RUNNING || strcmp(m->code, "internal") == 0) {
		char why[JOB_REASON_MAX];

		(void)snprintf(why, sizeof(why), "%.160s", m->why);
		(void)job_lose(&n->jobs, j, why, n->unix_now, n->now);
	} else {
		finish_refuse(n, j, m->code, m->why);
	}
}

void
finish_forgotten(struct node *n, const struct msg_J_FORGOTTEN *m)
{
	struct job *j = NULL;
	uint32_t i;

	if (m->slot <= NODE_SLOTS_MAX)
		n->ghost[m->slot] = false;
	/* a later attempt of it may have a slot that jail has yet to see */
	for (i = 1; i <= n->slots; i++) {
		if (n->slot[i] != NULL && n->slot[i]->forgetting &&
		    id32_eq(&n->slot[i]->id, &m->job))
			j = n->slot[i];
	}
	if (j != NULL)
		finish_slot_free(n, j);
}

void
finish_exited(struct node *n, const struct msg_J_EXITED *m)
{
	struct job *j = job_find(&n->jobs, &m->job);

	if (j != NULL && j->phase == PHASE_RUNNING)
		exited(n, j, m);
	else
		n->count.edges++;
}

/* ---- trail and receipt ---- */

void
finish_head(struct node *n, const struct msg_HEAD *m)
{
	struct job *j;

	node_trail(n, m->seq == 0);
	TAILQ_FOREACH(j, &n->jobs.active, active_link) {
		if (j->phase == PHASE_SEALING && j->seal_qid == m->qid)
			break;
	}
	if (j == NULL)
		return;
	j->trail = m->digest;
	sign(n, j);
}

void
finish_signed(struct node *n, const struct msg_K_SIGNED *m)
{
	struct job *j;
	bool sealing = false;

	TAILQ_FOREACH(j, &n->jobs.active, active_link) {
		if (j->phase == PHASE_SEALING && j->seal_qid == m->qid) {
			sealing = true;
			break;
		}
	}
	if (j == NULL) {
		TAILQ_FOREACH_REVERSE(j, &n->jobs.ended, job_list, link) {
			if (j->seal_qid == m->qid)
				break;
		}
	}
	if (j == NULL)
		return;
	j->seal_qid = 0;
	if (m->ok) {
		j->has_receipt = true;
		memcpy(j->receipt, m->receipt, sizeof(j->receipt));
	} else {
		node_event(n, EVK_SIGN_REFUSED, 3, j, NULL, NULL, NULL, 0, 0);
	}
	if (sealing)
		settle(n, j);
	else
		job_touch(&n->jobs, j);
}

void
finish_receipts(struct node *n)
{
	struct job *j;

	if (!n->up[PROGRAM_KEYS])
		return;
	TAILQ_FOREACH_REVERSE(j, &n->jobs.ended, job_list, link) {
		if (!j->has_receipt && !j->expired && j->state != JS_REFUSED)
			ask_receipt(n, j);
	}
}

/* ---- time, levels ---- */

static void
due(struct node *n, struct job *j, enum job_due what)
{
	switch (what) {
	case DUE_DEADLINE:
		if (job_active(j))
			finish_kill(n, j, KILL_DEADLINE);
		else
			(void)job_set(&n->jobs, j, JS_CANCELLED, "deadline",
			    n->unix_now);
		break;
	case DUE_INPUTS:
	case DUE_REVIEW:
		(void)job_set(&n->jobs, j, JS_CANCELLED, what == DUE_INPUTS ?
		    "inputs" : "review", n->unix_now);
		break;
	case DUE_TIME:
		finish_kill(n, j, KILL_TIME);
		break;
	default:
		break;
	}
}

/* Trail and keys have their time, then it goes on without them. */
static struct mono
sealing(struct node *n, struct job *j)
{
	struct mono at;

	if (j->phase != PHASE_SEALING)
		return MONO_NEVER;
	at = mono_add(j->sealed_at, INT64_C(1000) *
		(j->signing ? NODE_SIGN_MS : NODE_TRAIL_MS));
	if (!mono_reached(n->now, at))
		return at;
	if (j->signing) {
		settle(n, j);
		return MONO_NEVER;
	}
	sign(n, j);
	return n->now;
}

/* A kill that jail has not carried out in its time is done by the group. */
static struct mono
overtake(struct node *n, struct job *j)
{
	struct mono at;

	if (j->kill == 0 || j->overtaken || j->phase > PHASE_RUNNING ||
	    !job_active(j))
		return MONO_NEVER;
	at = mono_add(j->killed_at, INT64_C(1000) * NODE_KILL_MS);
	if (!mono_reached(n->now, at))
		return at;
	j->overtaken = true;
	j->group_killed = n->host.kill(n->host.ctx, j);
	late_kill(n, j);
	node_event(n, EVK_JOB_STATE, j->group_killed ? 3 : 4, j, NULL, "kill",
	    j->group_killed ? "jail did not end it, its group was killed" :
	    "jail did not end it, and its group cannot be killed: jail's clock "
	    "is left", 0, 0);
	return MONO_NEVER;
}

/*
 * THREATS.md 3: once a second while any job is filled. What fills the disk
 * ends, before the relay's own storage has no room.
 */
static struct mono
watch_fill(struct node *n)
{
	struct job *j;
	bool any = false, low;

	for (uint32_t i = 1; i <= n->slots && !any; i++) {
		j = n->slot[i];
		any = j != NULL && j->state == JS_STAGING && j->kill == 0;
	}
	if (!any)
		return MONO_NEVER;
	if (!mono_reached(n->now, n->fill_at))
		return n->fill_at;
	n->fill_at = mono_add(n->now, NODE_FILL_S * MONO_SECOND);
	/* a disk that takes no byte is not filled by anybody */
	low = n->host.disk_free(n->host.ctx) == 0 &&
	    !n->host.disk_readonly(n->host.ctx);
	for (uint32_t i = 1; i <= n->slots && low; i++) {
		j = n->slot[i];
		if (j == NULL || j->state != JS_STAGING || j->kill != 0)
			continue;
		node_event(n, EVK_DISK_LOW, 3, j, NULL, "fill",
		    "below the reserve", 0, 0);
		finish_kill(n, j, KILL_WATCHDOG);
	}
	return n->fill_at;
}

/* Those that wait are many, and seldom due: only then are they looked at. */
static struct mono
waiting(struct node *n)
{
	struct job *j, *after;
	struct mono at;

	if (!mono_reached(n->now, n->waiting_at))
		return n->waiting_at;
	n->waiting_at = MONO_NEVER;
	for (j = TAILQ_FIRST(&n->jobs.live); j != NULL; j = after) {
		after = TAILQ_NEXT(j, link);
		if (!job_waiting(j))
			continue;
		due(n, j, job_due(j, missing(j), n->unix_now, n->now, &at));
		n->waiting_at = mono_min(n->waiting_at, at);
	}
	return n->waiting_at;
}

struct mono
finish_tick(struct node *n)
{
	struct mono next = mono_min(watch_fill(n), waiting(n)), at;
	struct job *j, *after;

	for (j = TAILQ_FIRST(&n->jobs.active); j != NULL; j = after) {
		after = TAILQ_NEXT(j, active_link);
		due(n, j, job_due(j, false, n->unix_now, n->now, &at));
		next = mono_min(next, at);
		next = mono_min(next, overtake(n, j));
		next = mono_min(next, sealing(n, j));
	}
	if (mono_reached(n->now, n->receipts_at)) {
		n->receipts_at = mono_add(n->now,
		    NODE_RECEIPT_S * MONO_SECOND);
		finish_receipts(n);
	}
	return mono_min(next, n->receipts_at);
}

void
finish_owner(struct node *n, const struct fp *fp, int level, bool revoked)
{
	struct job *j;
	uint64_t after = 0;

	if (level > -2 && !revoked)
		return;
	while ((j = job_next_live(&n->jobs, fp, after)) != NULL) {
		after = j->order;
		if (job_waiting(j) && revoked)
			finish_refuse(n, j, "revoked", "key");
		else if (job_waiting(j))
			(void)job_set(&n->jobs, j, JS_CANCELLED, "operator",
			    n->unix_now);
		else if (revoked || level <= -3)
			finish_kill(n, j, revoked ? KILL_REVOKED : KILL_OPERATOR);
	}
}

bool
finish_unwritten(struct node *n, struct job *j, bool unstarted,
    const char *why)
{
	char hex[9];

	hex_encode(hex, j->id.b, 4);
	log_errx(hex, "ledger.db: the row of this job cannot be written, the "
	    "others are: %s", why);
	node_event(n, EVK_LEDGER_ROW, 4, j, NULL, "ledger", why, 0, 0);
	if (!j->kept && job_waiting(j)) {
		/* nobody was told that it is accepted, and nobody is */
		finish_refuse(n, j, "ledger", why);
		n->host.forget(n->host.ctx, j);
		job_remove(&n->jobs, j);
		return false;
	}
	if (unstarted && j->phase == PHASE_FILLING) {
		finish_slot_free(n, j);
		(void)job_lose(&n->jobs, j, "the ledger cannot write it",
		    n->unix_now, n->now);
	}
	return true;
}

void
finish_unpacked(struct node *n, struct job *j, const char *why)
{
	for (unsigned i = 0; i < j->nouts; i++) {
		if (!j->outs[i].packed)
			lose_output(n, j, i, why, false);
	}
	packed_all(n, j);
}

void
finish_jail_down(struct node *n)
{
	struct job *j, *next;

	n->has_posture = false;
	memset(n->ghost, 0, sizeof(n->ghost));
	for (uint32_t i = 1; i <= NODE_SLOTS_MAX; i++) {
		if (n->slot[i] != NULL)
			finish_slot_free(n, n->slot[i]);
	}
	for (j = TAILQ_FIRST(&n->jobs.live); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		/* what has exited has its outcome, whatever else is missing */
		if (j->phase == PHASE_PACKING)
			finish_unpacked(n, j, "the jail fell");
		else if (job_active(j) && j->phase != PHASE_SEALING)
			(void)job_lose(&n->jobs, j, "the jail fell",
			    n->unix_now, n->now);
	}
}
