/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/airbook.h"

#include <string.h>

#include "common/util.h"

void
airbook_init(struct airbook *b, int64_t window_us)
{
	memset(b, 0, sizeof(*b));
	b->window_us = window_us;
}

const struct airbook_entry *
airbook_entry(const struct airbook *b, uint32_t i)
{
	return i < b->count ? &b->entries[(b->first + i) % AIRBOOK_ENTRIES] :
	    NULL;
}

static struct airbook_entry *
last_entry(struct airbook *b)
{
	return b->count == 0 ? NULL :
	    &b->entries[(b->first + b->count - 1) % AIRBOOK_ENTRIES];
}

/* What no window that ends at `end` or later has in it. */
static void
forget(struct airbook *b, struct mono end)
{
	const struct airbook_entry *e;

	while ((e = airbook_entry(b, 0)) != NULL &&
	    e->end.us <= end.us - b->window_us) {
		b->sum_us -= e->air_us;
		b->first = (b->first + 1) % AIRBOOK_ENTRIES;
		b->count--;
	}
}

void
airbook_put(struct airbook *b, struct mono end, int64_t air_us)
{
	struct airbook_entry *e = last_entry(b);
	struct mono begun = {end.us - air_us};

	if (e != NULL && begun.us < e->end.us) {
		begun = e->end;
		end.us = MAX_OF(end.us, e->end.us);
	}
	/* if the ring is full all the same, the last one takes it */
	if (e != NULL && (end.us - e->begun.us <= b->window_us /
	    AIRBOOK_PARTS || b->count == AIRBOOK_ENTRIES)) {
		e->end = end;
		e->air_us += air_us;
	} else {
		b->count++;
		*last_entry(b) = (struct airbook_entry){begun, end, air_us};
	}
	b->sum_us += air_us;
}

struct mono
airbook_add(struct airbook *b, struct mono now, int64_t air_us)
{
	const struct airbook_entry *e = last_entry(b);
	struct mono begun = {e != NULL ? MAX_OF(now.us, e->end.us) : now.us};
	struct mono end = mono_add(begun, air_us);

	forget(b, now);
	airbook_put(b, end, air_us);
	return end;
}

void
airbook_late(struct airbook *b, struct mono now)
{
	struct airbook_entry *e = last_entry(b);

	if (e != NULL && e->end.us < now.us)
		e->end = now;
}

void
airbook_owed(struct airbook *b, struct mono since, int64_t owed_us,
    struct mono then)
{
	struct airbook_entry *e;

	for (uint32_t i = b->count; i-- > 0 && owed_us > 0;) {
		e = &b->entries[(b->first + i) % AIRBOOK_ENTRIES];
		if (e->end.us <= since.us)
			break;
		e->end.us = MAX_OF(e->end.us, then.us);
		owed_us -= e->air_us;
	}
}

/*
 * The window that has most of a new one ends where that ends; so much of the
 * oldest has to lie before its beginning as is too much with it.
 */
struct mono
airbook_when(const struct airbook *b, struct mono now, int64_t air_us,
    int64_t limit_us)
{
	int64_t excess = b->sum_us + air_us - limit_us, gone = 0, begins;
	const struct airbook_entry *e;

	if (air_us > limit_us)
		return MONO_NEVER;
	if (excess <= 0)
		return now;
	for (uint32_t i = 0; (e = airbook_entry(b, i)) != NULL; i++) {
		if (gone + e->air_us >= excess)
			break;
		gone += e->air_us;
	}
	if (e == NULL) /* not with a sum that is that of the entries */
		return MONO_NEVER;
	begins = e->end.us - e->air_us + (excess - gone);
	return (struct mono){MAX_OF(now.us, begins + b->window_us - air_us)};
}

int64_t
airbook_used(const struct airbook *b, struct mono now)
{
	int64_t from = now.us - b->window_us, used = 0, in, to;
	const struct airbook_entry *e;

	for (uint32_t i = 0; (e = airbook_entry(b, i)) != NULL; i++) {
		to = MIN_OF(e->end.us, now.us);
		in = to - MAX_OF(e->end.us - e->air_us, from);
		used += MAX_OF(in, 0);
	}
	return used;
}
