/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CLIENT_ATTACH_REQUEST_H
#define WARREN_TRANSPORT_CLIENT_ATTACH_REQUEST_H

#include <stdbool.h>

#include <rns/rns.h>

#include "transport/client/attach.h"

/* An answer, a failure, progress or stream data of this link. */
void arequests_event(struct attach_link *, const struct rns_event *);
/* STREAM_DATA; false: bytes of it are lost, so the link is of no use. */
bool arequests_stream(struct attach_link *, const struct rns_event *);
/* All end: each is told LINK_LOST, or in silence. Freed by the reap. */
void arequests_end(struct attach_link *, bool tell);
/* The end of a turn: free those that are dead. */
void arequests_reap(struct attach_link *);

#endif
