/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/value.h"

#include "transport/core/base/crypt.h"
#include "transport/core/base/stamp.h"

#define RANDOM_LEN 5 /* bytes of a random hash before its time */

/* The material and the stamp behind it, unexpanded. */
static void
weigh(struct rns *r, enum rns_value_kind kind, const struct hash16 *dest,
    const struct iovec_c *pieces, size_t n)
{
	struct id32 product;
	uint32_t value;

	crypt_sha256v(&product, pieces, n);
	value = stamp_value(&product);
	r->values[kind][MIN_OF(value / STAMP_BIT, RNS_VALUE_BITS - 1u)]++;
	if (r->cfg.stamps.value != NULL)
		r->cfg.stamps.value(r->cfg.stamps.arg, kind, dest, value);
}

void
value_announce(struct rns *r, const struct hash16 *dest,
    const struct announce *a)
{
	struct iovec_c v[2] = {{dest->b, RNS_HASH},
	    {a->random_hash, RANDOM_LEN}};

	weigh(r, RNS_VALUE_ANNOUNCE_RANDOM, dest, v, 2);
	if (a->app_data == NULL || a->app_data_len < STAMP_LEN)
		return;
	v[1] = (struct iovec_c){a->app_data + a->app_data_len - STAMP_LEN,
	    STAMP_LEN};
	weigh(r, RNS_VALUE_ANNOUNCE_TAIL, dest, v, 2);
}

void
value_path_request(struct rns *r, const struct hash16 *dest,
    const uint8_t *tag, size_t n)
{
	struct iovec_c v[2] = {{dest->b, RNS_HASH}, {tag, n}};

	weigh(r, RNS_VALUE_PATH_REQUEST, dest, v, 2);
}

void
value_link_request(struct rns *r, const struct hash16 *dest,
    const uint8_t data[64])
{
	struct iovec_c v[3] = {{dest->b, RNS_HASH}, {data + 32, 32},
	    {data, 32}};

	weigh(r, RNS_VALUE_LINK_REQUEST, dest, v, 3);
}

uint64_t
rns_values(const struct rns *r, enum rns_value_kind kind, unsigned bits)
{
	return (unsigned)kind < RNS_VALUE_KINDS && bits < RNS_VALUE_BITS ?
	    r->values[kind][bits] : 0;
}
