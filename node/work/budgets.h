/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_BUDGETS_H
#define WARREN_NODE_WORK_BUDGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/work/state.h"

/*
 * What peers and owners have used, kept across restarts of the node: who has
 * used up his budget does not get a new one when a program falls. One file,
 * written anew each BUDGETS_S seconds while something changes, and at the end;
 * what jobs cost since then is known from the jobs.
 */
#define BUDGETS_S 10 /* ours */
/* ours: so often while there are jobs: the time in it is the last one known */
#define BUDGETS_CLOCK_S 3600
#define BUDGETS_BYTES_MAX (1024u * 1024)

/* Has something changed that is not kept, for long enough; or is it old? */
bool budgets_due(struct node *);
/* All of them; free it. NULL: out of memory. They are kept then. */
uint8_t *budgets_encode(struct node *, size_t *len);
/*
 * Before any peer is known. false: malformed, and nothing is taken. *saved:
 * unix seconds of when they were kept; 0: never.
 */
bool budgets_decode(struct node *, const uint8_t *, size_t len,
    uint32_t *saved);

#endif
