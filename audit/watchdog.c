/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/watchdog.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"

/* klp.md 10; throttle and freeze: ours, beside their ttl. */
static const struct {
	unsigned most;
	int64_t seconds;
	uint8_t severity;
} bounds[DOG_ACTIONS] = {
    [DOG_NOTE] = {60, 60, 1},
    [DOG_FLAG] = {10, 60, 3},
    [DOG_THROTTLE] = {10, 60, 3},
    [DOG_FREEZE] = {10, 60, 4},
    [DOG_KILL] = {6, 3600, 4},
    [DOG_PROPOSE] = {6, 86400, 4},
};

static const char *const ends[DOG_ENDS] = {
    [DOG_PASSED] = "passed",
    [DOG_NOTED] = "noted",
    [DOG_TOO_MANY] = "too_many",
    [DOG_NO_JOB] = "no_job",
    [DOG_TOO_LONG] = "ttl",
    [DOG_UNSURE] = "confidence",
    [DOG_ALONE] = "corroboration",
};

const char *
dog_end_name(enum dog_end e)
{
	return (unsigned)e < DOG_ENDS ? ends[e] : "?";
}

unsigned
dog_severity(const struct dog_verdict *v, enum dog_end e)
{
	return e == DOG_PASSED || e == DOG_NOTED ? bounds[v->action].severity :
	    2;
}

void
dog_init(struct dog *d, struct mono now)
{
	memset(d, 0, sizeof(*d));
	d->alive_at = now;
}

void
dog_set(struct dog *d, const struct dog_conf *c, struct mono now)
{
	d->conf = *c;
	if (!c->on)
		d->there = DOG_NONE;
	else if (d->there == DOG_NONE)
		dog_waited_for(d, now);
}

/* ---- is it there ---- */

void
dog_waited_for(struct dog *d, struct mono now)
{
	/* one that is absent is so until it speaks */
	if (d->there == DOG_ABSENT)
		return;
	d->there = DOG_WAITED_FOR;
	d->alive_at = now;
}

void
dog_alive(struct dog *d, struct mono now)
{
	if (d->conf.on)
		d->there = DOG_PRESENT;
	d->alive_at = now;
}

bool
dog_tick(struct dog *d, struct mono now)
{
	if (d->there == DOG_NONE || d->there == DOG_ABSENT ||
	    mono_sub(now, d->alive_at) <
		DOG_ABSENT_TICKS * DOG_TICK_S * MONO_SECOND)
		return false;
	d->there = DOG_ABSENT;
	return true;
}

/* ---- what it was told ---- */

static struct dog_job *
job_of(struct dog *d, const struct id32 *id)
{
	for (unsigned i = 0; i < DOG_JOBS; i++) {
		if (d->job[i].used && id32_eq(&d->job[i].id, id))
			return &d->job[i];
	}
	return NULL;
}

/* It is known from now on; who was not spoken of for longest makes room. */
static struct dog_job *
job_heard(struct dog *d, const struct id32 *id, struct mono now)
{
	struct dog_job *j = job_of(d, id), *old = &d->job[0];

	for (unsigned i = 0; j == NULL && i < DOG_JOBS; i++) {
		if (!d->job[i].used)
			old = &d->job[i];
		else if (old->used && d->job[i].heard.us < old->heard.us)
			old = &d->job[i];
	}
	if (j == NULL) {
		j = old;
		*j = (struct dog_job){.used = true, .id = *id};
	}
	j->heard = now;
	return j;
}

/*
 * What a job cannot bring about by printing, and does not happen to every job:
 * it broke a rule, or its contract.
 */
static bool
corroborates(unsigned kind, unsigned severity)
{
	return (kind == EVK_RULE && severity >= 2) || kind == EVK_VIOLATION ||
	    kind == EVK_DEVIATION;
}

void
dog_sent_event(struct dog *d, const char *uid, unsigned kind,
    unsigned severity, const struct id32 *job, const struct fp *peer,
    struct mono now)
{
	struct dog_event *e = &d->event[d->next_event];
	struct dog_job *j;

	if (job == NULL)
		return;
	j = job_heard(d, job, now);
	if (peer != NULL) {
		j->has_peer = true;
		j->peer = *peer;
	}
	d->next_event = (d->next_event + 1) % DOG_EVENTS;
	(void)snprintf(e->uid, sizeof(e->uid), "%s", uid);
	e->job = *job;
	e->counts = corroborates(kind, severity);
}

void
dog_sent_log(struct dog *d, const struct id32 *job, struct mono now)
{
	(void)job_heard(d, job, now);
}

const struct fp *
dog_peer(const struct dog *d, const struct id32 *job)
{
	for (unsigned i = 0; i < DOG_JOBS; i++) {
		const struct dog_job *j = &d->job[i];

		if (j->used && id32_eq(&j->id, job))
			return j->has_peer ? &j->peer : NULL;
	}
	return NULL;
}

/* ---- what it may ---- */

/* Is there room for one more of so many in so long? */
static bool
room(const struct dog_window *w, unsigned most, int64_t seconds,
    struct mono now)
{
	unsigned oldest = (w->next + DOG_WINDOW - most) % DOG_WINDOW;

	return w->n < most ||
	    mono_sub(now, w->at[oldest]) >= seconds * MONO_SECOND;
}

static void
spend(struct dog_window *w, struct mono now)
{
	_Static_assert(DOG_REFUSED_MINUTE <= DOG_WINDOW, "the largest bound");
	w->at[w->next] = now;
	w->next = (w->next + 1) % DOG_WINDOW;
	w->n = MIN_OF(w->n + 1, DOG_WINDOW);
}

static bool
corroborated(const struct dog *d, const struct dog_verdict *v)
{
	for (unsigned r = 0; r < v->nrefs; r++) {
		for (unsigned i = 0; i < DOG_EVENTS; i++) {
			const struct dog_event *e = &d->event[i];

			if (e->counts && strcmp(e->uid, v->ref[r]) == 0 &&
			    id32_eq(&e->job, &v->job))
				return true;
		}
	}
	return false;
}

static bool
lasts(enum dog_action a)
{
	return a == DOG_THROTTLE || a == DOG_FREEZE;
}

/* Whatever the rates say: is it one that may be followed? */
static enum dog_end
fit(struct dog *d, const struct dog_verdict *v)
{
	const struct dog_job *j = v->has_job ? job_of(d, &v->job) : NULL;

	if (v->has_job ? j == NULL : v->action != DOG_NOTE)
		return DOG_NO_JOB;
	if (lasts(v->action) && (!v->has_ttl || v->ttl_s == 0 ||
	    v->ttl_s > DOG_TTL_MAX_S))
		return DOG_TOO_LONG;
	if (v->action == DOG_FREEZE &&
	    v->ttl_s > DOG_TTL_MAX_S - j->frozen_s)
		return DOG_TOO_LONG;
	if (v->action == DOG_KILL && v->confidence < DOG_KILL_PERMILLE)
		return DOG_UNSURE;
	if (v->action == DOG_KILL && d->conf.corroborate &&
	    !corroborated(d, v))
		return DOG_ALONE;
	return v->action == DOG_NOTE ? DOG_NOTED : DOG_PASSED;
}

enum dog_end
dog_judge(struct dog *d, const struct dog_verdict *v, struct mono now)
{
	struct dog_window *w = &d->did[v->action];
	enum dog_end end = fit(d, v);

	/* what is refused for another reason uses up nothing of what counts */
	if (end != DOG_PASSED && end != DOG_NOTED) {
		if (!room(&d->refused, DOG_REFUSED_MINUTE, 60, now)) {
			d->excess++;
			return DOG_TOO_MANY;
		}
		spend(&d->refused, now);
		return end;
	}
	if (!room(w, bounds[v->action].most, bounds[v->action].seconds, now)) {
		d->excess++;
		return DOG_TOO_MANY;
	}
	spend(w, now);
	if (!d->conf.act)
		return DOG_NOTED;
	if (v->action == DOG_FREEZE)
		job_of(d, &v->job)->frozen_s += v->ttl_s;
	return end;
}

void
dog_bad(struct dog *d, const char *why)
{
	d->bad++;
	(void)snprintf(d->why, sizeof(d->why), "%s", why);
}
