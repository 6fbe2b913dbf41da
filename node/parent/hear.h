/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_HEAR_H
#define WARREN_NODE_PARENT_HEAR_H

#include "common/ipc_ev.h"

/* For the channel of a program; its context is the struct child. */
extern const struct ipc_ev_handlers hear_child;

#endif
