/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_SEND_WAITING_H
#define WARREN_TRANSPORT_CORE_SEND_WAITING_H

#include <rns/hash.h>

#include "transport/core/table/path.h"

/*
 * The announce table (reticulum-transport.md 2.5, 4.2, 4.6): what will be
 * passed on, and when.
 */
/* One entry, for who looks; in the list of its owner. */
struct waiting {
	TAILQ_ENTRY(waiting) age; /* in the list of `owner` */
	struct iface *owner;      /* who asked, or who announced */
	struct hash16 dest;
	struct iface *via;
	uint64_t seq;
	uint32_t id;   /* of the pool */
	uint32_t next; /* with the same place by destination */
	uint8_t hops, retries, heard;
};

int waiting_new(struct rns *);
void waiting_free(struct rns *);
/*
 * Pass the announce of a path on at `at`; retries 0: twice, 1: once. It
 * replaces the one that waits. At the ceiling of paths, and without memory, it
 * is a drop.
 */
void waiting_relay(struct rns *, const struct path *, struct mono at,
    uint8_t retries);
/* Answer a path request on one interface, once. */
void waiting_answer(struct rns *, const struct path *, struct mono at,
    struct iface *via);
/* Does it matter that a neighbour passed one on? Hops as received. */
bool waiting_listens(struct rns *, const struct hash16 *dest, uint8_t hops);
/* A neighbour did (reticulum-transport.md 4.2). */
void waiting_heard(struct rns *, const struct hash16 *dest, uint8_t hops);
/*
 * What waits goes with its path: takes the notes of path_gone_next(). Every
 * function here begins with it; core.c ends each turn with it.
 */
void waiting_forget(struct rns *);
/* When it leaves. */
struct mono waiting_at(const struct rns *, const struct waiting *);
/* How many of dest wait, and when the first leaves (Unix time). */
uint32_t waiting_show(const struct rns *, const struct hash16 *dest,
    int64_t *until_us);
/* Answers that would leave there are forgotten. */
void waiting_iface_gone(struct rns *, const struct iface *);

#endif
