/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/stamp.h"

#include <string.h>

#include "common/mpk.h"
#include "common/util.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/stamp_table.h"

#define MANTISSA_BITS 33  /* stamp_table[0] is 2^33 */

/* ---- the work block ---- */

void
stamp_round(uint8_t out[STAMP_ROUND_LEN], const void *material, size_t n,
    unsigned k)
{
	uint8_t number[5];
	struct wr wr = wr_make(number, sizeof(number));
	struct iovec_c salted[2] = {{material, n}, {number, 0}};
	struct id32 salt;

	mpk_put_uint(&wr, k);
	salted[1].n = wr.len;
	crypt_sha256v(&salt, salted, 2);
	crypt_hkdf(out, STAMP_ROUND_LEN, material, n, salt.b, sizeof(salt.b));
}

void
stamp_work(struct stamp_work *w, const void *material, size_t n,
    unsigned rounds)
{
	uint8_t block[STAMP_ROUND_LEN];

	sha256_init(&w->ctx);
	if (rounds == 0) {
		sha256_update(&w->ctx, n, material);
		return;
	}
	for (unsigned k = 0; k < MIN_OF(rounds, STAMP_ROUNDS_MAX); k++) {
		stamp_round(block, material, n, k);
		sha256_update(&w->ctx, sizeof(block), block);
	}
}

void
stamp_product(struct id32 *out, const struct stamp_work *w,
    const void *stamp, size_t n)
{
	struct sha256_ctx ctx = w->ctx;

	sha256_update(&ctx, n, stamp);
	sha256_digest(&ctx, sizeof(out->b), out->b);
}

/* ---- value and cost ---- */

static unsigned
leading_zeros(const struct id32 *product)
{
	unsigned z = 0, at = 0;

	while (at < sizeof(product->b) && product->b[at] == 0)
		at++;
	z = 8 * at;
	if (at < sizeof(product->b))
		for (unsigned bit = 0x80; (product->b[at] & bit) == 0; bit >>= 1)
			z++;
	return z;
}

/* The leading one and the 33 bits behind it; zeros where none are left. */
static uint64_t
mantissa(const struct id32 *product, unsigned z)
{
	uint64_t m = 0;

	for (unsigned i = z; i <= z + MANTISSA_BITS; i++)
		m = m << 1 | (i < 256 ?
		    (unsigned)product->b[i / 8] >> (7 - i % 8) & 1 : 0);
	return m;
}

uint32_t
stamp_value(const struct id32 *product)
{
	unsigned z = leading_zeros(product), low = 0, high = 255, mid;
	uint64_t m;

	if (z == 256)
		return 256 * STAMP_BIT;
	m = mantissa(product, z);
	/* the last entry that is not above m; the first one never is */
	while (low < high) {
		mid = (low + high + 1) / 2;
		if (stamp_table[mid] <= m)
			low = mid;
		else
			high = mid - 1;
	}
	return STAMP_BIT * z + (255 - low);
}

void
stamp_target(uint8_t out[STAMP_TARGET_LEN], uint32_t cost)
{
	unsigned n = MIN_OF(cost, STAMP_COST_MAX) / STAMP_BIT;
	unsigned f = MIN_OF(cost, STAMP_COST_MAX) % STAMP_BIT;
	unsigned shift = f == 0 ? 256 - n : 255 - MANTISSA_BITS - n;
	uint64_t v = f == 0 ? 1 : stamp_table[STAMP_BIT - f];
	size_t at = STAMP_TARGET_LEN - 1 - shift / 8;

	memset(out, 0, STAMP_TARGET_LEN);
	for (v <<= shift % 8; v != 0; v >>= 8)
		out[at--] = (uint8_t)v;
}

static bool
within(const struct id32 *product, const uint8_t target[STAMP_TARGET_LEN])
{
	return target[0] != 0 ||
	    memcmp(product->b, target + 1, sizeof(product->b)) <= 0;
}

bool
stamp_valid(const struct id32 *product, uint32_t cost)
{
	uint8_t target[STAMP_TARGET_LEN];

	if (cost > STAMP_COST_MAX)
		return false;
	stamp_target(target, cost);
	return within(product, target);
}

uint32_t
stamp_steps(double bits)
{
	if (!(bits > 0))
		return 0;
	if (bits * STAMP_BIT >= STAMP_COST_MAX + 1)
		return STAMP_COST_MAX + 1;
	return (uint32_t)(bits * STAMP_BIT);
}

/* ---- making one ---- */

void
stamp_search_begin(struct stamp_search *s, const struct stamp_work *w,
    uint32_t cost, const uint8_t start[STAMP_LEN])
{
	s->work = *w;
	stamp_target(s->target, cost);
	memcpy(s->stamp, start, STAMP_LEN);
	s->tries = 0;
}

bool
stamp_search_go(struct stamp_search *s, unsigned tries)
{
	uint8_t *low = s->stamp + STAMP_LEN - sizeof(uint64_t);
	struct id32 product;

	for (; tries > 0; tries--) {
		stamp_product(&product, &s->work, s->stamp, STAMP_LEN);
		s->tries++;
		if (within(&product, s->target))
			return true;
		put_u64(low, get_u64(low) + 1);
	}
	return false;
}
