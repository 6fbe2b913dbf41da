/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/seen.h"

#include "node/work/state.h"

void
seen_ask(struct node *n, struct job *j)
{
	struct msg_W_OVER m = {.job = j->id, .cpu_ms = j->cpu_ms,
	    .memory_kb = j->memory_kb, .wall_ms = j->wall_ms};
	uint32_t code = (uint32_t)j->exit_code;

	if (j->exit_how == EXIT_SIGNAL)
		m.status = code & 0x7f;
	else if (j->exit_how == EXIT_CODE)
		m.status = (code & 0xff) << 8;
	if (j->watch_asked || !n->up[PROGRAM_AUDIT] || !n->watches)
		return;
	j->watch_asked = true;
	j->unwatched_at = mono_add(n->now, INT64_C(1000) * SEEN_WAIT_MS);
	n->host.send_W_OVER(n->host.ctx, &m);
}

bool
seen_open(const struct job *j)
{
	return j->watch_asked;
}
