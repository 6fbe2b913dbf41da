/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/forensics.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/snapshot.h"
#include "common/util.h"
#include "node/work/event.h"
#include "node/work/finish.h"
#include "node/work/freeze.h"
#include "node/work/query.h"
#include "node/work/state.h"
#include "trust/doc/bundle.h"

static struct mono
in_s(const struct node *n, int64_t s)
{
	return mono_add(n->now, s * MONO_SECOND);
}

/* ---- what becomes of the job ---- */

static void
go_on(struct node *n, struct job *j)
{
	j->ruled_until.us = 0;
	if (!j->suspended && (n->lends || n->policy.when.running !=
	    WHEN_FREEZE))
		job_thaw(n, j);
	n->lend_at = n->now;
}

/* Copied, or it cannot be: as was asked. */
static void
settle(struct node *n, bool ok)
{
	struct forensics *f = &n->forensics;
	struct job *j = job_find(&n->jobs, &f->job);
	bool froze = f->froze;

	f->froze = false;
	if (f->kind != BUNDLE_JOB || j == NULL || !job_active(j) ||
	    j->phase > PHASE_RUNNING)
		return;
	switch (f->then) {
	case THEN_REVOKED:
		if (j->kill == 0)
			finish_kill(n, j, KILL_REVOKED);
		break;
	case THEN_KILL:
		/* what was to be seen first is not gone with a failure */
		if (ok)
			job_cancel(n, j, true);
		else if (froze)
			go_on(n, j);
		break;
	case THEN_STAY:
		if (froze && ok && j->ruled_until.us == 0) {
			j->ruled_until = in_s(n, FORENSICS_STAY_S);
			(void)snprintf(j->ruled_by, sizeof(j->ruled_by),
			    FORENSICS_HELD);
		} else if (froze && !ok)
			go_on(n, j);
		break;
	case THEN_RESUME:
		/* one that stayed goes on as well, one that a rule holds too */
		if (ok ? j->frozen : froze)
			go_on(n, j);
		break;
	}
}

static void
over(struct node *n, const struct msg_W_BUNDLED *m)
{
	struct forensics *f = &n->forensics;
	struct job *j = job_find(&n->jobs, &f->job);

	f->last = *m;
	f->last.qid = f->qid;
	f->phase = FX_NONE;
	if (f->kind == BUNDLE_JOB)
		node_event(n, EVK_BUNDLE, m->ok ? 3 : 2, j, NULL,
		    m->ok ? "made" : "failed", m->ok ? m->name : m->why,
		    (int64_t)m->members, (int64_t)m->pause_us);
	else
		node_event(n, EVK_BUNDLE, 1, NULL, NULL, m->ok ? "export" :
		    "failed", m->ok ? m->name : m->why, (int64_t)m->members, 0);
}

static void
failed(struct node *n, const char *why)
{
	struct msg_W_BUNDLED m = {.ok = false};

	(void)snprintf(m.why, sizeof(m.why), "%s", why);
	log_warnx("forensics", "no bundle: %s", why);
	settle(n, false);
	over(n, &m);
}

/* ---- it begins ---- */

static const char *
may_begin(struct node *n)
{
	struct forensics *f = &n->forensics;

	if (f->phase != FX_NONE)
		return "another bundle is being made";
	if (!n->up[PROGRAM_AUDIT])
		return "warren-audit is away, and is started again";
	if (mono_reached(n->now, f->hour)) {
		f->hour = in_s(n, 3600);
		f->in_hour = 0;
	}
	if (f->in_hour >= n->policy.forensics.per_hour)
		return "as many bundles as forensics.per_hour allows were "
		       "begun in this hour";
	return NULL;
}

static void
begin(struct node *n, uint8_t kind, enum forensics_phase phase)
{
	struct forensics *f = &n->forensics;

	f->in_hour++;
	f->kind = kind;
	f->phase = phase;
	f->froze = false;
	f->ends.us = 0;
	f->qid = node_qid(n);
	memset(&f->last, 0, sizeof(f->last));
	f->until = in_s(n, phase == FX_PACKING ? FORENSICS_PACK_S :
	    FORENSICS_JAIL_S);
}

const char *
forensics_trail(struct node *n, uint64_t from, uint64_t to)
{
	struct forensics *f = &n->forensics;
	const char *why = may_begin(n);

	if (why != NULL)
		return why;
	begin(n, BUNDLE_TRAIL, FX_PACKING);
	memset(&f->job, 0, sizeof(f->job));
	f->from = from;
	f->to = to;
	n->host.bundle(n->host.ctx, NULL, -1);
	return NULL;
}

const char *
forensics_job(struct node *n, struct job *j, enum forensics_then then,
    const char *reason)
{
	const struct forensics_conf *c = &n->policy.forensics;
	struct forensics *f = &n->forensics;
	struct msg_J_SNAP m = {.bytes = c->most};
	const char *why = may_begin(n);
	bool runs = job_active(j) && j->phase == PHASE_RUNNING && j->kill == 0;
	bool ends = !runs && job_active(j) && j->phase >= PHASE_RUNNING;

	if (why != NULL)
		return why;
	if (!runs && !ends && !job_ended(j))
		return "it does not run yet";
	if (runs && !n->up[PROGRAM_JAIL])
		return "warren-jail is away, and is started again";
	begin(n, BUNDLE_JOB, runs ? FX_READY : ends ? FX_ENDING : FX_PACKING);
	f->job = j->id;
	f->then = then;
	(void)snprintf(f->why, sizeof(f->why), "%s", reason);
	if (!runs) { /* what is known of it, without what it was */
		if (!ends)
			n->host.bundle(n->host.ctx, j, -1);
		return NULL;
	}
	m.job = j->id;
	m.what = (uint8_t)((c->memory ? SNAPSHOT_MEMORY : 0) |
	    (c->files ? SNAPSHOT_FILES : 0) |
	    (c->secrets ? SNAPSHOT_ENVIRON : 0));
	/* what a job may have in memory is all that there can be to copy */
	if (j->limits.v[LIMIT_MEMORY] != 0)
		m.bytes = MIN_OF(m.bytes, 2 * j->limits.v[LIMIT_MEMORY] +
		    (64ull << 20));
	n->host.send_J_SNAP(n->host.ctx, &m);
	return NULL;
}

void
forensics_ruled(struct node *n, struct job *j)
{
	char reason[64];
	const char *why;

	if (!n->policy.forensics.on_freeze)
		return;
	(void)snprintf(reason, sizeof(reason), "rule %s", j->ruled_by);
	why = forensics_job(n, j, THEN_STAY, reason);
	if (why != NULL)
		log_warnx("forensics", "a rule has frozen a job, and there is "
		    "no bundle: %s", why);
}

bool
forensics_revoked(struct node *n, struct job *j)
{
	const char *why;

	if (!n->policy.forensics.on_revocation || j->phase != PHASE_RUNNING ||
	    j->kill != 0)
		return false;
	why = forensics_job(n, j, THEN_REVOKED, "revoked");
	if (why != NULL) {
		log_warnx("forensics", "a revoked job dies without a bundle: "
		    "%s", why);
		return false;
	}
	n->forensics.ends = in_s(n, FORENSICS_REVOKED_S);
	/* from now on it does nothing any more */
	job_freeze(n, j, "revoked");
	return true;
}

/* ---- what the others say ---- */

void
forensics_ready(struct node *n, const struct msg_J_SNAP_READY *m)
{
	struct forensics *f = &n->forensics;
	struct job *j = job_find(&n->jobs, &m->job);
	struct msg_J_SNAP_GO go = {.end_ = 0};

	if (f->phase != FX_READY || !id32_eq(&f->job, &m->job) || j == NULL) {
		n->count.edges++;
		return;
	}
	f->phase = FX_TAKING;
	f->until = in_s(n, FORENSICS_JAIL_S);
	if (!j->frozen) {
		/* where this cannot be, who copies holds it alone */
		job_freeze(n, j, f->why);
		f->froze = j->frozen;
	}
	go.job = m->job;
	n->host.send_J_SNAP_GO(n->host.ctx, &go);
}

bool
forensics_snapped(struct node *n, const struct msg_J_SNAPPED *m)
{
	struct forensics *f = &n->forensics;

	if ((f->phase != FX_READY && f->phase != FX_TAKING) ||
	    !id32_eq(&f->job, &m->job)) {
		n->count.edges++;
		return false;
	}
	if (!m->ok && strcmp(m->why, SNAPSHOT_ENDED) == 0) {
		settle(n, false);
		f->phase = FX_ENDING;
		f->until = in_s(n, FORENSICS_JAIL_S);
		return false;
	}
	if (!m->ok || f->phase != FX_TAKING) {
		failed(n, m->why[0] != '\0' ? m->why : "not as it was asked");
		return false;
	}
	settle(n, true);
	f->phase = FX_PACKING;
	f->until = in_s(n, FORENSICS_PACK_S);
	return true;
}

void
forensics_pack(struct node *n, struct msg_W_BUNDLE *m)
{
	const struct forensics *f = &n->forensics;

	memset(m, 0, sizeof(*m));
	m->qid = f->qid;
	m->kind = f->kind;
	m->job = f->job;
	m->from = f->from;
	m->to = f->to;
	m->count = n->policy.forensics.bundles;
	m->bytes = n->policy.forensics.total;
}

void
forensics_bundled(struct node *n, const struct msg_W_BUNDLED *m)
{
	struct forensics *f = &n->forensics;

	if (f->phase != FX_PACKING || m->qid != f->qid)
		n->count.edges++;
	else
		over(n, m);
}

void
forensics_down(struct node *n, enum program who)
{
	enum forensics_phase p = n->forensics.phase;

	if (who == PROGRAM_JAIL && (p == FX_READY || p == FX_TAKING))
		failed(n, "warren-jail has ended");
	else if (who == PROGRAM_AUDIT && p == FX_PACKING)
		failed(n, "warren-audit has ended");
}

/* Its end has come, with all that is told of it. */
static void
look_for_end(struct node *n)
{
	struct forensics *f = &n->forensics;
	struct job *j = job_find(&n->jobs, &f->job);

	if (j == NULL || job_waiting(j)) {
		failed(n, "the job was lost, and begins anew");
	} else if (job_ended(j)) {
		f->phase = FX_PACKING;
		f->until = in_s(n, FORENSICS_PACK_S);
		n->host.bundle(n->host.ctx, j, -1);
	}
}

struct mono
forensics_tick(struct node *n)
{
	struct forensics *f = &n->forensics;

	if (f->phase == FX_ENDING)
		look_for_end(n);
	if (f->phase == FX_NONE)
		return MONO_NEVER;
	if (f->phase != FX_PACKING && f->ends.us != 0 &&
	    mono_reached(n->now, f->ends))
		failed(n, "a revoked job is not kept waiting for it");
	else if (mono_reached(n->now, f->until))
		failed(n, f->phase == FX_PACKING ?
		    "warren-audit does not come to its end" :
		    f->phase == FX_ENDING ?
		    "the job does not come to its end" :
		    "warren-jail does not answer");
	if (f->phase == FX_NONE)
		return MONO_NEVER;
	return f->ends.us != 0 && f->phase != FX_PACKING ?
	    mono_min(f->ends, f->until) : f->until;
}
