/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/merkle.h"

#include <string.h>

#include <nettle/sha2.h>

#include "trust/doc/digest.h"

void
merkle_init(struct merkle *m, uint64_t begin)
{
	m->end = begin;
	m->n = 0;
}

void
merkle_leaf(struct id32 *out, const void *p, size_t n)
{
	static const uint8_t prefix = 0x00;
	struct sha256_ctx st;

	sha256_init(&st);
	sha256_update(&st, 1, &prefix);
	sha256_update(&st, n, p);
	sha256_digest(&st, 32, out->b);
}

static void
pair(struct id32 *out, const struct id32 *left, const struct id32 *right)
{
	uint8_t b[65];

	b[0] = 0x01;
	memcpy(b + 1, HASH_BYTES(*left));
	memcpy(b + 33, HASH_BYTES(*right));
	digest_of(out, b, sizeof(b));
}

unsigned
merkle_level(uint64_t pos, uint64_t end)
{
	unsigned level = 0;

	while (level < 62 && (pos & (UINT64_C(1) << level)) == 0 &&
	    end - pos >= UINT64_C(2) << level)
		level++;
	return level;
}

unsigned
merkle_count(uint64_t begin, uint64_t end)
{
	unsigned n = 0;

	while (begin < end) {
		begin += UINT64_C(1) << merkle_level(begin, end);
		n++;
	}
	return n;
}

bool
merkle_add(struct merkle *m, unsigned level, const struct id32 *hash)
{
	uint64_t size = UINT64_C(1) << level;

	if (level > 62 || (m->end & (size - 1)) != 0 || m->n == MERKLE_NODES)
		return false;
	m->level[m->n] = (uint8_t)level;
	m->hash[m->n++] = *hash;
	m->end += size;
	/* two that are a whole subtree together become it */
	while (m->n >= 2 && m->level[m->n - 1] == m->level[m->n - 2]) {
		unsigned l = m->level[m->n - 1];
		uint64_t both = UINT64_C(2) << l;

		if (((m->end - both) & (both - 1)) != 0)
			break;
		pair(&m->hash[m->n - 2], &m->hash[m->n - 2],
		    &m->hash[m->n - 1]);
		m->level[m->n - 2] = (uint8_t)(l + 1);
		m->n--;
	}
	return true;
}

void
merkle_root(const struct merkle *m, struct id32 *out)
{
	if (m->n == 0) {
		digest_of(out, NULL, 0);
		return;
	}
	*out = m->hash[m->n - 1];
	for (unsigned i = m->n - 1; i > 0; i--)
		pair(out, &m->hash[i - 1], out);
}
