/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/announce.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "trust/doc/binding.h"
#include "trust/doc/tlv.h"

bool
node_accepting(const struct node *n)
{
	return n->policy.accept && !n->stopping && !n->trail_fails &&
	    n->has_posture &&
	    n->has_binding && n->up[PROGRAM_TRUST] &&
	    (n->policy.required & ~n->layers) == 0;
}

void
node_announce(struct node *n, bool always)
{
	struct msg_N_APP_DATA m = {.announce = true};
	struct app_data a = {.has_caps = true};
	struct binding b;
	size_t len;

	if (!n->up[PROGRAM_TRANSPORT])
		return;
	if (n->has_binding &&
	    binding_parse(&b, n->binding, BINDING_LEN)) {
		a.has_binding = true;
		binding_put_announce(a.binding, &b);
	}
	a.caps = (struct app_caps){.roles = ROLE_COMPUTE,
	    .runtimes = RUNTIME_OCI, .arch = app_arch_here(),
	    .flags = node_accepting(n) ? APP_ACCEPTING : 0,
	    .cpu_milli = (uint32_t)MIN_OF(n->policy.ceiling.v[LIMIT_CPU],
		(uint64_t)UINT32_MAX),
	    .memory_mib = (uint32_t)MIN_OF(n->policy.ceiling.v[LIMIT_MEMORY] >>
		20, (uint64_t)UINT32_MAX),
	    .queue = (uint16_t)MIN_OF(n->policy.jobs_queued, 65535u)};
	(void)snprintf(a.name, sizeof(a.name), "%s", n->policy.name);
	len = app_data_build(m.data, sizeof(m.data), &a);
	if (len == 0 || (!always && len == n->app_len &&
	    memcmp(m.data, n->app_data, len) == 0))
		return;
	m.data_len = (uint16_t)len;
	n->app_len = len;
	memcpy(n->app_data, m.data, len);
	n->announce_at = mono_add(n->now,
	    (int64_t)n->policy.announce_every_s * MONO_SECOND);
	n->host.send_N_APP_DATA(n->host.ctx, &m);
}

void
node_trail(struct node *n, bool fails)
{
	if (n->trail_fails == fails)
		return;
	n->trail_fails = fails;
	if (fails)
		log_errx("trail", "cannot be written: no new jobs");
	else
		log_notice("trail", "is written again: new jobs are taken");
	node_announce(n, false);
}
