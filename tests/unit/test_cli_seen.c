/* SPDX-License-Identifier: BSD-2-Clause */
/* What people see: tables, colours, messages, usage and exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/cli_capture.h"
#include "common/util.h"

#include "node/cli/format.h"
#include "node/cli/nodes.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "node/cli/term.h"
#include "node/cli/verb.h"
#include "node/proto/proto.h"

static struct cli c = {.verb = "test"};

/* ---- what is seen ---- */

static const struct cli_column two[] = {{"A", COL_CUT}, {"LONGER", 0}};

static void
test_table(void **state)
{
	static const char *const row[] = {"f\xc3\xbcnf", "x"};
	static const char *const bad[] = {"a\x1b[31m", NULL};
	/* two columns wide, one character */
	static const char *const wide[] = {"\xe4\xb8\xad", ""};
	struct cli_table *t = cli_table_new(&c, two);
	const struct captured *said;

	(void)state;
	cli_table_row(t, row);
	cli_table_row(t, bad);
	cli_table_row(t, wide);
	capture_begin();
	cli_table_print(t);
	said = capture_end();
	assert_string_equal(said->out, "A          LONGER\n"
				       "f\xc3\xbcnf       x\n"
				       "a\\x1b[31m  -\n"
				       "\xe4\xb8\xad         -\n");
}

/* What a terminal of so many columns shows of one table. */
static const char *
shown(struct cli me)
{
	static const struct cli_column col[] = {{"JOB", COL_ID},
	    {"IMAGE", COL_CUT}, {"N", COL_RIGHT}, {"PERSON", COL_DROP},
	    {"MORE", COL_WIDE}, {"NONE", COL_SPARSE}};
	static const char *const rows[][6] = {
	    {"aaaabbbbccccdddd0000", "kai/agent-runtime:latest", "7",
		"somebody", "m1", ""},
	    {"aaaabbbbccce11110000", "a:b", "12", "", "m2", NULL}};
	struct cli_table *t = cli_table_new(&me, col);
	const struct captured *said;

	for (size_t i = 0; i < NELEM(rows); i++)
		cli_table_row(t, rows[i]);
	cli_table_colour(t, 2, COLOUR_BAD);
	capture_begin();
	cli_table_print(t);
	said = capture_end();
	return said->out;
}

static void
test_table_fits(void **state)
{
	struct cli me = {.out_tty = true, .columns = 80};

	(void)state;
	/* ids are as short as still tells them apart */
	assert_string_equal(shown(me),
	    "JOB           IMAGE                      N  PERSON\n"
	    "aaaabbbbcccc  kai/agent-runtime:latest   7  somebody\n"
	    "aaaabbbbccce  a:b                       12  \n");
	/* then texts are cut */
	me.columns = 44;
	assert_string_equal(shown(me),
	    "JOB           IMAGE              N  PERSON\n"
	    "aaaabbbbcccc  kai/agent-runti\xe2\x80\xa6   7  somebody\n"
	    "aaaabbbbccce  a:b               12  \n");
	/* then columns go */
	me.columns = 34;
	assert_string_equal(shown(me),
	    "JOB           IMAGE          N\n"
	    "aaaabbbbcccc  kai/agent-r\xe2\x80\xa6   7\n"
	    "aaaabbbbccce  a:b           12\n");
	/* and texts once more */
	me.columns = 24;
	assert_string_equal(shown(me), "JOB           IMAGE    N\n"
				       "aaaabbbbcccc  kai/a\xe2\x80\xa6   7\n"
				       "aaaabbbbccce  a:b     12\n");
	/* what is asked for whole, and what goes to a file, is whole */
	me.wide = true;
	assert_string_equal(shown(me),
	    "JOB                   IMAGE                      N  PERSON    "
	    "MORE  NONE\n"
	    "aaaabbbbccccdddd0000  kai/agent-runtime:latest   7  somebody  "
	    "m1    \n"
	    "aaaabbbbccce11110000  a:b                       12            "
	    "m2    \n");
	me = (struct cli){.columns = 30};
	assert_string_equal(shown(me),
	    "JOB                   IMAGE                      N  PERSON    "
	    "NONE\n"
	    "aaaabbbbccccdddd0000  kai/agent-runtime:latest   7  somebody  -\n"
	    "aaaabbbbccce11110000  a:b                       12  -         "
	    "-\n");
}

static void
test_colour(void **state)
{
	struct cli me = {.out_tty = true, .columns = 80};

	(void)state;
	assert_null(strchr(shown(me), '\033'));
	me.colour = true;
	assert_non_null(strstr(shown(me), "\033[31m12\033[0m"));
	assert_non_null(strstr(shown(me), "\033[1mJOB\033[0m"));
	/* not on a terminal, whatever the environment says */
	assert_int_equal(setenv("TERM", "xterm", 1), 0);
	assert_int_equal(unsetenv("NO_COLOR"), 0);
	capture_begin();
	cli_terminal(&me);
	(void)capture_end();
	assert_false(me.colour || me.out_tty || me.columns != 0);
	assert_int_equal(cli_job_colour("done", "exited 0"), COLOUR_NONE);
	assert_int_equal(cli_job_colour("done", "exited 1"), COLOUR_BAD);
	assert_int_equal(cli_job_colour("running", ""), COLOUR_GOOD);
	assert_true(cli_job_goes_on("held") && cli_job_goes_on("running"));
	assert_false(cli_job_goes_on("done") || cli_job_goes_on("lost"));
}

static void
test_stream(void **state)
{
	static const char bytes[] = "a\tb\n\x1b[2Jc\r\nend";
	struct cli tty = {.verb = "test", .out_tty = true};
	const struct captured *said;

	(void)state;
	capture_begin();
	assert_true(cli_write_stream(&c, 1, bytes, sizeof(bytes) - 1));
	said = capture_end();
	assert_string_equal(said->out, bytes);
	capture_begin();
	assert_true(cli_write_stream(&tty, 1, bytes, sizeof(bytes) - 1));
	said = capture_end();
	assert_string_equal(said->out, "a\tb\n\\x1b[2Jc\\x0d\nend");
	tty.raw = true;
	capture_begin();
	assert_true(cli_write_stream(&tty, 1, bytes, sizeof(bytes) - 1));
	said = capture_end();
	assert_string_equal(said->out, bytes);
}

static void
test_errors(void **state)
{
	struct cli js = {.verb = "submit", .json = true};
	const struct captured *said;

	(void)state;
	capture_begin();
	cli_error_code(&js, "qu\x1bota", 6, "jobs\n");
	said = capture_end();
	assert_string_equal(said->err,
	    "warren submit: refused: qu\\x1bota (step 6): jobs\\x0a\n");
	assert_non_null(strstr(said->out, "\"event\":\"error\""));
	assert_non_null(strstr(said->out, "\"step\":6"));
	capture_begin();
	cli_error(&c, "%s", "\x9b");
	said = capture_end();
	assert_string_equal(said->err, "warren test: \\x9b\n");
	assert_string_equal(said->out, "");
}

static void
test_numbers(void **state)
{
	char b[24];

	(void)state;
	assert_string_equal(cli_bytes(b, 0), "0 B");
	assert_string_equal(cli_bytes(b, 1023), "1023 B");
	assert_string_equal(cli_bytes(b, 1536), "1.5 KiB");
	assert_string_equal(cli_bytes(b, UINT64_C(300) << 20), "300 MiB");
	assert_string_equal(cli_duration(b, 40), "40 ms");
	assert_string_equal(cli_duration(b, 200000), "3 min 20 s");
	assert_string_equal(cli_duration(b, INT64_C(90000) * 1000), "1 d 1 h");
	assert_string_equal(cli_time(b, 0), "-");
}

/* ---- options and exit codes ---- */

static void
test_usage(void **state)
{
	static const struct {
		cli_verb_fn *verb;
		const char *argv[5];
		int want;
	} t[] = {
	    {verb_submit, {"submit"}, CLI_USAGE},
	    {verb_submit, {"submit", "job.yaml"}, CLI_USAGE},
	    {verb_submit, {"submit", "--nonsense"}, CLI_USAGE},
	    {verb_submit, {"submit", "a", "--to", "b", "--in-place=x"},
		CLI_USAGE},
	    {verb_submit, {"submit", "--timeout", "soon"}, CLI_USAGE},
	    {verb_submit, {"submit", "--help"}, CLI_OK},
	    {verb_result, {"result"}, CLI_USAGE},
	    {verb_logs, {"logs", "a", "b"}, CLI_USAGE},
	    {verb_cancel, {"cancel"}, CLI_USAGE},
	    {verb_receipt_verify, {"verify"}, CLI_USAGE},
	    {verb_receipt_verify, {"verify", "/nonexistent"}, CLI_FAILED},
	    {verb_audit_tail, {"tail", "-n", "x"}, CLI_USAGE},
	    {verb_audit_tail, {"tail", "-n", "0"}, CLI_USAGE},
	    {verb_audit_verify, {"verify", "--config", "/nonexistent"},
		CLI_FAILED},
	    {verb_check_config, {"check-config", "--config", "/nonexistent"},
		CLI_USAGE},
	    {verb_status, {"status", "--config", "/nonexistent"},
		CLI_UNREACHABLE},
	    {verb_identity, {"identity", "hide"}, CLI_USAGE},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct cli me = {.verb = t[i].argv[0]};
		char *argv[6] = {NULL};
		const struct captured *said;
		int argc = 0, rc;

		while (argc < 5 && t[i].argv[argc] != NULL) {
			argv[argc] = strdup(t[i].argv[argc]);
			argc++;
		}
		capture_begin();
		rc = t[i].verb(&me, argc, argv);
		said = capture_end();
		if (rc != t[i].want ||
		    (rc != CLI_OK && said->err[0] == '\0'))
			fail_msg("%zu: %d, says %s", i, rc, said->err);
		while (argc > 0)
			free(argv[--argc]);
	}
}

/* A level without a share of the node is told as that, not as noughts. */
static void
test_limits(void **state)
{
	struct proto_describe d = {.accepting = true, .level = 0};
	const struct captured *said;

	(void)state;
	capture_begin();
	nodes_say_limits(&d);
	said = capture_end();
	assert_non_null(strstr(said->out, "no job of yours is taken"));
	assert_null(strstr(said->out, "0 B"));
	d.limits.memory = 64 << 20;
	d.limits.cpu = 500;
	d.left.jobs_queued = 3;
	capture_begin();
	nodes_say_limits(&d);
	said = capture_end();
	assert_non_null(strstr(said->out, "memory 64.0 MiB, cpu 0.500, "));
	assert_non_null(strstr(said->out, "left      3 jobs queued"));
	/* a node that takes none at all has its own word for it */
	d.accepting = false;
	d.limits.memory = 0;
	capture_begin();
	nodes_say_limits(&d);
	said = capture_end();
	assert_null(strstr(said->out, "of yours"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_table_fits),
	    cmocka_unit_test(test_colour),
	    cmocka_unit_test(test_stream),
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_usage),
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("cli_seen", tests, NULL, NULL);
}
