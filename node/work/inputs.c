/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/inputs.h"

#include <string.h>

static bool
before_in_list(const struct manifest *m, unsigned i)
{
	for (unsigned k = 0; k < i; k++) {
		if (id32_eq(&m->volume[k].blob.sha256,
		    &m->volume[i].blob.sha256))
			return true;
	}
	return false;
}

unsigned
job_missing(struct node *n, const struct job *j, struct id32 *out,
    unsigned max, bool *more)
{
	unsigned count = 0;

	*more = false;
	for (unsigned i = 0; j->m != NULL && i < j->m->nvolumes; i++) {
		const struct id32 *sha = &j->m->volume[i].blob.sha256;

		if (before_in_list(j->m, i) ||
		    n->host.blob_has(n->host.ctx, &j->owner, sha, NULL))
			continue;
		if (count == max) {
			*more = true;
			break;
		}
		out[count++] = *sha;
	}
	return count;
}

bool
job_inputs_here(struct node *n, const struct job *j)
{
	struct id32 one[1];
	bool more;

	return j->m != NULL && job_missing(n, j, one, 1, &more) == 0;
}

uint64_t
inputs_missing_bytes(struct node *n, const struct fp *fp,
    const struct manifest *m, bool unclaimed)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < m->nvolumes; i++) {
		const struct blob_ref *b = &m->volume[i].blob;

		if (!before_in_list(m, i) &&
		    !n->host.blob_has(n->host.ctx, fp, &b->sha256, NULL) &&
		    !(unclaimed &&
			n->host.blob_have(n->host.ctx, fp, &b->sha256) > 0))
			sum += MIN_OF(b->size, UINT64_MAX - sum);
	}
	return sum;
}

uint64_t
inputs_promised(struct node *n, const struct fp *fp)
{
	const struct job *j;
	uint64_t sum = 0;

	for (j = job_next_live(&n->jobs, fp, 0); j != NULL;
	    j = job_next_live(&n->jobs, fp, j->order)) {
		if (job_waiting(j) && j->m != NULL)
			sum += inputs_missing_bytes(n, fp, j->m, true);
	}
	return sum;
}

void
inputs_came(struct node *n, const struct fp *fp, const struct id32 *sha,
    bool whole)
{
	struct job *j;

	for (j = job_next_live(&n->jobs, fp, 0); j != NULL;
	    j = job_next_live(&n->jobs, fp, j->order)) {
		bool names = false;

		if (!job_waiting(j) || j->m == NULL)
			continue;
		for (unsigned i = 0; i < j->m->nvolumes; i++)
			names |= id32_eq(&j->m->volume[i].blob.sha256, sha);
		if (!names)
			continue;
		j->input_at = n->now;
		if (whole && j->state == JS_QUEUED && job_inputs_here(n, j)) {
			j->queued_at = n->now;
			(void)job_set(&n->jobs, j, JS_QUEUED, "slots",
			    n->unix_now);
		}
	}
}

bool
inputs_needed(struct node *n, const struct fp *fp, const struct id32 *sha)
{
	struct job *j;
	uint64_t after = 0;

	for (j = job_next_live(&n->jobs, fp, 0); j != NULL;
	    j = job_next_live(&n->jobs, fp, j->order)) {
		if (j->m == NULL)
			continue;
		for (unsigned i = 0; i < j->m->nvolumes; i++) {
			if (id32_eq(&j->m->volume[i].blob.sha256, sha))
				return true;
		}
	}
	while ((j = job_next_of(&n->jobs, fp, after)) != NULL) {
		after = j->order;
		for (unsigned i = 0; !j->expired && i < j->nouts; i++) {
			if (j->outs[i].packed &&
			    id32_eq(&j->outs[i].sha256, sha))
				return true;
		}
	}
	return false;
}
