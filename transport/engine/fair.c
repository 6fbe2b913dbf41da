/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/fair.h"

#include <string.h>

/* What was taken, divided among those who asked. */
static void
next_round(struct fair *f, uint64_t taken)
{
	uint64_t bytes = taken - f->begun, senders = 0;

	/* much more than one: nothing waited in between, that is no measure */
	if (bytes > 2u * FAIR_ROUND)
		bytes = 2u * FAIR_ROUND;
	for (uint64_t m = f->asked; m != 0; m &= m - 1)
		senders++;
	f->share = senders == 0 ? FAIR_FIRST : (uint32_t)(bytes / senders);
	f->begun = taken;
	f->asked = 0;
	memset(f->used, 0, sizeof(f->used));
}

bool
fair_take(struct fair *f, unsigned from, size_t len, uint64_t taken)
{
	unsigned k = from % FAIR_SENDERS;

	if (f->share == 0 || taken - f->begun >= FAIR_ROUND)
		next_round(f, taken);
	f->asked |= UINT64_C(1) << k;
	/* the one that goes over its share is taken: large packets get through */
	if (f->used[k] >= f->share)
		return false;
	f->used[k] += (uint32_t)len;
	return true;
}
