/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_WATCHDOG_PIPE_H
#define WARREN_AUDIT_WATCHDOG_PIPE_H

#include <stddef.h>

#include <ev.h>

#include "audit/watchdog.h"

/*
 * The ends of a watchdog's pipes in a libev loop: lines go out as fast as they
 * are taken, or are lost and counted; what comes back is judged by watchdog.h,
 * and what is left of it goes to the trail and to node.
 */
#define DOGPIPE_QUEUE (256u * 1024) /* bytes that wait to be taken */
#define DOGPIPE_PROPOSALS 64	    /* files that lie in proposals/ */

struct dogpipe_ops {
	void *ctx;
	void (*event)(void *ctx, const struct msg_EVENT *);
	void (*there)(void *ctx, const struct msg_D_THERE *);
	void (*act)(void *ctx, const struct msg_D_ACT *);
	/* jobs under the probes, for a tick; how many */
	unsigned (*counts)(void *ctx, struct dog_count *, unsigned max);
};

struct dogpipe;
/* dir: where proposals/ is made. NULL: no memory. */
struct dogpipe *dogpipe_new(struct ev_loop *, int dir,
    const struct dogpipe_ops *);
void dogpipe_free(struct dogpipe *);
void dogpipe_conf(struct dogpipe *, const struct msg_D_CONF *);
/* Another one, in place of any: both descriptors are taken. */
void dogpipe_pipes(struct dogpipe *, int out, int in);
/* body: the event as it stands in the trail. */
void dogpipe_event(struct dogpipe *, const struct msg_EVENT *, const char *uid,
    unsigned severity, const char *body, size_t len);
void dogpipe_log(struct dogpipe *, const struct msg_D_LOG *);
/* Node is new: is one there? */
void dogpipe_hello(struct dogpipe *);
#endif
