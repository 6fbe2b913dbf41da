/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "transport/engine/linesaid.h"

/* The same words once in ten minutes, and how often it was. */
static void
words(void **state)
{
	struct linesaid s = {0};
	struct mono t = {1};
	unsigned more, said = 0;
	char text[32];

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		said += linesaid_new(&s, "it is gone", t, &more);
		said += linesaid_new(&s, "it is back", t, &more);
		t = mono_add(t, 2 * MONO_SECOND);
	}
	assert_int_equal(said, 2);
	t = mono_add((struct mono){1}, LINESAID_US);
	assert_true(linesaid_new(&s, "it is gone", t, &more));
	assert_int_equal(more, 199);
	assert_false(linesaid_new(&s, "it is gone", t, &more));
	/* more texts than it keeps: the oldest is forgotten, said again */
	for (char c = 'a'; c < 'a' + LINESAID_TEXTS; c++) {
		t = mono_add(t, 1);
		(void)snprintf(text, sizeof(text), "%c", c);
		assert_true(linesaid_new(&s, text, t, &more));
		assert_int_equal(more, 0);
	}
	assert_true(linesaid_new(&s, "it is gone", t, &more));
	assert_false(linesaid_new(&s, text, t, &more));
}

/* Words that a device chooses: so many in ten minutes, and it ends. */
static void
flood(void **state)
{
	struct linesaid s = {0};
	struct mono t = {1};
	unsigned more, said = 0, other = 0;
	char text[32];

	(void)state;
	for (unsigned i = 0; i < 60000; i++) { /* each 10 ms, ten minutes */
		(void)snprintf(text, sizeof(text), "error %u", i);
		said += linesaid_new(&s, text, t, &more);
		t = mono_add(t, LINESAID_US / 60000);
	}
	assert_int_equal(said, LINESAID_MOST);
	assert_true(linesaid_new(&s, "and now this", t, &more));
	/* with good and bad taking turns, no more than one of each a minute */
	memset(&s, 0, sizeof(s));
	for (unsigned i = 0; i < 60000; i++) {
		(void)snprintf(text, sizeof(text), "error %u", i);
		other += linesaid_trouble(&s, text, t, &more);
		(void)snprintf(text, sizeof(text), "open as %u", i);
		other += linesaid_over(&s, text, t);
		t = mono_add(t, LINESAID_US / 60000);
	}
	assert_in_range(other, LINESAID_MOST, LINESAID_MOST + 2 * 10);
}

/* The log's last word is not "open" for long when it is not. */
static void
last_word(void **state)
{
	struct linesaid s = {0};
	struct mono t = {1};
	unsigned more;

	(void)state;
	assert_true(linesaid_trouble(&s, "gone", t, &more));
	assert_false(linesaid_trouble(&s, "gone", t, &more));
	t = mono_add(t, LINESAID_STANDS_US);
	/* what the log says is so */
	assert_false(linesaid_trouble(&s, "gone", t, &more));
	assert_true(linesaid_over(&s, "open", t));
	t = mono_add(t, LINESAID_STANDS_US - 1);
	assert_false(linesaid_trouble(&s, "gone", t, &more));
	t = mono_add(t, 1);
	assert_true(linesaid_trouble(&s, "gone", t, &more));
	assert_false(linesaid_trouble(&s, "gone", t, &more));
	/* and trouble is not the last word of what is open, at once */
	assert_true(linesaid_over(&s, "open", t));
	assert_false(linesaid_over(&s, "open", t));
	/* other words of it are said whenever they come */
	assert_true(linesaid_trouble(&s, "busy", t, &more));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(flood),
		cmocka_unit_test(last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
