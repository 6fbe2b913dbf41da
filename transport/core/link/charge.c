/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/charge.h"

bool
charge_add(struct rns *r, uint64_t *charged, uint64_t n)
{
	if (n > r->cfg.limits.resource_bytes ||
	    r->resource_bytes > r->cfg.limits.resource_bytes - n)
		return core_drop(r, RNS_DROP_LIMIT);
	r->resource_bytes += n;
	*charged += n;
	return true;
}

void
charge_sub(struct rns *r, uint64_t *charged, uint64_t n)
{
	r->resource_bytes -= n;
	*charged -= n;
}
