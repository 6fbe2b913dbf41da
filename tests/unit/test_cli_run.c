/* SPDX-License-Identifier: BSD-2-Clause */
/* `run`: what its options make of a manifest, and what its end is worth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <jansson.h>

#include "common/util.h"
#include "node/cli/run.h"
#include "node/cli/verb.h"
#include "tests/unit/cli_capture.h"

#define WORDS 24

static int
run(const char *dir, const struct captured **said, const char *const *words)
{
	struct cli c = {.verb = "run", .identity = dir};
	char *argv[WORDS + 1] = {NULL};
	int argc = 0, rc;

	for (; words[argc] != NULL; argc++) {
		assert_true(argc < WORDS);
		argv[argc] = strdup(words[argc]);
	}
	capture_begin();
	rc = verb_run(&c, argc, argv);
	*said = capture_end();
	while (argc > 0)
		free(argv[--argc]);
	return rc;
}

static const char *
text_at(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "(none)";
}

/* --print without --to asks nobody. */
static void
test_print(void **state)
{
	static const char *const words[] = {"run", "kai/tools:latest", "-v",
	    "./data:/in:ro", "--env", "A=1", "-e", "FROM_HERE", "-e", "A=2",
	    "-m", "64MB", "--cpu=0.5", "--pids", "9", "--writable", "--print",
	    "--", "wc", "-l", "--print", NULL};
	const char *dir = temp_dir();
	const struct captured *said;
	char before[400], data[400];
	const json_t *v;
	json_t *o;

	(void)state;
	assert_non_null(getcwd(before, sizeof(before)));
	(void)snprintf(data, sizeof(data), "%s/data", dir);
	assert_int_equal(mkdir(data, 0755), 0);
	write_text(data, "f", "x\n");
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(setenv("FROM_HERE", "yes=no", 1), 0);
	if (run(dir, &said, words) != 0)
		fail_msg("%s", said->err);
	assert_int_equal(chdir(before), 0);
	o = json_loads(said->out, 0, NULL);
	if (o == NULL)
		fail_msg("%s%s", said->out, said->err);
	assert_string_equal(text_at(o, "image"), "kai/tools:latest");
	assert_null(json_object_get(o, "node"));
	/* a node that is out of reach for hours takes it all the same */
	assert_true(json_integer_value(json_object_get(o, "not_after")) > 0);
	assert_int_equal(json_integer_value(json_object_get(o, "not_after")),
	    json_integer_value(json_object_get(o, "deadline")));
	v = json_object_get(o, "command");
	assert_int_equal(json_array_size(v), 3);
	assert_string_equal(json_string_value(json_array_get(v, 2)),
	    "--print");
	v = json_object_get(o, "env");
	assert_string_equal(text_at(v, "A"), "2");
	assert_string_equal(text_at(v, "FROM_HERE"), "yes=no");
	v = json_object_get(o, "limits");
	assert_int_equal(json_object_size(v), 3);
	assert_int_equal(json_integer_value(json_object_get(v, "memory")),
	    64 << 20);
	assert_int_equal(json_integer_value(json_object_get(v, "pids")), 9);
	assert_true(json_is_false(json_object_get(o, "read_only_fs")));
	v = json_array_get(json_object_get(o, "volumes"), 0);
	assert_string_equal(text_at(v, "target"), "/in");
	assert_string_equal(text_at(v, "mode"), "ro");
	json_decref(o);
	temp_remove(dir);
}

static void
test_wrong(void **state)
{
	static const struct {
		const char *words[6], *says;
	} t[] = {
	    {{"run"}, "IMAGE is missing"},
	    {{"run", "a:b", "--frob"}, "unknown option --frob"},
	    {{"run", "a:b", "ls", "-l"}, "behind `--`"},
	    {{"run", "a:b", "-v", "./x:/y"}, "LOCAL:TARGET:ro"},
	    {{"run", "a:b", "-v", "./x:y:ro"}, "LOCAL:TARGET:ro"},
	    {{"run", "a:b", "-v", "./x:/..:ro"}, "--volume: ./x:/..:ro: "},
	    {{"run", "a:b", "-m", "much"}, "is no size from 1B on (like"},
	    {{"run", "a:b", "-m", "-5"}, "is no size from 1B on (like"},
	    {{"run", "a:b", "--cpu", "0"}, "is no number of cores from 0.001"},
	    {{"run", "a:b", "--time", "5"}, "is no time from 1ms to "},
	    {{"run", "a:b", "--time", "0s"}, "0s is no time from 1ms to "},
	    {{"run", "a:b", "--deadline", "1ms"}, "is no time from 1s to "},
	    {{"run", "a:b", "-e", "1A=x"}, "--env: 1A is no name of a var"},
	    {{"run", "a:b", "-e", "A-B=x"}, "--env: A-B is no name of a var"},
	    {{"run", "a\xff", "--print"}, "image: a text is not UTF-8"},
	    {{"run", "a:b", "--print", "-e", "A=\xff"}, "env: a text is not"},
	    {{"run", "a:b", "--pids", "-1"}, "is no number from 1"},
	    {{"run", "a:b", "--pids", "0"}, "is no number from 1"},
	    {{"run", "a:b", "--time", "366d"}, "is no time from 1ms to 365d"},
	    {{"run", "a:b", "-v", "./x:y:ro"}, "TARGET begins with /"},
	    {{"run", "a:b", "--retries", "17"}, "from 0 to 16"},
	    {{"run", "a:b", "-e", "=x"}, "has no name before ="},
	    {{"run", "a:b", "-e", "NOT_SET_HERE"}, "is not set here"},
	    {{"run", "a:b", "--print", "-v", "./none:/y:ro"}, "none: No such"},
	    {{"run", "a:b", "--out", "x", "--in-place"}, "exclude each other"},
	};
	const char *dir = temp_dir();
	const struct captured *said;

	(void)state;
	(void)unsetenv("NOT_SET_HERE");
	for (size_t i = 0; i < NELEM(t); i++) {
		const char *words[7] = {NULL};

		memcpy(words, t[i].words, sizeof(t[i].words));
		if (run(dir, &said, words) != RUN_FAILED ||
		    strstr(said->err, t[i].says) == NULL)
			fail_msg("%zu: not \"%s\": %s", i, t[i].says,
			    said->err);
	}
	temp_remove(dir);
}

static void
test_status(void **state)
{
	static const struct {
		int rc;
		bool interrupted;
		uint8_t outcome;
		int32_t code;
		int want;
	} t[] = {
	    {CLI_OK, false, JOB_EXITED, 0, 0},
	    {CLI_JOB, false, JOB_EXITED, 1, 1},
	    {CLI_JOB, false, JOB_EXITED, 3, 3},
	    {CLI_JOB, false, JOB_EXITED, 127, 127},
	    {CLI_JOB, false, JOB_EXITED, 255, 255},
	    {CLI_JOB, false, JOB_SIGNALLED, 9, 137},
	    {CLI_JOB, false, JOB_SIGNALLED, 15, 143},
	    {CLI_JOB, false, JOB_KILLED, KILL_MEMORY, RUN_KILLED},
	    {CLI_JOB, false, JOB_CANCELLED, 0, RUN_KILLED},
	    {CLI_JOB, false, JOB_LOST, 0, RUN_LOST},
	    {CLI_REFUSED, false, 0, 0, RUN_REFUSED},
	    {CLI_UNREACHABLE, false, 0, 0, RUN_UNREACHABLE},
	    {CLI_FAILED, false, 0, 0, RUN_FAILED},
	    {CLI_USAGE, false, 0, 0, RUN_FAILED},
	    {CLI_FAILED, true, 0, 0, 130},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct submitter *s = calloc(1, sizeof(*s));

		assert_non_null(s);
		s->r.outcome = t[i].outcome;
		s->r.code = t[i].code;
		if (run_status(t[i].rc, t[i].interrupted, s) != t[i].want)
			fail_msg("%zu: %d", i,
			    run_status(t[i].rc, t[i].interrupted, s));
		free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_print),
	    cmocka_unit_test(test_wrong),
	    cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests_name("cli_run", tests, NULL, NULL);
}
