/* SPDX-License-Identifier: BSD-2-Clause */
/* How long packets last on a medium, and limits as the parent tells them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/modem/airq.h"
#include "transport/modem/airset.h"
#include "transport/modem/airtime.h"
#include "common/util.h"

#define SECOND MONO_SECOND

static void
airtimes(void **state)
{
	static const struct {
		struct airtime a;
		size_t len;
		int64_t us;
	} rows[] = {
	    {{.how = AIRTIME_UNKNOWN}, 500, 0},
	    {{.how = AIRTIME_BITS}, 500, 0},
	    {{.how = AIRTIME_BITS, .bitrate = 1200}, 150, 1000000},
	    {{.how = AIRTIME_BITS, .bitrate = 1200, .frame_us = 370000,
	      .frame_bytes = 4}, 146, 1370000},
	    {{.how = AIRTIME_BITS, .bitrate = 9600, .byte_bits = 10}, 96,
	     100000},
	    {{.how = AIRTIME_BITS, .bitrate = 3}, 1, 2666667},
	    /* with the byte in front: SX1276 calculator, and others */
	    {{.how = AIRTIME_LORA, .sf = 7, .cr = 5, .bandwidth = 125000,
	      .preamble = 8}, 22, 61696},
	    {{.how = AIRTIME_LORA, .sf = 12, .cr = 5, .bandwidth = 125000,
	      .preamble = 8}, 63, 2793472},
	    {{.how = AIRTIME_LORA, .sf = 11, .cr = 8, .bandwidth = 125000,
	      .preamble = 8}, 22, 1118208},
	    {{.how = AIRTIME_LORA, .sf = 5, .cr = 5, .bandwidth = 500000,
	      .preamble = 12}, 9, 3280},
	    /* two frames: the second begins with a preamble of its own */
	    {{.how = AIRTIME_LORA, .sf = 7, .cr = 5, .bandwidth = 125000,
	      .preamble = 8}, 254 + 22, 399616 + 61696},
	    {{.how = AIRTIME_LORA, .sf = 7, .cr = 5}, 22, 0},
	    {{.how = AIRTIME_LORA, .sf = 13, .cr = 5, .bandwidth = 125000}, 22,
	     0},
	    {{.how = AIRTIME_LORA, .sf = 7, .cr = 4, .bandwidth = 125000}, 22,
	     0},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++)
		if (airtime_us(&rows[i].a, rows[i].len) != rows[i].us)
			fail_msg("row %zu: %lld", i,
			    (long long)airtime_us(&rows[i].a, rows[i].len));
}

/* What a forecast reckons with: right for both kinds of packets. */
static void
fits(void **state)
{
	static const struct airtime rows[] = {
	    {.how = AIRTIME_BITS, .bitrate = 1200, .frame_us = 370000,
	     .frame_bytes = 4},
	    {.how = AIRTIME_BITS, .bitrate = 9600, .byte_bits = 10},
	    {.how = AIRTIME_LORA, .sf = 8, .cr = 5, .bandwidth = 125000},
	    {.how = AIRTIME_LORA, .sf = 11, .cr = 8, .bandwidth = 250000},
	};
	static const size_t sizes[] = {67, 100, 483};
	uint64_t bitrate;
	uint32_t frame_us, listens;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		airtime_fit(&rows[i], &bitrate, &frame_us);
		for (size_t k = 0; k < NELEM(sizes); k++) {
			double us = (double)airtime_us(&rows[i], sizes[k]);
			double fit = (double)sizes[k] * 8e6 / (double)bitrate +
			    frame_us;

			if (fit < us * 0.95 || fit > us * 1.05)
				fail_msg("row %zu, %zu bytes: %.0f for %.0f",
				    i, sizes[k], fit, us);
		}
	}
	/* a radio that listens first needs more time, none of it on the air */
	airtime_fit(&(struct airtime){.how = AIRTIME_LORA, .sf = 8, .cr = 5,
	    .bandwidth = 125000, .listen_us = 48000, .slot_us = 24000},
	    &bitrate, &listens);
	airtime_fit(&rows[2], &bitrate, &frame_us);
	assert_int_equal(listens, frame_us + 48000);
	airtime_fit(&(struct airtime){.how = AIRTIME_UNKNOWN}, &bitrate,
	    &frame_us);
	assert_int_equal(bitrate, 0);
	assert_int_equal(frame_us, 0);
}

/* What the parent tells of node.yaml. */
static void
settings(void **state)
{
	static const struct airq_conf a = {.duty = 10000, .window_us = 3600 *
	    SECOND, .announces = 25, .jobs = 50};
	static const struct airq_conf b = {.duty = 1, .window_us = 10 * SECOND,
	    .announces = 100, .jobs = 1};
	static const char *const bad[] = {"", "\n", "1 2 3 RNode\n",
	    "1 2 3 4 RNode", "1 2 3 101 RNode\n", "100001 2 3 4 RNode\n",
	    "99999999999999999999 2 3 4 RNode\n", "1 2 3 4RNode\n",
	    " 1 2 3 4 RNode\n", "-1 2 3 4 RNode\n", "1 2 3 4 RNode x\n"};
	static char text[AIRSET_BYTES];
	struct airq_conf c = {.announce_cap = 20};
	char name[500];
	size_t len = 0;

	(void)state;
	assert_true(airset_put(text, &len, "RNode", &a));
	assert_true(airset_put(text, &len, "RNode LoRa 2", &b));
	assert_false(airset_put(text, &len, "two\nlines", &a));
	assert_true(airset_find(text, len, "RNode LoRa 2", &c));
	assert_int_equal(c.duty, 1);
	assert_int_equal(c.window_us, b.window_us);
	assert_int_equal(c.announces, 100);
	assert_int_equal(c.jobs, 1);
	assert_int_equal(c.announce_cap, 20);
	assert_true(airset_find(text, len, "RNode", &c));
	assert_int_equal(c.duty, 10000);
	assert_false(airset_find(text, len, "RNod", &c));
	assert_false(airset_find(text, len, "", &c));
	for (size_t n = 0; n < len; n++)
		assert_false(airset_find(text, n, "RNode LoRa 2", &c));
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_false(airset_find(bad[i], strlen(bad[i]), "RNode", &c));
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_false(airset_put(text, &len, name, &a));
	while (airset_put(text, &len, "another one", &a))
		;
	assert_true(len <= sizeof(text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(airtimes),
	    cmocka_unit_test(fits),
	    cmocka_unit_test(settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
