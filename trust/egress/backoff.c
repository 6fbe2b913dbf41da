/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/egress/backoff.h"

#include <string.h>

#include "common/util.h"

static int
find(const struct backoff *b, const struct weburl *u)
{
	for (int i = 0; i < BACKOFF_SERVERS; i++)
		if (b->at[i].port == u->port &&
		    strcmp(b->at[i].host, u->host) == 0)
			return i;
	return -1;
}

uint32_t
backoff_wait(const struct backoff *b, const struct weburl *u, struct mono now)
{
	int64_t wait = MONO_SECOND, left;
	int i = find(b, u);

	if (i < 0 || b->at[i].failures < 2)
		return 0;
	for (unsigned k = 2; k < b->at[i].failures &&
	    wait < BACKOFF_MOST_S * MONO_SECOND; k++)
		wait *= 2;
	wait = MIN_OF(wait, (int64_t)BACKOFF_MOST_S * MONO_SECOND);
	left = wait - mono_sub(now, b->at[i].last);
	return left <= 0 ? 0 :
	    (uint32_t)((left + MONO_SECOND - 1) / MONO_SECOND);
}

/* A free place, or the one that was not spoken of for the longest time. */
static int
place(const struct backoff *b)
{
	int oldest = 0;

	for (int i = 0; i < BACKOFF_SERVERS; i++) {
		if (b->at[i].port == 0)
			return i;
		if (b->at[i].last.us < b->at[oldest].last.us)
			oldest = i;
	}
	return oldest;
}

void
backoff_note(struct backoff *b, const struct weburl *u, bool good,
    struct mono now)
{
	int i = find(b, u);

	if (good) {
		if (i >= 0)
			memset(&b->at[i], 0, sizeof(b->at[i]));
		return;
	}
	if (i < 0) {
		i = place(b);
		memcpy(b->at[i].host, u->host, sizeof(b->at[i].host));
		b->at[i].port = u->port;
		b->at[i].failures = 0;
	}
	b->at[i].failures++;
	b->at[i].last = now;
}
