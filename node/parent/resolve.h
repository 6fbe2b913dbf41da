/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_RESOLVE_H
#define WARREN_NODE_PARENT_RESOLVE_H

#include "common/lookup.h"

struct parent;

/* Look-ups of the parent's: common/lookup.h in its loop. */
struct resolve;
/*
 * count 0: error is a text for people. Called once, not from inside start; the
 * resolve is over then and its handle gone.
 */
typedef void resolve_fn(void *ctx, const struct lookup_addr *, unsigned count,
    const char *error);
/* Look it up in a confined child; NULL with errno: there will be no answer. */
struct resolve *resolve_start(struct parent *, const char *host, resolve_fn *,
    void *ctx);
void resolve_stop(struct resolve *); /* before the answer; NULL is fine */

#endif
