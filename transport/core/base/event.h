/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_EVENT_H
#define WARREN_TRANSPORT_CORE_BASE_EVENT_H

#include "transport/core/base/ctx.h"

/* The queue behind rns_next_event(). */
int evq_new(struct rns *); /* RNS_ENOMEM */
void evq_free(struct rns *);
/* The event stays valid until the next call. */
bool evq_next(struct rns *, struct rns_event *);

/*
 * Queue *ev; data that its pointers name is copied, at most three pieces
 * (app_data, ratchet, raw; data, metadata). Memory by ownership: a `own`
 * buffer from malloc becomes the queue's in place of a copy of ev's `data`.
 * RNS_ELIMIT counts RNS_DROP_LIMIT.
 */
int event_push(struct rns *, const struct rns_event *ev);
int event_push_own(struct rns *, const struct rns_event *ev, uint8_t *own);

#endif
