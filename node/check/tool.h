/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_TOOL_H
#define WARREN_NODE_CHECK_TOOL_H

#include <stddef.h>

/*
 * The program of a runner (`runner` and `runner_path` of node.yaml): a file of
 * root or of who we are, that nobody else may write and anybody may execute,
 * since it runs as a job's user. path: NULL, its usual name in the usual places.
 * A descriptor, or -1 and why.
 */
#define TOOL_WHY 300
int tool_open(unsigned runner, const char *path, char why[TOOL_WHY]);

#endif
