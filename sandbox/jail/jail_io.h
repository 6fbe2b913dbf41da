/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_JAIL_IO_H
#define WARREN_SANDBOX_JAIL_JAIL_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc_msg.h"

/*
 * Is the disk's limit upon us? On version 2 it is of a group above all of
 * ours; on version 1 of one that the parent puts us into before we begin,
 * which may fail: its word is not enough (node/parent/iolimit.h).
 */
#define JAIL_IO_TEXT 4096
/* /proc/self/cgroup, while there is one. */
void jail_io_look(char text[JAIL_IO_TEXT]);
/*
 * LAYER_IO, or 0. afar: jobs are in their groups of version 2 and not where we
 * are, as a daemon's are that do not join it.
 */
uint32_t jail_io(const char *text, const struct msg_PARAMS *, bool afar);

#endif
