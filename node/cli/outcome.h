/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_OUTCOME_H
#define WARREN_NODE_CLI_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "trust/doc/manifest.h"

/*
 * How a job ended (compute.md 5 and 7), for people: what, and where that is
 * known how to go on. reason: what the node said besides; may be "" or NULL.
 */

/* "exited with 3", "killed: over its memory", "lost: the jail fell". */
void outcome_words(char *out, size_t cap, unsigned outcome, int32_t code,
    const char *reason);
/* What helps; NULL: nothing known. */
const char *outcome_remedy(unsigned outcome, int32_t code, const char *reason);
/* ... for the operator of the node; "": nothing. */
const char *outcome_operator(unsigned outcome, int32_t code,
    const char *reason);
/* What it had asked for and, by the layers of its receipt, not got; or NULL. */
const char *outcome_denied(const struct manifest *, uint32_t layers);
/* [kind, detail]: a number, a word, or null. */
json_t *outcome_json_of(unsigned outcome, int32_t code, const char *reason);

/* [kind, detail] as node says it, back; false: not known here. */
bool outcome_parse(unsigned *outcome, int32_t *code, const char *kind,
    const char *detail, int64_t number);
/* What it waits for and who can do what; false: no such reason is known. */
bool outcome_waits(const char *reason, const char **words,
    const char **submitter, const char **operator);

/* "12.0 MiB", or that it was not measured. */
const char *cli_memory(char out[24], uint64_t kb);

#endif
