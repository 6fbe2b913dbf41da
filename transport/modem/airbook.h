/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_AIRBOOK_H
#define WARREN_TRANSPORT_MODEM_AIRBOOK_H

#include <stddef.h>
#include <stdint.h>

#include <rns/mono.h>

/*
 * What was sent when, so that a limit holds in every window of its length.
 * Pure. An entry stands for airtime that ends at `end` without a gap. What was
 * sent within a 512th of the window becomes one entry, and all of it then
 * counts as sent at its end: later than it was, so that it counts for longer,
 * never shorter, and the book has an upper size.
 */
#define AIRBOOK_PARTS 512
/* two in a row cover more than a part */
#define AIRBOOK_ENTRIES (2 * AIRBOOK_PARTS + 8)

struct airbook_entry {
	struct mono begun, end; /* of the first of them, of the last */
	int64_t air_us;
};
struct airbook {
	int64_t window_us;
	int64_t sum_us; /* of all entries */
	uint32_t first, count;
	struct airbook_entry entries[AIRBOOK_ENTRIES]; /* a ring */
};

void airbook_init(struct airbook *, int64_t window_us);
/*
 * It begins when what was sent before has ended, not before now, and lasts so
 * long; when that ends.
 */
struct mono airbook_add(struct airbook *, struct mono now, int64_t air_us);
/* The last one was on the air until now, if that is later than was thought. */
void airbook_late(struct airbook *, struct mono now);
/*
 * Of what was to end after `since` the last, as much as owed_us, ends then
 * only, or later.
 */
void airbook_owed(struct airbook *, struct mono since, int64_t owed_us,
    struct mono then);
/*
 * From when on one more may be sent, not before now, so that no window has more
 * than limit_us. MONO_NEVER: it alone is more.
 */
struct mono airbook_when(const struct airbook *, struct mono now,
    int64_t air_us, int64_t limit_us);
/* Of the window that ends then. */
int64_t airbook_used(const struct airbook *, struct mono now);
/* The i-th, oldest first; NULL behind the last. */
const struct airbook_entry *airbook_entry(const struct airbook *, uint32_t i);
/* As it was saved: not before the one before, or it counts as then. */
void airbook_put(struct airbook *, struct mono end, int64_t air_us);

#endif
