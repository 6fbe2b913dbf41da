/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/dispatch.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "common/util.h"
#include "common/ydoc.h"
#include "node/cli/cli.h"
#include "node/cli/say.h"

/* The words of a command line that matter here. */
struct words {
	int at[2]; /* of the first two that are no options; 0: none */
	bool help, version, json;
};

/* What is in `name` before its space, or all of it. */
static size_t
first_len(const char *name)
{
	return strcspn(name, " ");
}

static bool
is_first(const struct cli_verb *v, const char *word)
{
	return strlen(word) == first_len(v->name) &&
	    strncmp(v->name, word, strlen(word)) == 0;
}

static const char *
second(const struct cli_verb *v)
{
	const char *space = strchr(v->name, ' ');

	return space != NULL ? space + 1 : NULL;
}

/* Which verb an option belongs to is not known yet: one name means one thing
 * in all of them, so any that takes a value decides. */
static bool
takes_next(const char *word)
{
	if (opts_takes_next(cli_shared, cli_nshared, word))
		return true;
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (opts_takes_next(cli_verbs[i].options,
			cli_verbs[i].noptions, word))
			return true;
	return false;
}

static bool
any_has(const char *word)
{
	if (opts_has(cli_shared, cli_nshared, word))
		return true;
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (opts_has(cli_verbs[i].options, cli_verbs[i].noptions,
			word))
			return true;
	return false;
}

static void
find_words(struct words *w, int argc, char **argv)
{
	size_t n = 0;

	memset(w, 0, sizeof(*w));
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (strcmp(a, "--") == 0)
			return;
		if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0 ||
		    (n == 0 && !w->help && strcmp(a, "help") == 0))
			w->help = true;
		else if (strcmp(a, "--version") == 0)
			w->version = true;
		else if (strcmp(a, "--json") == 0)
			w->json = true;
		else if (a[0] == '-' && a[1] != '\0')
			i += takes_next(a);
		else if (n < 2)
			w->at[n++] = i;
	}
}

/* ---- what is printed ---- */

static void
print_verb(FILE *f, const struct cli_verb *v)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "%s%s%s", v->name,
	    v->args[0] != '\0' ? " " : "", v->args);
	fprintf(f, strlen(left) > 28 ? "  %s\n  %-28s %s\n" : "  %-28s%s %s\n",
	    left, "", v->does);
}

static void
usage(FILE *f)
{
	fprintf(f, "usage: warren VERB [OPTION...] ...\n\n");
	for (size_t i = 0; i < VERB_COUNT; i++)
		print_verb(f, &cli_verbs[i]);
	fprintf(f, "\nEvery verb takes these, before or behind it:\n");
	opts_print(f, cli_shared, cli_nshared);
	fprintf(f,
	    "\n`warren VERB --help` says what the verb takes, `man warren` all "
	    "of it.\n"
	    "Exit status: 0 done, 1 failed, 2 usage, 3 refused, 4 "
	    "unreachable,\n5 the job itself failed, 6 not proven (audit verify).\n");
}

/* The verbs that begin with one word; how many. */
static size_t
print_family(FILE *f, const char *word)
{
	size_t n = 0;

	for (size_t i = 0; i < VERB_COUNT; i++)
		if (is_first(&cli_verbs[i], word) &&
		    second(&cli_verbs[i]) != NULL) {
			if (n++ == 0)
				fprintf(f, "usage: warren %s VERB ...\n\n",
				    word);
			print_verb(f, &cli_verbs[i]);
		}
	return n;
}

static bool
family(const char *word)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (is_first(&cli_verbs[i], word) &&
		    second(&cli_verbs[i]) != NULL)
			return true;
	return false;
}

/* ---- what was meant ---- */

/* Words of other tools for the same thing. */
static const struct {
	const char *word, *ours;
} elsewhere[] = {
    {"exec", "run"}, {"start", "run"}, {"ps", "jobs"}, {"ls", "jobs"},
    {"list", "jobs"}, {"inspect", "show"}, {"info", "show"}, {"log", "logs"},
    {"output", "logs"}, {"fetch", "result"}, {"get", "result"},
    {"kill", "cancel"}, {"stop", "cancel"}, {"rm", "cancel"},
    {"verify", "receipt verify"}, {"images", "image list"},
    {"import", "image import"}, {"load", "image import"},
    {"whoami", "identity"}, {"id", "identity"}, {"key", "identity"},
    {"trail", "audit tail"}, {"config", "check-config"},
};

/* The verb whose name, or second word in a family, is nearest; NULL: none. */
static const char *
nearest(const char *word, const char *of, char buf[64])
{
	const char *names[VERB_COUNT], *hit = NULL;
	char heads[VERB_COUNT][32];
	size_t n = 0, len = strlen(word), starts = 0;

	for (size_t i = 0; i < VERB_COUNT; i++) {
		const struct cli_verb *v = &cli_verbs[i];

		if (of != NULL && !is_first(v, of))
			continue;
		(void)snprintf(heads[n], sizeof(heads[n]), "%.*s",
		    (int)first_len(v->name), v->name);
		names[n] = of != NULL ? second(v) : heads[n];
		/* its beginning, which names one word only */
		if (strncmp(names[n], word, len) == 0 &&
		    (hit == NULL || strcmp(hit, names[n]) != 0)) {
			hit = names[n];
			starts++;
		}
		n++;
	}
	if (starts != 1)
		hit = nearest_word(word, names, n);
	for (size_t i = 0; hit == NULL && of == NULL && i < NELEM(elsewhere);
	     i++)
		if (strcmp(elsewhere[i].word, word) == 0)
			hit = elsewhere[i].ours;
	if (hit == NULL)
		return NULL;
	(void)snprintf(buf, 64, "%s%s%s", of != NULL ? of : "",
	    of != NULL ? " " : "", hit);
	return buf;
}

/* `warren: why`, and what lists what there is; with --json an object too. */
static int
wrong(const struct words *w, const char *why, const char *of)
{
	fprintf(stderr, "warren: %s\n  `warren%s%s --help` lists them.\n", why,
	    of != NULL ? " " : "", of != NULL ? of : "");
	if (w->json)
		cli_error_json(NULL, 0, why);
	return CLI_USAGE;
}

static int
no_verb(const struct words *w, const char *of, const char *word)
{
	char safe[128], buf[64], why[320];
	const char *near = nearest(word, of, buf);

	(void)text_escape(safe, sizeof(safe), word, strlen(word));
	(void)snprintf(why, sizeof(why), "no verb %.60s%s%s%s%s%s",
	    of != NULL ? of : "", of != NULL ? " " : "", safe,
	    near != NULL ? "; did you mean " : "", near != NULL ? near : "",
	    near != NULL ? "?" : "");
	return wrong(w, why, of);
}

/* Options alone: one that no verb has is said before the missing verb. */
static int
no_word(const struct words *w, int argc, char **argv)
{
	char why[OPTS_WHY] = "", safe[2 * OPTS_WHY];
	struct opts o;

	for (int i = 1; i < argc && why[0] == '\0'; i++) {
		char *one[] = {argv[0], argv[i], NULL};
		const char *value;

		if (strcmp(argv[i], "--") == 0)
			break;
		if (any_has(argv[i])) {
			i += takes_next(argv[i]);
			continue;
		}
		opts_init(&o, cli_shared, cli_nshared);
		(void)opts_next(&o, 2, one, &value, why);
	}
	(void)text_escape(safe, sizeof(safe), why, strlen(why));
	return wrong(w, why[0] != '\0' ? safe :
	    "a verb is missing: warren VERB [OPTION...]", NULL);
}

/* ---- the verb itself ---- */

/* The verb's words go; what is left keeps its order. */
static void
take_words(int *argc, char **argv, const struct words *w, int count)
{
	char *last = argv[w->at[count - 1]];
	int n = 1;

	for (int i = 1; i < *argc; i++)
		if (i != w->at[0] && (count == 1 || i != w->at[1]) &&
		    !(i < w->at[0] && strcmp(argv[i], "help") == 0))
			argv[n++] = argv[i];
	argv[0] = last;
	argv[n] = NULL;
	*argc = n;
}

static int
find(int *argc, char **argv, const struct words *w, enum cli_verb_id *verb)
{
	const char *one = argv[w->at[0]];
	const char *two = w->at[1] != 0 ? argv[w->at[1]] : NULL;

	for (unsigned i = 0; i < VERB_COUNT; i++) {
		const char *want = second(&cli_verbs[i]);

		if (!is_first(&cli_verbs[i], one) ||
		    (want != NULL && (two == NULL || strcmp(want, two) != 0)))
			continue;
		*verb = (enum cli_verb_id)i;
		take_words(argc, argv, w, want != NULL ? 2 : 1);
		return CLI_OK;
	}
	if (!family(one))
		return no_verb(w, NULL, one);
	if (two != NULL)
		return no_verb(w, one, two);
	(void)print_family(w->help ? stdout : stderr, one);
	if (w->json && !w->help)
		cli_error_json(NULL, 0, "a second word is missing");
	return w->help ? -1 : CLI_USAGE;
}

int
cli_dispatch(int *argc, char **argv, enum cli_verb_id *verb, bool *json)
{
	char help[] = "--help";
	static char kept[sizeof(help)];
	struct words w;
	int rc;

	find_words(&w, *argc, argv);
	*json = w.json;
	if (w.at[0] == 0 && w.version) {
		printf("warren %s\n", PACKAGE_VERSION);
		return -1;
	}
	if (w.at[0] == 0 && *argc > 1 && !w.help)
		return no_word(&w, *argc, argv);
	if (w.at[0] == 0) {
		usage(w.help ? stdout : stderr);
		return w.help ? -1 : CLI_USAGE;
	}
	rc = find(argc, argv, &w, verb);
	if (rc != CLI_OK || !w.help)
		return rc;
	/* `warren help VERB` too; the verb's own --help prints it */
	memcpy(kept, help, sizeof(help));
	argv[1] = kept;
	argv[2] = NULL;
	*argc = 2;
	return CLI_OK;
}
