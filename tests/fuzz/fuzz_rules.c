/* SPDX-License-Identifier: BSD-2-Clause */
/* words: audit/rules.c audit/cond.c */
/* Records of the kernel and the operator's rules: both in one input. */
#include <stdlib.h>
#include <string.h>

#include "audit/decode.h"
#include "audit/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* All but REC_KEPT, which is a path. */
#define TYPES ((1u << REC_TYPES) - 1 - 1 - (1u << REC_KEPT))

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct rules rules;
	static uint32_t types; /* of which some was taken */
	struct cond_job j = {.burst_s = 1};
	struct watch_event e;
	struct mistakes m = {0};
	char text[300];
	size_t rec = n > 2 ? (size_t)p[0] << 8 | p[1] : 0;

	if (n < 2)
		return 0;
	p += 2;
	n -= 2;
	if (rec > n)
		rec = n;
	if (rules_read(&rules, (const char *)p + rec, n - rec, &m) < 0 &&
	    m.n == 0)
		abort();
	if (rules.n == 0)
		abort();
	if (!event_decode(&e, p, rec))
		return 0;
	types |= 1u << e.type;
	fuzz_taken = types == TYPES;
	if (strlen(e.path) >= sizeof(e.path) || e.type >= REC_TYPES)
		abort();
	event_text(text, sizeof(text), &e);
	(void)rules_match(&rules, 0, &e, &j);
	return 0;
}
