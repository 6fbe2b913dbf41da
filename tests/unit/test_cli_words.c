/* SPDX-License-Identifier: BSD-2-Clause */
/* Which verb the words name, its options wherever they stand, what is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "node/cli/dispatch.h"
#include "node/cli/options.h"
#include "tests/unit/cli_capture.h"

#define WORDS 12

/* A command line in writable memory, as main() gets it. */
struct line {
	char text[512];
	char *argv[WORDS + 1];
	int argc;
};

static void
split(struct line *l, const char *text)
{
	char *save = NULL;

	(void)snprintf(l->text, sizeof(l->text), "%s", text);
	l->argc = 0;
	for (char *w = strtok_r(l->text, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save)) {
		assert_true(l->argc < WORDS);
		l->argv[l->argc++] = w;
	}
	l->argv[l->argc] = NULL;
}

static void
join(const struct line *l, char *out, size_t cap)
{
	size_t n = 0;

	out[0] = '\0';
	for (int i = 0; i < l->argc && n < cap; i++)
		n += (size_t)snprintf(out + n, cap - n, "%s%s",
		    i > 0 ? " " : "", l->argv[i]);
	assert_null(l->argv[l->argc]);
}

/* ---- which verb ---- */

static void
test_found(void **state)
{
	static const struct {
		const char *line;
		enum cli_verb_id verb;
		const char *left;
	} t[] = {
	    {"warren status", VERB_STATUS, "status"},
	    {"warren --config DIR status", VERB_STATUS, "status --config DIR"},
	    {"warren --config=DIR status --json", VERB_STATUS,
		"status --config=DIR --json"},
	    {"warren --json --config status status", VERB_STATUS,
		"status --json --config status"},
	    {"warren -t burrow show abcd", VERB_SHOW, "show -t burrow abcd"},
	    {"warren --to burrow submit a.yaml", VERB_SUBMIT,
		"submit --to burrow a.yaml"},
	    {"warren image --config D import P --name a:b", VERB_IMAGE_IMPORT,
		"import --config D P --name a:b"},
	    {"warren audit tail -n 3", VERB_AUDIT_TAIL, "tail -n 3"},
	    {"warren -n 3 audit tail", VERB_AUDIT_TAIL, "tail -n 3"},
	    {"warren identity show", VERB_IDENTITY, "identity show"},
	    {"warren help logs", VERB_LOGS, "logs --help"},
	    {"warren --help logs", VERB_LOGS, "logs --help"},
	    {"warren help image list", VERB_IMAGE_LIST, "list --help"},
	    {"warren logs abcd --help --frobnicate", VERB_LOGS, "logs --help"},
	    {"warren show -- --help", VERB_SHOW, "show -- --help"},
	    {"warren --frobnicate status", VERB_STATUS, "status --frobnicate"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		enum cli_verb_id verb = VERB_COUNT;
		struct line l;
		char left[512];
		bool json;
		int rc;

		split(&l, t[i].line);
		capture_begin();
		rc = cli_dispatch(&l.argc, l.argv, &verb, &json);
		(void)capture_end();
		join(&l, left, sizeof(left));
		if (rc != CLI_OK || verb != t[i].verb ||
		    strcmp(left, t[i].left) != 0)
			fail_msg("%s: %d, verb %d, %s", t[i].line, rc,
			    (int)verb, left);
	}
}

static void
test_not_found(void **state)
{
	static const struct {
		const char *line;
		int rc;
		const char *out, *err; /* parts; NULL: nothing */
	} t[] = {
	    {"warren --help", -1, "check-config", NULL},
	    {"warren -h", -1, "usage: warren VERB", NULL},
	    {"warren help", -1, "--identity DIR", NULL},
	    {"warren --version", -1, "warren ", NULL},
	    {"warren", CLI_USAGE, NULL, "usage: warren VERB"},
	    {"warren --halp", CLI_USAGE, NULL,
		"unknown option --halp; did you mean --help?"},
	    {"warren -x", CLI_USAGE, NULL, "unknown option -x\n"},
	    {"warren --\x1b[2J", CLI_USAGE, NULL, "option --\\x1b[2J"},
	    {"warren --config D --josn", CLI_USAGE, NULL, "mean --json?"},
	    {"warren --to burrow", CLI_USAGE, NULL, "a verb is missing"},
	    {"warren --json --config=D", CLI_USAGE,
		"\"why\":\"a verb is missing", "a verb is missing"},
	    {"warren image --json", CLI_USAGE, "{\"event\":\"error\"",
		"image list"},
	    {"warren image nope --json", CLI_USAGE,
		"\"why\":\"no verb image nope\"", "no verb image nope\n"},
	    {"warren nope -- --json", CLI_USAGE, NULL, "no verb nope"},
	    {"warren sumbit a.yaml", CLI_USAGE, NULL,
		"no verb sumbit; did you mean submit?"},
	    {"warren staus --json", CLI_USAGE, "{\"event\":\"error\"",
		"did you mean status?"},
	    {"warren --config D desc burrow", CLI_USAGE, NULL,
		"did you mean describe?"},
	    {"warren check", CLI_USAGE, NULL, "did you mean check-config?"},
	    {"warren ps", CLI_USAGE, NULL, "did you mean jobs?"},
	    {"warren frobnicate", CLI_USAGE, NULL, "no verb frobnicate\n"},
	    {"warren \x1b[2J", CLI_USAGE, NULL, "no verb \\x1b[2J\n"},
	    {"warren image improt x", CLI_USAGE, NULL,
		"did you mean image import?"},
	    {"warren image", CLI_USAGE, NULL, "image list"},
	    {"warren image --help", -1, "image list", NULL},
	    {"warren help audit", -1, "audit verify", NULL},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		enum cli_verb_id verb;
		const struct captured *said;
		struct line l;
		bool json;
		int rc;

		split(&l, t[i].line);
		capture_begin();
		rc = cli_dispatch(&l.argc, l.argv, &verb, &json);
		said = capture_end();
		if (rc != t[i].rc ||
		    (t[i].out == NULL ? said->out[0] != '\0' :
					strstr(said->out, t[i].out) == NULL) ||
		    (t[i].err == NULL ? said->err[0] != '\0' :
					strstr(said->err, t[i].err) == NULL))
			fail_msg("%s: %d, %s%s", t[i].line, rc, said->out,
			    said->err);
		/* a slip of the fingers is not answered by a page */
		if (t[i].rc == CLI_USAGE && strstr(said->err, "usage: ") == NULL)
			assert_true(strlen(said->err) < 200);
	}
}

/* ---- the options of one verb ---- */

static bool
note(struct cli *c, void *ctx, int option, const char *value)
{
	char *out = ctx;

	(void)c;
	(void)snprintf(out + strlen(out), 200 - strlen(out), "%d=%s;", option,
	    value != NULL ? value : "");
	return true;
}

static void
test_options(void **state)
{
	static const struct {
		enum cli_verb_id verb;
		const char *line;
		int rc;
		const char *err;
	} t[] = {
	    {VERB_STATUS, "status", CLI_OK, NULL},
	    {VERB_STATUS, "status --frob", CLI_USAGE, "unknown option --frob"},
	    {VERB_STATUS, "status --josn", CLI_USAGE, "did you mean --json?"},
	    {VERB_STATUS, "status -x", CLI_USAGE, "unknown option -x"},
	    {VERB_STATUS, "status --config", CLI_USAGE,
		"--config needs a value: --config DIR"},
	    {VERB_STATUS, "status --config=", CLI_USAGE,
		"--config needs a value: --config DIR"},
	    {VERB_STATUS, "status --json=1", CLI_USAGE,
		"--json takes no value"},
	    {VERB_STATUS, "status now", CLI_USAGE, "now is too much"},
	    {VERB_STATUS, "status --c D", CLI_OK, NULL},
	    {VERB_JOBS, "jobs --t x", CLI_USAGE, "--to or --timeout"},
	    {VERB_SHOW, "show", CLI_USAGE, "JOB is missing"},
	    {VERB_SHOW, "show a b", CLI_USAGE, "b is too much"},
	    {VERB_SHOW, "show --to", CLI_USAGE, "--to needs a value: --to NODE"},
	    {VERB_SHOW, "show -t", CLI_USAGE, "--to needs a value"},
	    {VERB_SUBMIT, "submit", CLI_USAGE, "JOB.yaml is missing"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct cli c = {.verb = cli_verbs[t[i].verb].name};
		const struct captured *said;
		char got[200] = "";
		struct line l;
		int rc;

		split(&l, t[i].line);
		capture_begin();
		rc = cli_options(&c, t[i].verb, l.argc, l.argv, note, got);
		said = capture_end();
		if (rc != t[i].rc ||
		    (t[i].err == NULL ? said->err[0] != '\0' :
					strstr(said->err, t[i].err) == NULL))
			fail_msg("%s: %d, %s", t[i].line, rc, said->err);
		assert_true(rc == CLI_OK ||
		    strstr(said->err, "usage: warren ") != NULL);
	}
}

/* A script is told too, wherever --json stands, and where it is no value. */
static void
test_json(void **state)
{
	static const struct {
		const char *line;
		bool json;
	} t[] = {
	    {"warren show a b --json", true},
	    {"warren --json show a b", true},
	    {"warren show a b --nope --json", true},
	    {"warren show a b --nope -- --json", false},
	    {"warren show a b --config --json", false},
	    {"warren submit a b --label --json", false},
	    {"warren submit a b --label --json --json", true},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct cli c = {0};
		enum cli_verb_id verb;
		const char *out;
		char got[200] = "";
		struct line l;

		split(&l, t[i].line);
		assert_int_equal(cli_dispatch(&l.argc, l.argv, &verb, &c.json),
		    CLI_OK);
		c.verb = cli_verbs[verb].name;
		capture_begin();
		assert_int_equal(cli_options(&c, verb, l.argc, l.argv, note,
				     got), CLI_USAGE);
		out = capture_end()->out;
		if (strncmp(out, "{\"event\":\"error\"", t[i].json ? 16 : 0) !=
		    0 || t[i].json != (out[0] != '\0'))
			fail_msg("%s: %s", t[i].line, out);
	}
}

static void
test_values(void **state)
{
	struct cli c = {.verb = "submit"};
	char got[200] = "", want[200];
	struct line l;

	(void)state;
	split(&l, "submit --json -t one a.yaml -o dir --config D --in-place");
	assert_int_equal(cli_options(&c, VERB_SUBMIT, l.argc, l.argv, note,
			     got),
	    CLI_OK);
	(void)snprintf(want, sizeof(want), "%d=one;%d=dir;%d=;", OPT_TO,
	    OPT_OUT, OPT_IN_PLACE);
	assert_string_equal(got, want);
	assert_true(c.json && !c.raw);
	assert_string_equal(c.config, "D");
	assert_int_equal(c.arg, l.argc - 1);
	assert_string_equal(l.argv[c.arg], "a.yaml");
}

/* Every verb answers --help with its options, one a line. */
static void
test_help(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VERB_COUNT; i++) {
		const struct cli_verb *v = &cli_verbs[i];
		struct cli c = {.verb = v->name};
		const struct captured *said;
		struct line l;

		split(&l, "verb --help");
		capture_begin();
		assert_int_equal(cli_options(&c, (enum cli_verb_id)i, l.argc,
				     l.argv, note, NULL),
		    -1);
		said = capture_end();
		assert_string_equal(said->err, "");
		for (size_t k = 0; k < v->noptions + cli_nshared; k++) {
			const struct opt *o = k < v->noptions ?
			    &v->options[k] :
			    &cli_shared[k - v->noptions];
			char start[80];
			const char *at, *from;

			/* the line of what it does begins with its name */
			(void)snprintf(start, sizeof(start), " --%s%s%s ",
			    o->name, o->value != NULL ? " " : "",
			    o->value != NULL ? o->value : "");
			at = strstr(said->out, o->does);
			for (from = at; from != NULL && from > said->out &&
			     from[-1] != '\n';)
				from--;
			if (at == NULL || strstr(from, start) == NULL ||
			    strstr(from, start) > at)
				fail_msg("%s --%s: %s", v->name, o->name,
				    said->out);
		}
	}
}

/* One name and one letter mean one thing in all verbs. */
static void
test_table(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VERB_COUNT * VERB_COUNT; i++) {
		const struct cli_verb *a = &cli_verbs[i / VERB_COUNT];
		const struct cli_verb *b = &cli_verbs[i % VERB_COUNT];

		assert_non_null(a->name);
		assert_non_null(a->does);
		for (size_t k = 0; k < a->noptions * b->noptions; k++) {
			const struct opt *x = &a->options[k / b->noptions];
			const struct opt *y = &b->options[k % b->noptions];
			bool same = strcmp(x->name, y->name) == 0;

			if ((x->letter != 0 && x->letter == y->letter &&
				!same) ||
			    (same && (x->value == NULL) != (y->value == NULL)) ||
			    (same && x->id != y->id) ||
			    (a == b && x != y && (same || x->id == y->id)))
				fail_msg("%s --%s, %s --%s", a->name, x->name,
				    b->name, y->name);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_found),
	    cmocka_unit_test(test_not_found),
	    cmocka_unit_test(test_options),
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_help),
	    cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("cli_words", tests, NULL, NULL);
}
