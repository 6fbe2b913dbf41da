/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/noted.h"

#include <stdlib.h>
#include <string.h>

/* One drop, or several that differ in time alone. */
struct note {
	struct hash16 about, packet;
	struct mono first, last;
	uint32_t times; /* 0: this place is empty */
	uint32_t ifid;
	uint8_t why;
};

struct noted {
	struct note v[NOTED_ROWS][NOTED_A_ROW];
};

_Static_assert(RNS_DROP_COUNT <= UINT8_MAX, "a reason fits a byte");

int
noted_new(struct rns *r)
{
	r->noted = calloc(1, sizeof(*r->noted));
	return r->noted != NULL ? RNS_OK : RNS_ENOMEM;
}

void
noted_free(struct rns *r)
{
	free(r->noted);
	r->noted = NULL;
}

/* What a shared medium brings all day. */
static bool
ordinary(unsigned why)
{
	return why == RNS_DROP_DUPLICATE || why == RNS_DROP_NOT_FOR_US ||
	    why == RNS_DROP_PATH_TAG;
}

/* Whether a goes before b: empty, then ordinary, then the older one. */
static bool
goes_before(const struct note *a, const struct note *b)
{
	if ((a->times == 0) != (b->times == 0))
		return a->times == 0;
	if (ordinary(a->why) != ordinary(b->why))
		return ordinary(a->why);
	return a->last.us < b->last.us;
}

void
noted_add(struct rns *r, enum rns_drop why, const struct hash16 *about,
    const struct hash16 *packet, unsigned ifid)
{
	struct note *row, *e, *to;

	if (r->noted == NULL)
		return;
	row = r->noted->v[about->b[RNS_HASH - 1] % NOTED_ROWS];
	to = row;
	for (e = row; e < row + NOTED_A_ROW; e++) {
		if (e->times != 0 && e->why == why && e->ifid == ifid &&
		    hash16_eq(&e->about, about)) {
			to = e;
			break;
		}
		if (goes_before(e, to))
			to = e;
	}
	if (e == row + NOTED_A_ROW) {
		if (to->times != 0 && ordinary(why) && !ordinary(to->why))
			return;
		*to = (struct note){.about = *about, .first = r->now,
		    .ifid = ifid, .why = (uint8_t)why};
	}
	to->last = r->now;
	if (to->times != UINT32_MAX)
		to->times++;
	if (packet != NULL)
		to->packet = *packet;
}

bool
rns_noted_next(const struct rns *r, unsigned *at, struct rns_noted *out)
{
	while (*at < NOTED_ROWS * NOTED_A_ROW) {
		const struct note *e =
		    &r->noted->v[*at / NOTED_A_ROW][*at % NOTED_A_ROW];

		(*at)++;
		if (e->times == 0)
			continue;
		*out = (struct rns_noted){.about = e->about,
		    .packet = e->packet, .why = (enum rns_drop)e->why,
		    .ifid = e->ifid, .times = e->times,
		    .first_us = e->first.us + r->wall_offset,
		    .last_us = e->last.us + r->wall_offset};
		return true;
	}
	return false;
}
