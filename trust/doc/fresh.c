/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/fresh.h"

#include "common/util.h"

enum fresh
fresh_state(uint32_t now, uint32_t head_expires, uint32_t doc_expires,
    uint32_t grace)
{
	uint32_t end = MIN_OF(head_expires, doc_expires);

	if (now < end)
		return FRESH_YES;
	return now - end < grace ? FRESH_STALE : FRESH_NO;
}

int
fresh_level(enum fresh f, int now, int then)
{
	int low = MIN_OF(now, then);

	switch (f) {
	case FRESH_YES:
		return now;
	case FRESH_STALE:
		return MIN_OF(low, 2);
	default:
		return MIN_OF(low, 0);
	}
}

enum fresh_jobs
fresh_jobs(enum fresh list, enum on_stale on, int level, bool pinned)
{
	switch (list) {
	case FRESH_YES:
		return JOBS_TAKEN;
	case FRESH_STALE:
		if (on == STALE_WARN || level >= 3)
			return JOBS_TAKEN;
		return on == STALE_REFUSE_ALL ? JOBS_NOT_STARTED :
		    JOBS_NOT_NEW;
	default:
		if (level >= 3 && pinned)
			return JOBS_TAKEN;
		return on == STALE_REFUSE_ALL ? JOBS_NOT_STARTED :
		    JOBS_NOT_NEW;
	}
}

uint32_t
klp_now(struct klp_clock *c, uint32_t wall, struct mono now)
{
	int64_t run = mono_sub(now, c->since) / MONO_SECOND;

	c->untrusted = wall < c->floor;
	c->behind = c->untrusted ? c->floor - wall : 0;
	if (!c->untrusted)
		return wall;
	return (uint32_t)MIN_OF((int64_t)c->floor + MAX_OF(run, INT64_C(0)),
	    (int64_t)UINT32_MAX);
}

void
klp_clock_raise(struct klp_clock *c, uint32_t at, struct mono now)
{
	if (at <= c->floor)
		return;
	c->floor = at;
	c->since = now;
}

bool
klp_clock_lower(struct klp_clock *c, uint32_t wall, uint32_t signed_at,
    struct mono now)
{
	uint32_t to = MAX_OF(wall, signed_at);

	if (to >= c->floor)
		return false;
	c->floor = to;
	c->since = now;
	return true;
}
