/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_HUB_H
#define WARREN_AUDIT_HUB_H

#include <ev.h>

#include "audit/trail.h"
#include "common/ipc.h"

/*
 * The trail to a hub (klp.md 7), on the web or over the mesh: in order, each
 * line at least once, one batch at a time; what the hub has taken is kept in a
 * file, and what was dropped meanwhile goes to it as the tombstones that are
 * met. Where the way over the mesh is slow, alarms alone go out: as one signed
 * packet, and if the hub does not prove that, on a link.
 */
struct hub;

struct hub_ops {
	void *ctx;
	/* To warren-egress; -1: it is not there. */
	int (*post)(void *ctx, const struct msg_POST *, int fd);
	/* To warren-transport, with or without a descriptor; likewise. */
	int (*ask)(void *ctx, const struct msg_M_ASK *, int fd);
	/* To warren-keys; likewise. */
	int (*sign)(void *ctx, const struct msg_K_ALERT *);
	/* Something for the trail. */
	void (*event)(void *ctx, uint8_t severity, const char *text,
	    int64_t v);
	/* hub_state() is another one. */
	void (*changed)(void *ctx);
};

/* dir: of the trail, as is; both outlive it. NULL: no memory. */
struct hub *hub_new(struct ev_loop *, int dir, struct trail *,
    const struct hub_ops *);
void hub_free(struct hub *); /* NULL is fine */
/*
 * The text of SET_HUB: "ID SEVERITY LINES BYTES", and of a hub on the mesh its
 * identity; else there is no hub.
 */
void hub_set(struct hub *, const char *text, size_t len);
bool hub_on(const struct hub *);
/* This event was appended, as a line with this digest. */
void hub_wrote(struct hub *, const struct msg_EVENT *,
    const struct id32 *digest);
void hub_posted(struct hub *, const struct msg_POSTED *, struct ipc_in *);
void hub_answered(struct hub *, const struct msg_M_ANSWER *, struct ipc_in *);
void hub_alerted(struct hub *, const struct msg_K_ALERTED *);
/* A program of the house can be asked, or cannot any more. */
void hub_way(struct hub *, enum program, bool open);
void hub_state(const struct hub *, struct msg_HUB_STATE *);

#endif
