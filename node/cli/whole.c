/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/whole.h"

#include <rns/rns.h>

#include "common/fp.h"

bool
whole_take(struct whole *w, const struct proto_whole *f,
    const struct id32 *job, const struct klp_key *node)
{
	struct id32 outputs, logs;
	struct fp fp;

	for (unsigned i = 0; i < 2; i++)
		rns_sha256(&w->log_sha[i], f->log[i].p, f->log[i].n);
	logs_root(&logs, &w->log_sha[0], f->log[0].n, &w->log_sha[1],
	    f->log[1].n);
	if (!outputs_root(&outputs, NULL, 0))
		return false;
	key_fp(&fp, node);
	job_receipt_restore(w->receipt, f->receipt, job, &outputs, &logs,
	    fp.b);
	return job_receipt_parse(&w->r, w->receipt, sizeof(w->receipt)) &&
	    job_receipt_verify(&w->r, node);
}

const char *
whole_state(const struct whole *w)
{
	return w->r.outcome == JOB_LOST ? "lost" :
	    w->r.outcome == JOB_CANCELLED ? "cancelled" : "done";
}
