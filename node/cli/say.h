/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_SAY_H
#define WARREN_NODE_CLI_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "node/cli/cli.h"

/* What a person or a script sees: errors, lines, progress, streams. */

/* `warren VERB: text` on standard error; with --json an "error" object. */
void cli_error(struct cli *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same with a code (compute.md 4), a step and a reason; json keeps all. */
void cli_error_code(struct cli *, const char *code, int step, const char *why);
/* Mistakes of a file, one error each; returns CLI_USAGE. */
struct mistakes;
int cli_mistakes(struct cli *, const char *path, const struct mistakes *);
/* The "error" object alone, where there is no cli yet; why: no strangers' bytes. */
void cli_error_json(const char *code, int step, const char *why);
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
 * One status line on standard error when that is a terminal and not --json:
 * rewritten in place; cli_progress_end() removes it before other output.
 */
void cli_progress(struct cli *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The status line goes, when there is one; before any other output. */
void cli_progress_end(struct cli *);

/* Bytes of a job to ours: escaped when fd is a terminal and not --raw. */
bool cli_write_stream(struct cli *, int fd, const void *, size_t);

#endif
