/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_RELOAD_H
#define WARREN_NODE_WORK_RELOAD_H

#include "node/work/policy.h"
#include "node/work/state.h"

/*
 * The operator's files are other ones: everything that is decided from now on
 * is decided by them. Jobs that run keep the limits that they were given; what
 * peers have used stays used. All are judged anew by node_verdicts_void(), which
 * is the caller's, behind it.
 */
void node_reload(struct node *, const struct policy *);
/*
 * A verdict has come: who is pinned below the floor loses his jobs as by a
 * revocation. A level that falls by itself ends nothing that runs.
 */
void reload_judged(struct node *, struct peer *);

#endif
