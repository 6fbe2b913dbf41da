/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/pace.h"

#include "common/util.h"

/* ours: the pace of asking for the status grows to this */
#define POLL_LAST_US (2 * MONO_SECOND)
/*
 * ours: and takes so small a part of the link. Who follows both streams is told
 * of the end, so that asking is for the case that this is lost: a fiftieth.
 */
#define POLL_PART 2
#define POLL_PART_FOLLOWING 50
#define POLL_MOST_US (600 * MONO_SECOND)

void
pace_next(struct submitter *s, struct mono now)
{
	int64_t way = mono_sub(now, s->sent_at);
	int64_t least = way * POLL_PART;

	/* it has waited as it was asked to: so it may be asked at once */
	if (s->held_s > 0 && way >= s->held_s * MONO_SECOND) {
		s->poll_at = now;
		return;
	}
	/* one that a node gave late says nothing of the link */
	s->way_us = s->way_us == 0 ? way : MIN_OF(s->way_us, way);
	if (s->following[0] && s->following[1])
		least = MAX_OF(least, MIN_OF(s->way_us * POLL_PART_FOLLOWING,
		    POLL_MOST_US));
	s->poll_us = MIN_OF(s->poll_us * 3 / 2, POLL_LAST_US);
	s->poll_at = mono_add(now, MAX_OF(s->poll_us, least));
}
