/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_WHOSE_H
#define WARREN_NODE_CHECK_WHOSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

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

/* The same of a storage/ that a link of root's leads to; path is for fn. */
int whose_check_storage(int dir, const char *path, uint32_t base, whose_fn *,
    void *ctx);
/*
 * Why not this one; NULL: it is good. ours: also one of the numbers of our
 * programs. parent: a folder above, in which, when it is sticky, nobody can
 * replace what is root's.
 */
const char *whose_ill(const struct stat *, uint32_t base, bool ours,
    bool parent);

#define WHOSE_REMEDY 1024
/* What to do about it, a sentence or two. */
void whose_remedy(char out[WHOSE_REMEDY], const char *path);

#endif
