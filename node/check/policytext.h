/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_POLICYTEXT_H
#define WARREN_NODE_CHECK_POLICYTEXT_H

#include <stdbool.h>

#include "node/check/finding.h"

/* What the checks of image_policy share: patterns as people write them. */

/*
 * What shows that a text was meant as a regular expression, "^" or the like;
 * NULL: nothing does. hint gets it as a pattern, "" when that is not to be had.
 */
#define POLICY_HINT_MAX 300
const char *policy_regex(const char *text, char hint[POLICY_HINT_MAX]);
/* Whether such a sign may as well be meant as it stands, as in "x[bot]@...". */
bool policy_literal(const char *sign);
/* A mistake that keeps no start: this can never match. */
void policy_never(struct check *, const struct ynode *, const char *hint,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Whether any text fits both patterns. */
bool policy_meets(const char *pattern, const char *form);

#endif
