/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_LSMLOOK_H
#define WARREN_NODE_CHECK_LSMLOOK_H

#include "sandbox/plan/lsm.h"

/*
 * Which policy this kernel enforces, looked for beneath `sys` ("/sys"). Where
 * it has both, which no distribution ships, it is AppArmor.
 */
enum lsm_kind lsmlook(const char *sys);
/* Where SELinux says "1" while it enforces; for reading, or -1 with errno. */
int lsmlook_enforce(const char *sys);
/* Has AppArmor this profile, and enforces it? false too: it cannot be read. */
bool lsmlook_enforced(const char *sys, const char *name);
/*
 * The program that compiles AppArmor's language, for reading, or -1 with errno.
 * It is root's alone to write, like one that contains jobs (tool.h).
 */
int lsmlook_parser(void);

#endif
