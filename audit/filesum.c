/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/filesum.h"

#include <string.h>

#include "common/util.h"

/* The kernel's struct fsverity_descriptor, without a signature. */
#define DESCRIPTOR 256
#define AT_SIZE 8
#define AT_ROOT 16

static void
sha256(struct id32 *out, const void *p, size_t n)
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, n, p);
	sha256_digest(&c, 32, out->b);
}

/* A digest comes to level l; a level that is full is hashed upwards. */
static void
take(struct filesum *f, unsigned l, struct id32 digest)
{
	for (; l < FILESUM_LEVELS; l++) {
		f->level[l].v[f->level[l].n] = digest;
		f->level[l].total++;
		if (++f->level[l].n < FILESUM_FAN)
			return;
		f->level[l].n = 0;
		sha256(&digest, f->level[l].v, FILESUM_BLOCK);
	}
}

void
filesum_init(struct filesum *f)
{
	sha256_init(&f->block);
	f->in_block = 0;
	f->size = 0;
	for (unsigned l = 0; l < FILESUM_LEVELS; l++) {
		f->level[l].total = 0;
		f->level[l].n = 0;
	}
}

static void
block_end(struct filesum *f)
{
	static const uint8_t zero[FILESUM_BLOCK];
	struct id32 digest;

	sha256_update(&f->block, FILESUM_BLOCK - f->in_block, zero);
	sha256_digest(&f->block, 32, digest.b); /* and begins anew */
	f->in_block = 0;
	take(f, 0, digest);
}

void
filesum_add(struct filesum *f, const void *p, size_t n)
{
	const uint8_t *b = p;

	f->size += n;
	while (n > 0) {
		size_t k = MIN_OF(n, FILESUM_BLOCK - f->in_block);

		sha256_update(&f->block, k, b);
		f->in_block += k;
		b += k;
		n -= k;
		if (f->in_block == FILESUM_BLOCK)
			block_end(f);
	}
}

/* The one digest that stands for all; zeros: of an empty file. */
static struct id32
root(struct filesum *f)
{
	struct id32 up = {{0}};

	if (f->in_block > 0)
		block_end(f);
	for (unsigned l = 0; l < FILESUM_LEVELS; l++) {
		unsigned used = f->level[l].n;

		if (f->level[l].total == 1)
			return f->level[l].v[0];
		if (used == 0)
			continue;
		memset(&f->level[l].v[used], 0,
		    (FILESUM_FAN - used) * sizeof(up));
		f->level[l].n = 0;
		sha256(&up, f->level[l].v, FILESUM_BLOCK);
		take(f, l + 1, up);
		memset(&up, 0, sizeof(up));
	}
	return up;
}

void
filesum_end(struct filesum *f, struct id32 *out)
{
	/* version 1, SHA-256, blocks of 2^12 */
	uint8_t d[DESCRIPTOR] = {1, 1, 12};
	struct id32 top = root(f);

	for (unsigned i = 0; i < 8; i++)
		d[AT_SIZE + i] = (uint8_t)(f->size >> (8 * i));
	memcpy(d + AT_ROOT, HASH_BYTES(top));
	sha256(out, d, sizeof(d));
}

void
filesum_of(struct id32 *out, const void *p, size_t n)
{
	struct filesum f;

	filesum_init(&f);
	filesum_add(&f, p, n);
	filesum_end(&f, out);
}
