/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/dedup.h"

#include <stdlib.h>

struct dedup {
	struct hashset set;
};

int
dedup_new(struct rns *r)
{
	r->dedup = calloc(1, sizeof(*r->dedup));
	if (r->dedup == NULL)
		return RNS_ENOMEM;
	hashset_init(r, &r->dedup->set, r->cfg.limits.hashes);
	return RNS_OK;
}

void
dedup_free(struct rns *r)
{
	if (r->dedup == NULL)
		return;
	hashset_clear(&r->dedup->set);
	free(r->dedup);
	r->dedup = NULL;
}

bool
dedup_has(const struct rns *r, const struct id32 *hash)
{
	return hashset_has(&r->dedup->set, hash->b);
}

void
dedup_soon(const struct rns *r, const struct id32 *hash)
{
	hashset_soon(&r->dedup->set, hash->b);
}

void
dedup_add(struct rns *r, const struct id32 *hash)
{
	if (hashset_add(&r->dedup->set, hash->b) == RNS_ENOMEM)
		(void)core_drop(r, RNS_DROP_MEMORY);
}

bool
dedup_take(struct rns *r, const struct id32 *hash)
{
	int err = hashset_take(&r->dedup->set, hash->b);

	if (err == RNS_ENOMEM)
		(void)core_drop(r, RNS_DROP_MEMORY);
	return err != RNS_EEXIST;
}

void
dedup_del(struct rns *r, const struct id32 *hash)
{
	hashset_del(&r->dedup->set, hash->b);
}

size_t
rns_hashes(const struct rns *r, uint8_t *out, size_t cap_hashes)
{
	const struct hashset *s = &r->dedup->set;

	return out == NULL ? s->cur.count : hashset_keys(s, out, cap_hashes);
}
