/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_INGRESS_H
#define WARREN_TRANSPORT_CORE_TABLE_INGRESS_H

#include "transport/core/table/iface.h"

/*
 * Bursts of announces and path requests (reticulum-transport.md 8.5), and the
 * announces that are held back meanwhile. Each evaluation moves the state.
 */
#define INGRESS_JOB_US (5 * MONO_SECOND)
/* ours: held on all interfaces together, so that memory is bounded */
#define HELD_TOTAL 4096

/* An announce of an unknown destination from there: is it to be held? */
bool ingress_limits_announces(struct rns *, struct iface *);
/* A path request from there: is it of a burst? */
bool ingress_limits_requests(struct rns *, struct iface *);
/* May no path request be sent on there now (egress control)? */
bool egress_limits(struct rns *, struct iface *);

/* ---- held announces ---- */

struct held {
	RB_ENTRY(held) node;  /* by destination */
	RB_ENTRY(held) order; /* nearest, then oldest */
	struct hash16 dest;
	uint64_t emitted, seq;
	uint8_t hops; /* incremented */
	size_t len;
	uint8_t raw[];
};

/*
 * Hold raw (without access code, hop byte as received). One for each
 * destination, the newest. What finds no place is a drop.
 */
void held_put(struct rns *, struct iface *, const struct hash16 *dest,
    uint64_t emitted, uint8_t hops, const uint8_t *raw, size_t len);
/* The bytes of the one of dest that is held there; at their end: none is. */
struct rd held_announce(const struct iface *, const struct hash16 *dest);
/*
 * The nearest one, when it is time for one; the caller frees it. NULL: none,
 * or not now.
 */
struct held *held_take(struct rns *, struct iface *);
/*
 * Is one of dest held there, and when does its turn come at the earliest (Unix
 * time)?
 */
bool held_show(const struct rns *, const struct iface *,
    const struct hash16 *dest, int64_t *until_us);
/* All of them are lost. */
void held_clear(struct rns *, struct iface *);
/* The job of the interface is wanted in 5 s, unless it stands. */
void ingress_arm(struct rns *, struct iface *);
/* Whether there is anything that the job would look after. */
bool ingress_busy(const struct iface *);

#endif
