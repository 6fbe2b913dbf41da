/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_CLI_H
#define WARREN_NODE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The command `warren`: one table of verbs (verbs.c), one file a verb or a
 * family of them. Exit codes are those of ARCHITECTURE.md 10; scripts rely on
 * them.
 */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_REFUSED = 3,
	CLI_UNREACHABLE = 4,
	CLI_JOB = 5, /* the job itself failed */
	CLI_UNPROVEN = 6, /* nothing wrong was found, by a key nobody proves */
};

/* Longest path that we build; longer ones are an error, never cut. */
#define CLI_PATH 4096

struct cli {
	const char *verb; /* "submit", "image import" */
	bool json;
	bool raw; /* bytes of strangers as they are, even to a terminal */
	const char *config;   /* --config, or NULL */
	const char *identity; /* --identity, or NULL */
	bool out_tty, err_tty;
	bool colour;	/* on standard output */
	size_t columns; /* of the terminal there; 0: not known, or none */
	bool wide;	/* --wide: tables whole */
	bool interrupted; /* and nobody has said anything since */
	/* where the shared options' rest begins: argv[arg] ... argv[argc-1] */
	int arg;
};

#endif
