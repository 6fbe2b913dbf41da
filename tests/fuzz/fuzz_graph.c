/* SPDX-License-Identifier: BSD-2-Clause */
/* words: trust/doc/graph_json.c trust/doc/graph_load.c */
/* A payload of a trust graph, and verdicts about everybody in it. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/kte1.h"

#define CHECKS_MAX 32 /* steps: keeps the fuzzer quick */
#define ASKED_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

static void
ask(const struct graph *g)
{
	struct level_anchor anchor[3];
	struct kte1_result r;
	struct kte1 *k;
	uint32_t n = 0;

	for (; n < 3 && n < graph_count(g); n++)
		anchor[n] = (struct level_anchor){*graph_fp(g, n), 3,
		    UINT32_C(1) << SCOPE_ALL};
	if ((k = kte1_new(g, anchor, n)) == NULL)
		return;
	for (uint32_t i = 0; i < graph_count(g) && i < ASKED_MAX; i++) {
		kte1_ask(k, &r, graph_fp(g, i), SCOPE_JOB_SUBMIT,
		    graph_head(g)->issued);
		if (r.level < LEVEL_MIN || r.level > LEVEL_MAX ||
		    r.npaths > KTE1_PATHS || (r.npaths == 0 && r.level != 0))
			abort();
	}
	kte1_free(k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct graph_load *l;
	struct graph_head head;
	const char *why = NULL;
	struct graph *g;
	bool peeked = graph_peek(&head, p, n, &why);
	int rc = 1;

	l = graph_load_new(p, n, NULL, 0, NULL, &why);
	if ((l != NULL) != peeked)
		abort();
	if (l == NULL) {
		if (why == NULL)
			abort();
		return 0;
	}
	for (int i = 0; i < CHECKS_MAX && rc > 0; i++)
		rc = graph_load_step(l, 1, &why);
	if (rc == 0) {
		fuzz_taken++;
		g = graph_load_take(l);
		if (graph_edges(g) > graph_load_stats(l)->edges)
			abort();
		ask(g);
		graph_free(g);
	}
	graph_load_free(l);
	return 0;
}
