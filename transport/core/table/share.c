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
	uint64_t has = i != NULL ? i->share[t] : 0;
	uint64_t holders = s->holders + (uint64_t)(has == 0);
	struct iface *k;

	if (has * holders >= size)
		return i;
	if (s->biggest != NULL && s->biggest->share[t] * holders > size)
		return s->biggest;
	s->biggest = TAILQ_FIRST(&r->ifaces);
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
