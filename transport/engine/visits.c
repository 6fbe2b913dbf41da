/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/visits.h"

#include <stdbool.h>
#include <stddef.h>

#define MINUTE (60 * MONO_SECOND)

static bool
over(const struct visits *v, struct mono now)
{
	return v->lines == 0 || mono_sub(now, v->since) >= MINUTE;
}

enum visits_say
visits_ask(struct visits *v, struct mono now)
{
	if (over(v, now))
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

struct visits *
visits_others(struct visits_users *users)
{
	return &users->v[VISITS_USERS - 1].visits;
}

struct visits *
visits_of(struct visits_users *users, uid_t uid, struct mono now)
{
	struct visits_user *v, *unused = NULL;

	for (unsigned i = 0; i < VISITS_USERS - 1; i++) {
		v = &users->v[i];
		if (v->visits.lines > 0 && v->uid == uid)
			return &v->visits;
		/* its unsaid lines are told first, if it is soon back */
		if (over(&v->visits, now) && (unused == NULL ||
		    v->visits.quiet < unused->visits.quiet))
			unused = v;
	}
	if (unused == NULL)
		return visits_others(users);
	*unused = (struct visits_user){.uid = uid,
	    .visits.quiet = unused->visits.quiet};
	return &unused->visits;
}
