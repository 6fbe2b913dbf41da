/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_WHOSE_H
#define WARREN_NODE_CHECK_WHOSE_H

#include <stdint.h>

/*
 * Whose the configuration folder is, which root's warrend trusts with all that
 * it does (THREATS.md 5.5): it, its parents and its files are root's, or, where
 * programs have folders of their own, a number's from base on, and nobody else
 * can write there. Path is absolute. 0, or -1 after fn heard of the first that
 * is not so.
 */
typedef void whose_fn(void *ctx, const char *path, const char *what);
int whose_check(int dir, const char *path, uint32_t base, whose_fn *,
    void *ctx);

#define WHOSE_REMEDY 1024
/* What to do about it, a sentence or two. */
void whose_remedy(char out[WHOSE_REMEDY], const char *path);

#endif
