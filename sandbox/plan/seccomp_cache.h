/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PLAN_SECCOMP_CACHE_H
#define WARREN_SANDBOX_PLAN_SECCOMP_CACHE_H

#include "sandbox/plan/seccomp_gen.h"

/*
 * seccomp_gen() through a cache folder: DIGEST.bpf, of profile, architecture,
 * kernel and libseccomp. A file that is torn or wrong is made anew; a cache
 * that cannot be written is no error. dir -1: no cache.
 */
int seccomp_cached(struct seccomp_program *, int dir, const char *json,
    size_t len, const struct seccomp_host *, char *err, size_t err_cap);

#endif
