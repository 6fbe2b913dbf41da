/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_CHECK_H
#define WARREN_NODE_CHECK_CHECK_H

#include <stdbool.h>

#include "common/mistake.h"

/*
 * What is wrong or odd in the operator's files in DIR: config, node.yaml,
 * profiles/NAME.yaml, profiles/seccomp/NAME.json, and in what they name: keys,
 * folders, images, this machine. One check for `warren check-config`, `warrend
 * --check`, the start and SIGHUP, so that they agree. Changes nothing.
 *
 * A note is what would not keep the start: what has no effect, what is not in
 * use, what is not there yet. file is relative to DIR, "" DIR itself.
 */
typedef void check_fn(void *ctx, bool note, const char *file,
    const struct mistake *);

/*
 * How many mistakes; a file that is not there is none. root: as warrend sees
 * it that follows no links (common/numbers.h). *off, when it is asked for: how
 * many of them only keep an interface off, or a rule of image_policy from ever
 * holding, and no start. ctx is the fn's.
 */
unsigned check_config(const char *dir, bool root, unsigned *off, check_fn *,
    void *ctx);

/* "DIR/FILE:LINE:COLUMN: text (hint)", with "note: " before a note. */
void check_line(char *out, size_t cap, const char *dir, bool note,
    const char *file, const struct mistake *);
/* What `warren check-config` and `warrend --check` print: a line each, and
 * the sum. How many mistakes. */
unsigned check_print(const char *dir, bool root);

#endif
