/* SPDX-License-Identifier: BSD-2-Clause */
/* A contract of node's and a record of the kernel, held against each other. */
#include <stdlib.h>
#include <string.h>

#include "audit/bounds.h"
#include "audit/observed.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

static uint64_t
number(const uint8_t *p, size_t n, size_t at)
{
	uint64_t v = 0;

	for (size_t i = at; i < at + 8; i++)
		v = v << 8 | (i < n ? p[i] : 0);
	return v;
}

static void
sums(struct bounds *b, const uint8_t *p, size_t n)
{
	uint32_t wait;

	for (size_t at = 0; at + 16 <= n && at < 160; at += 16) {
		const struct mono now = {(int64_t)(number(p, n, at) >> 1)};
		unsigned rule = bounds_written(b, now, number(p, n, at + 8),
		    &wait);

		if (wait > BOUNDS_WAIT_MS || (rule == RULE_NONE && wait != 0) ||
		    (rule != RULE_NONE && rule != RULE_DISK_WRITE_RATE))
			abort();
		(void)bounds_read(b, number(p, n, at));
	}
}

/* Its length, the contract's record, a bit for each denied call, the record. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t none[8 * WATCH_CALLS];
	static struct bounds b;
	struct observed o = {.n = 0};
	struct watch_bounds wb;
	struct watch_event e;
	size_t len = n > 2 ? (size_t)p[0] << 8 | p[1] : 0;

	if (n < 2 || len > n - 2)
		return 0;
	p += 2;
	n -= 2;
	if (!bounds_init(&b, p, len, n - len >= sizeof(none) ? p + len : none,
		(struct mono){0}))
		return 0;
	bounds_calls(&b, &wb);
	p += len;
	n -= len;
	if (n >= sizeof(none)) {
		p += sizeof(none);
		n -= sizeof(none);
	}
	if (event_decode(&e, p, n)) {
		fuzz_taken++;
		if (bounds_event(&b, &e) >= RULE_COUNT)
			abort();
		observed_event(&o, &e);
		observed_clear(&o);
	}
	sums(&b, p, n);
	return 0;
}
