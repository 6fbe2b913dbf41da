/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_CHECK_POLICY_H
#define WARREN_NODE_CHECK_CHECK_POLICY_H

#include "node/check/finding.h"
#include "node/config/nodeconf.h"

/*
 * image_policy that can be read, and still is not what its writer meant (klp.md
 * 9): a rule that is about no image, a signer whom no certificate can name or
 * who is anybody, a predicate that nobody can make. What lets more in than it
 * says keeps the start, what can never match does not (its images are refused),
 * and what is likely wrong is a note.
 */
void check_policy(struct check *, const struct node_config *);

/* Of `require`, in check_want.c. */
void check_wants(struct check *, const struct ynode *list);

#endif
