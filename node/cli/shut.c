/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/shut.h"

#include <string.h>

#include "common/util.h"

/* ours: a link that breaks by itself lives longer, and not three in a row */
#define SHUT_SOON_US (10 * MONO_SECOND)
#define SHUT_TIMES 3
#define SHUT_FIRST_US MONO_SECOND
#define SHUT_LAST_US (16 * MONO_SECOND)

void
shut_up(struct shut *s, struct mono now)
{
	s->up_at = now;
	s->answered = false;
}

bool
shut_closed(struct shut *s, struct mono now)
{
	if (s->answered || mono_sub(now, s->up_at) > SHUT_SOON_US) {
		s->n = 0;
		return false;
	}
	if (s->n++ == 0)
		s->since = s->up_at;
	if (s->said || s->n < SHUT_TIMES)
		return false;
	s->said = true;
	return true;
}

bool
shut_answered(struct shut *s)
{
	bool said = s->said;

	s->answered = true;
	s->said = false;
	s->n = 0;
	return said;
}

int64_t
shut_wait_us(const struct shut *s)
{
	int64_t us = SHUT_FIRST_US;

	for (unsigned i = SHUT_TIMES; i < s->n && us < SHUT_LAST_US; i++)
		us *= 2;
	return MIN_OF(us, SHUT_LAST_US);
}
