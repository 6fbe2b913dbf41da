/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CLIENT_ATTACH_LINK_H
#define WARREN_TRANSPORT_CLIENT_ATTACH_LINK_H

#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

struct attach;

/* Events of links, and of what runs on them; others are not looked at. */
void alinks_event(struct attach *, const struct rns_event *);
/* An announce came: links that look for dest go on in the next turn. */
void alinks_announce(struct attach *, const struct hash16 *dest);
/* The end of a turn: free what is dead. No callback comes from here. */
void alinks_reap(struct attach *);
/* Close and free all, without a callback. */
void alinks_free(struct attach *);

#endif
