/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_DEVFILTER_H
#define WARREN_SANDBOX_BASE_DEVFILTER_H

#include <stdbool.h>

/*
 * The program of sandbox/plan/devices.h at a v2 group: it holds for every
 * process in it and beneath, whatever rights they have, until the group is
 * removed. Wants CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, of the machine;
 * needs no controller. 0, or -1 with errno: the kernel has none
 * (CONFIG_CGROUP_BPF), or lets nobody.
 */
int devfilter_attach(int group);

/*
 * Does such a filter hold for this process? Opens null, and one that is not
 * allowed, of the machine's /dev: the kernel's word for a filter is EPERM, for a
 * file's mode it is another. false where /dev has none of those either.
 */
bool devfilter_holds(void);

#endif
