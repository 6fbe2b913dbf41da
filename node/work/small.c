/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/small.h"

#include "node/proto/proto_put.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/jobs.h"
#include "node/work/state.h"

/* Nothing but its receipt and logs tells anything of it. */
static bool
is_small(const struct job *j, uint64_t most)
{
	if (j->state != JS_DONE || !j->has_receipt || j->expired || j->aside ||
	    j->left != NULL || j->reason[0] != '\0' || j->log[2] > 0 ||
	    j->log[0] > most || j->log[1] > most - j->log[0])
		return false;
	for (unsigned i = 0; i < j->nouts; i++)
		if (j->outs[i].packed)
			return false;
	return true;
}

bool
small_answer(struct node *n, const struct asked *a, const struct job *j)
{
	uint64_t most = MIN_OF(a->req.whole, (uint64_t)SMALL_MAX);
	uint8_t log[SMALL_MAX], receipt[JOB_RECEIPT_SHORT], *at = log;
	struct proto_whole f = {.receipt = receipt};
	struct wr w;

	if (a->req.whole == 0 || !is_small(j, most))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		size_t len = (size_t)j->log[i];

		if (len > 0 && n->host.log_read(n->host.ctx, j, i + 1, 0, at,
		    len) != (ssize_t)len)
			return false;
		f.log[i] = (struct pbin){at, len};
		at += len;
	}
	job_receipt_shorten(receipt, j->receipt);
	w = answer_begin(n, ST_OK, NULL);
	proto_put_whole(&w, &f);
	answer_send(n, a, &w);
	return true;
}
