/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_EVENT_H
#define WARREN_TRANSPORT_CORE_BASE_EVENT_H

#include "transport/core/core.h"

/* The queue behind rns_next_event(); event_push() is in core.h. */
int evq_new(struct rns *);
void evq_free(struct rns *);
/* The event stays valid until the next call. */
bool evq_next(struct rns *, struct rns_event *);

#endif
