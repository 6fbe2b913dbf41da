/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_IMAGE_LISTED_H
#define WARREN_SANDBOX_IMAGE_LISTED_H

#include <stddef.h>
#include <stdint.h>

#include "audit/filelist.h"

/*
 * The regular files of a root as its list (audit/filelist.h) names them, folder
 * by folder: each folder is opened beneath root, over no link. name is one
 * component of dir. The list must have passed filelist_check().
 */
typedef int listed_fn(void *ctx, int dir, const char *name,
    const struct filelist_entry *);
/*
 * after (or NULL) is told of each folder when its files are done. 0, -1 with
 * errno, or what a function said that was not 0.
 */
int listed_each(int root, const uint8_t *list, size_t len, listed_fn *fn,
    int (*after)(void *ctx, int dir), void *ctx);

#endif
