/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/visits.h"

#define MINUTE (60 * MONO_SECOND)

enum visits_say
visits_ask(struct visits *v, struct mono now)
{
	if (v->lines == 0 || mono_sub(now, v->since) >= MINUTE)
		*v = (struct visits){.since = now, .unsaid = v->quiet};
	else
		v->unsaid = 0;
	if (v->lines >= VISITS_LINES - 1)
		v->quiet++;
	if (v->lines == VISITS_LINES)
		return VISITS_QUIET;
	v->lines++;
	return v->lines == VISITS_LINES ? VISITS_LAST : VISITS_SAY;
}
