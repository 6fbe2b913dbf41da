/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "node/parent/facts.h"

static char dir[64];
static int root;

static void
put(const char *name, const char *text)
{
	char path[160], *slash;

	for (const char *p = name; (slash = strchr(p, '/')) != NULL;
	    p = slash + 1) {
		(void)snprintf(path, sizeof(path), "%.*s", (int)(slash - name),
		    name);
		(void)mkdirat(root, path, 0700);
	}
	{
		int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		assert_true(fd >= 0);
		assert_int_equal(write_full(fd, text, strlen(text)), 0);
		(void)close(fd);
	}
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/warren-facts-XXXXXX");
	assert_non_null(mkdtemp(dir));
	root = open(dir, O_RDONLY | O_DIRECTORY);
	return root < 0;
}

static int
remove_one(const char *path, const struct stat *st, int what, struct FTW *f)
{
	(void)st;
	(void)what;
	(void)f;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(root);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
stat_is(unsigned user, unsigned idle)
{
	char text[160];
	long hz = sysconf(_SC_CLK_TCK);

	(void)snprintf(text, sizeof(text), "cpu  %ld 0 0 %ld 0 0 0 0 0 0\n"
	    "cpu0 1 2 3\n", user * hz, idle * hz);
	put("proc/stat", text);
}

static void
test_busy(void **state)
{
	struct facts f = {0};
	struct msg_FACTS m;

	(void)state;
	/* nothing can be read: nothing is lent */
	facts_measure(&f, &m, root, 0, false, 0, 0);
	assert_int_equal(m.busy_milli, UINT32_MAX);
	assert_int_equal(m.memory_free, 0);
	put("proc/loadavg", "1.25 0.90 0.80 2/300 1234\n");
	put("proc/meminfo", "MemTotal:  100 kB\nMemFree: 1 kB\n"
	    "MemAvailable:    2048 kB\n");
	stat_is(100, 5000);
	facts_measure(&f, &m, root, 1000000, true, 0, 4096);
	assert_int_equal(m.busy_milli, 1250);
	assert_int_equal(m.memory_free, 2048 * 1024 + 4096);
	/* 15 s of cpu time in 10 s, 4 of them the jobs' */
	stat_is(115, 5005);
	facts_measure(&f, &m, root, 11000000, true, 4000000, 0);
	assert_int_equal(m.busy_milli, 1500);
	assert_true(m.jobs_known);
	assert_int_equal(m.jobs_milli, 400);
	/* a mean of the last minute and no more */
	for (unsigned i = 2; i <= 10; i++) {
		stat_is(115 + i, 6000);
		facts_measure(&f, &m, root, (int64_t)(10 * i + 1) * 1000000,
		    false, 0, 0);
	}
	assert_int_equal(m.busy_milli, 100);
	assert_false(m.jobs_known);
	/* counters that begin anew are no load */
	stat_is(1, 1);
	facts_measure(&f, &m, root, 120000000, false, 0, 0);
	assert_int_equal(m.busy_milli, 0);
	put("proc/stat", "cpu  1 2\n");
	facts_measure(&f, &m, root, 130000000, false, 0, 0);
	assert_int_equal(m.busy_milli, UINT32_MAX);
}

static bool
mains(void)
{
	struct facts f = {0};
	struct msg_FACTS m;

	facts_measure(&f, &m, root, 0, false, 0, 0);
	return m.mains;
}

static void
test_mains(void **state)
{
	(void)state;
	assert_true(mains()); /* neither */
	put("sys/class/power_supply/mouse/type", "Battery\n");
	put("sys/class/power_supply/mouse/scope", "Device\n");
	put("sys/class/power_supply/mouse/status", "Discharging\n");
	assert_true(mains());
	put("sys/class/power_supply/BAT0/type", "Battery\n");
	put("sys/class/power_supply/BAT0/status", "Full\n");
	assert_true(mains());
	put("sys/class/power_supply/BAT0/status", "Discharging\n");
	assert_false(mains());
	put("sys/class/power_supply/AC/type", "Mains\n");
	put("sys/class/power_supply/AC/online", "0\n");
	assert_false(mains());
	put("sys/class/power_supply/BAT0/status", "Not charging\n");
	assert_false(mains());
	put("sys/class/power_supply/AC/online", "1\n");
	assert_true(mains());
}

static void
test_zone(void **state)
{
	struct msg_FACTS m;

	(void)state;
	/* as Berlin has it, without the machine's tables */
	assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	facts_zone(&m, 1784505600);
	assert_int_equal(m.offset_s, 7200);
	assert_int_equal(m.next_at, 0);
	facts_zone(&m, 1792890000 - 5 * 86400);
	assert_int_equal(m.offset_s, 7200);
	assert_int_equal(m.next_at, 1792890000);
	assert_int_equal(m.next_offset_s, 3600);
	facts_zone(&m, 1792890000 - 1);
	assert_int_equal(m.next_at, 1792890000);
	facts_zone(&m, 1792890000);
	assert_int_equal(m.offset_s, 3600);
	assert_int_equal(m.next_at, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_mains, setup, teardown),
	    cmocka_unit_test(test_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
