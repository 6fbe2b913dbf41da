/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/jobs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc_msg.h"
#include "common/log.h"

static int
cmp_id(struct job *a, struct job *b)
{
	return id32_cmp(&a->id, &b->id);
}

static int
cmp_owner(struct job *a, struct job *b)
{
	int c = fp_cmp(&a->owner, &b->owner);

	if (c != 0)
		return c;
	return a->order < b->order ? -1 : a->order > b->order;
}

TREE_PROTOTYPE(job_ids, job, by_id, cmp_id)
TREE_GENERATE(job_ids, job, by_id, cmp_id)
TREE_PROTOTYPE(job_owners, job, by_owner, cmp_owner)
TREE_GENERATE(job_owners, job, by_owner, cmp_owner)
TREE_PROTOTYPE(job_lives, job, by_live, cmp_owner)
TREE_GENERATE(job_lives, job, by_live, cmp_owner)

static int
cmp_nonce(struct job *a, struct job *b)
{
	int c = fp_cmp(&a->owner, &b->owner);

	return c != 0 ? c : memcmp(a->nonce, b->nonce, sizeof(a->nonce));
}

TREE_PROTOTYPE(job_nonces, job, by_nonce, cmp_nonce)
TREE_GENERATE(job_nonces, job, by_nonce, cmp_nonce)

static int
cmp_digest(struct job_out *a, struct job_out *b)
{
	int c = fp_cmp(a->owner, b->owner);

	if (c == 0)
		c = id32_cmp(&a->sha256, &b->sha256);
	return c != 0 ? c : a->order < b->order ? -1 : a->order > b->order;
}

TREE_PROTOTYPE(job_gone, job_out, by_digest, cmp_digest)
TREE_GENERATE(job_gone, job_out, by_digest, cmp_digest)

static const char *const STATES[JS_COUNT] = {"held", "queued", "staging",
    "running", "done", "refused", "cancelled", "lost"};

/* Where a state may go, one bit each. */
#define TO(s) (1u << JS_##s)
static const uint16_t EDGES[JS_COUNT] = {
    [JS_HELD] = TO(HELD) | TO(QUEUED) | TO(REFUSED) | TO(CANCELLED),
    [JS_QUEUED] = TO(QUEUED) | TO(STAGING) | TO(REFUSED) | TO(CANCELLED),
    [JS_STAGING] = TO(RUNNING) | TO(REFUSED) | TO(CANCELLED) | TO(LOST),
    [JS_RUNNING] = TO(DONE) | TO(LOST),
    [JS_DONE] = 0,
    [JS_REFUSED] = 0,
    [JS_CANCELLED] = 0,
    [JS_LOST] = TO(QUEUED),
};

static const char *const PHASES[PHASE_COUNT] = {"none", "filling", "running",
    "packing", "sealing"};

#define TO_PHASE(p) (1u << PHASE_##p)
static const uint8_t PHASE_EDGES[PHASE_COUNT] = {
    [PHASE_NONE] = TO_PHASE(NONE) | TO_PHASE(FILLING) | TO_PHASE(RUNNING),
    [PHASE_FILLING] = TO_PHASE(NONE) | TO_PHASE(RUNNING),
    [PHASE_RUNNING] = TO_PHASE(NONE) | TO_PHASE(PACKING),
    [PHASE_PACKING] = TO_PHASE(NONE) | TO_PHASE(SEALING),
    [PHASE_SEALING] = TO_PHASE(NONE),
};

const char *
job_state_name(unsigned s)
{
	return s < JS_COUNT ? STATES[s] : "?";
}

bool
job_edge(enum job_state from, enum job_state to)
{
	return from < JS_COUNT && to < JS_COUNT &&
	    (EDGES[from] & (1u << to)) != 0;
}

const char *
job_phase_name(unsigned p)
{
	return p < PHASE_COUNT ? PHASES[p] : "?";
}

bool
job_phase_edge(enum job_phase from, enum job_phase to)
{
	return from < PHASE_COUNT && to < PHASE_COUNT &&
	    (PHASE_EDGES[from] & (1u << to)) != 0;
}

bool
job_waiting(const struct job *j)
{
	return j->state == JS_HELD || j->state == JS_QUEUED;
}

bool
job_active(const struct job *j)
{
	return j->state == JS_STAGING || j->state == JS_RUNNING;
}

bool
job_ended(const struct job *j)
{
	return !job_waiting(j) && !job_active(j);
}

void
jobs_init(struct jobs *js, void (*changed)(void *, struct job *,
    enum job_state), void *ctx)
{
	memset(js, 0, sizeof(*js));
	RB_INIT(&js->ids);
	RB_INIT(&js->owners);
	RB_INIT(&js->nonces);
	RB_INIT(&js->lives);
	RB_INIT(&js->gone);
	TAILQ_INIT(&js->live);
	TAILQ_INIT(&js->active);
	TAILQ_INIT(&js->ended);
	TAILQ_INIT(&js->dirty);
	TAILQ_INIT(&js->aside);
	js->changed = changed;
	js->ctx = ctx;
}

void
jobs_clear(struct jobs *js)
{
	struct job *j;

	while ((j = RB_MIN(job_ids, &js->ids)) != NULL)
		job_remove(js, j);
}

struct job *
job_new(const struct id32 *id, const struct fp *owner)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->id = *id;
	j->owner = *owner;
	j->outcome = OUT_NONE;
	j->review_gen = JOB_GEN_NONE;
	return j;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	if (j->m != NULL)
		manifest_clear(j->m);
	free(j->m);
	free(j->contract);
	free(j->outs);
	free(j->left);
	free(j);
}

static void
list_in(struct jobs *js, struct job *j)
{
	struct job_list *l = job_ended(j) ? &js->ended : &js->live;

	TAILQ_INSERT_TAIL(l, j, link);
	j->live = l == &js->live;
	if (j->live)
		(void)RB_INSERT(job_lives, &js->lives, j);
	j->active = job_active(j);
	if (j->active)
		TAILQ_INSERT_TAIL(&js->active, j, active_link);
	js->n[j->state]++;
}

static void
list_out(struct jobs *js, struct job *j)
{
	struct job_list *l = j->live ? &js->live : &js->ended;

	TAILQ_REMOVE(l, j, link);
	/* a ledger that was tampered with may have an order twice */
	if (j->live && RB_FIND(job_lives, &js->lives, j) == j)
		(void)RB_REMOVE(job_lives, &js->lives, j);
	if (j->active)
		TAILQ_REMOVE(&js->active, j, active_link);
	js->n[j->state]--;
}

static void
gone_in(struct jobs *js, struct job *j)
{
	for (unsigned i = 0; i < j->nouts; i++) {
		j->outs[i].owner = &j->owner;
		j->outs[i].order = j->order;
		if (j->outs[i].packed)
			(void)RB_INSERT(job_gone, &js->gone, &j->outs[i]);
	}
}

static void
gone_out(struct jobs *js, struct job *j)
{
	for (unsigned i = 0; i < j->nouts; i++)
		if (RB_FIND(job_gone, &js->gone, &j->outs[i]) == &j->outs[i])
			(void)RB_REMOVE(job_gone, &js->gone, &j->outs[i]);
}

static void
table_in(struct jobs *js, struct job *j)
{
	(void)RB_INSERT(job_ids, &js->ids, j);
	(void)RB_INSERT(job_owners, &js->owners, j);
	/* a ledger that was tampered with may have one twice: the first counts */
	(void)RB_INSERT(job_nonces, &js->nonces, j);
	list_in(js, j);
	js->count++;
}

void
job_touch(struct jobs *js, struct job *j)
{
	j->lazy = false;
	if (j->dirty)
		return;
	j->dirty = true;
	TAILQ_INSERT_TAIL(&js->dirty, j, dirty_link);
}

void
job_expire(struct jobs *js, struct job *j)
{
	j->expired = true;
	gone_in(js, j);
	job_touch(js, j);
}

bool
jobs_had(const struct jobs *js, const struct fp *owner,
    const struct id32 *sha)
{
	struct job_out key = {.owner = owner, .sha256 = *sha}, *o;

	o = RB_NFIND(job_gone, (struct job_gone *)&js->gone, &key);
	return o != NULL && fp_eq(o->owner, owner) && id32_eq(&o->sha256, sha);
}

void
job_admit(struct jobs *js, struct job *j, bool held, const char *reason,
    uint32_t unix_now, struct mono now)
{
	j->order = ++js->last_order;
	j->state = held ? JS_HELD : JS_QUEUED;
	(void)snprintf(j->reason, sizeof(j->reason), "%s", reason);
	j->seq = 1;
	j->at = j->admitted_at = unix_now;
	j->since = j->queued_at = j->input_at = now;
	table_in(js, j);
	job_touch(js, j);
	js->changed(js->ctx, j, JS_COUNT);
}

void
job_restore(struct jobs *js, struct job *j)
{
	/* a damaged row: what lives has given nothing yet that could expire */
	j->expired = j->expired && job_ended(j);
	table_in(js, j);
	if (j->expired)
		gone_in(js, j);
	j->kept = true;
	js->last_order = MAX_OF(js->last_order, j->order);
}

void
job_remove(struct jobs *js, struct job *j)
{
	(void)RB_REMOVE(job_ids, &js->ids, j);
	(void)RB_REMOVE(job_owners, &js->owners, j);
	if (RB_FIND(job_nonces, &js->nonces, j) == j)
		(void)RB_REMOVE(job_nonces, &js->nonces, j);
	if (j->expired)
		gone_out(js, j);
	list_out(js, j);
	if (j->dirty)
		TAILQ_REMOVE(j->aside ? &js->aside : &js->dirty, j, dirty_link);
	js->count--;
	job_free(j);
}

void
job_set_aside(struct jobs *js, struct job *j)
{
	TAILQ_REMOVE(&js->dirty, j, dirty_link);
	TAILQ_INSERT_TAIL(&js->aside, j, dirty_link);
	j->aside = true;
}

void
jobs_try_aside(struct jobs *js)
{
	struct job *j;

	TAILQ_FOREACH(j, &js->aside, dirty_link)
		j->aside = false;
	TAILQ_CONCAT(&js->dirty, &js->aside, dirty_link);
}

bool
jobs_lazy(const struct jobs *js)
{
	const struct job *j;

	TAILQ_FOREACH(j, &js->dirty, dirty_link) {
		if (!j->lazy)
			return false;
	}
	return true;
}

struct job *
job_find(struct jobs *js, const struct id32 *id)
{
	struct job key;

	key.id = *id;
	return RB_FIND(job_ids, &js->ids, &key);
}

bool
job_makes_room(struct jobs *js, const struct id32 *id)
{
	const struct job *j = job_find(js, id);

	return j == NULL || j->started == 0;
}

struct job *
job_by_nonce(struct jobs *js, const struct fp *owner,
    const uint8_t nonce[16])
{
	struct job key;

	key.owner = *owner;
	memcpy(key.nonce, nonce, sizeof(key.nonce));
	return RB_FIND(job_nonces, &js->nonces, &key);
}

struct job *
job_next_of(struct jobs *js, const struct fp *owner, uint64_t after)
{
	struct job key, *j;

	if (after == UINT64_MAX)
		return NULL;
	key.owner = *owner;
	key.order = after + 1;
	j = RB_NFIND(job_owners, &js->owners, &key);
	return j != NULL && fp_eq(&j->owner, owner) ? j : NULL;
}

struct job *
job_next_live(const struct jobs *js, const struct fp *owner, uint64_t after)
{
	struct job key, *j;

	if (after == UINT64_MAX)
		return NULL;
	key.owner = *owner;
	key.order = after + 1;
	j = RB_NFIND(job_lives, (struct job_lives *)&js->lives, &key);
	return j != NULL && fp_eq(&j->owner, owner) ? j : NULL;
}

uint32_t
jobs_waiting_of(const struct jobs *js, const struct fp *owner)
{
	const struct job *j;
	uint32_t count = 0;

	for (j = job_next_live(js, owner, 0); j != NULL;
	    j = job_next_live(js, owner, j->order))
		count += job_waiting(j);
	return count;
}

bool
job_set(struct jobs *js, struct job *j, enum job_state to, const char *reason,
    uint32_t unix_now)
{
	enum job_state old = j->state;
	bool lazy;

	if (reason == NULL)
		reason = "";
	if (!job_edge(old, to)) {
		js->edges++;
		log_warnx("job", "state: no way from %s to %s",
		    job_state_name(old), job_state_name(to));
		return false;
	}
	if (old == to && strcmp(j->reason, reason) == 0)
		return true;
	(void)snprintf(j->reason, sizeof(j->reason), "%s", reason);
	if (old != to) {
		list_out(js, j);
		j->state = to;
		j->at = unix_now;
		list_in(js, j);
	}
	if (to == JS_STAGING && j->attempts < JOB_ATTEMPTS_MAX)
		j->attempts++;
	if (to == JS_CANCELLED) {
		/* compute.md 7: never started, so nothing is counted */
		j->attempts = 0;
		j->started = 0;
		j->wall_ms = 0;
	}
	j->seq++;
	lazy = to == JS_RUNNING && !j->dirty;
	job_touch(js, j);
	j->lazy = lazy;
	js->changed(js->ctx, j, old);
	return true;
}

bool
job_set_phase(struct jobs *js, struct job *j, enum job_phase to)
{
	if (!job_phase_edge(j->phase, to)) {
		js->edges++;
		log_warnx("job", "phase: no way from %s to %s",
		    job_phase_name(j->phase), job_phase_name(to));
		return false;
	}
	log_debug("job", "%s -> %s", job_phase_name(j->phase),
	    job_phase_name(to));
	j->phase = to;
	return true;
}

bool
job_done(struct jobs *js, struct job *j, uint8_t outcome, int32_t code,
    const char *reason, uint32_t unix_now)
{
	uint8_t was = j->outcome;
	int32_t was_code = j->code;

	/* the change is told with its outcome */
	j->outcome = outcome;
	j->code = code;
	if (job_set(js, j, JS_DONE, reason, unix_now))
		return true;
	j->outcome = was;
	j->code = was_code;
	return false;
}

bool
job_again(const struct job *j, uint32_t unix_now)
{
	return (j->kill == 0 || j->kill == KILL_WATCHDOG) &&
	    j->attempts <= j->retries && unix_now < j->deadline;
}

bool
job_lose(struct jobs *js, struct job *j, const char *reason, uint32_t unix_now,
    struct mono now)
{
	bool again = job_again(j, unix_now);

	if (!job_set(js, j, JS_LOST, reason, unix_now))
		return false;
	(void)job_set_phase(js, j, PHASE_NONE);
	j->kill = 0;
	j->given = j->frozen = false;
	j->overtaken = j->group_killed = false;
	if (!again)
		return false;
	j->queued_at = j->input_at = now;
	memset(j->log, 0, sizeof(j->log));
	j->wall_ms = j->cpu_ms = j->memory_kb = 0;
	return job_set(js, j, JS_QUEUED, "slots", unix_now);
}

bool
job_floods(const struct job *j)
{
	uint64_t log = j->limits.v[LIMIT_LOG];
	uint64_t most = log > UINT64_MAX / JOB_LOG_FACTOR ? UINT64_MAX :
	    log * JOB_LOG_FACTOR;

	return j->log[0] + j->log[1] + j->log[2] > MAX_OF(most, JOB_LOG_LEAST);
}

void
job_verdict(uint8_t *outcome, int32_t *code, const struct job *j)
{
	unsigned kill = j->kill;

	if (job_floods(j) && kill != KILL_REVOKED && kill != KILL_VIOLATION)
		kill = KILL_OUTPUT;
	*outcome = OUT_KILLED;
	*code = (int32_t)kill;
	if (kill == KILL_VIOLATION)
		*code |= (int32_t)j->rule << 8;
	/* however it exited: a contract says so */
	if (kill == KILL_OUTPUT || kill == KILL_REVOKED ||
	    kill == KILL_VIOLATION || (kill == KILL_PIDS && j->rule != 0))
		return;
	if (j->oom) {
		*code = KILL_MEMORY;
	} else if (j->exit_how == EXIT_JAIL_TIME) {
		*code = kill != 0 ? (int32_t)kill : KILL_TIME;
	} else if (j->exit_how == EXIT_CODE) {
		/* it was quicker than the kill that was on its way */
		*outcome = OUT_EXITED;
		*code = j->exit_code;
	} else if (kill == 0 && j->exit_code == SIGSYS &&
	    j->contract != NULL &&
	    contract_sigsys(j->contract, j->probed) != 0) {
		*code = KILL_VIOLATION |
		    (int32_t)contract_sigsys(j->contract, j->probed) << 8;
	} else if (kill == 0) {
		*outcome = OUT_SIGNALLED;
		*code = j->exit_code;
	}
}

bool
job_keeps_outputs(uint8_t outcome, int32_t code)
{
	int reason = code & 0xff;

	return outcome != OUT_KILLED || (reason != KILL_OUTPUT &&
	    reason != KILL_REVOKED && reason != KILL_VIOLATION);
}

void
job_left(struct job *j, unsigned volume, const struct left *left)
{
	if (left == NULL) {
		free(j->left);
		j->left = NULL;
		return;
	}
	if (left->count == 0 ||
	    (j->left == NULL && (j->left = calloc(1, sizeof(*j->left))) == NULL))
		return;
	left_join(j->left, volume, left);
}

bool
job_in_memory(const struct job *j)
{
	const struct wasm_ask *a;

	if (j->m == NULL || (j->m->has & HAS_WASM) == 0)
		return false;
	a = &j->m->module;
	return a->files == WASM_FILES_MEMORY ||
	    (a->files == WASM_FILES_AS_NODE &&
		(j->level <= 1 || a->deterministic));
}

/* Seconds of wall time from now on, as a point of the loop's clock. */
static struct mono
in_seconds(struct mono now, uint64_t s)
{
	return mono_add(now, (int64_t)MIN_OF(s, (uint64_t)UINT32_MAX) *
		MONO_SECOND);
}

enum job_due
job_due(const struct job *j, bool missing, uint32_t unix_now, struct mono now,
    struct mono *next)
{
	struct mono at;

	*next = MONO_NEVER;
	if (job_ended(j) || (job_active(j) && j->kill != 0))
		return DUE_NOTHING;
	if (unix_now >= j->deadline)
		return j->phase <= PHASE_RUNNING ? DUE_DEADLINE : DUE_NOTHING;
	*next = in_seconds(now, j->deadline - unix_now);
	if (j->state == JS_HELD) {
		at = in_seconds(j->since, JOB_REVIEW_S);
		if (mono_reached(now, at))
			return DUE_REVIEW;
		*next = mono_min(*next, at);
	}
	if (j->state == JS_QUEUED && missing) {
		at = in_seconds(j->input_at, JOB_INPUT_IDLE_S);
		if (mono_reached(now, at))
			return DUE_INPUTS;
		*next = mono_min(*next, at);
	}
	if (j->phase == PHASE_RUNNING && !j->frozen) {
		uint64_t ms = MIN_OF(j->limits.v[LIMIT_TIME],
		    (uint64_t)INT64_MAX / 2000);

		ms += job_in_memory(j) ? JOB_SAVE_MS : 0;
		at = mono_add(j->started_at, (int64_t)ms * 1000);
		if (mono_reached(now, at))
			return DUE_TIME;
		*next = mono_min(*next, at);
	}
	return DUE_NOTHING;
}

uint64_t
job_progress(const struct job *j, struct mono now)
{
	uint64_t ms, limit = j->limits.v[LIMIT_TIME];

	if (j->state == JS_DONE)
		return 1000;
	if (j->phase < PHASE_RUNNING || limit == 0)
		return 0;
	ms = (uint64_t)MAX_OF(mono_sub(j->frozen ? j->frozen_at : now,
	    j->started_at), INT64_C(0)) / 1000;
	return ms >= limit ? 1000 : ms * 1000 / limit;
}

void
job_outcome_of(struct proto_outcome_v *o, const struct job *j)
{
	o->kind = j->state == JS_DONE ? j->outcome : OUT_NONE;
	o->code = j->code;
	o->reason = pstr_of(o->kind != OUT_KILLED ? NULL :
		(j->code & 0xff) == KILL_VIOLATION ?
		contract_violation((unsigned)j->code >> 8) :
		kill_name((unsigned)j->code & 0xff));
}

struct pstr
job_reason_of(const struct job *j)
{
	return pstr_of(j->reason[0] == '\0' ? NULL : j->reason);
}
