/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_BRIDGE_H
#define WARREN_TRANSPORT_ENGINE_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/rns.h>

#include "common/ipc.h"

struct engine;
struct bridge;

/*
 * The destination klp.node (compute.md 1, 3) on one side, warren-node on the
 * other: requests go to node as messages, answers and streams come back.
 * Nothing is parsed here but message fields; a request's map is node's.
 */

/*
 * Adds the destination to the core and asks to be told of interfaces that come
 * up. NULL: no memory, or the core refuses (logged there).
 */
struct bridge *bridge_new(struct engine *);
/* The links' state goes; they close by bridge_close() before. NULL is fine. */
void bridge_free(struct bridge *);
/*
 * node is there (again): say hello and tell of every open link. One on which an
 * answer is owed by the node before is closed, since none will come.
 */
void bridge_node_up(struct bridge *);
void bridge_node_down(struct bridge *);
/* What node says; what is about a link that is gone has no effect. */
void bridge_reply(struct bridge *, const struct msg_N_REPLY *,
    struct ipc_in *);
void bridge_follow(struct bridge *, const struct msg_N_FOLLOW *,
    struct ipc_in *);
void bridge_end(struct bridge *, const struct msg_N_CLOSE *);
void bridge_hold(struct bridge *, const struct msg_N_HOLD *);
void bridge_app_data(struct bridge *, const struct msg_N_APP_DATA *);
void bridge_blackhole(struct bridge *, const struct msg_N_BLACKHOLE *);
/* Events of the core; false: not about the bridge's links or destination. */
bool bridge_event(struct bridge *, const struct rns_event *);
/* Close all links in order; before the end. */
void bridge_close(struct bridge *);

struct bridge_counts {
	unsigned links; /* open now */
	uint64_t links_lost;    /* no memory for them */
	uint64_t requests;      /* given to node */
	uint64_t requests_lost; /* node was not there, or full */
	uint64_t replies;
	uint64_t announces_spared; /* no air was left for them */
	uint64_t replies_lost; /* the link was gone, or took no more */
	uint64_t alarms;      /* packets of their own, given to node */
	uint64_t alarms_lost; /* not in that form, too many, or no node */
};
/* node has taken an alarm: it is proved. */
struct msg_N_ALERT_TAKEN;
void bridge_alert_taken(struct bridge *, const struct msg_N_ALERT_TAKEN *);
void bridge_counts(const struct bridge *, struct bridge_counts *);

#endif
