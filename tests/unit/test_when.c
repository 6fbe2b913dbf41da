/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/config/nodeconf.h"
#include "node/work/when.h"
#include "common/util.h"

#define MONDAY 1784505600 /* Mon 2026-07-20, 00:00 UTC */
#define AT(day, hour, minute) \
	((uint32_t)(MONDAY + (day) * 86400 + (hour) * 3600 + (minute) * 60))

static struct when_facts
facts(void)
{
	return (struct when_facts){.known = true, .mains = true,
	    .memory_free = UINT64_C(1) << 40};
}

static struct when_answer
decide(const struct when_conf *w, const struct when_facts *f, uint32_t at)
{
	struct when_answer a;

	when_decide(&a, w, f, at);
	assert_true(a.open == (a.why[0] == '\0'));
	assert_true(a.open == (a.s == 0));
	return a;
}

static void
test_hours(void **state)
{
	struct when_conf w = {.set = true, .days = WHEN_ALL_DAYS, .nhours = 1,
	    .hours = {{18 * 60, 8 * 60}}};
	const struct when_facts f = facts();

	(void)state;
	assert_false(decide(&w, &f, AT(0, 8, 0)).open);
	assert_int_equal(decide(&w, &f, AT(0, 8, 0)).s, 10 * 3600);
	assert_non_null(strstr(decide(&w, &f, AT(0, 8, 30)).why,
	    "at 18:00 local time, in 9 h 30 min"));
	assert_true(decide(&w, &f, AT(0, 18, 0)).open);
	assert_int_equal(decide(&w, &f, AT(0, 18, 0)).next, 14 * 3600);
	assert_true(decide(&w, &f, AT(1, 0, 0)).open);
	assert_true(decide(&w, &f, AT(1, 7, 59)).open);
	assert_int_equal(decide(&w, &f, AT(1, 7, 59)).next, 60);
	/* two of them; whole days; one minute */
	w.nhours = 2;
	w.hours[1] = (struct when_hours){12 * 60, 12 * 60 + 1};
	assert_true(decide(&w, &f, AT(0, 12, 0)).open);
	assert_int_equal(decide(&w, &f, AT(0, 12, 1)).s, 6 * 3600 - 60);
	w.nhours = 1;
	w.hours[0] = (struct when_hours){300, 300};
	assert_true(decide(&w, &f, AT(0, 4, 0)).open);
	/* nothing set: always */
	w.set = false;
	assert_true(decide(&w, &(struct when_facts){0}, 0).open);
}

static void
test_days(void **state)
{
	/* Friday's hours end on Saturday morning */
	struct when_conf w = {.set = true, .days = 1 << 4, .nhours = 1,
	    .hours = {{22 * 60, 6 * 60}}};
	const struct when_facts f = facts();

	(void)state;
	assert_false(decide(&w, &f, AT(4, 5, 0)).open);
	assert_int_equal(decide(&w, &f, AT(4, 5, 0)).s, 17 * 3600);
	assert_true(decide(&w, &f, AT(4, 23, 0)).open);
	assert_true(decide(&w, &f, AT(5, 5, 59)).open);
	assert_false(decide(&w, &f, AT(5, 6, 0)).open);
	assert_false(decide(&w, &f, AT(5, 23, 0)).open);
	assert_int_equal(decide(&w, &f, AT(5, 6, 0)).s,
	    6 * 86400 + 16 * 3600);
	/* weekends, whole days */
	w.days = 3 << 5;
	w.nhours = 0;
	assert_int_equal(decide(&w, &f, AT(0, 0, 0)).s, 5 * 86400);
	assert_false(decide(&w, &f, AT(4, 23, 59)).open);
	assert_true(decide(&w, &f, AT(5, 0, 0)).open);
	assert_true(decide(&w, &f, AT(6, 23, 59)).open);
	assert_false(decide(&w, &f, AT(7, 0, 0)).open);
}

/* Berlin: 2026-10-25, 03:00 becomes 02:00; 2027-03-28, 02:00 becomes 03:00. */
static void
test_clock_change(void **state)
{
	const uint32_t autumn = 1792890000, spring = 1806195600;
	struct when_conf w = {.set = true, .days = WHEN_ALL_DAYS, .nhours = 1,
	    .hours = {{150, 180}}}; /* 02:30-03:00 */
	struct when_facts f = facts();

	(void)state;
	f.offset_s = 7200;
	f.next_at = autumn;
	f.next_offset_s = 3600;
	/* comes twice */
	assert_true(decide(&w, &f, autumn - 1800).open);
	assert_true(decide(&w, &f, autumn - 1).open);
	assert_false(decide(&w, &f, autumn).open);
	assert_int_equal(decide(&w, &f, autumn).s, 1800);
	assert_true(decide(&w, &f, autumn + 1800).open);
	assert_false(decide(&w, &f, autumn + 3600).open);
	/* the day before it, across the change */
	w.hours[0] = (struct when_hours){18 * 60, 20 * 60};
	assert_int_equal(decide(&w, &f, autumn - 3600).s, 17 * 3600);
	assert_non_null(strstr(decide(&w, &f, autumn - 3600).why, "18:00"));
	/* is not there */
	w.hours[0] = (struct when_hours){150, 180};
	f = facts();
	f.offset_s = 3600;
	f.next_at = spring;
	f.next_offset_s = 7200;
	assert_false(decide(&w, &f, spring - 1).open);
	assert_false(decide(&w, &f, spring).open);
	assert_true(decide(&w, &f, spring + 86400 - 1800).open);
	/* hours around it are an hour shorter */
	w.hours[0] = (struct when_hours){60, 240};
	assert_true(decide(&w, &f, spring - 3600).open);
	assert_true(decide(&w, &f, spring + 3599).open);
	assert_false(decide(&w, &f, spring + 3600).open);
}

static void
test_measured(void **state)
{
	struct when_conf w = {.set = true, .days = WHEN_ALL_DAYS,
	    .load_milli = 1500, .on_mains = true,
	    .memory_free = UINT64_C(2) << 30};
	struct when_facts f = facts();
	struct when_answer a;

	(void)state;
	assert_true(decide(&w, &f, 5).open);
	f.busy_milli = 1500;
	a = decide(&w, &f, 5);
	assert_true(!a.open && a.measured && a.s == WHEN_AGAIN_S);
	assert_string_equal(a.why, "others keep 1.50 cores of this machine "
	    "busy, it is lent below 1.50");
	f.busy_milli = 1499;
	assert_true(decide(&w, &f, 5).open);
	f.mains = false;
	assert_non_null(strstr(decide(&w, &f, 5).why, "battery"));
	f.mains = true;
	f.memory_free = (UINT64_C(2) << 30) - 1;
	assert_non_null(strstr(decide(&w, &f, 5).why, "2047 MiB"));
	f.known = false;
	assert_true(decide(&w, &f, 5).measured);
}

/* ---- node.yaml ---- */

static void
test_parse(void **state)
{
	static const char text[] = "compute_when:\n  hours: [\"18:00-08:00\", "
	    "\"12:00-24:00\"]\n  days: [sat, mon]\n  load_below: 1.5\n"
	    "  on_mains: true\n  memory_free: 2GB\n  running: give_back\n";
	struct node_config *c;
	struct mistakes m = {0};

	(void)state;
	assert_int_equal(node_config_parse(&c, text, sizeof(text) - 1, &m), 0);
	assert_true(c->when.set && c->when.on_mains);
	assert_int_equal(c->when.nhours, 2);
	assert_int_equal(c->when.hours[0].from, 1080);
	assert_int_equal(c->when.hours[0].to, 480);
	assert_int_equal(c->when.hours[1].to, 0);
	assert_int_equal(c->when.days, 1 | 1 << 5);
	assert_int_equal(c->when.load_milli, 1500);
	assert_int_equal(c->when.memory_free, UINT64_C(2) << 30);
	assert_int_equal(c->when.running, WHEN_GIVE_BACK);
	node_config_free(c);
	assert_int_equal(node_config_parse(&c, "", 0, &m), 0);
	assert_false(c->when.set);
	node_config_free(c);
}

static void
test_mistakes(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
	    {"hours: 18-8", "no hours"}, {"hours: \"18:00\"", "no hours"},
	    {"hours: \"24:00-08:00\"", "no hours"},
	    {"hours: \"18:60-08:00\"", "no hours"},
	    {"hours: \"18:00-24:01\"", "no hours"},
	    {"hours: \"1:00-2:00\"", "no hours"},
	    {"hours: {a: b}", "compute_when.hours"},
	    {"days: [monday]", "monday"}, {"days: []", "no day"},
	    {"days: mon", "compute_when.days"}, {"load_below: 0", "load_below"},
	    {"on_mains: maybe", "on_mains"}, {"memory_free: x", "memory_free"},
	    {"running: kill", "kill"}, {"nights: true", "nights"}};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct node_config *c = NULL;
		struct mistakes m = {0};
		char text[100];
		int n = snprintf(text, sizeof(text), "name: x\ncompute_when:\n"
		    "  %s\n", cases[i].line);

		assert_int_equal(node_config_parse(&c, text, (size_t)n, &m),
		    -1);
		assert_int_equal(m.n, 1);
		assert_int_equal(m.v[0].line, 3);
		if (strstr(m.v[0].text, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].line, m.v[0].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hours),
	    cmocka_unit_test(test_days),
	    cmocka_unit_test(test_clock_change),
	    cmocka_unit_test(test_measured),
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
