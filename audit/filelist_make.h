/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_FILELIST_MAKE_H
#define WARREN_AUDIT_FILELIST_MAKE_H

#include <stddef.h>

/*
 * The list (filelist.h) of what lies beneath root, written to out: every
 * folder, regular file and symbolic link; anything else is EINVAL. Nothing may
 * change meanwhile. Where the file system has fs-verity and the files are ours,
 * it keeps their digests from now on. 0 or -1 with errno; path gets what it was at.
 */
int filelist_make(int root, int out, char *path, size_t cap);

#endif
