/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_ACCEPTOR_H
#define WARREN_COMMON_ACCEPTOR_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <ev.h>

/*
 * A listener in a libev loop: a few connections a turn, so that those which
 * are there come first; each non-blocking, closed on exec and handed to
 * `take`, who owns it. Without a free descriptor the listener stays readable:
 * it is left alone for a second instead of the loop spinning on it.
 */
#define ACCEPTOR_PAUSE_S 1.
#define ACCEPTOR_BATCH 8

struct acceptor {
	struct ev_loop *loop;
	ev_io io;
	ev_timer again;
	void (*take)(void *ctx, int fd, const struct sockaddr_storage *peer);
	void *ctx;
	uint64_t refused; /* times it looked away */
};

/*
 * fd stays the caller's, becomes non-blocking, and outlives acceptor_stop().
 * take must not stop the acceptor.
 */
void acceptor_start(struct acceptor *, struct ev_loop *, int fd,
    void (*take)(void *ctx, int fd, const struct sockaddr_storage *peer),
    void *ctx);
/* Allowed again, and on one that is all zero and was never started. */
void acceptor_stop(struct acceptor *);

/*
 * The user and process at the other end of a connected Unix socket, as they
 * were when it connected; over TCP, or when the kernel does not say, -1 and 0.
 */
void acceptor_who(int fd, uid_t *uid, pid_t *pid);

#endif
