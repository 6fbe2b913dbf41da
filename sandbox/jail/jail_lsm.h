/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_JAIL_LSM_H
#define WARREN_SANDBOX_JAIL_JAIL_LSM_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox/plan/lsm.h"

/* What jail finds out about the kernel's policy at its start. */

/*
 * The parent's word (-1: none), tried: *out is LSM_NONE with a reason where
 * this kernel would not let a job have its label.
 */
void jail_lsm(struct lsm *out, int fd);
/*
 * Of layers, those that hold still: enforce is the file by which SELinux says
 * whether it enforces (-1: none), and where it does not, no job has its layer.
 */
uint32_t jail_lsm_now(uint32_t layers, int enforce);
/*
 * The reason, behind what else is missing; sets: where the jobs are
 * contained they can be labelled.
 */
void jail_lsm_missing(const struct lsm *, bool sets, char *text, size_t cap);

#endif
