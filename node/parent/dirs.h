/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_DIRS_H
#define WARREN_NODE_PARENT_DIRS_H

#include <stddef.h>

/* The configuration folder: where, whose, what is in it. */
struct parent;

/*
 * Opens dir (a path), as root after checking that it, its parents and its
 * files are nobody else's. -1: said; *status is the exit status (1 or 2).
 */
int dirs_open(struct parent *, const char *path, int *status);
/* Makes the folders, takes the lock, gives each program its own. As above. */
int dirs_make(struct parent *, int *status);
/*
 * A file beneath a folder, at most max bytes, not a link when we are root. The
 * caller's to free, with a NUL behind its *len bytes; NULL with errno.
 */
char *dirs_read(const struct parent *, int at, const char *name, size_t max,
    size_t *len);

#endif
