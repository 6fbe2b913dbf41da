/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_IPC_EV_H
#define WARREN_COMMON_IPC_EV_H

#include <ev.h>
#include <stdbool.h>

#include <rns/hash.h>

#include "common/ipc.h"

/*
 * A channel in a libev loop. Messages are read in batches and handed to
 * `message`; what ipc_send_*() queued is written when there is room, without
 * any call of the owner.
 */
struct ipc_ev;

struct ipc_ev_handlers {
	/* take descriptors with ipc_in_take(); the rest is closed after it */
	void (*message)(void *ctx, struct ipc_in *);
	/*
	 * The other end is gone (error 0) or broke the table (EPROTO). Called
	 * once; the handler, or the owner later, calls ipc_ev_free().
	 */
	void (*gone)(void *ctx, int error);
	/* fewer than IPC_QUEUE_HIGH are queued again; may be NULL */
	void (*room)(void *ctx);
};

/* Takes the channel; handlers must outlive it. NULL: out of memory. */
struct ipc_ev *ipc_ev_new(struct ev_loop *, struct ipc *,
    const struct ipc_ev_handlers *, void *ctx);
/* Closes the channel; allowed inside a handler. NULL is fine. */
void ipc_ev_free(struct ipc_ev *);
/* What has come and waits is handed on now; it may be gone afterwards. */
void ipc_ev_drain(struct ipc_ev *);
struct ipc *ipc_ev_channel(struct ipc_ev *);
/*
 * The first message must be HELLO with this build id, else gone(EPROTO); it is
 * passed on.
 */
void ipc_ev_expect_hello(struct ipc_ev *, const struct id32 *build);

#endif
