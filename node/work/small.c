/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/small.h"

#include "node/proto/proto_put.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/jobs.h"
#include "node/work/state.h"

/* Its outputs are at most so many bytes together; has: there are any. */
static bool
outputs_small(const struct job *j, uint64_t most, bool *has)
{
	*has = false;
	for (unsigned i = 0; i < j->nouts; i++) {
		if (!j->outs[i].packed)
			continue;
		if (j->outs[i].size > most)
			return false;
		most -= j->outs[i].size;
		*has = true;
	}
	return true;
}

/* Nothing but its receipt, logs and outputs tells anything of it. */
static bool
is_small(const struct job *j, uint64_t most)
{
	if (j->state != JS_DONE || !j->has_receipt || j->expired || j->aside ||
	    j->left != NULL || j->reason[0] != '\0' || j->log[2] > 0 ||
	    j->log[0] > most || j->log[1] > most - j->log[0])
		return false;
	return true;
}

/* false: one of them is not to be had, and is asked for as ever. */
static bool
read_outputs(struct node *n, const struct job *j, struct proto_whole *f,
    uint8_t *at)
{
	uint64_t size;

	for (unsigned i = 0; i < j->nouts; i++, f->noutputs++) {
		const struct job_out *o = &j->outs[i];

		if (!o->packed)
			continue;
		if (n->host.blob_get(n->host.ctx, &j->owner, &o->sha256, 0, at,
			(size_t)o->size, &size) != (ssize_t)o->size)
			return false;
		n->host.blob_use(n->host.ctx, &j->owner, &o->sha256);
		f->output[f->noutputs] = (struct pbin){at, (size_t)o->size};
		at += o->size;
	}
	return true;
}

bool
small_answer(struct node *n, const struct asked *a, const struct job *j)
{
	uint64_t most = MIN_OF(a->req.whole, (uint64_t)SMALL_MAX);
	uint8_t log[SMALL_MAX], receipt[JOB_RECEIPT_SHORT_MAX], *at = log;
	uint8_t out[SMALL_OUTPUTS];
	struct proto_whole f = {.receipt = receipt};
	struct wr w;
	bool has;

	if (a->req.whole == 0 || !is_small(j, most) ||
	    !outputs_small(j, MIN_OF(a->req.outputs, (uint64_t)SMALL_OUTPUTS),
		&has) ||
	    (has && !read_outputs(n, j, &f, out)))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		size_t len = (size_t)j->log[i];

		if (len > 0 && n->host.log_read(n->host.ctx, j, i + 1, 0, at,
		    len) != (ssize_t)len)
			return false;
		f.log[i] = (struct pbin){at, len};
		at += len;
	}
	(void)job_receipt_shorten(receipt, j->receipt);
	w = answer_begin(n, ST_OK, NULL);
	proto_put_whole(&w, &f);
	answer_send(n, a, &w);
	return true;
}
