/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/linesaid.h"

#include <stdio.h>
#include <string.h>

/* Whether there is room for another line in this stretch of time. */
static bool
room(struct linesaid *s, struct mono now)
{
	if (s->said == 0 || mono_sub(now, s->since) >= LINESAID_US) {
		s->since = now;
		s->said = 0;
	}
	if (s->said == LINESAID_MOST)
		return false;
	s->said++;
	return true;
}

bool
linesaid_new(struct linesaid *s, const char *text, struct mono now,
    unsigned *more)
{
	unsigned k = 0;

	*more = 0;
	for (unsigned i = 0; i < LINESAID_TEXTS; i++) {
		if (strncmp(s->last[i].text, text,
		    sizeof(s->last[i].text) - 1) == 0) {
			k = i;
			break;
		}
		/* else the one that was said longest ago makes room */
		if (s->last[i].at.us < s->last[k].at.us)
			k = i;
	}
	if (strncmp(s->last[k].text, text, sizeof(s->last[k].text) - 1) == 0) {
		if (mono_sub(now, s->last[k].at) < LINESAID_US ||
		    !room(s, now)) {
			s->last[k].more++;
			return false;
		}
		*more = s->last[k].more;
	} else if (!room(s, now)) {
		return false;
	}
	(void)snprintf(s->last[k].text, sizeof(s->last[k].text), "%s", text);
	s->last[k].at = now;
	s->last[k].more = 0;
	return true;
}

static void
written(struct linesaid *s, bool told, struct mono now)
{
	s->told = told;
	s->at = now;
}

bool
linesaid_trouble(struct linesaid *s, const char *text, struct mono now,
    unsigned *more)
{
	if (!linesaid_new(s, text, now, more) && (s->told ||
	    mono_sub(now, s->at) < LINESAID_STANDS_US))
		return false;
	written(s, true, now);
	return true;
}

bool
linesaid_over(struct linesaid *s, const char *text, struct mono now)
{
	unsigned more;

	if (!linesaid_new(s, text, now, &more) && !s->told)
		return false;
	written(s, false, now);
	return true;
}
