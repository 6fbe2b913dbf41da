/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_CLI_SERVE_H
#define WARREN_TESTS_UNIT_CLI_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "node/cli/cli.h"
#include "node/cli/verb.h"
#include "tests/unit/cli_capture.h"

/*
 * A daemon that is pretended: on the socket of that name one answer for each
 * connection, in order, then it ends. Wait for it.
 */
pid_t serve(const char *dir, const char *name, const char *const *answers,
    size_t n);
/* A verb with at most two arguments (NULL: none), on that folder. */
int call(cli_verb_fn *, const char *dir, const struct captured **said,
    bool json, const char *a, const char *b);

#endif
