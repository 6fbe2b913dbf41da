/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The book of what an interface has sent, as a file: no less of it counts when
 * it is written and taken once more, what waits goes at a time that comes, and
 * what is no book lets nothing go for a while.
 */
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "transport/modem/airq.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

#define WALL (INT64_C(1800000000) * MONO_SECOND)
#define WINDOW (100 * MONO_SECOND)

static void
must(bool so)
{
	if (!so)
		abort();
}

static void
send(struct airq *q, struct mono now, bool bad)
{
	static const uint8_t packet[400];
	static const struct hash16 dest = {{1}};
	struct rns_tx tx = {.data = packet, .len = sizeof(packet),
	    .kind = RNS_KIND_RELAY, .from = 1,
	    .dest = &dest};
	struct airq_packet p;
	struct airq_view v;
	struct mono due, began = now;

	for (int i = 0; i < 8; i++)
		(void)airq_put(q, &tx, now);
	for (int i = 0; i < 8; i++) {
		due = airq_due(q, now);
		must(!mono_reached(mono_add(now, -1), due));
		if (due.us - began.us > AIRQ_AGE_US)
			break; /* nobody waits so long */
		must(i > 0 || !bad || due.us >= now.us + WINDOW / 2);
		now = due;
		must(airq_next(q, &p, now));
		airq_view(q, &v, now);
		(void)airq_sent(q, mono_add(now, p.air_us));
		now = mono_add(now, p.air_us);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t saved[AIRQ_SAVED];
	const struct airq_conf c = {.duty = 10000, .window_us = WINDOW,
	    .announces = 30, .jobs = 50};
	struct mono now = {5000 * MONO_SECOND};
	struct airq *q = airq_new(&c), *again = airq_new(&c);
	const struct airtime medium = {.how = AIRTIME_BITS, .paced = true,
	    .bitrate = 1200, .silent_us = n % 2 ? 700000 : 0};
	struct airq_view was, is;
	size_t len;
	bool bad;

	if (q == NULL || again == NULL) {
		airq_free(q);
		airq_free(again);
		return 0;
	}
	airq_medium(q, &medium);
	bad = airq_load(q, p, n, WALL, 0, now) != 0;
	len = airq_save(q, saved, WALL, now);
	must(len > 0);
	if (!bad) {
		fuzz_taken++;
		must(airq_load(again, saved, len, WALL, 0, now) == 0);
		airq_view(q, &was, now);
		airq_view(again, &is, now);
		must(is.used_us >= MIN_OF(was.used_us, WINDOW));
	}
	send(q, now, bad);
	airq_free(q);
	airq_free(again);
	return 0;
}
