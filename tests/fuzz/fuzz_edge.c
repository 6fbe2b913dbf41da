/* SPDX-License-Identifier: BSD-2-Clause */
/* Edge statements: parse and build are inverses, and graphs of any of them. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/kte1.h"

#define EDGES_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

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
	graph_free(g);
	return 0;
}
