/* SPDX-License-Identifier: BSD-2-Clause */
/* What waits for a line, and what is said of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/vec.h"
#include "transport/engine/lineq.h"
#include "transport/engine/linesaid.h"

static const struct mono now = {1};

static bool
put(struct lineq *q, uint32_t number, size_t len)
{
	uint8_t *p = vec_alloc(len);
	struct rns_tx tx = {.data = p, .len = len};

	memset(p, 'x', len);
	memcpy(p, &number, sizeof(number));
	return lineq_put(q, &tx, now);
}

static size_t
get(struct lineq *q, uint32_t number)
{
	const uint8_t *p;
	uint32_t is;
	size_t len;

	if (!lineq_next(q, &p, &len, now))
		return 0;
	memcpy(&is, p, sizeof(is));
	assert_int_equal(is, number);
	return len;
}

static void
order(void **state)
{
	struct lineq *q = lineq_new();
	uint32_t in = 0, out = 0;
	size_t waiting = 0, bytes;

	(void)state;
	assert_non_null(q);
	assert_int_equal(lineq_due(q, now).us, MONO_NEVER.us);
	assert_int_equal(get(q, 0), 0);
	/* it fills, and room is there again as packets go: for a long time */
	for (unsigned turn = 0; turn < 2000; turn++) {
		size_t len = 20 + turn * 7 % 500;

		while (put(q, in, len)) {
			in++;
			waiting += len;
		}
		assert_true(waiting > LINEQ_BYTES / 2);
		assert_int_equal(lineq_waiting(q), waiting);
		assert_int_equal(lineq_due(q, now).us, now.us);
		for (unsigned i = 0; i <= turn % 9 && out < in; i++)
			waiting -= get(q, out++);
	}
	assert_int_equal(lineq_clear(q, &bytes), in - out);
	assert_int_equal(bytes, waiting);
	assert_int_equal(lineq_waiting(q), 0);
	assert_int_equal(get(q, 0), 0);
	assert_true(put(q, 7, 4));
	assert_int_equal(get(q, 7), 4);
	lineq_free(q);
}

static void
sizes(void **state)
{
	static const uint8_t all[70000];
	struct lineq *q = lineq_new();
	struct rns_tx tx = {.data = all};

	(void)state;
	assert_false(lineq_put(q, &tx, now));
	tx.len = LINEQ_BYTES;
	assert_false(lineq_put(q, &tx, now));
	tx.len = sizeof(all);
	assert_false(lineq_put(q, &tx, now));
	tx.len = LINEQ_BYTES - 2;
	assert_true(lineq_put(q, &tx, now));
	assert_false(put(q, 1, 4));
	lineq_free(q);
}

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(sizes),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
