/* SPDX-License-Identifier: BSD-2-Clause */
/* `warren reload` of several at once: whose answer is whose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "transport/engine/engine.h"
#include "transport/engine/reload.h"

static struct engine e;
static uint32_t sent; /* the parent was asked last */
static unsigned sends;
static bool cannot_send;

int
program_send_RELOAD(const struct process *p, const struct msg_RELOAD *m,
    const int *fds, unsigned nfds)
{
	(void)p;
	(void)fds;
	(void)nfds;
	if (cannot_send)
		return -1;
	sends++;
	sent = m->seq;
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	reload_clear(&e);
	memset(&e, 0, sizeof(e));
	sent = sends = 0;
	cannot_send = false;
	return 0;
}

static void
says(uint32_t seq, const char *text)
{
	struct msg_RELOAD_SAID m = {.seq = seq, .kind = RELOAD_CHANGED};

	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	reload_said(&e, &m);
}

static bool
ends(uint32_t seq, bool ok)
{
	struct msg_RELOAD_END m = {.seq = seq, .ok = ok};

	return reload_end(&e, &m);
}

/* The answer of "reload": its number. */
static uint32_t
ask(void)
{
	struct view v = {.e = &e};
	bool end;
	json_t *o = reload_next(&v, &end);
	uint32_t seq = (uint32_t)json_integer_value(json_object_get(o, "seq"));

	assert_true(end);
	json_decref(o);
	return seq;
}

/* "reloaded": whether it is done; of what was said, the words. */
static bool
look(uint32_t seq, const char *said, bool ok)
{
	struct view v = {.e = &e, .seq = seq};
	char all[200] = "";
	bool end = false, done = false;

	while (!end) {
		json_t *o = reloaded_next(&v, &end);

		if (!end)
			(void)snprintf(all + strlen(all), sizeof(all) -
			    strlen(all), "%s;", json_string_value(
			    json_object_get(o, "text")));
		done = json_is_true(json_object_get(o, "done"));
		if (done)
			assert_int_equal(json_is_true(json_object_get(o,
			    "changed")), ok);
		json_decref(o);
	}
	assert_string_equal(all, done ? said : "");
	return done;
}

static void
test_alone(void **state)
{
	uint32_t a = ask();

	(void)state;
	assert_int_equal(a, sent);
	assert_false(look(a, "", false));
	says(a, "one");
	assert_false(look(a, "", false)); /* nothing before it is whole */
	assert_false(ends(a + 1, true));
	assert_true(ends(a, true));
	assert_false(ends(a, false)); /* a second time */
	says(a, "late");
	assert_true(look(a, "one;", true));
	assert_true(reload_again(&e));
	assert_int_equal(sends, 1);
}

/* The parent may have read the files: who comes meanwhile is read anew. */
static void
test_meanwhile(void **state)
{
	uint32_t a = ask(), b, c;

	(void)state;
	says(a, "of a");
	b = ask();
	c = ask();
	assert_int_equal(b, a + 1);
	assert_int_equal(c, b); /* one more is enough for both */
	assert_int_equal(sends, 1);
	assert_true(ends(a, true));
	assert_true(reload_again(&e));
	assert_int_equal(sent, b);
	assert_true(look(a, "of a;", true));
	assert_false(look(b, "", false));
	says(b, "of b");
	assert_true(look(a, "of a;", true)); /* is kept until b's is whole */
	assert_true(ends(b, false));
	assert_true(look(b, "of b;", false));
	assert_true(reload_again(&e));
	assert_int_equal(sends, 2);
}

/* Who asks when a's is there, and not fetched yet, takes nothing away. */
static void
test_behind(void **state)
{
	uint32_t a = ask();

	(void)state;
	says(a, "of a");
	assert_true(ends(a, true));
	assert_true(reload_again(&e));
	assert_int_equal(ask(), a + 1);
	assert_true(look(a, "of a;", true));
}

/* Another answer between two lines: the asker looks again. */
static void
test_between(void **state)
{
	uint32_t a = ask();
	struct view v = {.e = &e, .seq = a};
	json_t *o;
	bool end;

	(void)state;
	says(a, "one");
	says(a, "two");
	assert_true(ends(a, true));
	o = reloaded_next(&v, &end);
	assert_false(end);
	json_decref(o);
	(void)ask();
	says(sent, "other");
	assert_true(ends(sent, true));
	o = reloaded_next(&v, &end);
	assert_true(end);
	assert_true(json_is_false(json_object_get(o, "done")));
	json_decref(o);
	assert_true(look(a, "other;", true)); /* a later one, of newer files */
}

static void
test_cannot(void **state)
{
	uint32_t a, b;

	(void)state;
	cannot_send = true;
	a = ask();
	assert_true(look(a, "", false));
	cannot_send = false;
	a = ask();
	b = ask();
	cannot_send = true;
	assert_true(ends(a, true));
	assert_false(reload_again(&e));
	assert_true(look(b, "", false));
}

static void
test_wrap(void **state)
{
	uint32_t a, b;

	(void)state;
	e.reload.seq = e.reload.last = UINT32_MAX - 1;
	a = ask();
	b = ask();
	assert_int_equal(a, UINT32_MAX);
	assert_int_equal(b, 1);
	assert_true(ends(a, true));
	assert_true(look(a, "", true));
	assert_false(look(b, "", true));
	assert_true(reload_again(&e));
	assert_int_equal(sent, 1);
	assert_true(ends(b, true));
	assert_true(look(b, "", true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_alone, fresh),
	    cmocka_unit_test_setup(test_meanwhile, fresh),
	    cmocka_unit_test_setup(test_behind, fresh),
	    cmocka_unit_test_setup(test_between, fresh),
	    cmocka_unit_test_setup(test_cannot, fresh),
	    cmocka_unit_test_setup_teardown(test_wrap, fresh, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
