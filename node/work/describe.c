/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/describe.h"

#include <stdio.h>
#include <string.h>

#include "node/proto/proto_put.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/peers.h"
#include "node/work/ready.h"
#include "node/work/said.h"
#include "node/work/spool.h"
#include "node/work/state.h"
#include "trust/doc/tlv.h"

#define DESCRIBE_SLOW 1000000u /* ours: bit/s, of what `air` is said */

static void
describe_limits(struct node *n, struct proto_describe *d,
    struct peer *p, int level)
{
	struct limits row;

	d->limits.slice = PROTO_SLICE;
	if (p != NULL) {
		d->budget.bytes = p->bytes.cap;
		d->budget.left = bucket_left(&p->bytes, n->now);
		d->budget.full_s = bucket_full_s(&p->bytes, n->now);
	}
	if (level < MAX_OF(n->policy.floor, 0) ||
	    !level_row(&row, &n->policy, MAX_OF(level, 1)))
		return;
	d->limits.memory = row.v[LIMIT_MEMORY];
	d->limits.cpu = row.v[LIMIT_CPU];
	d->limits.time = row.v[LIMIT_TIME];
	d->limits.pids = row.v[LIMIT_PIDS];
	d->limits.output = row.v[LIMIT_OUTPUT];
	d->limits.log = row.v[LIMIT_LOG];
	d->limits.spool = n->policy.peer_spool;
	d->left.jobs_queued = n->policy.jobs_queued;
	d->left.jobs_per_hour = n->policy.jobs_per_hour;
	d->left.spool = n->policy.peer_spool;
	if (p != NULL && p->v.known && p->v.status == VERDICT_OK) {
		struct owner *o = owner_get(n, &p->v.fp);
		uint64_t held = spool_held(n, &p->v.fp);
		uint32_t q = jobs_waiting_of(&n->jobs, &p->v.fp);

		d->left.jobs_queued -= MIN_OF(q, n->policy.jobs_queued);
		d->left.spool -= MIN_OF(held, d->left.spool);
		if (o != NULL)
			d->left.jobs_per_hour = MIN_OF(d->left.jobs_per_hour,
			    bucket_left(&o->quota.jobs, n->now));
	}
}

/* Of what a link needs time for: who has a fast one need not know. */
static void
describe_air(const struct node *n, struct proto_describe *d,
    const struct forecast_path *p)
{
	struct forecast f, more;

	if (p->bitrate == 0 || p->bitrate > DESCRIBE_SLOW)
		return;
	d->air.bitrate = p->bitrate;
	d->air.loss = p->loss_permille;
	d->air.rtt_ms = p->rtt_us / 1000;
	d->air.max_s = n->policy.max_airtime_s;
	f = forecast(p, 1024, 0);
	more = forecast(p, 16384, 0);
	d->air.kib_ms = (uint64_t)f.us / 1000;
	d->air.kib16_ms = (uint64_t)more.us / 1000;
	if (f.p90_us == f.us)
		return; /* nothing is left to chance */
	d->air.kib_p90_ms = (uint64_t)f.p90_us / 1000;
	d->air.kib16_p90_ms = (uint64_t)more.p90_us / 1000;
}

static void
describe(struct node *n, const struct asked *a)
{
	struct proto_describe d = {.name = pstr_of(n->policy.name),
	    .urn = pstr_of(n->urn), .key = pstr_of(n->key_text),
	    .profile = pstr_of(n->policy.profile_name), .roles =
		ROLE_COMPUTE | (n->policy.nhub > 0 ? ROLE_HUB : 0u),
	    .runtimes = node_runtimes(n), .arch = app_arch_here()};
	struct peer *p = a->caller->peer;
	char why[NODE_READY_WHY];
	struct wr w;
	int level = p != NULL && p->v.known && !verdict_listed(&p->v) ?
	    p->v.level : 0;

	node_disk(n);
	d.brief = a->req.brief;
	d.accepting = node_accepting(n);
	node_why(n, why);
	if (!d.accepting)
		d.why = pstr_of(why);
	d.level = level;
	describe_limits(n, &d, p, level);
	describe_air(n, &d, &a->caller->path);
	d.running = n->jobs.n[JS_STAGING] + n->jobs.n[JS_RUNNING];
	d.queued = n->jobs.n[JS_HELD] + n->jobs.n[JS_QUEUED];
	d.layers = n->layers;
	d.runner[0] = n->runner.number;
	for (unsigned i = 0; i < RUNNER_PARTS; i++)
		d.runner[1 + i] = n->runner.version[i];
	d.time = n->unix_now;
	d.binding = n->has_binding ? n->binding : NULL;
	if (!d.brief && level >= MAX_OF(n->policy.floor, 0) && p != NULL)
		d.nimages = n->host.images(n->host.ctx, d.images,
		    PROTO_IMAGES_MAX);
	w = answer_begin(n, ST_OK, NULL);
	proto_put_describe(&w, &d);
	answer_send(n, a, &w);
}

void
describe_request(struct node *n, struct asked *a)
{
	const uint8_t *b = a->req.binding;
	struct peer *p = a->caller->peer;
	struct refusal r = {.code = "binding"};
	bool news;

	if (p != NULL && a->stage == ASKED_NEW && a->req.has_time)
		said_clock(n, p, a->req.time);
	if (a->bad_binding) {
		(void)snprintf(r.why, sizeof(r.why), "%s", a->why);
		asked_binding_time(n, a, &r);
		said_refused(n, p, NULL, NULL, &r);
		answer_refusal(n, a, &r);
		return;
	}
	news = p != NULL && peer_binding_new(p, b);
	if (p == NULL || a->stage != ASKED_NEW ||
	    (peer_verdict_fresh(n, p) && !news))
		describe(n, a);
	else if (!n->up[PROGRAM_TRUST])
		answer_busy(n, a, "trust", NODE_BUSY_S);
	else
		(void)asked_wait(n, a, ASKED_VERDICT,
		    peer_ask(n, p, news ? b : NULL));
}
