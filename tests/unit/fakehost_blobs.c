/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fakehost.h"
#include "transport/core/base/crypt.h"

#define START_UNIX INT64_C(1800000000)

/* The spool of the pretended node: a table in memory. */
static struct fake_blob *
blob_of(struct world *w, const struct fp *fp, const struct id32 *sha)
{
	for (unsigned i = 0; i < w->nblobs; i++) {
		if (fp_eq(&w->blobs[i].fp, fp) &&
		    id32_eq(&w->blobs[i].sha, sha))
			return &w->blobs[i];
	}
	return NULL;
}

bool
fake_has(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t *size)
{
	struct fake_blob *b = blob_of(ctx, fp, sha);

	if (b == NULL || !b->whole)
		return false;
	if (size != NULL)
		*size = b->size;
	return true;
}

uint64_t
fake_have(void *ctx, const struct fp *fp, const struct id32 *sha)
{
	struct fake_blob *b = blob_of(ctx, fp, sha);

	return b == NULL ? 0 : b->have;
}

static struct fake_blob *
blob_make(struct world *w, const struct fp *fp, const struct id32 *sha,
    uint64_t size)
{
	struct fake_blob *b = &w->blobs[w->nblobs++];

	assert_true(w->nblobs <= FAKE_BLOBS);
	b->fp = *fp;
	b->sha = *sha;
	b->size = size;
	b->have = 0;
	b->whole = false;
	b->data = calloc(1, size + 1);
	assert_non_null(b->data);
	return b;
}

enum blob_put
fake_put(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t size,
    uint64_t offset, const uint8_t *data, size_t n, uint64_t *have)
{
	struct fake_blob *b = blob_of(ctx, fp, sha);
	struct id32 digest;

	if (b == NULL)
		b = blob_make(ctx, fp, sha, size);
	if (offset <= b->have && offset + n > b->have) {
		memcpy(b->data + offset, data, n);
		b->have = offset + n;
	}
	*have = b->have;
	if (b->have < size)
		return BLOB_MORE;
	crypt_sha256(&digest, b->data, size);
	b->whole = id32_eq(&digest, sha);
	if (b->whole)
		return BLOB_WHOLE;
	b->have = *have = 0;
	return BLOB_BAD;
}

ssize_t
fake_get(void *ctx, const struct fp *fp, const struct id32 *sha,
    uint64_t offset, uint8_t *buf, size_t n, uint64_t *size)
{
	struct fake_blob *b = blob_of(ctx, fp, sha);

	if (b == NULL || !b->whole)
		return -1;
	*size = b->size;
	if (offset >= b->size)
		return 0;
	n = (size_t)MIN_OF((uint64_t)n, b->size - offset);
	memcpy(buf, b->data + offset, n);
	return (ssize_t)n;
}

uint64_t
fake_held(void *ctx, const struct fp *fp)
{
	struct world *w = ctx;
	uint64_t sum = 0;

	for (unsigned i = 0; i < w->nblobs; i++) {
		if (fp_eq(&w->blobs[i].fp, fp) && w->blobs[i].have > 0)
			sum += w->blobs[i].size;
	}
	return sum;
}

bool
fake_room(void *ctx, const struct fp *fp, uint64_t more)
{
	(void)ctx;
	(void)fp->b;
	(void)more;
	return true;
}

void
fake_blob_fn(void *ctx, const struct fp *fp, const struct id32 *sha)
{
	(void)ctx;
	(void)fp->b;
	(void)sha->b;
}

uint64_t
fake_disk(void *ctx)
{
	return ((struct world *)ctx)->disk_free;
}
