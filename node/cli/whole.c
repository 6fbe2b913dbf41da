/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/whole.h"

#include <rns/rns.h>

#include "common/fp.h"

/* One for each rw volume, in the order of the manifest; or none at all. */
static bool
take_outputs(struct whole *w, const struct proto_whole *f,
    const struct manifest *m, struct id32 *root)
{
	struct job_output items[MANIFEST_VOLUMES];
	size_t k = 0;

	w->nout = 0;
	for (unsigned i = 0; i < m->nvolumes && f->noutputs > 0; i++) {
		const struct pbin *b = &f->output[k];

		if (!m->volume[i].rw)
			continue;
		if (k++ == f->noutputs)
			return false;
		if (b->p == NULL)
			continue;
		w->out[w->nout].volume = i;
		w->out[w->nout].b = *b;
		rns_sha256(&w->out[w->nout].sha256, b->p, b->n);
		items[w->nout] = (struct job_output){m->volume[i].target,
		    w->out[w->nout].sha256, b->n};
		w->nout++;
	}
	return k == f->noutputs && outputs_root(root, items, w->nout);
}

bool
whole_take(struct whole *w, const struct proto_whole *f,
    const struct manifest *m, const struct klp_key *node)
{
	struct id32 outputs, logs;
	struct fp fp;
	size_t n;

	for (unsigned i = 0; i < 2; i++)
		rns_sha256(&w->log_sha[i], f->log[i].p, f->log[i].n);
	logs_root(&logs, &w->log_sha[0], f->log[0].n, &w->log_sha[1],
	    f->log[1].n);
	if (!take_outputs(w, f, m, &outputs))
		return false;
	key_fp(&fp, node);
	n = job_receipt_restore(w->receipt, f->receipt, &m->job, &outputs, &logs,
	    fp.b);
	return job_receipt_parse(&w->r, w->receipt, n) &&
	    job_receipt_verify(&w->r, node);
}

const char *
whole_state(const struct whole *w)
{
	return w->r.outcome == JOB_LOST ? "lost" :
	    w->r.outcome == JOB_CANCELLED ? "cancelled" : "done";
}
