/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a job is that goes by letter: kept, read back, said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/util.h"
#include "node/cli/mailway.h"
#include "tests/unit/cli_capture.h"
#include "tests/unit/vec.h"

#define NOW 1700000000

static struct person person;
static const char *top;
static const struct id32 job = {{7}};
static const struct hash16 dest = {{8}};

static struct mailway
example(void)
{
	struct mailway w = {.step = MAILWAY_WAITS, .by_node = true, .to = 1,
	    .nvia = 2, .via = {{{1}}, {{2}}}, .since = NOW, .at = NOW + 5,
	    .next = NOW + 60, .direct = {1, "it is not there"},
	    .tried = {{3, "no path"}, {0, ""}}, .looks = 4, .looked = NOW + 3};

	return w;
}

static int
set_up(void **state)
{
	(void)state;
	top = temp_dir();
	person.dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return person.dir < 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)close(person.dir);
	temp_remove(top);
	return 0;
}

static void
kept(void **state)
{
	const struct id32 other = {{9}};
	struct mailway w, r;

	(void)state;
	assert_false(mailway_get(&person, &job, &r));
	person_letter_over(&person, &job);
	for (unsigned i = 0; i < MAILWAY_STEPS; i++) {
		w = example();
		w.step = (enum mailway_step)i;
		w.by_node = i % 2 == 0;
		w.to = i % 2 == 0;
		mailway_put(&person, &job, &w);
		assert_true(mailway_get(&person, &job, &r));
		assert_true(r.step == w.step && r.by_node == w.by_node &&
		    r.to == w.to && r.nvia == 2 && r.since == w.since &&
		    r.at == w.at && r.next == w.next && r.looks == 4 &&
		    r.looked == w.looked && r.direct.failed == 1 &&
		    r.tried[0].failed == 3 && r.tried[1].failed == 0);
		assert_true(hash16_eq(&r.via[1], &w.via[1]));
		assert_string_equal(r.tried[0].why, "no path");
		assert_string_equal(r.tried[1].why, "");
	}
	assert_false(mailway_get(&person, &other, &r));
	person_letter_over(&person, &job);
	assert_false(mailway_get(&person, &job, &r));
}

/* A file that is not as it was written: read as something, or not at all. */
static void
damaged(void *arg, const uint8_t *p, size_t n)
{
	static const char name[] = "0700000000000000000000000000000000000000000"
	    "000000000000000000000.way";
	int dir = dir_open(person.dir, "letters", true, 0700);
	struct mailway r;

	(void)arg;
	assert_int_equal(file_replace(dir, name, p, n, 0600), 0);
	(void)close(dir);
	if (!mailway_get(&person, &job, &r))
		return;
	assert_true(r.step < MAILWAY_STEPS && r.nvia <= POST_NODES &&
	    (!r.by_node || r.to < r.nvia));
	capture_begin();
	mailway_print(&r, &job, &dest);
	(void)capture_end();
}

static void
hostile(void **state)
{
	static const char *const texts[] = {"", "[]", "{}", "null",
	    "{\"step\":\"waits\"}", "{\"step\":\"waits\",\"tried\":[]}",
	    "{\"step\":\"waits\",\"tried\":[1,2,3,4,5,6]}",
	    "{\"step\":\"waits\",\"tried\":[{},{\"to\":\"00\"}]}",
	    "{\"step\":\"waits\",\"through\":0,\"tried\":[{}]}",
	    "{\"step\":\"waits\",\"through\":-2,\"tried\":[{}]}",
	    "{\"step\":\"flies\",\"tried\":[{}]}",
	    "{\"step\":\"waits\",\"step\":\"asks\",\"tried\":[{}]}"};
	static const char odd[] = "{\"step\":\"waits\",\"through\":-1,\"looks\":"
	    "-5,\"at\":-9223372036854775808,\"next\":9223372036854775807,"
	    "\"tried\":[{\"failed\":-1,\"why\":\"\\u001b[2J\"}]}";
	const struct captured *said;
	struct mailway w = example(), r;
	char *text;
	json_t *o;

	(void)state;
	for (size_t i = 0; i < NELEM(texts); i++) {
		damaged(NULL, (const uint8_t *)texts[i], strlen(texts[i]));
		assert_false(mailway_get(&person, &job, &r));
	}
	damaged(NULL, (const uint8_t *)odd, strlen(odd));
	assert_true(mailway_get(&person, &job, &r));
	assert_true(r.looks == 0 && r.direct.failed == 0);
	r.direct.failed = 1;
	capture_begin();
	mailway_print(&r, &job, &dest);
	said = capture_end();
	assert_null(strchr(said->out, '\033'));
	o = mailway_json(&w);
	text = json_dumps(o, JSON_COMPACT);
	assert_non_null(text);
	vec_each_prefix((const uint8_t *)text, strlen(text), damaged, NULL);
	vec_each_flip((const uint8_t *)text, strlen(text), damaged, NULL);
	free(text);
	json_decref(o);
}

/* What was tried by an earlier command counts on, by the node's hash. */
static void
goes_on(void **state)
{
	struct mailway old = example(), w = {.nvia = 2,
	    .via = {{{2}}, {{3}}}}, begun;
	struct post_where p = {.stage = POST_WAITS, .by_node = true, .node = 1,
	    .next = {20 * MONO_SECOND}, .direct = {2, "a"},
	    .nodes = {{0, NULL}, {1, "b"}}};

	(void)state;
	mailway_resume(&w, &old);
	assert_true(w.since == NOW && w.looks == 4 && w.by_node && w.to == 0 &&
	    w.direct.failed == 1 && w.tried[0].failed == 0 &&
	    w.tried[1].failed == 0);
	begun = w;
	begun.tried[0] = (struct mailway_tried){5, "before"};
	for (unsigned i = 0; i < 2; i++)
		mailway_from(&w, &begun, &p, (struct mono){10 * MONO_SECOND},
		    NOW + 100);
	assert_true(w.step == MAILWAY_WAITS && w.to == 1 &&
	    w.next == NOW + 110 && w.direct.failed == 3 &&
	    w.tried[1].failed == 1);
	assert_string_equal(w.direct.why, "a");
	assert_int_equal(begun.tried[0].failed, 5);
	p.stage = POST_SENDS;
	mailway_from(&w, &begun, &p, (struct mono){0}, NOW);
	assert_true(w.step == MAILWAY_SENDS && w.next == 0);
}

static void
said(void **state)
{
	static const char *const words[MAILWAY_STEPS] = {
		[MAILWAY_SEEKS] = "a way to the propagation node 02",
		[MAILWAY_STAMPS] = "a stamp for",
		[MAILWAY_SENDS] = "being handed to",
		[MAILWAY_WAITS] = "it waits",
		[MAILWAY_HANDED] = "has it, until the node looks there",
		[MAILWAY_ASKS] = "its answer is asked for",
		[MAILWAY_GIVEN_UP] = "given up",
	};

	(void)state;
	for (unsigned i = 0; i < MAILWAY_STEPS; i++) {
		struct mailway w = example();
		const struct captured *c;

		w.step = (enum mailway_step)i;
		capture_begin();
		mailway_print(&w, &job, &dest);
		c = capture_end();
		assert_non_null(strstr(c->out, words[i]));
		assert_non_null(strstr(c->out, "its node: 1 time in vain, last "
		    "it is not there"));
		assert_non_null(strstr(c->out, "3 times in vain, last no path"));
		assert_non_null(strstr(c->out, "submitter"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile, set_up, tear_down),
		cmocka_unit_test(goes_on),
		cmocka_unit_test(said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
