/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_HOSTKIT_H
#define WARREN_TESTS_UNIT_HOSTKIT_H

#include "node/work/host.h"

/*
 * A machine that has every image, volume and profile and a disk without end,
 * and hands plans to whoever stands in for jail: over what host_fill() has set.
 */
void hostkit_fill(struct host *);

#endif
