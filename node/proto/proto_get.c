/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/proto/proto_get.h"

#include <string.h>

#include "common/mpk.h"
#include "common/util.h"

/* Answers and their bodies, the submitter's side: a node is hostile here. */

static bool
get_str(struct rd *r, struct pstr *s)
{
	return mpk_get_str(r, &s->p, &s->n);
}

static bool
get_str_or_nil(struct rd *r, struct pstr *s)
{
	if (mpk_get_nil(r)) {
		*s = (struct pstr){NULL, 0};
		return true;
	}
	return get_str(r, s);
}

/*
 * A map by a table of members: get() reads the value of member k into ctx.
 * Members that are not in the table are skipped; one twice is malformed; all
 * bits of needs must have come.
 */
typedef bool member_fn(void *ctx, unsigned k, struct rd *r);

static bool
get_map(struct rd *r, const char *const *names, unsigned count, uint32_t needs,
    member_fn *get, void *ctx)
{
	uint32_t seen = 0;
	size_t pairs;

	if (!mpk_get_map(r, &pairs))
		return false;
	for (size_t i = 0; i < pairs; i++) {
		struct mpk name;
		unsigned k;

		if (!mpk_get(r, &name) || name.type == MPK_ARRAY ||
		    name.type == MPK_MAP)
			return false;
		for (k = 0; k < count; k++) {
			if (mpk_str_is(&name, names[k]))
				break;
		}
		if (k == count) {
			if (!mpk_skip(r))
				return false;
			continue;
		}
		if ((seen & (1u << k)) != 0 || !get(ctx, k, r))
			return false;
		seen |= 1u << k;
	}
	return (seen & needs) == needs;
}

static bool
meta_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_meta *m = ctx;

	switch (k) {
	case 0:
		return (m->has_max = true) && proto_int(r, &m->max);
	case 1:
		return (m->has_s = true) && proto_int(r, &m->s);
	case 2:
		return (m->has_size = true) && proto_int(r, &m->size);
	case 3:
		return (m->has_end = true) && mpk_get_bool(r, &m->end);
	case 4:
		return get_str(r, &m->code);
	case 5:
		return (m->has_step = true) && proto_int(r, &m->step);
	case 6:
		return (m->has_limit = true) && proto_int(r, &m->limit);
	case 7:
		if (get_str(r, &m->value_text))
			return true;
		return (m->has_value = true) && proto_int(r, &m->value);
	case 8:
		return get_str(r, &m->why);
	case 9:
		return get_str(r, &m->state);
	case 10:
		return proto_exact(r, &m->n, 32);
	case 11:
		return get_str(r, &m->of);
	case 12:
		return (m->has_left = true) && proto_int(r, &m->left);
	case 13:
		return (m->has_full_s = true) && proto_int(r, &m->full_s);
	case 14:
		return (m->has_time = true) && proto_int(r, &m->time);
	case 15:
		return (m->has_v = true) && proto_int(r, &m->v);
	case 16:
		return (m->has_len = true) && proto_int(r, &m->len);
	case 17:
		return proto_exact(r, &m->sha, 32);
	default:
		return mpk_get_bin(r, &m->runs.p, &m->runs.n) &&
		    m->runs.n % 4 == 0 && m->runs.n / 4 <= PROTO_RUNS_MAX;
	}
}

bool
proto_ans_get(struct proto_ans *a, const void *data, size_t len)
{
	static const char *const names[] = {"max", "s", "size", "end", "code",
	    "step", "limit", "value", "why", "state", "n", "of", "left",
	    "full_s", "time", "v", "len", "sha", "runs"};
	struct rd r = rd_make(data, len), whole = r;
	struct mpk v;
	size_t n;

	memset(a, 0, sizeof(*a));
	if (!mpk_skip(&whole) || !rd_end(&whole))
		return false;
	if (!mpk_get_array(&r, &n) || n != 3 || !proto_int(&r, &a->status) ||
	    !get_map(&r, names, NELEM(names), 0, meta_member, &a->meta))
		return false;
	a->body = r;
	return mpk_get(&r, &v);
}

static bool
limits_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_limits *l = ctx;
	uint64_t *const at[] = {&l->memory, &l->cpu, &l->time, &l->pids,
	    &l->output, &l->log, &l->slice, &l->spool};

	return proto_int(r, at[k]);
}

static bool
left_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_describe *d = ctx;
	uint64_t *const at[] = {
	    &d->left.jobs_queued, &d->left.jobs_per_hour, &d->left.spool};

	return proto_int(r, at[k]);
}

static bool
budget_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_describe *d = ctx;
	uint64_t *const at[] = {
	    &d->budget.bytes, &d->budget.left, &d->budget.full_s};

	return proto_int(r, at[k]);
}

static bool
air_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_describe *d = ctx;
	uint64_t *const at[] = {&d->air.bitrate, &d->air.loss, &d->air.rtt_ms,
	    &d->air.kib_ms, &d->air.kib16_ms, &d->air.max_s,
	    &d->air.kib_p90_ms, &d->air.kib16_p90_ms};

	return proto_int(r, at[k]);
}

static bool
get_images(struct rd *r, struct proto_describe *d)
{
	size_t n, two;

	if (!mpk_get_array(r, &n) || n > PROTO_IMAGES_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!mpk_get_array(r, &two) || two != 2 ||
		    !get_str(r, &d->images[i].name) ||
		    !proto_exact(r, &d->images[i].digest, 32))
			return false;
	}
	d->nimages = n;
	return true;
}

static bool
get_level(struct rd *r, int *level)
{
	struct mpk v;

	if (!mpk_get(r, &v))
		return false;
	if (v.type == MPK_UINT && v.u <= 3)
		*level = (int)v.u;
	else if (v.type == MPK_INT && v.i >= -3)
		*level = (int)v.i;
	else
		return false;
	return true;
}

static const char *const LIMIT_NAMES[] = {"memory", "cpu", "time", "pids",
    "output", "log", "slice", "spool"};
static const char *const LEFT_NAMES[] = {
    "jobs_queued", "jobs_per_hour", "spool"};
static const char *const BUDGET_NAMES[] = {"bytes", "left", "full_s"};
static const char *const AIR_NAMES[] = {
    "bitrate", "loss", "rtt_ms", "kib_ms", "kib16_ms", "max_s", "kib_p90_ms",
    "kib16_p90_ms"};

static bool
get_runner(struct rd *r, uint64_t v[1 + RUNNER_PARTS])
{
	size_t n;

	if (!mpk_get_array(r, &n) || n != 1 + RUNNER_PARTS)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (!proto_int(r, &v[i]) || v[i] > (i == 0 ? UINT8_MAX :
		    UINT16_MAX))
			return false;
	return true;
}

static bool
describe_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_describe *d = ctx;
	uint64_t v;

	switch (k) {
	case 0:
		return proto_int(r, &v) && v == 1;
	case 1:
		return get_str(r, &d->name);
	case 2:
		return get_str(r, &d->urn);
	case 3:
		return get_str(r, &d->key);
	case 4:
		return proto_int(r, &d->roles);
	case 5:
		return proto_int(r, &d->runtimes);
	case 6:
		return proto_int(r, &d->arch);
	case 7:
		return mpk_get_bool(r, &d->accepting);
	case 8:
		return get_level(r, &d->level);
	case 9:
		return get_str(r, &d->profile);
	case 10:
		return get_map(r, LIMIT_NAMES, NELEM(LIMIT_NAMES), 0xff,
		    limits_member, &d->limits);
	case 11:
		return get_map(r, LEFT_NAMES, NELEM(LEFT_NAMES), 0x7,
		    left_member, d);
	case 12:
		return proto_int(r, &d->queued);
	case 13:
		return proto_int(r, &d->running);
	case 14:
		return proto_int(r, &d->layers);
	case 15:
		return proto_int(r, &d->time);
	case 16:
		return proto_exact(r, &d->binding, BINDING_LEN);
	case 17:
		return get_images(r, d);
	case 18:
		return get_str(r, &d->why);
	case 19:
		return get_map(r, BUDGET_NAMES, NELEM(BUDGET_NAMES), 0x7,
		    budget_member, d);
	case 20:
		return get_runner(r, d->runner);
	default:
		return get_map(r, AIR_NAMES, NELEM(AIR_NAMES), 0x3f,
		    air_member, d);
	}
}

static bool
brief_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_describe *d = ctx;
	size_t n;

	(void)k;
	/* before it was said whether the link is slow, there were 8 */
	return mpk_get_array(r, &n) && (n == 8 || n == 9) &&
	    get_str(r, &d->name) && proto_int(r, &d->time) &&
	    proto_int(r, &d->limits.slice) && proto_int(r, &d->limits.log) &&
	    proto_int(r, &d->limits.output) &&
	    proto_int(r, &d->budget.bytes) && proto_int(r, &d->budget.left) &&
	    (mpk_get_nil(r) || proto_exact(r, &d->binding, BINDING_LEN)) &&
	    (n == 8 || mpk_get_bool(r, &d->slow));
}

static bool
get_brief(struct proto_describe *d, struct rd r)
{
	static const char *const names[] = {"k"};

	memset(d, 0, sizeof(*d));
	d->brief = true;
	return get_map(&r, names, 1, 1, brief_member, d);
}

bool
proto_get_describe(struct proto_describe *d, const struct proto_ans *a)
{
	static const char *const names[] = {"v", "name", "urn", "key", "roles",
	    "runtimes", "arch", "accepting", "level", "profile", "limits",
	    "left", "queued", "running", "layers", "time", "binding",
	    "images", "why", "budget", "runner", "air"};
	struct rd r = a->body;

	if (get_brief(d, r))
		return true;
	memset(d, 0, sizeof(*d));
	return get_map(&r, names, NELEM(names), 0x1ffff, describe_member, d);
}

static bool
challenge_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_challenge *c = ctx;

	if (k == 0)
		return proto_exact(r, &c->binding, BINDING_LEN);
	return proto_exact(r, k == 1 ? &c->s : &c->m, k == 1 ? 64 : 32);
}

bool
proto_get_challenge(struct proto_challenge *c, const struct proto_ans *a)
{
	static const char *const names[] = {"b", "s", "m"};
	struct rd r = a->body;

	memset(c, 0, sizeof(*c));
	return get_map(&r, names, 3, 0x7, challenge_member, c);
}

static bool
get_missing(struct rd *r, struct proto_submitted *s)
{
	const uint8_t *d;
	size_t n;

	if (!mpk_get_array(r, &n) || n > PROTO_MISSING_MAX)
		return false;
	s->missing.r = *r;
	s->missing.n = s->nmissing = n;
	for (size_t i = 0; i < n; i++) {
		if (!proto_exact(r, &d, PROTO_ID_LEN))
			return false;
	}
	s->missing.r.end = r->p;
	return true;
}

static bool
submitted_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_submitted *s = ctx;

	switch (k) {
	case 0:
		return proto_exact(r, &s->id, PROTO_ID_LEN);
	case 1:
		return get_str(r, &s->state);
	case 2:
		return get_str_or_nil(r, &s->reason);
	case 3:
		return get_missing(r, s);
	case 4:
		return mpk_get_bool(r, &s->more);
	case 5:
		if (mpk_get_nil(r))
			return true;
		return proto_exact(r, &s->image, 32);
	case 6:
		return proto_int(r, &s->wait_s);
	case 7:
		return proto_int(r, &s->airtime_s);
	case 8:
		return proto_int(r, &s->lease);
	default:
		return proto_int(r, &s->airtime_p90_s);
	}
}

bool
proto_get_submitted(struct proto_submitted *s, const struct proto_ans *a)
{
	static const char *const names[] = {"id", "state", "reason", "missing",
	    "more", "image", "wait_s", "airtime_s", "lease", "airtime_p90_s"};
	struct rd r = a->body;

	memset(s, 0, sizeof(*s));
	return get_map(&r, names, NELEM(names), 0x1ff, submitted_member, s);
}

static bool
one_int(void *ctx, unsigned k, struct rd *r)
{
	(void)k;
	return proto_int(r, ctx);
}

bool
proto_get_have(uint64_t *have, const struct proto_ans *a)
{
	static const char *const names[] = {"have"};
	struct rd r = a->body;

	return get_map(&r, names, 1, 1, one_int, have);
}

/* Of the length that its version has. */
static bool
get_receipt(struct rd *r, const uint8_t **out, size_t (*len)(const uint8_t *),
    size_t least)
{
	const uint8_t *p;
	size_t n;

	if (!mpk_get_bin(r, &p, &n) || n < least || n != len(p))
		return false;
	*out = p;
	return true;
}

static bool
whole_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_whole *f = ctx;
	size_t n;

	(void)k;
	if (!mpk_get_array(r, &n) || (n != 3 && n != 4) ||
	    !get_receipt(r, &f->receipt, job_receipt_short_len,
	    JOB_RECEIPT_SHORT) ||
	    !mpk_get_bin(r, &f->log[0].p, &f->log[0].n) ||
	    !mpk_get_bin(r, &f->log[1].p, &f->log[1].n))
		return false;
	if (n == 3)
		return true;
	if (!mpk_get_array(r, &f->noutputs) ||
	    f->noutputs > NELEM(f->output))
		return false;
	for (size_t i = 0; i < f->noutputs; i++)
		if (!mpk_get_nil(r) &&
		    !mpk_get_bin(r, &f->output[i].p, &f->output[i].n))
			return false;
	return true;
}

bool
proto_get_whole(struct proto_whole *f, const struct proto_ans *a)
{
	static const char *const names[] = {"f"};
	struct rd r = a->body;

	memset(f, 0, sizeof(*f));
	return get_map(&r, names, 1, 1, whole_member, f);
}

bool
proto_get_offset(uint64_t *o, const struct proto_ans *a)
{
	static const char *const names[] = {"o"};
	struct rd r = a->body;

	return get_map(&r, names, 1, 1, one_int, o);
}

bool
proto_get_bytes(struct pbin *b, const struct proto_ans *a)
{
	struct rd r = a->body;

	return mpk_get_bin(&r, &b->p, &b->n);
}

static bool
get_outcome(struct rd *r, struct proto_outcome_v *o)
{
	struct mpk kind, v;
	size_t n;

	memset(o, 0, sizeof(*o));
	o->kind = OUT_NONE;
	if (mpk_get_nil(r))
		return true;
	if (!mpk_get_array(r, &n) || n != 2 || !mpk_get(r, &kind))
		return false;
	if (mpk_str_is(&kind, "killed")) {
		o->kind = OUT_KILLED;
		return get_str(r, &o->reason);
	}
	if (mpk_str_is(&kind, "exited"))
		o->kind = OUT_EXITED;
	else if (mpk_str_is(&kind, "signalled"))
		o->kind = OUT_SIGNALLED;
	else
		return false;
	if (!mpk_get(r, &v))
		return false;
	if (v.type == MPK_UINT && v.u <= INT32_MAX)
		o->code = (int64_t)v.u;
	else if (v.type == MPK_INT && v.i >= INT32_MIN)
		o->code = v.i;
	else
		return false;
	return true;
}

static bool
usage_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_job_status *s = ctx;
	uint64_t *const at[] = {&s->wall_ms, &s->cpu_ms, &s->memory_kb};

	return proto_int(r, at[k]);
}

static bool
status_member(void *ctx, unsigned k, struct rd *r)
{
	static const char *const usage[] = {"wall_ms", "cpu_ms", "memory_kb"};
	struct proto_job_status *s = ctx;
	size_t n;

	switch (k) {
	case 0:
		return proto_exact(r, &s->id, PROTO_ID_LEN);
	case 1:
		return proto_int(r, &s->seq);
	case 2:
		return get_str(r, &s->state);
	case 3:
		return get_str_or_nil(r, &s->reason);
	case 4:
		return get_outcome(r, &s->outcome);
	case 5:
		return proto_int(r, &s->attempts);
	case 6:
		return proto_int(r, &s->at);
	case 7:
		return proto_int(r, &s->progress);
	case 8:
		return get_map(r, usage, 3, 0x7, usage_member, s);
	default:
		return mpk_get_array(r, &n) && n == 3 &&
		    proto_int(r, &s->log[0]) && proto_int(r, &s->log[1]) &&
		    proto_int(r, &s->log[2]);
	}
}

bool
proto_get_status(struct proto_job_status *s, const struct proto_ans *a)
{
	static const char *const names[] = {"id", "seq", "state", "reason",
	    "outcome", "attempts", "at", "progress", "usage", "log"};
	struct rd r = a->body;

	memset(s, 0, sizeof(*s));
	return get_map(&r, names, NELEM(names), 0x3ff, status_member, s);
}

static bool
get_outputs(struct rd *r, struct proto_result *res)
{
	size_t n, three;

	if (!mpk_get_array(r, &n) || n > PROTO_OUTPUTS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct proto_output *o = &res->outputs[i];

		if (!mpk_get_array(r, &three) || three != 3 ||
		    !get_str(r, &o->target) ||
		    !proto_exact(r, &o->sha256, 32) || !proto_int(r, &o->size))
			return false;
	}
	res->noutputs = n;
	return true;
}

/* [count, [[output, name, reason] ...]]; the node is believed in nothing. */
static bool
get_left(struct rd *r, struct left *l)
{
	size_t two, n, three;
	uint64_t count, volume;
	struct pbin name;
	struct pstr why;

	if (!mpk_get_array(r, &two) || two != 2 || !proto_int(r, &count) ||
	    !mpk_get_array(r, &n) || n > count)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!mpk_get_array(r, &three) || three != 3 ||
		    !proto_int(r, &volume) || volume >= PROTO_OUTPUTS_MAX ||
		    !mpk_get_bin(r, &name.p, &name.n) || !get_str(r, &why))
			return false;
		left_add(l, (unsigned)volume, left_reason(why.p, why.n),
		    name.p, name.n);
	}
	l->count = (uint32_t)MIN_OF(count, (uint64_t)UINT32_MAX);
	return true;
}

static bool
result_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_result *res = ctx;
	size_t n;

	if (k == 0)
		return get_receipt(r, &res->receipt, job_receipt_len,
		    JOB_RECEIPT_LEN);
	if (k == 1)
		return get_outputs(r, res);
	if (k == 3)
		return get_left(r, &res->left);
	if (!mpk_get_array(r, &n) || n != 2)
		return false;
	for (size_t i = 0; i < 2; i++) {
		if (!mpk_get_array(r, &n) || n != 2 ||
		    !proto_exact(r, &res->log_sha[i], 32) ||
		    !proto_int(r, &res->log_size[i]))
			return false;
	}
	return true;
}

bool
proto_get_result(struct proto_result *res, const struct proto_ans *a)
{
	static const char *const names[] = {"r", "o", "l", "d"};
	struct rd r = a->body;

	memset(res, 0, sizeof(*res));
	return get_map(&r, names, NELEM(names), 0x7, result_member, res);
}

static bool
cancelled_member(void *ctx, unsigned k, struct rd *r)
{
	struct pstr *s = ctx;

	return k == 0 ? get_str(r, &s[0]) : get_str_or_nil(r, &s[1]);
}

bool
proto_get_cancelled(struct pstr *state, struct pstr *reason,
    const struct proto_ans *a)
{
	static const char *const names[] = {"state", "reason"};
	struct pstr s[2];
	struct rd r = a->body;

	if (!get_map(&r, names, 2, 0x3, cancelled_member, s))
		return false;
	*state = s[0];
	*reason = s[1];
	return true;
}

/* nil: this was the last page. */
static bool
get_next(struct rd *r, bool *has, uint64_t *next)
{
	*has = !mpk_get_nil(r);
	return !*has || proto_int(r, next);
}

static bool
list_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_list *l = ctx;
	size_t n, five;

	if (k == 1)
		return get_next(r, &l->has_next, &l->next);
	if (!mpk_get_array(r, &n) || n > PROTO_LIST_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct proto_job_line *j = &l->jobs[i];

		if (!mpk_get_array(r, &five) || five != 5 ||
		    !proto_exact(r, &j->id, PROTO_ID_LEN) ||
		    !get_str(r, &j->state) || !get_str_or_nil(r, &j->reason) ||
		    !get_outcome(r, &j->outcome) || !proto_int(r, &j->at))
			return false;
	}
	l->njobs = n;
	return true;
}

bool
proto_get_list(struct proto_list *l, const struct proto_ans *a)
{
	static const char *const names[] = {"jobs", "next"};
	struct rd r = a->body;

	memset(l, 0, sizeof(*l));
	return get_map(&r, names, 2, 0x3, list_member, l);
}

static bool
review_member(void *ctx, unsigned k, struct rd *r)
{
	struct proto_review *l = ctx;
	size_t n, three;

	if (k == 1)
		return get_next(r, &l->has_next, &l->next);
	if (!mpk_get_array(r, &n) || n > PROTO_LIST_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct proto_review_line *j = &l->jobs[i];

		if (!mpk_get_array(r, &three) || three != 3 ||
		    !proto_exact(r, &j->id, PROTO_ID_LEN) ||
		    !mpk_get_bin(r, &j->envelope.p, &j->envelope.n) ||
		    j->envelope.n > PROTO_ENVELOPE_MAX ||
		    !proto_int(r, &j->at))
			return false;
	}
	l->njobs = n;
	return true;
}

bool
proto_get_review(struct proto_review *l, const struct proto_ans *a)
{
	static const char *const names[] = {"jobs", "next"};
	struct rd r = a->body;

	memset(l, 0, sizeof(*l));
	return get_map(&r, names, 2, 0x3, review_member, l);
}

struct approved {
	const uint8_t **id;
	struct pstr *state, *reason;
};

static bool
approved_member(void *ctx, unsigned k, struct rd *r)
{
	struct approved *a = ctx;

	switch (k) {
	case 0:
		return proto_exact(r, a->id, PROTO_ID_LEN);
	case 1:
		return get_str(r, a->state);
	default:
		return get_str_or_nil(r, a->reason);
	}
}

bool
proto_get_approved(const uint8_t **id, struct pstr *state,
    struct pstr *reason, const struct proto_ans *a)
{
	static const char *const names[] = {"id", "state", "reason"};
	struct approved got = {id, state, reason};
	struct rd r = a->body;

	return get_map(&r, names, 3, 0x7, approved_member, &got);
}

bool
proto_get_deltas(struct proto_deltas *d, const struct proto_ans *a)
{
	struct rd r = a->body;

	d->n = 0;
	if (!mpk_get_array(&r, &d->n) || d->n > PROTO_DELTAS_MAX)
		return false;
	for (size_t i = 0; i < d->n; i++)
		if (!mpk_get_bin(&r, &d->frame[i].p, &d->frame[i].n))
			return false;
	return true;
}
