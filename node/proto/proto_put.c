/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/proto/proto_put.h"

#include "common/mpk.h"
#include "common/util.h"

/* Answers and their bodies, the node's side. */

static void
put_pstr(struct wr *w, struct pstr s)
{
	if (s.p == NULL)
		mpk_put_nil(w);
	else
		mpk_put_strn(w, s.p, s.n);
}

static void
put_named_str(struct wr *w, const char *name, struct pstr s)
{
	mpk_put_str(w, name);
	put_pstr(w, s);
}

static void
put_named_int(struct wr *w, const char *name, uint64_t v)
{
	mpk_put_str(w, name);
	mpk_put_uint(w, v > PROTO_INT_MAX ? PROTO_INT_MAX : v);
}

static void
put_named_bin(struct wr *w, const char *name, const uint8_t *p, size_t n)
{
	mpk_put_str(w, name);
	if (p == NULL)
		mpk_put_nil(w);
	else
		mpk_put_bin(w, p, n);
}

void
proto_ans_head(struct wr *w, uint64_t status, const struct proto_meta *m)
{
	static const struct proto_meta none;

	if (m == NULL)
		m = &none;
	mpk_put_array(w, 3);
	mpk_put_uint(w, status);
	mpk_put_map(w, (size_t)m->has_max + m->has_s + m->has_size +
		m->has_end + (m->code.p != NULL) + m->has_step + m->has_limit +
		(m->has_value || m->value_text.p != NULL) +
		(m->why.p != NULL) + (m->state.p != NULL) + (m->n != NULL) +
		(m->of.p != NULL) + m->has_left + m->has_full_s + m->has_time +
		(m->runs.p != NULL) + m->has_v + m->has_len +
		(m->sha != NULL));
	if (m->has_max)
		put_named_int(w, "max", m->max);
	if (m->has_s)
		put_named_int(w, "s", m->s);
	if (m->has_size)
		put_named_int(w, "size", m->size);
	if (m->has_end) {
		mpk_put_str(w, "end");
		mpk_put_bool(w, m->end);
	}
	if (m->code.p != NULL)
		put_named_str(w, "code", m->code);
	if (m->has_step)
		put_named_int(w, "step", m->step);
	if (m->has_limit)
		put_named_int(w, "limit", m->limit);
	if (m->value_text.p != NULL)
		put_named_str(w, "value", m->value_text);
	else if (m->has_value)
		put_named_int(w, "value", m->value);
	if (m->why.p != NULL)
		put_named_str(w, "why", m->why);
	if (m->state.p != NULL)
		put_named_str(w, "state", m->state);
	if (m->n != NULL)
		put_named_bin(w, "n", m->n, 32);
	if (m->of.p != NULL)
		put_named_str(w, "of", m->of);
	if (m->has_left)
		put_named_int(w, "left", m->left);
	if (m->has_full_s)
		put_named_int(w, "full_s", m->full_s);
	if (m->has_time)
		put_named_int(w, "time", m->time);
	if (m->runs.p != NULL)
		put_named_bin(w, "runs", m->runs.p, m->runs.n);
	if (m->has_v)
		put_named_int(w, "v", m->v);
	if (m->has_len)
		put_named_int(w, "len", m->len);
	if (m->sha != NULL)
		put_named_bin(w, "sha", m->sha, 32);
}

void
proto_ans_put(struct wr *w, uint64_t status, const struct proto_meta *m)
{
	proto_ans_head(w, status, m);
	mpk_put_nil(w);
}

static void
put_describe_tail(struct wr *w, const struct proto_describe *d)
{
	put_named_int(w, "queued", d->queued);
	put_named_int(w, "running", d->running);
	put_named_int(w, "layers", d->layers);
	put_named_int(w, "time", d->time);
	if (d->binding != NULL)
		put_named_bin(w, "binding", d->binding, BINDING_LEN);
	if (d->runner[0] != RUNNER_NATIVE) {
		mpk_put_str(w, "runner");
		mpk_put_array(w, NELEM(d->runner));
		for (size_t i = 0; i < NELEM(d->runner); i++)
			mpk_put_uint(w, d->runner[i]);
	}
	if (d->budget.bytes > 0) {
		mpk_put_str(w, "budget");
		mpk_put_map(w, 3);
		put_named_int(w, "bytes", d->budget.bytes);
		put_named_int(w, "left", d->budget.left);
		put_named_int(w, "full_s", d->budget.full_s);
	}
	if (d->air.bitrate > 0) {
		mpk_put_str(w, "air");
		mpk_put_map(w, d->air.kib_p90_ms > 0 ? 8 : 6);
		put_named_int(w, "bitrate", d->air.bitrate);
		put_named_int(w, "loss", d->air.loss);
		put_named_int(w, "rtt_ms", d->air.rtt_ms);
		put_named_int(w, "kib_ms", d->air.kib_ms);
		put_named_int(w, "kib16_ms", d->air.kib16_ms);
		put_named_int(w, "max_s", d->air.max_s);
	}
	if (d->air.bitrate > 0 && d->air.kib_p90_ms > 0) {
		put_named_int(w, "kib_p90_ms", d->air.kib_p90_ms);
		put_named_int(w, "kib16_p90_ms", d->air.kib16_p90_ms);
	}
	if (d->nimages == 0)
		return;
	mpk_put_str(w, "images");
	mpk_put_array(w, d->nimages);
	for (size_t i = 0; i < d->nimages; i++) {
		mpk_put_array(w, 2);
		put_pstr(w, d->images[i].name);
		mpk_put_bin(w, d->images[i].digest, 32);
	}
}

static void
put_brief(struct wr *w, const struct proto_describe *d)
{
	mpk_put_map(w, 1);
	mpk_put_str(w, "k");
	mpk_put_array(w, 9);
	put_pstr(w, d->name);
	mpk_put_uint(w, d->time);
	mpk_put_uint(w, d->limits.slice);
	mpk_put_uint(w, d->limits.log);
	mpk_put_uint(w, d->limits.output);
	mpk_put_uint(w, d->budget.bytes);
	mpk_put_uint(w, d->budget.left);
	if (d->binding != NULL)
		mpk_put_bin(w, d->binding, BINDING_LEN);
	else
		mpk_put_nil(w);
	mpk_put_bool(w, d->air.bitrate > 0);
}

void
proto_put_describe(struct wr *w, const struct proto_describe *d)
{
	if (d->brief) {
		put_brief(w, d);
		return;
	}
	mpk_put_map(w, 16u + (d->binding != NULL) + (d->nimages > 0) +
		(d->why.p != NULL) + (d->budget.bytes > 0) +
		(d->air.bitrate > 0) + (d->runner[0] != RUNNER_NATIVE));
	put_named_int(w, "v", 1);
	put_named_str(w, "name", d->name);
	put_named_str(w, "urn", d->urn);
	put_named_str(w, "key", d->key);
	put_named_int(w, "roles", d->roles);
	put_named_int(w, "runtimes", d->runtimes);
	put_named_int(w, "arch", d->arch);
	mpk_put_str(w, "accepting");
	mpk_put_bool(w, d->accepting);
	if (d->why.p != NULL)
		put_named_str(w, "why", d->why);
	mpk_put_str(w, "level");
	mpk_put_int(w, d->level);
	put_named_str(w, "profile", d->profile);
	mpk_put_str(w, "limits");
	mpk_put_map(w, 8);
	put_named_int(w, "memory", d->limits.memory);
	put_named_int(w, "cpu", d->limits.cpu);
	put_named_int(w, "time", d->limits.time);
	put_named_int(w, "pids", d->limits.pids);
	put_named_int(w, "output", d->limits.output);
	put_named_int(w, "log", d->limits.log);
	put_named_int(w, "slice", d->limits.slice);
	put_named_int(w, "spool", d->limits.spool);
	mpk_put_str(w, "left");
	mpk_put_map(w, 3);
	put_named_int(w, "jobs_queued", d->left.jobs_queued);
	put_named_int(w, "jobs_per_hour", d->left.jobs_per_hour);
	put_named_int(w, "spool", d->left.spool);
	put_describe_tail(w, d);
}

void
proto_put_challenge(struct wr *w, const struct proto_challenge *c)
{
	mpk_put_map(w, 3);
	put_named_bin(w, "b", c->binding, BINDING_LEN);
	put_named_bin(w, "s", c->s, 64);
	put_named_bin(w, "m", c->m, 32);
}

void
proto_put_submitted(struct wr *w, const struct proto_submitted *s)
{
	mpk_put_map(w, 9u + (s->airtime_p90_s > 0));
	put_named_bin(w, "id", s->id, PROTO_ID_LEN);
	put_named_str(w, "state", s->state);
	put_named_str(w, "reason", s->reason);
	mpk_put_str(w, "missing");
	mpk_put_array(w, s->nmissing);
	for (size_t i = 0; i < s->nmissing; i++)
		mpk_put_bin(w, s->missing_put[i].b, PROTO_ID_LEN);
	mpk_put_str(w, "more");
	mpk_put_bool(w, s->more);
	put_named_bin(w, "image", s->image, 32);
	put_named_int(w, "wait_s", s->wait_s);
	put_named_int(w, "airtime_s", s->airtime_s);
	put_named_int(w, "lease", s->lease);
	if (s->airtime_p90_s > 0)
		put_named_int(w, "airtime_p90_s", s->airtime_p90_s);
}

void
proto_put_have(struct wr *w, uint64_t have)
{
	mpk_put_map(w, 1);
	put_named_int(w, "have", have);
}

static void
put_outcome(struct wr *w, const struct proto_outcome_v *o)
{
	if (o->kind > OUT_KILLED) {
		mpk_put_nil(w);
		return;
	}
	mpk_put_array(w, 2);
	if (o->kind == OUT_KILLED) {
		mpk_put_str(w, "killed");
		put_pstr(w, o->reason);
	} else {
		mpk_put_str(w, o->kind == OUT_EXITED ? "exited" : "signalled");
		mpk_put_int(w, o->code);
	}
}

void
proto_put_status(struct wr *w, const struct proto_job_status *s)
{
	mpk_put_map(w, 10);
	put_named_bin(w, "id", s->id, PROTO_ID_LEN);
	put_named_int(w, "seq", s->seq);
	put_named_str(w, "state", s->state);
	put_named_str(w, "reason", s->reason);
	mpk_put_str(w, "outcome");
	put_outcome(w, &s->outcome);
	put_named_int(w, "attempts", s->attempts);
	put_named_int(w, "at", s->at);
	put_named_int(w, "progress", s->progress);
	mpk_put_str(w, "usage");
	mpk_put_map(w, 3);
	put_named_int(w, "wall_ms", s->wall_ms);
	put_named_int(w, "cpu_ms", s->cpu_ms);
	put_named_int(w, "memory_kb", s->memory_kb);
	mpk_put_str(w, "log");
	mpk_put_array(w, 3);
	for (size_t i = 0; i < 3; i++)
		mpk_put_uint(w, s->log[i]);
}

static void
put_left(struct wr *w, const struct left *l)
{
	struct left_item it;
	size_t at = 0, n = 0;

	while (left_next(l, &at, &it))
		n++;
	mpk_put_array(w, 2);
	mpk_put_uint(w, l->count);
	mpk_put_array(w, n);
	for (at = 0; left_next(l, &at, &it);) {
		mpk_put_array(w, 3);
		mpk_put_uint(w, it.volume);
		mpk_put_bin(w, it.name, it.len);
		put_pstr(w, pstr_of(left_word(it.reason)));
	}
}

void
proto_put_result(struct wr *w, const struct proto_result *r)
{
	mpk_put_map(w, r->left.count > 0 ? 4 : 3);
	put_named_bin(w, "r", r->receipt, job_receipt_len(r->receipt));
	mpk_put_str(w, "o");
	mpk_put_array(w, r->noutputs);
	for (size_t i = 0; i < r->noutputs; i++) {
		mpk_put_array(w, 3);
		put_pstr(w, r->outputs[i].target);
		mpk_put_bin(w, r->outputs[i].sha256, 32);
		mpk_put_uint(w, r->outputs[i].size);
	}
	mpk_put_str(w, "l");
	mpk_put_array(w, 2);
	for (size_t i = 0; i < 2; i++) {
		mpk_put_array(w, 2);
		mpk_put_bin(w, r->log_sha[i], 32);
		mpk_put_uint(w, r->log_size[i]);
	}
	if (r->left.count > 0) {
		mpk_put_str(w, "d");
		put_left(w, &r->left);
	}
}

void
proto_put_whole(struct wr *w, const struct proto_whole *f)
{
	mpk_put_map(w, 1);
	mpk_put_str(w, "f");
	mpk_put_array(w, f->noutputs > 0 ? 4 : 3);
	mpk_put_bin(w, f->receipt, job_receipt_short_len(f->receipt));
	for (size_t i = 0; i < 2; i++)
		mpk_put_bin(w, f->log[i].p, f->log[i].n);
	if (f->noutputs == 0)
		return;
	mpk_put_array(w, f->noutputs);
	for (size_t i = 0; i < f->noutputs; i++) {
		if (f->output[i].p != NULL)
			mpk_put_bin(w, f->output[i].p, f->output[i].n);
		else
			mpk_put_nil(w);
	}
}

void
proto_put_offset(struct wr *w, uint64_t o)
{
	mpk_put_map(w, 1);
	put_named_int(w, "o", o);
}

void
proto_put_cancelled(struct wr *w, struct pstr state, struct pstr reason)
{
	mpk_put_map(w, 2);
	put_named_str(w, "state", state);
	put_named_str(w, "reason", reason);
}

/* nil: this was the last page. */
static void
put_next(struct wr *w, bool has, uint64_t next)
{
	mpk_put_str(w, "next");
	if (has)
		mpk_put_uint(w, next);
	else
		mpk_put_nil(w);
}

void
proto_put_list(struct wr *w, const struct proto_list *l)
{
	mpk_put_map(w, 2);
	mpk_put_str(w, "jobs");
	mpk_put_array(w, l->njobs);
	for (size_t i = 0; i < l->njobs; i++) {
		const struct proto_job_line *j = &l->jobs[i];

		mpk_put_array(w, 5);
		mpk_put_bin(w, j->id, PROTO_ID_LEN);
		put_pstr(w, j->state);
		put_pstr(w, j->reason);
		put_outcome(w, &j->outcome);
		mpk_put_uint(w, j->at);
	}
	put_next(w, l->has_next, l->next);
}

void
proto_put_review(struct wr *w, const struct proto_review *l)
{
	mpk_put_map(w, 2);
	mpk_put_str(w, "jobs");
	mpk_put_array(w, l->njobs);
	for (size_t i = 0; i < l->njobs; i++) {
		const struct proto_review_line *j = &l->jobs[i];

		mpk_put_array(w, 3);
		mpk_put_bin(w, j->id, PROTO_ID_LEN);
		mpk_put_bin(w, j->envelope.p, j->envelope.n);
		mpk_put_uint(w, j->at);
	}
	put_next(w, l->has_next, l->next);
}

void
proto_put_approved(struct wr *w, const uint8_t *id, struct pstr state,
    struct pstr reason)
{
	mpk_put_map(w, 3);
	put_named_bin(w, "id", id, PROTO_ID_LEN);
	put_named_str(w, "state", state);
	put_named_str(w, "reason", reason);
}

void
proto_put_deltas(struct wr *w, const struct proto_deltas *d)
{
	mpk_put_array(w, d->n);
	for (size_t i = 0; i < d->n; i++)
		mpk_put_bin(w, d->frame[i].p, d->frame[i].n);
}
