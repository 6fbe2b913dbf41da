/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/units.h"
#include "common/util.h"

static void
sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {{"0", 0}, {"4096", 4096}, {"5B", 5}, {"64kB", 65536},
	    {"64KB", 65536}, {"64KiB", 65536}, {"5MB", 5u << 20},
	    {"256MB", 256u << 20}, {"1GB", 1u << 30}, {"1GiB", 1u << 30},
	    {"1.5kB", 1536}, {"0.001kB", 1}, {"2TB", 2ull << 40},
	    {"16777214TB", 16777214ull << 40}};
	static const char *const bad[] = {"", "MB", "5 MB", "-1", "+1", "1e3",
	    "5mb", "5M", "1.5", "1.5B", "1.kB", ".5kB", "1.2345kB", "0x10",
	    "5MBs", "16777216TB", "99999999999999999999", "18446744073709551616",
	    "18446744073709551kB"};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++) {
		assert_true(units_size(good[i].text, &v));
		assert_int_equal(v, good[i].bytes);
	}
	for (size_t i = 0; i < NELEM(bad); i++)
		if (units_size(bad[i], &v))
			fail_msg("%s is no size", bad[i]);
}

static void
times(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {{"0", 0}, {"0s", 0}, {"500ms", 500}, {"60s", 60000},
	    {"10m", 600000}, {"24h", 86400000}, {"7d", 604800000},
	    {"1.5h", 5400000}, {"0.25s", 250}};
	static const char *const bad[] = {"", "60", "s", "10 m", "1w", "-1s",
	    "10M", "1.2345s", "99999999999999999999d", "213503982335d"};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++) {
		assert_true(units_time_ms(good[i].text, &v));
		assert_int_equal(v, good[i].ms);
	}
	for (size_t i = 0; i < NELEM(bad); i++)
		if (units_time_ms(bad[i], &v))
			fail_msg("%s is no time", bad[i]);
}

static void
cores(void **state)
{
	static const struct {
		const char *text;
		uint32_t milli;
	} good[] = {{"0.5", 500}, {"1", 1000}, {"2.0", 2000}, {"0.001", 1},
	    {"64", 64000}};
	static const char *const bad[] = {"", "0", "0.0", "0.0001", "-1", "1.",
	    "50%", "500m", "4294968"};
	uint32_t v;

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++) {
		assert_true(units_cpu_milli(good[i].text, &v));
		assert_int_equal(v, good[i].milli);
	}
	for (size_t i = 0; i < NELEM(bad); i++)
		if (units_cpu_milli(bad[i], &v))
			fail_msg("%s is no share", bad[i]);
}

static void
texts(void **state)
{
	static const uint64_t values[] = {0, 1, 1000, 1024, 1536, 5u << 20,
	    1u << 30, 3ull << 40, 1234567};
	char s[32];
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < NELEM(values); i++) {
		units_size_text(s, sizeof(s), values[i]);
		assert_true(units_size(s, &v));
		assert_int_equal(v, values[i]);
		units_time_text(s, sizeof(s), values[i]);
		assert_true(units_time_ms(s, &v));
		assert_int_equal(v, values[i]);
	}
	units_time_text(s, sizeof(s), 5400000);
	assert_string_equal(s, "90m");
	units_size_text(s, sizeof(s), 5u << 20);
	assert_string_equal(s, "5MB");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(times),
	    cmocka_unit_test(cores),
	    cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
