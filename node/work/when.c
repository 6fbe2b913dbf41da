/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/when.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"

#define DAY_S 86400
#define LOOK_DAYS 9 /* the same hours a week later, and a day for the offset */

static int32_t
offset_at(const struct when_facts *f, int64_t unix_s)
{
	return f->next_at != 0 && unix_s >= f->next_at ? f->next_offset_s :
	    f->offset_s;
}

/* Do hours begin on that day, counted from 1970, a Thursday? */
static bool
day_meant(const struct when_conf *w, int64_t day)
{
	return (w->days >> ((day % 7 + 10) % 7) & 1u) != 0;
}

/* In whole days without hours. */
static const struct when_hours whole = {0, 0};

static const struct when_hours *
hours_of(const struct when_conf *w, unsigned i)
{
	return w->nhours == 0 ? &whole : &w->hours[i];
}

static int64_t
length_s(const struct when_hours *h)
{
	return h->to > h->from ? (h->to - h->from) * INT64_C(60) :
	    (h->to + WHEN_DAY - h->from) * INT64_C(60);
}

/* Seconds until the hours end that are now; 0: none are. */
static int64_t
inside(const struct when_conf *w, int64_t local)
{
	int64_t day = local / DAY_S, left, most = 0;

	for (unsigned i = 0; i < MAX_OF(w->nhours, 1u); i++) {
		const struct when_hours *h = hours_of(w, i);

		for (int64_t d = day - 1; d <= day; d++) {
			left = d * DAY_S + h->from * INT64_C(60) +
			    length_s(h) - local;
			if (day_meant(w, d) && left > 0 &&
			    left <= length_s(h))
				most = MAX_OF(most, left);
		}
	}
	return most;
}

/* Seconds until the next hours begin. */
static int64_t
until(const struct when_conf *w, const struct when_facts *f, int64_t now)
{
	int64_t day = (now + offset_at(f, now)) / DAY_S;
	int64_t least = INT64_C(7) * DAY_S;

	for (int64_t d = day; d < day + LOOK_DAYS; d++) {
		for (unsigned i = 0; day_meant(w, d) &&
		    i < MAX_OF(w->nhours, 1u); i++) {
			int64_t local = d * DAY_S +
			    hours_of(w, i)->from * INT64_C(60);
			int64_t at = local - offset_at(f, now);

			/* as clocks are then */
			at = local - offset_at(f, at);
			if (at > now)
				least = MIN_OF(least, at - now);
		}
	}
	return least;
}

static void
shut(struct when_answer *a, bool measured, int64_t s)
{
	a->open = false;
	a->measured = measured;
	a->s = (uint32_t)MAX_OF(s, INT64_C(1));
}

static void
by_clock(struct when_answer *a, const struct when_conf *w,
    const struct when_facts *f, uint32_t unix_now)
{
	int64_t local = (int64_t)unix_now + offset_at(f, unix_now);
	int64_t left = inside(w, local), s, at;

	if (w->nhours == 0 && w->days == WHEN_ALL_DAYS)
		return;
	if (left > 0) {
		a->next = (uint32_t)left;
		return;
	}
	s = until(w, f, unix_now);
	at = (int64_t)unix_now + s;
	at = (at + offset_at(f, at)) % DAY_S / 60;
	shut(a, false, s);
	(void)snprintf(a->why, sizeof(a->why), "this machine is lent at other "
	    "hours, the next begin at %02d:%02d local time, in %d h %02d min",
	    (int)(at / 60), (int)(at % 60), (int)(s / 3600),
	    (int)(s / 60 % 60));
}

void
when_decide(struct when_answer *a, const struct when_conf *w,
    const struct when_facts *f, uint32_t unix_now)
{
	*a = (struct when_answer){.open = true};
	if (!w->set)
		return;
	if (!f->known) {
		shut(a, true, WHEN_AGAIN_S);
		(void)snprintf(a->why, sizeof(a->why), "what compute_when asks "
		    "for is not measured yet");
		return;
	}
	by_clock(a, w, f, unix_now);
	if (!a->open)
		return;
	if (w->on_mains && !f->mains) {
		shut(a, true, WHEN_AGAIN_S);
		(void)snprintf(a->why, sizeof(a->why), "this machine is lent "
		    "on mains power, and runs on its battery");
	} else if (w->load_milli != 0 && f->busy_milli >= w->load_milli) {
		shut(a, true, WHEN_AGAIN_S);
		(void)snprintf(a->why, sizeof(a->why), "others keep %u.%02u "
		    "cores of this machine busy, it is lent below %u.%02u",
		    (unsigned)(f->busy_milli / 1000),
		    (unsigned)(f->busy_milli % 1000 / 10),
		    (unsigned)(w->load_milli / 1000),
		    (unsigned)(w->load_milli % 1000 / 10));
	} else if (f->memory_free < w->memory_free) {
		shut(a, true, WHEN_AGAIN_S);
		(void)snprintf(a->why, sizeof(a->why), "%llu MiB of memory are "
		    "free for jobs, this machine is lent from %llu on",
		    (unsigned long long)(f->memory_free >> 20),
		    (unsigned long long)(w->memory_free >> 20));
	}
}
