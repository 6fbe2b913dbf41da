/* SPDX-License-Identifier: BSD-2-Clause */
/* warren: the table of verbs. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "common/log.h"
#include "common/util.h"

#include "node/cli/verb.h"

struct verb {
	const char *name; /* one word or two */
	const char *args;
	const char *does;
	cli_verb_fn *run;
};

static const struct verb verbs[] = {
    {"identity", "[show]", "your keys, or those of the node of --config",
	verb_identity},
    {"nodes", "[--wait T]", "compute nodes heard of", verb_nodes},
    {"describe", "NODE", "what a node offers and would let you do",
	verb_describe},
    {"submit", "JOB.yaml --to NODE", "run a job on a node", verb_submit},
    {"jobs", "[--to NODE | --here]", "list jobs", verb_jobs},
    {"show", "JOB", "one job in full", verb_show},
    {"logs", "JOB [-f] [--stderr]", "what a job has written", verb_logs},
    {"result", "JOB [--out DIR]", "fetch outputs, logs and the receipt",
	verb_result},
    {"cancel", "JOB", "end a job", verb_cancel},
    {"receipt verify", "FOLDER", "check a receipt offline",
	verb_receipt_verify},
    {"status", "", "this node: interfaces, programs, counters", verb_status},
    {"peers", "", "who is connected, and how much each uses", verb_peers},
    {"image import", "PATH[:TAG] --name NAME:TAG", "take an image into the store",
	verb_image_import},
    {"image list", "", "images of the store", verb_image_list},
    {"audit tail", "[-n N]", "the last lines of the trail", verb_audit_tail},
    {"audit verify", "", "check the whole trail", verb_audit_verify},
    {"check-config", "", "name every mistake in the configuration",
	verb_check_config},
};

static void
usage(FILE *f)
{
	fprintf(f, "usage: warren VERB [--json] [--config DIR] ...\n\n");
	for (size_t i = 0; i < NELEM(verbs); i++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "%s %s", verbs[i].name,
		    verbs[i].args);
		fprintf(f, "  %-34s %s\n", left, verbs[i].does);
	}
	fprintf(f,
	    "\nEvery verb takes --json, --config DIR, --identity DIR and "
	    "--help.\n"
	    "Exit status: 0 done, 1 failed, 2 usage, 3 refused, 4 "
	    "unreachable,\n5 the job itself failed. See man warren.\n");
}

/* The verb that argv begins with; *words: how many words its name has. */
static const struct verb *
find_verb(int argc, char **argv, int *words)
{
	for (size_t i = 0; i < NELEM(verbs); i++) {
		const char *space = strchr(verbs[i].name, ' ');

		if (space == NULL) {
			if (strcmp(argv[0], verbs[i].name) == 0) {
				*words = 1;
				return &verbs[i];
			}
			continue;
		}
		if (argc >= 2 &&
		    strlen(argv[0]) == (size_t)(space - verbs[i].name) &&
		    strncmp(argv[0], verbs[i].name,
			(size_t)(space - verbs[i].name)) == 0 &&
		    strcmp(argv[1], space + 1) == 0) {
			*words = 2;
			return &verbs[i];
		}
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	struct cli c = {.out_tty = isatty(STDOUT_FILENO) == 1,
	    .err_tty = isatty(STDERR_FILENO) == 1};
	const struct verb *v;
	int words;

	log_init("warren", LOG_WARN);
	/* who reads our output may leave; the job's results are fetched all
	 * the same */
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 ||
			     strcmp(argv[1], "-h") == 0 ||
			     strcmp(argv[1], "help") == 0)) {
		usage(stdout);
		return CLI_OK;
	}
	if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
		printf("warren %s\n", PACKAGE_VERSION);
		return CLI_OK;
	}
	if (argc < 2) {
		usage(stderr);
		return CLI_USAGE;
	}
	v = find_verb(argc - 1, argv + 1, &words);
	if (v == NULL) {
		fprintf(stderr, "warren: no verb %s%s%s\n\n", argv[1],
		    argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
		usage(stderr);
		return CLI_USAGE;
	}
	c.verb = v->name;
	c.args = v->args;
	if (words == 2)
		argv[2] = argv[1];
	return v->run(&c, argc - words, argv + words);
}
