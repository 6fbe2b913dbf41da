/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_TOOL_H
#define WARREN_NODE_CHECK_TOOL_H

#include <stddef.h>

/*
 * The program of a runner (`runner` and `runner_path` of node.yaml): a file of
 * root or of who we are, that nobody else may write and anybody may execute,
 * since it runs as a job's user. path: NULL, its usual name in the usual places.
 * Of docker the socket of its daemon, where only root may ask: whoever it answers
 * is root. A descriptor, of a socket O_PATH, or -1 with errno and why:
 * ENOENT, it is not there; EPERM, it is not as it is to be.
 */
#define TOOL_WHY 300
#define TOOL_SOCKET "/run/docker.sock" /* the usual one */
int tool_open(unsigned runner, const char *path, char why[TOOL_WHY]);

#endif
