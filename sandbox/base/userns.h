/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_USERNS_H
#define WARREN_SANDBOX_BASE_USERNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define USERNS_ID 1000 /* inside: the one user and the one group */

/*
 * The one id of a job's user namespace: USERNS_ID inside is these outside.
 * Written by root for a child that has made its namespace, or, with deny, by
 * the process itself (it must be dumpable). 0 or -1 with errno.
 */
int userns_map(pid_t, uint32_t uid, uint32_t gid, bool deny);
/*
 * Into a user namespace inside the present one, with all capabilities there,
 * whose one id `inside` is ours here. 0 or -1 with errno.
 */
int userns_nest(uint32_t inside, uint32_t uid, uint32_t gid);
/*
 * A user namespace that nobody is in, as a descriptor, for an id-mapped mount:
 * user and group `from` of a file system are `id`. By root. -1 with errno.
 */
int userns_holder(uint32_t from, uint32_t id);
/*
 * Inside, once it is mapped: take that id for good. Other groups are left by
 * the caller, where they may be. 0 or -1 with errno.
 */
int userns_take_id(void);

#endif
