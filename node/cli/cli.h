/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_CLI_H
#define WARREN_NODE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/*
 * The command `warren`: one table of verbs (main.c), one file a verb or a
 * family of them. Exit codes are design.md 5's; scripts rely on them.
 */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_REFUSED = 3,
	CLI_UNREACHABLE = 4,
	CLI_JOB = 5, /* the job itself failed */
};

/* Longest path that we build; longer ones are an error, never cut. */
#define CLI_PATH 4096

struct cli {
	const char *verb; /* "submit", "image import" */
	const char *args; /* for --help: "JOB.yaml --to NODE" */
	bool json;
	bool raw; /* bytes of strangers as they are, even to a terminal */
	const char *config;   /* --config, or NULL */
	const char *identity; /* --identity, or NULL */
	bool out_tty, err_tty;
	/* where the shared options' rest begins: argv[arg] ... argv[argc-1] */
	int arg;
};

/*
 * A verb's own options: name without dashes, takes: whether a value follows.
 * set() gets the index of the option in the verb's list; it returns false
 * after it has said what is wrong with the value (cli_error).
 */
struct cli_option {
	const char *name;
	char letter; /* 0: none */
	bool takes;
};
typedef bool cli_set_fn(struct cli *, void *ctx, int index, const char *value);

/*
 * Reads the shared options (--json --raw --config --identity --help) and the
 * verb's. argv[0] is the verb. Returns CLI_OK with c->arg set, or CLI_USAGE
 * (said), or -1: --help was printed, leave with 0.
 */
int cli_options(struct cli *, int argc, char **argv,
    const struct cli_option *own, size_t count, cli_set_fn *, void *ctx);

/* `warren VERB: text` on standard error; with --json an "error" object. */
void cli_error(struct cli *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same with a code (compute.md 4), a step and a reason; json keeps all. */
void cli_error_code(struct cli *, const char *code, int step, const char *why);
/* Mistakes of a file, one error each; returns CLI_USAGE. */
struct mistakes;
int cli_mistakes(struct cli *, const char *path, const struct mistakes *);
/* Something to know that is no error; on standard error only. */
void cli_note(struct cli *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A second line under an error: what to do next. */
void cli_hint(struct cli *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* One JSON object and a newline on standard output, flushed; steals o. */
void cli_json(json_t *o);

/* Names of sandbox layers (common/layers.h). */
json_t *cli_layers_json(uint32_t layers);

/*
 * Columns on standard output: rows of cells, aligned when printed. Text of
 * strangers is escaped here.
 */
struct cli_table;
struct cli_table *cli_table_new(const char *const *heads, size_t columns);
void cli_table_row(struct cli_table *, const char *const *cells);
void cli_table_print(struct cli_table *); /* and frees */
void cli_table_free(struct cli_table *);  /* NULL is fine */

/* "1.5 MiB", "64 KiB", "812 B"; "3 min 20 s", "40 ms"; buffers of 24. */
const char *cli_bytes(char out[24], uint64_t bytes);
const char *cli_duration(char out[24], int64_t ms);
/* "2026-11-24 15:02:11" local time; buffer of 24; "-" for 0. */
const char *cli_time(char out[24], int64_t unix_s);

/*
 * One status line on standard error when that is a terminal and not --json:
 * rewritten in place; cli_progress_end() removes it before other output.
 */
void cli_progress(struct cli *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void cli_progress_end(struct cli *);

/* Bytes of a job to ours: escaped when fd is a terminal and not --raw. */
bool cli_write_stream(struct cli *, int fd, const void *, size_t);

/*
 * The configuration folder (--config, else as rnsd finds it); false after it
 * said that there is none.
 */
bool cli_config_dir(struct cli *, char out[CLI_PATH]);
/* The person's folder: --identity, else ~/.config/warren. */
bool cli_person_dir(struct cli *, char out[CLI_PATH]);
/* a/b into out; false when it does not fit. */
bool cli_path(char out[CLI_PATH], const char *a, const char *b);

/* Verbs. */
typedef int cli_verb_fn(struct cli *, int argc, char **argv);
cli_verb_fn verb_audit_tail, verb_audit_verify, verb_cancel, verb_check_config,
    verb_describe, verb_identity, verb_image_import, verb_image_list, verb_jobs,
    verb_logs, verb_nodes, verb_peers, verb_receipt_verify, verb_result,
    verb_show, verb_status, verb_submit;

#endif
