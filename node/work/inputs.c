/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/inputs.h"

#include <string.h>

static bool
before_in_list(const struct manifest *m, unsigned i)
{
	for (unsigned k = 0; k < i; k++) {
		if (memcmp(m->volume[k].blob.sha256, m->volume[i].blob.sha256,
			32) == 0)
			return true;
	}
	return false;
}

unsigned
job_missing(struct node *n, const struct job *j, uint8_t (*out)[32],
    unsigned max, bool *more)
{
	unsigned count = 0;

	*more = false;
	for (unsigned i = 0; j->m != NULL && i < j->m->nvolumes; i++) {
		const uint8_t *sha = j->m->volume[i].blob.sha256;

		if (before_in_list(j->m, i) ||
		    n->host.blob_has(n->host.ctx, j->owner, sha, NULL))
			continue;
		if (count == max) {
			*more = true;
			break;
		}
		memcpy(out[count++], sha, 32);
	}
	return count;
}

bool
job_inputs_here(struct node *n, const struct job *j)
{
	uint8_t one[1][32];
	bool more;

	return j->m != NULL && job_missing(n, j, one, 1, &more) == 0;
}

uint64_t
inputs_missing_bytes(struct node *n, const uint8_t fp[FP_LEN],
    const struct manifest *m, bool unclaimed)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < m->nvolumes; i++) {
		const struct blob_ref *b = &m->volume[i].blob;

		if (!before_in_list(m, i) &&
		    !n->host.blob_has(n->host.ctx, fp, b->sha256, NULL) &&
		    !(unclaimed &&
			n->host.blob_have(n->host.ctx, fp, b->sha256) > 0))
			sum += MIN_OF(b->size, UINT64_MAX - sum);
	}
	return sum;
}

uint64_t
inputs_promised(struct node *n, const uint8_t fp[FP_LEN])
{
	const struct job *j;
	uint64_t sum = 0;

	TAILQ_FOREACH(j, &n->jobs.live, link) {
		if (job_waiting(j) && j->m != NULL &&
		    memcmp(j->owner, fp, FP_LEN) == 0)
			sum += inputs_missing_bytes(n, fp, j->m, true);
	}
	return sum;
}

void
inputs_came(struct node *n, const uint8_t fp[FP_LEN], const uint8_t sha[32],
    bool whole)
{
	struct job *j;

	TAILQ_FOREACH(j, &n->jobs.live, link) {
		bool names = false;

		if (!job_waiting(j) || j->m == NULL ||
		    memcmp(j->owner, fp, FP_LEN) != 0)
			continue;
		for (unsigned i = 0; i < j->m->nvolumes; i++)
			names |= memcmp(j->m->volume[i].blob.sha256, sha,
			    32) == 0;
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
inputs_needed(struct node *n, const uint8_t fp[FP_LEN], const uint8_t sha[32])
{
	struct job *j;
	uint64_t after = 0;

	TAILQ_FOREACH(j, &n->jobs.live, link) {
		if (j->m == NULL || memcmp(j->owner, fp, FP_LEN) != 0)
			continue;
		for (unsigned i = 0; i < j->m->nvolumes; i++) {
			if (memcmp(j->m->volume[i].blob.sha256, sha, 32) == 0)
				return true;
		}
	}
	while ((j = job_next_of(&n->jobs, fp, after)) != NULL) {
		after = j->order;
		for (unsigned i = 0; !j->expired && i < j->nouts; i++) {
			if (j->outs[i].packed &&
			    memcmp(j->outs[i].sha256, sha, 32) == 0)
				return true;
		}
	}
	return false;
}
