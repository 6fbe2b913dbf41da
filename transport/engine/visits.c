/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/visits.h"

#define MINUTE (60 * MONO_SECOND)

enum visits_say
visits_ask(struct visits *v, struct mono now)
{
	if (v->lines == 0 || mono_sub(now, v->since) >= MINUTE)
		*v = (struct visits){.since = now};
	if (v->lines == VISITS_LINES)
		return VISITS_QUIET;
	v->lines++;
	return v->lines == VISITS_LINES ? VISITS_LAST : VISITS_SAY;
}
