/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/ctx.h"

void
core_random(struct rns *r, void *out, size_t n)
{
	r->cfg.random(r->cfg.random_arg, out, n);
}

uint64_t
core_seed(struct rns *r)
{
	uint8_t b[8];

	core_random(r, b, sizeof(b));
	return get_u64(b) | 1;
}

int64_t
core_wall_us(const struct rns *r)
{
	return r->now.us + r->wall_offset;
}

int64_t
core_wall_of(const struct rns *r, struct mono at)
{
	return at.us < 0 ? 0 : at.us + r->wall_offset;
}

bool
core_drop(struct rns *r, enum rns_drop why)
{
	r->drops[why]++;
	if (r->rx_drops != NULL)
		r->rx_drops[why]++;
	return false;
}
