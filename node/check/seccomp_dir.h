/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_SECCOMP_DIR_H
#define WARREN_NODE_CHECK_SECCOMP_DIR_H

#include <stdbool.h>

#define SECCOMP_BYTES_MAX (512u * 1024) /* of a profile */
#define SECCOMP_PROFILES_MAX 64		/* the parent's, and node's */

/*
 * Where seccomp profiles are found by name (ARCHITECTURE.md 12.20), the
 * operator's first: profiles/seccomp below dir; beside the running program,
 * when it is not installed; $datadir. fn sees each NAME.json, in the order of a
 * folder's names: own is true below dir; at is the folder; name is NULL when it
 * is none that a profile can have.
 */
typedef void seccomp_dir_fn(void *ctx, bool own, int at, const char *file,
    const char *name);
void seccomp_dir_each(int dir, seccomp_dir_fn *, void *ctx);

#endif
