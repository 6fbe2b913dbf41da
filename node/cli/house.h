/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_HOUSE_H
#define WARREN_NODE_CLI_HOUSE_H

/*
 * A program of the house, which lies beside this one or in PKGLIBEXECDIR: for
 * reading, and as the parent has it, in memory that nobody can change, to be
 * executed. A descriptor or -1.
 */
int house_open(const char *name);
int house_sealed(const char *name);
/* All of it, from its beginning. 0 or -1. */
int house_copy(int from, int to);

#endif
