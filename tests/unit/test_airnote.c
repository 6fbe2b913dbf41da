/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person reads of airtime. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "node/cli/airnote.h"

static json_t *
parse(const char *text)
{
	json_error_t e;
	json_t *o = json_loads(text, 0, &e);

	if (o == NULL)
		fail_msg("%s", e.text);
	return o;
}

static void
limited(void **state)
{
	json_t *o = parse("{\"airtime\": {\"window_s\": 3600, \"limit_ms\": "
	    "360000, \"used_ms\": 36000, \"announces_ms\": 3600, \"jobs_ms\": "
	    "18000, \"next_ms\": 4210, \"classes\": [{\"kind\": \"control\", "
	    "\"waiting\": 0}, {\"kind\": \"relay\", \"waiting\": 3, "
	    "\"waiting_bytes\": 1200, \"why\": \"the duty cycle is used up\", "
	    "\"next_ms\": 130000}, {\"kind\": \"jobs\", \"waiting\": 1, "
	    "\"waiting_bytes\": 500, \"why\": \"others go first\", "
	    "\"next_ms\": 0}]}}");
	char text[300];

	(void)state;
	assert_true(airnote(o, 0, text, sizeof(text)));
	assert_string_equal(text, "sent 1.00 % of the last 60 min, of 10.00 % that "
	    "it may (announces 0.10 %, jobs 0.50 %); next in 4.2 s");
	assert_true(airnote(o, 1, text, sizeof(text)));
	assert_string_equal(text, "3 of relay wait (1200 bytes): the duty "
	    "cycle is used up, in 2 min");
	assert_true(airnote(o, 2, text, sizeof(text)));
	assert_string_equal(text, "1 of jobs wait (500 bytes): others go "
	    "first, now");
	assert_false(airnote(o, 3, text, sizeof(text)));
	json_decref(o);
}

static void
without(void **state)
{
	json_t *o = parse("{\"airtime\": {\"next_ms\": null, \"classes\": ["
	    "{\"kind\": \"relay\", \"waiting\": 1, \"waiting_bytes\": 9, "
	    "\"why\": \"the device is busy\", \"next_ms\": null}]}}");
	json_t *none = parse("{\"name\": \"x\"}");
	char text[300];

	(void)state;
	assert_true(airnote(o, 0, text, sizeof(text)));
	assert_string_equal(text, "1 of relay wait (9 bytes): the device is "
	    "busy");
	assert_false(airnote(o, 1, text, sizeof(text)));
	assert_false(airnote(none, 0, text, sizeof(text)));
	json_decref(o);
	json_decref(none);
}

static void
explained(void **state)
{
	json_t *o = parse("{\"interface\": \"RNode\", \"waiting\": 2, "
	    "\"why\": \"others go first\", \"next_ms\": 999}");
	char text[300];

	(void)state;
	airnote_waits(o, text, sizeof(text));
	assert_string_equal(text, "2 on RNode: others go first, in 1.0 s");
	json_decref(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(limited),
	    cmocka_unit_test(without),
	    cmocka_unit_test(explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
