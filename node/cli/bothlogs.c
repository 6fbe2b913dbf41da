/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/bothlogs.h"

#include <string.h>

#include "common/util.h"
#include "common/wire.h"

#define STDERR UINT32_C(0x80000000)

/* Bytes of a stream from where it stands on, and perhaps the next runs. */
static bool
fetch(struct both *b, unsigned s, bool runs)
{
	struct both_got g = {0};

	if (!b->fetch(b->arg, s + 1, b->printed[s], runs, b->next, &g) ||
	    g.n > BOTH_SLICE) {
		b->failed = true;
		return false;
	}
	memcpy(b->buf[s], g.p, g.n);
	b->len[s] = g.n;
	b->at[s] = 0;
	b->end[s] = g.end && g.n == 0;
	if (!runs)
		return true;
	b->n = MIN_OF(g.nruns, NELEM(b->run));
	b->i = 0;
	for (size_t k = 0; k < b->n; k++)
		b->run[k] = get_u32(g.runs + 4 * k);
	b->next += b->n;
	return true;
}

/* Is there a byte of it? */
static bool
fill(struct both *b, unsigned s)
{
	return b->at[s] < b->len[s] ||
	    (fetch(b, s, false) && b->len[s] > 0);
}

static bool
print(struct both *b, unsigned s, uint64_t most, uint64_t *n)
{
	*n = MIN_OF(most, (uint64_t)(b->len[s] - b->at[s]));
	if (!b->print(b->arg, s + 1, b->printed[s], b->buf[s] + b->at[s],
		(size_t)*n))
		b->failed = true;
	b->at[s] += (size_t)*n;
	b->printed[s] += *n;
	return !b->failed;
}

/* One run, or what of it was not printed before; false: not all is there. */
static bool
one_run(struct both *b)
{
	unsigned s = (b->run[b->i] & STDERR) != 0;
	uint64_t end = b->covered[s] + (b->run[b->i] & ~STDERR), n;

	while (b->printed[s] < end)
		if (!fill(b, s) || !print(b, s, end - b->printed[s], &n))
			return false;
	b->covered[s] = end;
	b->i++;
	return true;
}

bool
both_drain(struct both *b)
{
	uint64_t n;

	for (;;) {
		if (b->i == b->n && (!fetch(b, 0, true) || b->n == 0))
			break;
		if (!one_run(b))
			break;
	}
	for (unsigned s = 0; s < 2 && !b->failed; s++)
		while (fill(b, s) && print(b, s, BOTH_SLICE, &n))
			continue;
	return !b->failed;
}

bool
both_came(struct both *b, unsigned stream, const uint8_t *p, size_t n)
{
	unsigned s = stream - 1;

	/* what was fetched is behind it */
	b->len[s] = b->at[s] = 0;
	if (n > 0 && !b->print(b->arg, stream, b->printed[s], p, n))
		b->failed = true;
	b->printed[s] += n;
	return !b->failed;
}

bool
both_ended(const struct both *b)
{
	return b->end[0] && b->end[1];
}
