/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/share.h"

void
share_take(struct rns *r, struct iface *i, enum share_table t)
{
	if (i->share[t]++ == 0)
		r->shares[t].holders++;
}

void
share_give(struct rns *r, struct iface *i, enum share_table t)
{
	if (--i->share[t] == 0)
		r->shares[t].holders--;
}

/*
 * The scan is rare: whoever gives once goes on giving until it has no more
 * than the others.
 */
struct iface *
share_victim(struct rns *r, struct iface *i, enum share_table t, uint32_t size)
{
	struct share *s = &r->shares[t];
	uint32_t holders = s->holders + (i->share[t] == 0);
	uint32_t fair = MAX_OF(size / MAX_OF(holders, 1u), 1u);
	struct iface *k;

	if (i->share[t] >= fair)
		return i;
	if (s->biggest != NULL && s->biggest->share[t] > fair)
		return s->biggest;
	s->biggest = i;
	TAILQ_FOREACH(k, &r->ifaces, entry)
		if (k->share[t] > s->biggest->share[t])
			s->biggest = k;
	return s->biggest;
}

void
share_iface_gone(struct rns *r, const struct iface *i)
{
	for (unsigned t = 0; t < SHARE_TABLES; t++)
		if (r->shares[t].biggest == i)
			r->shares[t].biggest = NULL;
}
