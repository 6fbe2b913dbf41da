/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_READER_H
#define WARREN_NODE_PARENT_READER_H

/*
 * The group that may read metrics gets their socket. Apart, since <grp.h> has a
 * struct of the name that groups.h gives to control groups. What fails is said;
 * the socket is there without them.
 */
void reader_group(const char *path, const char *name);

#endif
