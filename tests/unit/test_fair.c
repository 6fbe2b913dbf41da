/* SPDX-License-Identifier: BSD-2-Clause */
/* Senders to an interface that is too slow for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "transport/engine/fair.h"

#define FULL (4u << 20)
#define SENDERS 100

struct sender {
	unsigned per_step; /* packets */
	size_t len;
	uint64_t sent, in; /* bytes */
};

/* The interface takes `rate` bytes a step; its queue is as fsock's. */
static void
run(struct sender *v, unsigned n, uint64_t rate, unsigned steps, bool rotate)
{
	struct fair f = {0};
	uint64_t waiting = 0, taken = 0;

	for (unsigned s = 0; s < steps; s++) {
		for (unsigned k = 0; k < n; k++) {
			struct sender *w = &v[rotate ? (k + s) % n : k];

			for (unsigned p = 0; p < w->per_step; p++) {
				bool in = waiting + w->len <= FULL;

				if (in && waiting > FAIR_FROM)
					in = fair_take(&f,
					    (unsigned)(w - v) + 1, w->len,
					    taken);
				w->sent += w->len;
				w->in += in ? w->len : 0;
				waiting += in ? w->len : 0;
			}
		}
		taken += waiting < rate ? waiting : rate;
		waiting -= waiting < rate ? waiting : rate;
	}
}

/* Ten times the rate of the interface from one, a tenth of it from another. */
static void
heavy_and_light(void **state)
{
	struct sender v[] = {{200, 500, 0, 0}, {2, 500, 0, 0}};
	uint64_t all;

	(void)state;
	run(v, 2, 10000, 20000, false);
	assert_true(v[1].in * 100 >= v[1].sent * 99);
	/* and what the light one leaves is the heavy one's */
	all = v[0].in + v[1].in;
	assert_true(all * 100 >= 20000ull * 10000 * 98);
}

static void
equals(void **state)
{
	struct sender v[8];
	uint64_t least = UINT64_MAX, most = 0;

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		v[i] = (struct sender){3 + 2 * i, 400, 0, 0};
	run(v, 8, 8000, 20000, true);
	for (unsigned i = 0; i < 8; i++) {
		least = v[i].in < least ? v[i].in : least;
		most = v[i].in > most ? v[i].in : most;
	}
	/* each sends more than its share */
	assert_true(least * 100 >= most * 75);
	assert_true(v[0].sent > 20000ull * 1000);
}

/* Small packets and large ones have the same bytes. */
static void
sizes(void **state)
{
	struct sender v[] = {{1, 16384, 0, 0}, {200, 100, 0, 0}};

	(void)state;
	run(v, 2, 10000, 20000, true);
	assert_true(v[0].in * 100 >= v[1].in * 70);
	assert_true(v[1].in * 100 >= v[0].in * 70);
}

/* One that takes nothing: bounded, and everybody got a little in. */
static void
nothing(void **state)
{
	struct sender v[SENDERS];

	(void)state;
	for (unsigned i = 0; i < SENDERS; i++)
		v[i] = (struct sender){10, 500, 0, 0};
	run(v, SENDERS, 0, 100, false);
	for (unsigned i = 0; i < SENDERS; i++)
		assert_true(v[i].in > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heavy_and_light),
		cmocka_unit_test(equals),
		cmocka_unit_test(sizes),
		cmocka_unit_test(nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
