/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/mistake.h"
#include "node/config/nodeconf.h"

/* image_serve of node.yaml. */

static struct mistakes m;
static struct node_config *c;

static bool
reads(const char *text)
{
	char all[200];

	node_config_free(c);
	c = NULL;
	memset(&m, 0, sizeof(m));
	(void)snprintf(all, sizeof(all), "%s", text);
	return node_config_parse(&c, all, strlen(all), &m) == 0;
}

static void
test_reads(void **state)
{
	(void)state;
	assert_true(reads(""));
	assert_false(c->handout.on);
	assert_true(reads("image_serve: null\n"));
	assert_false(c->handout.on);
	assert_true(reads("image_serve: {}\n"));
	assert_true(c->handout.on);
	assert_int_equal(c->handout.level, 2);
	assert_int_equal(c->handout.per_day, 1 << 30);
	assert_true(reads("image_serve: {level: 0, per_day: 64KB}\n"));
	assert_int_equal(c->handout.level, 0);
	assert_int_equal(c->handout.per_day, 65536);
}

static void
test_mistakes(void **state)
{
	static const char *const bad[] = {"image_serve: true\n",
	    "image_serve: {level: 4}\n", "image_serve: {level: -1}\n",
	    "image_serve: {per_day: 1KB}\n", "image_serve: {per_day: x}\n",
	    "image_serve: {images: [a]}\n", "image_serves: {}\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(reads(bad[i]));
		assert_true(mistakes_count(&m) > 0);
	}
	node_config_free(c);
	c = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads),
	    cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
