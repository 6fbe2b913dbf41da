/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_CHECK_RULES_H
#define WARREN_NODE_CHECK_CHECK_RULES_H

#include "node/check/finding.h"

/* rules.yaml: what of a job's acts is told, and what ends it. */
void check_rules(struct check *);

#endif
