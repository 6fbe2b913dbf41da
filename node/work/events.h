/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_EVENTS_H
#define WARREN_NODE_WORK_EVENTS_H

#include <stdbool.h>

#include "common/ipc_msg.h"
#include "node/proto/proto.h"

struct asked;
struct node;

/*
 * This node as the hub of others (klp.md 7): their lines are kept in order,
 * each once, and what breaks their chain is raised; their alarms become lines
 * of our own trail.
 */
bool events_path(enum proto_path);
/* Who asks is on the list by his Reticulum identity. */
bool events_named(const struct node *, const struct asked *);
/* Otherwise by his key, which is known then. */
void events_request(struct node *, struct asked *);
/*
 * An alarm that came as a packet of its own: whose it is trust says, and it is
 * proved when it is known here.
 */
void events_packet(struct node *, const struct msg_T_ALERT *);
void events_alerted(struct node *, const struct msg_V_ALERTED *);

#endif
