/* SPDX-License-Identifier: BSD-2-Clause */
/* Deltas of revocation lists, and what they make of one. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/delta.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* A list of its version, with an entry of each state. */
static void
apply(struct delta *d)
{
	struct rev_entry e[] = {
	    {.kind = REV_KEY, .id = {1}},
	    {.kind = REV_KEY, .id = {2}, .suspended = true},
	    {.kind = REV_RNS, .id = {1}},
	};
	struct revlist in = {.e = e, .n = 3, .version = d->from}, out;
	struct id32 digest;

	/* its own digest seldom holds here: what comes out without it */
	if (delta_apply(&out, &in, d) != NULL)
		return;
	revlist_digest(&digest, out.e, out.n);
	if (!id32_eq(&digest, &out.digest) || out.version != d->to ||
	    out.n > in.n + d->n)
		abort();
	for (size_t i = 1; i < out.n; i++)
		if (rev_cmp(&out.e[i - 1], &out.e[i]) >= 0)
			abort();
	revlist_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct delta d;
	uint8_t again[DELTA_BYTES];
	struct env e;
	size_t len;

	if (delta_parse(&d, &e, p, n) != NULL)
		return 0;
	fuzz_taken++;
	len = delta_put(again, sizeof(again), &d);
	if (len != DELTA_FRAME(d.n) || memcmp(again, p, len) != 0)
		abort();
	apply(&d);
	return 0;
}
