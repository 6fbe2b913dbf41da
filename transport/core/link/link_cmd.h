/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_LINK_CMD_H
#define WARREN_TRANSPORT_CORE_LINK_LINK_CMD_H

#include "transport/core/link/link.h"

/*
 * The commands that concern links; core.c passes them on. RNS_ENOENT: no such
 * link, request or resource; RNS_ESTATE: the link is not up; else what the part
 * says, see rns.h.
 */
int link_submit(struct rns *, const struct rns_cmd *);

#endif
