/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_BRIDGE_H
#define WARREN_TRANSPORT_ENGINE_BRIDGE_H

#include <stdbool.h>

#include <rns/rns.h>

#include "common/ipc.h"

struct engine;
struct nif;
struct bridge;

/*
 * The destination klp.node (compute.md 1, 3) on one side, warren-node on the
 * other: requests go to node as messages, answers and streams come back.
 * Nothing is parsed here but message fields; a request's map is node's.
 */

struct bridge *bridge_new(struct engine *); /* NULL: cannot be made, logged */
void bridge_free(struct bridge *);
/* node is there (again): say hello and tell of every open link. */
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
/* A network interface came up: whom it reaches has not heard of klp.node. */
void bridge_if_online(struct bridge *, struct nif *);
unsigned bridge_links(const struct bridge *);

/* binding.c: B_SIGN of keys (klp.md 5, design.md 7). */
void binding_sign(struct engine *, const struct msg_B_SIGN *);

#endif
