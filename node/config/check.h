/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_CHECK_H
#define WARREN_NODE_CONFIG_CHECK_H

#include "common/ydoc.h"

/*
 * Every mistake of the operator's files in DIR: config, node.yaml,
 * profiles/NAME.yaml. For `warrend --check`, the start, and `warren
 * check-config`. file is relative to DIR. Changes nothing.
 */
typedef void check_fn(void *ctx, const char *file, const struct mistake *);
/* How many; a file that is not there is no mistake. */
unsigned check_config(const char *dir, check_fn *, void *ctx);

/* A check_fn that writes "DIR/FILE:LINE:COLUMN: text (hint)"; ctx: the dir. */
void check_print(void *dir, const char *file, const struct mistake *);

/*
 * A whole file, NUL-terminated, free() it. NULL: errno, EFBIG beyond max,
 * EINVAL when it is no regular file. flags: O_NOFOLLOW or 0.
 */
char *check_load(int at, const char *name, int flags, size_t max, size_t *len);

#endif
