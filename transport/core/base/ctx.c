/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/ctx.h"

#include <string.h>

#include "transport/core/base/noted.h"
#include "transport/core/base/packet.h"

void
core_random(struct rns *r, void *out, size_t n)
{
	r->cfg.random(r->cfg.random_arg, out, n);
}

uint32_t
core_chance(struct rns *r)
{
	if (r->chances_left == 0) {
		core_random(r, r->chances, sizeof(r->chances));
		r->chances_left = NELEM(r->chances);
	}
	return r->chances[--r->chances_left];
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

void
core_drop_count(struct rns *r, enum rns_drop why)
{
	r->drops[why]++;
	if (r->rx_drops != NULL)
		r->rx_drops[why]++;
}

bool
core_drop(struct rns *r, enum rns_drop why)
{
	const struct packet *p = r->rx_packet;
	struct hash16 hash;

	core_drop_count(r, why);
	if (p == NULL)
		return false;
	/* parts of resources have no hash (core.c) */
	if (p->dest_type == DEST_LINK && p->context == CTX_RESOURCE) {
		noted_add(r, why, p->dest, NULL, r->rx_from);
		return false;
	}
	memcpy(hash.b, p->hash.b, RNS_HASH);
	noted_add(r, why, p->dest, &hash, r->rx_from);
	return false;
}

bool
core_drop_of(struct rns *r, enum rns_drop why, const struct hash16 *about,
    unsigned ifid)
{
	core_drop_count(r, why);
	noted_add(r, why, about, NULL, ifid);
	return false;
}
