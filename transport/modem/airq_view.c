/* SPDX-License-Identifier: BSD-2-Clause */
/* What is seen of a queue, and what is kept of it across a restart. */
#include <string.h>

#include "transport/modem/airq_state.h"
#include "common/wire.h"

const char *
airq_kind_name(enum rns_kind kind)
{
	static const char *const names[RNS_KINDS] = {
	    [RNS_KIND_CONTROL] = "control",
	    [RNS_KIND_NEAR] = "announces",
	    [RNS_KIND_FAR] = "far_announces",
	    [RNS_KIND_RELAY] = "relay",
	    [RNS_KIND_JOBS] = "jobs",
	};

	return (unsigned)kind < RNS_KINDS ? names[kind] : "";
}

const char *
airq_drop_name(enum airq_drop why)
{
	static const char *const names[AIRQ_DROPS] = {
	    [AIRQ_DROP_FULL] = "queue full",
	    [AIRQ_DROP_OLD] = "waited too long",
	    [AIRQ_DROP_NEVER] = "over the duty cycle alone",
	    [AIRQ_DROP_MEMORY] = "no memory",
	    [AIRQ_DROP_GONE] = "interface gone",
	};

	return (unsigned)why < AIRQ_DROPS ? names[why] : "";
}

const char *
airq_why_text(enum airq_why why)
{
	switch (why) {
	case AIRQ_NOTHING:
		break;
	case AIRQ_RADIO:
		return "the device is busy";
	case AIRQ_TURN:
		return "others go first";
	case AIRQ_DUTY:
		return "the duty cycle is used up";
	case AIRQ_PACE:
		return "announces have had their share of time";
	case AIRQ_SHARE:
		return "its share of the duty cycle is used up";
	}
	return "";
}

/* Why p, of its class the first, is still here, and until when. */
static void
reason(const struct airq *q, enum rns_kind kind, const struct air_packet *p,
    struct airq_class *out, struct mono now)
{
	const struct airbook *all = airq_kept(q, BOOK_ALL);
	struct air_gate gate = airq_gate(q, kind, p, now);
	struct mono room = airq_room(q, p->len, now);

	out->at = (struct mono){MAX_OF(gate.at.us, MAX_OF(room.us, now.us))};
	if (!mono_reached(now, gate.at))
		out->why = gate.why;
	else if (all != NULL && !mono_reached(now, airbook_when(all, now,
	    airtime_us(&q->medium, p->len), airq_limit_us(q, BOOK_ALL))))
		out->why = AIRQ_DUTY;
	else if (airq_choose(q, now) != kind)
		out->why = AIRQ_TURN;
	else
		out->why = AIRQ_RADIO;
}

static void
class_view(const struct airq *q, enum rns_kind kind, struct airq_class *out,
    struct mono now)
{
	const struct air_lane *l = &q->lanes[kind];
	const struct air_packet *p = airq_pick(q, kind);

	*out = (struct airq_class){.packets = l->count, .bytes = l->bytes,
	    .at = MONO_NEVER, .tx = l->tx, .rx = l->rx};
	memcpy(out->drops, l->drops, sizeof(out->drops));
	if (p != NULL)
		reason(q, kind, p, out, now);
}

void
airq_view(const struct airq *q, struct airq_view *out, struct mono now)
{
	*out = (struct airq_view){.due = airq_due(q, now)};
	for (unsigned k = 0; k < RNS_KINDS; k++)
		class_view(q, k, &out->of[k], now);
	if (airq_kept(q, BOOK_ALL) == NULL)
		return;
	out->window_us = q->conf.window_us;
	out->limit_us = airq_limit_us(q, BOOK_ALL);
	out->used_us = airbook_used(q->books[BOOK_ALL], now);
	out->announces_us = airbook_used(q->books[BOOK_ANNOUNCES], now);
	out->jobs_us = airbook_used(q->books[BOOK_JOBS], now);
}

uint32_t
airq_about(const struct airq *q, const struct hash16 *dest,
    struct airq_class *out, struct mono now)
{
	const struct air_packet *p;
	uint32_t n = 0;

	for (unsigned k = 0; k < RNS_KINDS; k++)
		TAILQ_FOREACH(p, &q->lanes[k].packets, entry) {
			if (!hash16_eq(&p->dest, dest))
				continue;
			if (n++ == 0) {
				class_view(q, k, out, now);
				if (p != airq_pick(q, k) &&
				    out->why == AIRQ_RADIO)
					out->why = AIRQ_TURN;
			}
		}
	return n;
}

/* ---- across a restart ---- */

/*
 * Magic, then of each book its number of entries, and of each its end as Unix
 * time and its airtime.
 */
#define SAVE_MAGIC 0x57414231u /* WAB1 */
_Static_assert(4 + BOOKS * (4 + AIRBOOK_ENTRIES * 16) <= AIRQ_SAVED,
    "all books fit");

size_t
airq_save(const struct airq *q, uint8_t out[AIRQ_SAVED], int64_t wall_us,
    struct mono now)
{
	struct wr w = wr_make(out, AIRQ_SAVED);
	const struct airbook_entry *e;

	if (airq_kept(q, BOOK_ALL) == NULL)
		return 0;
	wr_u32(&w, SAVE_MAGIC);
	for (unsigned b = 0; b < BOOKS; b++) {
		wr_u32(&w, q->books[b]->count);
		for (uint32_t i = 0;
		    (e = airbook_entry(q->books[b], i)) != NULL; i++) {
			wr_i64(&w, wall_us + mono_sub(e->end, now));
			/* of entries ahead of the clock, which count as one */
			wr_i64(&w, MIN_OF(e->air_us, q->conf.window_us));
		}
	}
	return w.len;
}

/* One book; false: it is none. */
static bool
load_book(struct airbook *b, struct rd *rd, int64_t wall_us, struct mono now)
{
	int64_t end, air, age, last = INT64_MAX;
	uint32_t n;

	if (!rd_u32(rd, &n) || n > AIRBOOK_ENTRIES)
		return false;
	while (n-- > 0) {
		if (!rd_i64(rd, &end) || !rd_i64(rd, &air) || air < 0 ||
		    air > b->window_us || end < 0)
			return false;
		age = MAX_OF(wall_us - end, 0);
		if (age > last)
			return false;
		last = age;
		if (age < b->window_us)
			airbook_put(b, (struct mono){now.us - age}, air);
	}
	return true;
}

int
airq_load(struct airq *q, const uint8_t *data, size_t len, int64_t wall_us,
    int64_t unsaved_us, struct mono now)
{
	struct rd rd = rd_make(data, len);
	uint32_t magic;
	bool good;

	if (airq_kept(q, BOOK_ALL) == NULL)
		return 0;
	good = rd_u32(&rd, &magic) && magic == SAVE_MAGIC;
	for (unsigned b = 0; b < BOOKS && good; b++)
		good = load_book(q->books[b], &rd, wall_us, now);
	if (good && rd_end(&rd)) {
		airbook_put(q->books[BOOK_ALL], now, unsaved_us);
		return 0;
	}
	for (unsigned b = 0; b < BOOKS; b++)
		airbook_init(q->books[b], airq_counts_us(q));
	airbook_put(q->books[BOOK_ALL], now, airq_limit_us(q, BOOK_ALL));
	return -1;
}
