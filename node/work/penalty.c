/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/penalty.h"

#include "common/util.h"
#include "trust/doc/level.h"

uint32_t
penalty_left(const struct penalty *p, uint32_t now)
{
	uint32_t halves = now > p->since ? (now - p->since) / PENALTY_HALF_S :
	    0;

	return halves > 31 ? 0 : p->points >> halves;
}

void
penalty_more(struct penalty *p, uint32_t points, uint32_t now)
{
	p->points = MIN_OF(penalty_left(p, now) + MIN_OF(points, PENALTY_MAX),
	    PENALTY_MAX);
	p->since = MAX_OF(p->since, now);
}

int
penalty_level(uint32_t points)
{
	return points >= PENALTY_BLOCK ? -2 :
	    points >= PENALTY_DISTRUST ? -1 : LEVEL_MAX;
}
