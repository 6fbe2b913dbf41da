/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/receipts.h"

#include <string.h>

#include "trust/doc/receipt.h"

/*
 * What the node asks `keys` to sign (compute.md 7). Magic, version and
 * fingerprint are put there by `keys`.
 */
void
receipt_fill(struct msg_K_RECEIPT *m, const struct job *j)
{
	struct job_output outs[MANIFEST_VOLUMES];
	uint64_t out_bytes = j->log[0] + j->log[1];
	size_t n = 0;

	memset(m, 0, sizeof(*m));
	if (j->state == JS_LOST) {
		m->outcome = JOB_LOST;
	} else if (j->state == JS_CANCELLED) {
		m->outcome = JOB_CANCELLED;
	} else {
		m->outcome = j->outcome;
		m->code = j->code;
	}
	m->job = j->id;
	m->image = j->image;
	for (unsigned i = 0; i < j->nouts; i++) {
		if (!j->outs[i].packed)
			continue;
		outs[n].path = j->outs[i].target;
		outs[n].sha256 = j->outs[i].sha256;
		outs[n].size = j->outs[i].size;
		out_bytes += outs[n].size;
		n++;
	}
	(void)outputs_root(&m->outputs, outs, n);
	logs_root(&m->logs, &j->log_sha[0], j->log[0], &j->log_sha[1],
	    j->log[1]);
	m->trail = j->trail;
	m->bytes_in = saturate_u32(j->bytes_in);
	m->bytes_out = saturate_u32(out_bytes);
	/* never started: attempts, started and wall are 0 */
	if (j->state == JS_CANCELLED)
		return;
	m->attempts = (uint8_t)MIN_OF(j->attempts, (uint32_t)JOB_ATTEMPTS_MAX);
	m->layers = j->layers;
	m->policy = j->policy;
	m->started = j->started;
	m->wall_ms = saturate_u32(j->wall_ms);
	m->cpu_ms = saturate_u32(j->cpu_ms);
	m->memory_kb = saturate_u32(j->memory_kb);
	m->bpf_events = j->watch_events;
	m->bpf_lost = j->watch_lost;
	m->runner = j->runner;
	m->runner_1 = j->runner_version[0];
	m->runner_2 = j->runner_version[1];
	m->runner_3 = j->runner_version[2];
}
