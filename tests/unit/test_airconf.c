/* SPDX-License-Identifier: BSD-2-Clause */
/* `airtime` of node.yaml. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "node/config/nodeconf.h"

static void
read_whole(void **state)
{
	static const char text[] = "airtime:\n  RNode LoRa:\n"
	    "    duty_cycle: 10%\n  \"[x] y\": {duty_cycle: 0.125%, window: "
	    "10m, announces: 5, jobs: 0.5%}\n  all: {duty_cycle: 100}\n";
	struct node_config *c;
	struct mistakes m = {0};

	(void)state;
	assert_int_equal(node_config_parse(&c, text, sizeof(text) - 1, &m), 0);
	assert_int_equal(c->nair, 3);
	assert_string_equal(c->air[0].name, "RNode LoRa");
	assert_int_equal(c->air[0].line, 2);
	assert_int_equal(c->air[0].duty, 10000);
	assert_int_equal(c->air[0].window_ms, 3600000);
	assert_int_equal(c->air[0].announces, 25);
	assert_int_equal(c->air[0].jobs, 50);
	assert_string_equal(c->air[1].name, "[x] y");
	assert_int_equal(c->air[1].duty, 125);
	assert_int_equal(c->air[1].window_ms, 600000);
	assert_int_equal(c->air[1].announces, 5);
	assert_int_equal(c->air[1].jobs, 1);
	assert_int_equal(c->air[2].duty, 100000);
	node_config_free(c);
	assert_int_equal(node_config_parse(&c, "airtime:\n", 9, &m), 0);
	assert_int_equal(c->nair, 0);
	node_config_free(c);
}

static void
mistakes(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
	    {"R: {duty_cycle: 0}", "duty_cycle \"0\" is no share"},
	    {"R: {duty_cycle: 101%}", "no share"},
	    {"R: {duty_cycle: 100.001}", "no share"},
	    {"R: {duty_cycle: .5%}", "no share"},
	    {"R: {duty_cycle: 5.%}", "no share"},
	    {"R: {duty_cycle: 1.0001%}", "no share"},
	    {"R: {duty_cycle: 1.2.3}", "no share"},
	    {"R: {duty_cycle: -1%}", "no share"},
	    {"R: {duty_cycle: 1 %}", "no share"},
	    {"R: {duty_cycle: 9999999999999}", "no share"},
	    {"R: {duty_cycle: 1%, jobs: x}", "jobs \"x\" is no share"},
	    {"R: {duty_cycle: 1%, announces: 0%}", "announces \"0%\""},
	    {"R: {duty_cycle: 1%, window: 5s}", "window"},
	    {"R: {duty_cycle: 1%, window: 2d}", "window"},
	    {"R: {duty_cycle: 1%, dutycycle: 2%}", "dutycycle"},
	    {"R: {window: 1h}", "has no duty_cycle"},
	    {"R: 10%", "R"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct node_config *c = NULL;
		struct mistakes m = {0};
		char text[120];
		int n = snprintf(text, sizeof(text), "airtime:\n  %s\n",
		    rows[i].line);

		assert_int_equal(node_config_parse(&c, text, (size_t)n, &m),
		    -1);
		assert_int_equal(m.n, 1);
		assert_int_equal(m.v[0].line, 2);
		if (strstr(m.v[0].text, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].line, m.v[0].text);
	}
}

static void
too_many(void **state)
{
	struct node_config *c = NULL;
	struct mistakes m = {0};
	char text[4096];
	size_t n = (size_t)snprintf(text, sizeof(text), "airtime:\n");

	(void)state;
	for (unsigned i = 0; i <= AIR_CONF_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "  r%u: {duty_cycle: 1%%}\n", i);
	assert_int_equal(node_config_parse(&c, text, n, &m), -1);
	assert_non_null(strstr(m.v[0].text, "more than"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(read_whole),
	    cmocka_unit_test(mistakes),
	    cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
