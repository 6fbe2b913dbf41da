/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/waits.h"

#include <string.h>

#include "common/util.h"
#include "node/work/banned.h"
#include "node/work/inputs.h"
#include "node/work/lend.h"
#include "node/work/ready.h"
#include "node/work/run.h"
#include "trust/doc/receipt.h"

#define LETTERS 4 /* ours: of one job; several of them fit a line */

/* asked 0: that is not what a job asks for. */
static json_t *
share(uint64_t asked, uint64_t used, uint64_t of)
{
	return json_pack("{s:I,s:I,s:I}", "asked", (json_int_t)asked, "used",
	    (json_int_t)used, "of", (json_int_t)of);
}

/* What the operator lends, and what those that run have of it. */
static void
add_room(json_t *o, const struct node *n, const struct job *j)
{
	const struct limits *most = &n->policy.ceiling;

	(void)json_object_update_new(o, json_pack("{s:o,s:o,s:o}", "slots",
	    share(1, n->sched.slots, MIN_OF(n->slots, n->policy.jobs_running)),
	    "memory", share(j->limits.v[LIMIT_MEMORY], n->sched.memory,
		most->v[LIMIT_MEMORY]),
	    "cpu", share(j->limits.v[LIMIT_CPU], n->sched.cpu_milli,
		most->v[LIMIT_CPU])));
}

/* What time does to it next; the deadline is not the only end. */
static void
add_end(json_t *o, const struct node *n, const struct job *j)
{
	bool missing = j->state == JS_QUEUED && strcmp(j->reason,
	    "inputs") == 0;
	struct mono at;
	int64_t s;

	if (job_due(j, missing, n->unix_now, n->now, &at) != DUE_NOTHING)
		return;
	s = MAX_OF(mono_sub(at, n->now), INT64_C(0)) / MONO_SECOND;
	(void)json_object_set_new(o, "end_s", json_integer(MIN_OF(s,
	    (int64_t)j->deadline - n->unix_now)));
}

/* What a rule does to it now. */
static void
add_ruled(json_t *o, const struct node *n, const struct job *j)
{
	int64_t us = MAX_OF(mono_sub(j->ruled_until, n->now), INT64_C(0));

	if (j->paused_until.us != 0 || j->slowed)
		(void)json_object_set_new(o, "throttled", json_true());
	if (j->frozen && j->ruled_until.us != 0)
		(void)json_object_update_new(o, json_pack("{s:s,s:I}",
		    "ruled_by", j->ruled_by, "ruled_s",
		    (json_int_t)(us / MONO_SECOND)));
}

json_t *
waits_json(struct node *n, const struct job *j)
{
	const char *shut = n->ledger_fails || n->disk_readonly ? node_shut(n) :
	    "";
	json_t *o;

	/* what the ledger has is what a restart finds, and what is told */
	if (job_ended(j) && j->dirty && (n->ledger_fails || j->aside))
		return json_pack("{s:b,s:b,s:s}", "unwritten", true, "aside",
		    j->aside, "shut", shut);
	if (job_ended(j))
		return json_null();
	o = json_pack("{s:s,s:I,s:b,s:b,s:b,s:b,s:b,s:b,s:s,s:b}", "phase",
	    job_phase_name(j->phase), "deadline", (json_int_t)j->deadline,
	    "asleep", j->asleep, "suspended", j->suspended, "frozen",
	    j->frozen, "flagged", j->dog_flagged, "watchdog",
	    j->dog_until.us != 0, "aside", j->aside, "kill", j->kill == 0 ? "" :
	    kill_name(j->kill), "jail", n->has_posture &&
	    n->up[PROGRAM_JAIL]);
	add_end(o, n, j);
	/* asked for by the operator; a rule's has its rule's name */
	if ((n->forensics.froze && id32_eq(&n->forensics.job, &j->id)) ||
	    (j->frozen && j->ruled_until.us != 0 &&
		strcmp(j->ruled_by, FORENSICS_HELD) == 0))
		(void)json_object_set_new(o, "held", json_string("evidence"));
	else
		add_ruled(o, n, j);
	if (!job_waiting(j))
		return o;
	(void)json_object_set_new(o, "shut", json_string(shut));
	(void)json_object_update_new(o, json_pack("{s:I,s:I,s:s}", "wait_s",
	    (json_int_t)run_wait_s(n, &j->owner, &j->limits, j), "lent_s",
	    (json_int_t)lend_wait_s(n), "lent_why", n->lends ? "" :
	    n->lent.why));
	if (n->has_posture)
		add_room(o, n, j);
	if (j->m != NULL)
		(void)json_object_set_new(o, "missing_bytes",
		    json_integer((json_int_t)inputs_to_come(n, &j->owner,
			j->m)));
	return o;
}

static json_t *
letter(const struct node *n, const struct mail *m)
{
	static const char *const name[MAIL_STATES] = {[MAIL_ASKS] = "asks",
	    [MAIL_WAITS] = "waits", [MAIL_DUE] = "due", [MAIL_OVER] = "over"};
	char id[65], from[33], why[4 * sizeof(m->why)];
	json_t *o;

	hex_encode(id, HASH_BYTES(m->id));
	hex_encode(from, HASH_BYTES(m->source));
	o = json_pack("{s:s,s:s,s:s,s:I}", "id", id, "from", from, "state",
	    name[m->state], "came", (json_int_t)m->came);
	if (m->state != MAIL_DUE)
		return o;
	(void)json_object_set_new(o, "tries", json_integer(m->tries));
	(void)json_object_set_new(o, "under_way", json_boolean(m->tag != 0));
	if (m->tag == 0)
		(void)json_object_set_new(o, "again_s", json_integer(
		    (json_int_t)(MAX_OF(mono_sub(m->again, n->now),
		    INT64_C(0)) / MONO_SECOND)));
	/* text of a literal of transport, but another program's */
	(void)text_printable(why, sizeof(why), m->why, strlen(m->why));
	if (why[0] != '\0')
		(void)json_object_set_new(o, "why", json_string(why));
	return o;
}

json_t *
waits_letters(const struct node *n, const struct job *j)
{
	const struct mail_list *lists[2] = {&n->mail.bag.open,
	    &n->mail.bag.over};
	const struct mail *m;
	json_t *all = NULL;

	for (unsigned i = 0; i < 2; i++)
		TAILQ_FOREACH(m, lists[i], link) {
			if (!m->has_job || !id32_eq(&m->job, &j->id) ||
			    json_array_size(all) >= LETTERS)
				continue;
			if (all == NULL)
				all = json_array();
			(void)json_array_append_new(all, letter(n, m));
		}
	return all;
}

static void
add_owner(json_t *o, struct node *n, const struct fp *fp)
{
	struct owner *w = owner_get(n, fp);

	if (w == NULL)
		return;
	if (n->policy.image_serve)
		(void)json_object_update_new(o, json_pack("{s:I,s:I,s:I}",
		    "images_left",
		    (json_int_t)bucket_left(&w->quota.images, n->now),
		    "images_limit", (json_int_t)w->quota.images.cap,
		    "images_full_s",
		    (json_int_t)bucket_full_s(&w->quota.images, n->now)));
	(void)json_object_update_new(o, json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}",
	    "jobs_waiting_limit", (json_int_t)n->caps.jobs_queued,
	    "jobs_hour_limit", (json_int_t)n->caps.jobs_per_hour,
	    "jobs_hour_full_s",
	    (json_int_t)bucket_full_s(&w->quota.jobs, n->now), "cpu_s_limit",
	    (json_int_t)n->caps.cpu_seconds_per_day, "cpu_s_full_s",
	    (json_int_t)bucket_full_s(&w->quota.cpu, n->now), "spool_limit",
	    (json_int_t)n->caps.spool));
}

void
waits_peer(json_t *o, struct node *n, struct peer *p)
{
	const struct fp *fp = p->v.known && p->v.key_len > 0 ? &p->v.fp : NULL;
	const struct listed *e = banned_peer(n, fp, &p->rns_hash);
	/* words of before the last change are true no more */
	bool now = p->v.known && p->asked_gen == n->verdict_gen;
	char why[4 * sizeof(p->v.why)];

	(void)text_printable(why, sizeof(why), p->v.why,
	    now ? strlen(p->v.why) : 0);
	(void)json_object_update_new(o, json_pack("{s:I,s:I,s:I,s:s,s:s,s:i}",
	    "bytes_limit", (json_int_t)p->bytes.cap, "requests_limit",
	    (json_int_t)p->requests.cap, "requests_full_s",
	    (json_int_t)bucket_full_s(&p->requests, n->now), "listed",
	    e == NULL ? "" : e->suspended ? "suspended" : "revoked", "why",
	    why, "floor", n->policy.floor));
	if (fp != NULL)
		add_owner(o, n, fp);
}
