/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_INBOX_H
#define WARREN_NODE_HOST_INBOX_H

#include "common/program.h"

/* What the parent and the siblings say; ctx: struct warren_node. */
extern const struct program_ops inbox_ops;

#endif
