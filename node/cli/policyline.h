/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_POLICYLINE_H
#define WARREN_NODE_CLI_POLICYLINE_H

#include <jansson.h>

/*
 * `image_policy` of a node's status, or NULL, in lines: each of its roots with
 * number and age, and each rule for which nobody can sign.
 */
void policyline_print(const json_t *);

#endif
