/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_WARMTH_H
#define WARREN_NODE_CLI_WARMTH_H

#include <jansson.h>

/*
 * `warm` of a node's status, or NULL, as a line: roots that wait for a job, and
 * why those of the others did not. Nothing where none is prepared.
 */
void warmth_print(const json_t *);

#endif
