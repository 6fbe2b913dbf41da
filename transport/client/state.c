/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/client/state.h"

#include "common/clock.h"

const struct rns *
attach_rns(const struct attach *a)
{
	return a->rns;
}

int
attach_submit(struct attach *a, const struct rns_cmd *cmd)
{
	return rns_submit(a->rns, cmd, clock_mono());
}

uint64_t
attach_tag(struct attach *a)
{
	return ++a->next_tag;
}

const uint8_t *
attach_link_id(const struct attach_link *l)
{
	return l->id.b;
}

bool
attach_link_info(const struct attach_link *l, struct rns_link_info *out)
{
	return l->have_id && rns_link_get(l->a->rns, &l->id, out);
}

int64_t
attach_link_rtt_us(const struct attach_link *l)
{
	struct rns_link_info info;

	return attach_link_info(l, &info) ? info.rtt_us : 0;
}
