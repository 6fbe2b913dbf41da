/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/traffic.h"

#define SAMPLE_OLD_US (10 * MONO_SECOND)
/*
 * The reference looks at what came in every 5 s, and each look forgets one
 * that is old. Here nobody wakes up for that: the looks that were missed are
 * made up for at the next event.
 */
#define LOOK_US (5 * MONO_SECOND)

void
traffic_init(struct rns *r, struct traffic t[TRAFFIC_SORTS])
{
	for (unsigned i = 0; i < TRAFFIC_SORTS; i++)
		t[i] = (struct traffic){.culled = r->now};
}

static void
forget_oldest(struct traffic *t)
{
	t->first = (uint8_t)((t->first + 1u) % TRAFFIC_SAMPLES);
	t->count--;
}

static void
catch_up(struct rns *r, struct traffic *t)
{
	struct mono look = mono_add(t->culled, LOOK_US), old;
	int64_t wait;

	while (t->count != 0 && look.us < r->now.us) {
		old = mono_add(t->at[t->first], SAMPLE_OLD_US);
		wait = mono_sub(old, look);
		if (wait >= 0) { /* nothing was old at that look */
			look = mono_add(look, (wait / LOOK_US + 1) * LOOK_US);
			continue;
		}
		forget_oldest(t);
		t->culled = look;
		look = mono_add(look, LOOK_US);
	}
	if (t->count == 0)
		t->culled = r->now;
}

void
traffic_count(struct rns *r, struct traffic *t, size_t len)
{
	t->packets++;
	t->bytes += len;
	catch_up(r, t);
	if (t->count == TRAFFIC_SAMPLES)
		forget_oldest(t);
	t->at[(t->first + t->count++) % TRAFFIC_SAMPLES] = r->now;
}

double
traffic_peek(const struct rns *r, const struct traffic all[TRAFFIC_SORTS],
    enum traffic_sort sort, unsigned more)
{
	const struct traffic *t = &all[sort];
	bool out = sort == TRAFFIC_ANNOUNCE_OUT || sort == TRAFFIC_PATH_OUT;
	int64_t span;

	if (t->count < (out ? 2 : 3))
		return 0;
	span = MAX_OF(mono_sub(r->now, t->at[t->first]), (int64_t)1);
	return (double)(t->count + more) * (double)MONO_SECOND / (double)span;
}

double
traffic_hz(struct rns *r, struct traffic all[TRAFFIC_SORTS],
    enum traffic_sort sort, unsigned more)
{
	struct traffic *t = &all[sort];
	double hz;

	catch_up(r, t);
	hz = traffic_peek(r, all, sort, more);
	if (t->count != 0 &&
	    mono_sub(r->now, t->at[t->first]) > SAMPLE_OLD_US)
		forget_oldest(t);
	t->culled = r->now;
	return hz;
}
