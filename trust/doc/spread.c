/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/spread.h"

#include <string.h>

#include "common/util.h"

static const int64_t after[SPREAD_TIMES] = {0, 5 * 60 * MONO_SECOND,
	30 * 60 * MONO_SECOND};

/* A new interval of this length: it is spoken somewhere in its second half. */
static void
interval(struct spread *s, int64_t us, struct mono now, uint32_t chance)
{
	s->interval = us;
	s->heard = 0;
	s->spoken = false;
	s->speak = mono_add(now, us / 2 + us / 2 * (int64_t)(chance % 4096) /
		4096);
	s->end = mono_add(now, us);
}

void
spread_begin(struct spread *s, struct mono now, uint32_t chance)
{
	memset(s, 0, sizeof(*s));
	interval(s, SPREAD_IMIN_S * MONO_SECOND, now, chance);
}

void
spread_same(struct spread *s)
{
	s->heard++;
}

void
spread_news(struct spread *s, struct mono now, uint32_t chance)
{
	if (s->interval == SPREAD_IMIN_S * MONO_SECOND)
		return; /* RFC 6206: it is soon enough */
	interval(s, SPREAD_IMIN_S * MONO_SECOND, now, chance);
}

void
spread_urgent(struct spread *s, struct mono now, const uint8_t *frame,
    size_t len, bool is_delta)
{
	/* a head waits for no delta */
	if (len > SPREAD_FRAME || (!is_delta && s->frame_len > 0 &&
	    s->is_delta && s->times < s->most))
		return;
	memcpy(s->frame, frame, len);
	s->frame_len = len;
	s->is_delta = is_delta;
	s->most = is_delta ? SPREAD_TIMES : 1;
	s->times = 0;
	s->came = now;
	s->passed = false;
}

void
spread_pass(struct spread *s, struct mono now, const uint8_t *frame,
    size_t len)
{
	if (len > SPREAD_FRAME)
		return;
	memcpy(s->frame, frame, len);
	s->frame_len = len;
	s->is_delta = s->passed = true;
	s->most = 1;
	s->times = 0;
	s->came = s->again.us > now.us ? s->again : now;
}

static struct mono
urgent_at(const struct spread *s)
{
	return s->frame_len == 0 || s->times >= s->most ? MONO_NEVER :
	    mono_add(s->came, after[s->times]);
}

static enum spread_say
trickle(struct spread *s, struct mono now, uint32_t chance)
{
	enum spread_say say = SPREAD_NOTHING;

	if (s->interval == 0)
		return say;
	if (!s->spoken && mono_reached(now, s->speak)) {
		s->spoken = true;
		if (s->heard < SPREAD_K || s->owed)
			say = SPREAD_HEADS;
		s->owed = false;
	}
	if (mono_reached(now, s->end))
		interval(s, MIN_OF(2 * s->interval,
			(int64_t)SPREAD_IMIN_S * MONO_SECOND <<
			SPREAD_DOUBLINGS), now, chance);
	return say;
}

enum spread_say
spread_due(struct spread *s, struct mono now, uint32_t chance)
{
	if (mono_reached(now, urgent_at(s))) {
		s->times++;
		if (s->passed) {
			s->owed = true;
			s->again = mono_add(now, SPREAD_PASS_S * MONO_SECOND);
			return SPREAD_PASS;
		}
		return s->is_delta ? SPREAD_DELTA : SPREAD_HEAD;
	}
	return trickle(s, now, chance);
}

struct mono
spread_next(const struct spread *s)
{
	struct mono next = urgent_at(s);

	if (s->interval == 0)
		return next;
	return mono_min(next, s->spoken ? s->end : s->speak);
}

bool
spread_afford(struct mono *next, struct mono now, uint64_t bitrate,
    size_t bytes)
{
	if (bitrate == 0 || bitrate >= SPREAD_SLOW)
		return true;
	if (!mono_reached(now, *next))
		return false;
	*next = mono_add(now, (int64_t)(bytes * 8 * SPREAD_SHARE *
		MONO_SECOND / bitrate));
	return true;
}
