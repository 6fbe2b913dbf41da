/* SPDX-License-Identifier: BSD-2-Clause */
/* Edge statements: parse and build are inverses, and graphs of any of them. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/kte1.h"

#define EDGES_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
odd(void *ctx, const struct fp *fp)
{
	(void)ctx;
	return (fp->b[0] & 1) != 0;
}

/* Everybody, with anchors of one and of several; some are revoked, then not. */
static void
ask(const struct graph *g, const struct edge *edge, size_t count)
{
	static const uint32_t scopes[] = {UINT32_C(1) << SCOPE_ALL,
	    UINT32_C(1) << SCOPE_JOB_SUBMIT};
	struct level_anchor a[3];
	struct kte1_result r;
	size_t n = 0, hits, trusted;
	struct kte1 *k;

	for (; n < 3 && n < count; n++)
		a[n] = (struct level_anchor){edge[n].source,
		    (int8_t)(n == 2 ? 2 : 3), scopes[n / 2]};
	if ((k = kte1_new(g, a, n)) == NULL)
		return;
	for (int turn = 0; turn < 3; turn++) {
		for (size_t i = 0; i < count; i++) {
			kte1_ask(k, &r, &edge[i].target, SCOPE_JOB_SUBMIT,
			    edge[i].issued);
			if (r.level < LEVEL_MIN || r.level > LEVEL_MAX ||
			    r.npaths > KTE1_PATHS)
				abort();
		}
		trusted = kte1_trusted(k, &hits, SCOPE_JOB_SUBMIT,
		    edge[0].issued, odd, NULL);
		if (trusted > graph_count(g) || hits > trusted ||
		    (turn == 1 && hits > 0))
			abort();
		if (turn == 0)
			kte1_revoked(k, odd, NULL);
	}
	kte1_free(k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct graph_head head = {.version = 1};
	static struct edge edge[EDGES_MAX];
	uint8_t again[EDGE_LEN];
	struct kte1_result r;
	struct level_anchor a;
	struct graph *g;
	struct kte1 *k;
	size_t count = 0;

	for (; n >= EDGE_LEN && count < EDGES_MAX; p += EDGE_LEN, n -= EDGE_LEN) {
		if (!edge_get(&edge[count], p, EDGE_LEN))
			continue;
		edge_put(again, &edge[count]);
		if (memcmp(again, p, EDGE_LEN) != 0)
			abort();
		count++;
	}
	if (count == 0 || (g = graph_make(&head, edge, count)) == NULL)
		return 0;
	a = (struct level_anchor){edge[0].source, 3, UINT32_C(1) << SCOPE_ALL};
	if ((k = kte1_new(g, &a, 1)) != NULL) {
		for (size_t i = 0; i < count; i++)
			for (int s = 0; s < SCOPE_WATCHDOG; s++)
				kte1_ask(k, &r, &edge[i].target, (enum scope)s,
				    edge[i].issued);
		kte1_free(k);
	}
	ask(g, edge, count);
	graph_free(g);
	return 0;
}
