/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* qsort_r */
#include "trust/doc/chunks.h"

#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "common/util.h"

/* compute.md 3.3 */
#define CUT_FROM 2048u
#define CUT_NORMAL 8192u
#define CUT_BELOW (UINT64_C(1) << 49) /* before CUT_NORMAL */
#define CUT_ABOVE (UINT64_C(1) << 53)
#define MAGIC "KCL1"

void
chunk_gear_init(struct chunk_gear *g)
{
	static const char label[] = "klp/gear/v1";
	struct sha256_ctx st;
	uint8_t d[32];

	for (unsigned i = 0; i < 256; i++) {
		uint8_t b = (uint8_t)i;

		sha256_init(&st);
		sha256_update(&st, sizeof(label) - 1,
		    (const uint8_t *)label);
		sha256_update(&st, 1, &b);
		sha256_digest(&st, sizeof(d), d);
		g->g[i] = get_u64(d);
	}
}

size_t
chunk_cut(const struct chunk_gear *g, const uint8_t *p, size_t n)
{
	uint64_t fp = 0;
	size_t i, normal;

	n = MIN_OF(n, (size_t)CHUNK_MAX);
	normal = MIN_OF(n, (size_t)CUT_NORMAL);
	for (i = CUT_FROM; i < normal; i++) {
		fp = (fp << 1) + g->g[p[i]];
		if (fp < CUT_BELOW)
			return i + 1;
	}
	for (; i < n; i++) {
		fp = (fp << 1) + g->g[p[i]];
		if (fp < CUT_ABOVE)
			return i + 1;
	}
	return n;
}

void
chunk_list_head(uint8_t out[CHUNK_HEAD], uint32_t n, uint64_t total)
{
	struct wr w = wr_make(out, CHUNK_HEAD);

	wr_bytes(&w, MAGIC, 4);
	wr_u32(&w, n);
	wr_u64(&w, total);
}

void
chunk_list_entry(uint8_t out[CHUNK_ENTRY], const struct id32 *sha256,
    uint32_t size)
{
	struct wr w = wr_make(out, CHUNK_ENTRY);

	wr_bytes(&w, sha256->b, 32);
	wr_u16(&w, (uint16_t)size);
}

static bool
bad(const char **why, const char *text)
{
	*why = text;
	return false;
}

bool
chunk_list_read(struct chunk_list *l, const uint8_t *p, size_t len,
    const char **why)
{
	struct rd r = rd_make(p, len);
	uint8_t magic[4];
	struct chunk_list v;
	uint64_t sum = 0;

	if (len > CHUNK_LIST_MAX)
		return bad(why, "it is over 4 MiB");
	if (!rd_copy(&r, magic, 4) || memcmp(magic, MAGIC, 4) != 0 ||
	    !rd_u32(&r, &v.n) || !rd_u64(&r, &v.total))
		return bad(why, "it does not begin like one");
	if (v.n > CHUNKS_MAX || rd_left(&r) != (size_t)v.n * CHUNK_ENTRY)
		return bad(why, "its length is not that of its chunks");
	v.entries = p + CHUNK_HEAD;
	for (uint32_t i = 0; i < v.n; i++) {
		uint32_t size = chunk_size(&v, i);

		if (size == 0 || size > CHUNK_MAX)
			return bad(why, "a chunk is not of 1 to 32768 bytes");
		sum += size;
	}
	if (sum != v.total)
		return bad(why, "its chunks do not add up to its total");
	*l = v;
	return true;
}

/* ---- places ---- */

static int
cmp_places(const void *a, const void *b, void *arg)
{
	const struct chunk_list *l = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	int c = id32_cmp(chunk_digest(l, i), chunk_digest(l, k));

	return c != 0 ? c : i < k ? -1 : i > k;
}

bool
chunk_table_make(struct chunk_table *t, const struct chunk_list *l,
    const char **why)
{
	uint64_t at = 0;

	*why = NULL;
	t->l = *l;
	t->at = calloc((size_t)l->n + 1, sizeof(*t->at));
	t->order = calloc((size_t)l->n + 1, sizeof(*t->order));
	if (t->at == NULL || t->order == NULL) {
		chunk_table_free(t);
		return false;
	}
	for (uint32_t i = 0; i < l->n; i++) {
		t->order[i] = i;
		t->at[i] = at;
		at += chunk_size(l, i);
	}
	t->at[l->n] = at;
	qsort_r(t->order, l->n, sizeof(*t->order), cmp_places, &t->l);
	for (uint32_t k = 1; k < l->n; k++) {
		uint32_t a = t->order[k - 1], b = t->order[k];

		if (id32_eq(chunk_digest(l, a), chunk_digest(l, b)) &&
		    chunk_size(l, a) != chunk_size(l, b)) {
			chunk_table_free(t);
			return bad(why, "one chunk has two sizes");
		}
	}
	return true;
}

void
chunk_table_free(struct chunk_table *t)
{
	free(t->at);
	free(t->order);
	t->at = NULL;
	t->order = NULL;
}

bool
chunk_find(const struct chunk_table *t, const struct id32 *sha, uint32_t *k)
{
	uint32_t lo = 0, hi = t->l.n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (id32_cmp(chunk_digest(&t->l, t->order[mid]), sha) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == t->l.n ||
	    !id32_eq(chunk_digest(&t->l, t->order[lo]), sha))
		return false;
	*k = lo;
	return true;
}

bool
chunk_next_same(const struct chunk_table *t, uint32_t *k)
{
	if (*k + 1 >= t->l.n || !id32_eq(chunk_digest(&t->l, t->order[*k]),
		chunk_digest(&t->l, t->order[*k + 1])))
		return false;
	(*k)++;
	return true;
}
