/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_ACCEPTOR_H
#define WARREN_COMMON_ACCEPTOR_H

#include <ev.h>

/*
 * A listener in a libev loop: one connection a turn, non-blocking and closed
 * on exec, handed to `take`, who owns it. Without a free descriptor the
 * listener stays readable: it is left alone for a second instead of the loop
 * spinning on it.
 */
#define ACCEPTOR_PAUSE_S 1.

struct acceptor {
	struct ev_loop *loop;
	ev_io io;
	ev_timer again;
	void (*take)(void *ctx, int fd);
	void *ctx;
	unsigned refused; /* times it looked away */
};

/* fd stays the caller's, is non-blocking, and outlives acceptor_stop(). */
void acceptor_start(struct acceptor *, struct ev_loop *, int fd,
    void (*take)(void *ctx, int fd), void *ctx);
void acceptor_stop(struct acceptor *);

#endif
