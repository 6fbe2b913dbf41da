/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/taken.h"

#include <string.h>

#include <rns/rns.h>

#include "common/util.h"

bool
taken_more(struct submitter *s, uint64_t log, uint64_t output)
{
	if (!s->bounds_old || ((s->max_log == 0 || log <= s->max_log) &&
	    (s->max_output == 0 || output <= s->max_output)))
		return false;
	s->bounds_wanted = true;
	return true;
}

void
taken_bounds(struct submitter *s, uint64_t max_log, uint64_t max_output)
{
	s->max_log = max_log;
	s->max_output = max_output;
	s->bounds_old = s->bounds_wanted = false;
}

uint64_t
taken_sum(const struct proto_result *v)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < v->noutputs; i++)
		sum += MIN_OF(v->outputs[i].size, UINT64_MAX - sum);
	return sum;
}

bool
taken_logs_too_large(const struct submitter *s)
{
	return s->max_log > 0 && (s->log_size[0] > s->max_log ||
	    s->log_size[1] > s->max_log - s->log_size[0]);
}

bool
taken_outputs(struct submitter *s, const struct proto_result *v)
{
	const struct manifest *m = s->manifest;
	struct id32 root;
	struct job_output items[JOB_OUTPUTS_MAX];

	uint64_t left = s->max_output > 0 ? s->max_output : UINT64_MAX;

	if (v->noutputs > NELEM(items))
		return false;
	s->nout = 0;
	for (size_t i = 0; i < v->noutputs; i++) {
		const struct proto_output *o = &v->outputs[i];
		struct sub_output *out = &s->out[s->nout];
		unsigned k = 0;

		while (k < m->nvolumes &&
		    !(m->volume[k].rw && pstr_is(o->target, m->volume[k].target)))
			k++;
		if (k == m->nvolumes)
			return false; /* not a volume of ours */
		if (o->size > left)
			return false; /* more than the job could write */
		left -= o->size;
		*out = (struct sub_output){.volume = k, .size = o->size};
		out->sha256 = *id32_at(o->sha256);
		items[i].path = m->volume[k].target;
		items[i].size = o->size;
		items[i].sha256 = *id32_at(o->sha256);
		s->total_bytes += o->size;
		s->nout++;
	}
	return outputs_root(&root, items, s->nout) &&
	    id32_eq(&root, &s->r.outputs);
}

void
taken_whole(struct submitter *s, const struct whole *w,
    const struct proto_whole *f)
{
	memcpy(s->receipt, w->receipt, sizeof(s->receipt));
	s->r = w->r;
	for (unsigned i = 0; i < 2; i++) {
		s->log_sha[i] = w->log_sha[i];
		s->log_size[i] = s->kept[i] = f->log[i].n;
	}
	for (unsigned i = 0; i < w->nout; i++)
		s->out[i] = (struct sub_output){.volume = w->out[i].volume,
		    .sha256 = w->out[i].sha256, .size = w->out[i].b.n,
		    .have = w->out[i].b.n};
	s->nout = w->nout;
	s->image = w->r.image;
	s->attempts = w->r.attempts;
	s->wall_ms = w->r.wall_ms;
	s->cpu_ms = w->r.cpu_ms;
	s->memory_kb = w->r.memory_kb;
	s->kept[2] = 0;
	s->left.count = s->left.len = 0;
}

/* Of this log a stream has brought so much already: it was shown. */
static size_t
streamed(const struct submitter *s, unsigned i, const struct pbin *log)
{
	size_t have = (size_t)MIN_OF(s->log_have[i], (uint64_t)SIZE_MAX);
	struct id32 here, begins;

	if (have == 0 || have > log->n ||
	    !s->store.log_digest(s->store.arg, i + 1, &here))
		return 0;
	rns_sha256(&begins, log->p, have);
	return id32_eq(&here, &begins) ? have : 0;
}

const char *
taken_write(struct submitter *s, const struct whole *w,
    const struct proto_whole *f)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct pbin *log = &f->log[i];
		size_t have = streamed(s, i, log);

		if ((have == 0 || have < log->n) &&
		    !s->store.log(s->store.arg, i + 1, have, log->p + have,
			log->n - have))
			return "a log cannot be written";
		s->log_have[i] = log->n;
	}
	for (unsigned i = 0; i < w->nout; i++) {
		const struct whole_out *o = &w->out[i];

		/* which says too what is written now */
		if (s->store.output_here != NULL)
			(void)s->store.output_here(s->store.arg, o->volume,
			    &o->sha256, o->b.n);
		if (!s->store.output(s->store.arg, o->volume, 0, o->b.p,
			o->b.n))
			return "results cannot be written";
	}
	return NULL;
}

/* What an earlier fetch has left is not asked for again. */
void
taken_here(struct submitter *s)
{
	for (unsigned i = 0; i < s->nout && s->store.output_here != NULL; i++) {
		struct sub_output *o = &s->out[i];

		o->have = MIN_OF(o->size, s->store.output_here(s->store.arg,
		    o->volume, &o->sha256, o->size));
		o->here = o->have > 0;
		s->done_bytes += o->have;
		s->here_bytes += o->have;
	}
}

/* The node's list is by place in its answer, ours by the manifest. */
void
taken_left(struct submitter *s, const struct left *l)
{
	struct left_item it;
	size_t at = 0;

	s->left.count = s->left.len = 0;
	while (left_next(l, &at, &it))
		if (it.volume < s->nout)
			left_add(&s->left, s->out[it.volume].volume,
			    it.reason, it.name, it.len);
	s->left.count = l->count;
}
