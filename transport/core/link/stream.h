/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_STREAM_H
#define WARREN_TRANSPORT_CORE_LINK_STREAM_H

#include "transport/core/link/link.h"

/* Streams over a channel (10). */

#define STREAM_HEAD 2

/* STREAM_OPEN: data with this id become events. RNS_EINVAL; RNS_ENOMEM. */
int stream_open(struct rns *, struct link *, uint16_t id);
/*
 * STREAM_SEND: one message; *taken says how much of the data it holds.
 * RNS_EINVAL; errors of channel_send(), RNS_EAGAIN among them.
 */
int stream_send(struct rns *, struct link *, const struct rns_cmd *);

#endif
