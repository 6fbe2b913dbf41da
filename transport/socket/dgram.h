/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_SOCKET_DGRAM_H
#define WARREN_TRANSPORT_SOCKET_DGRAM_H

#include <stddef.h>
#include <stdint.h>

#include <ev.h>
#include <netinet/in.h>

#include "transport/socket/fsock.h"

/*
 * Datagram sockets: a packet is a datagram, without framing. At most DGRAM_BATCH
 * are read from one socket in a turn, so that none starves the others. What is
 * sent gathers in one buffer of the program and leaves by one system call for
 * many; what the kernel does not take at once is dropped and counted, as nobody
 * waits for a datagram. Errors of a socket are counted, and it goes on.
 */
#define DGRAM_BATCH 32
#define DGRAM_MAX 2048 /* bytes; longer ones are dropped and counted */

struct dgram {
	struct ev_loop *loop;
	int fd; /* -1: closed */
	ev_io rd;
	/* one that came; must not close the socket */
	void (*packet)(void *arg, const uint8_t *, size_t,
	    const struct sockaddr_in6 *from);
	/* one that was too long for DGRAM_MAX; NULL: nobody counts */
	void (*too_long)(void *arg);
	void *arg;
};

void dgram_init(struct dgram *, struct ev_loop *);
/* Takes fd and reads it from now on; from is of AF_INET6 sockets only. */
void dgram_open(struct dgram *, int fd);
void dgram_close(struct dgram *);

/*
 * Send len bytes to an address from fd, at dgram_flush() at the latest. What
 * becomes of it is counted in *count (tx_frames, tx_bytes, tx_drops,
 * tx_drop_bytes), which must be there until then.
 */
void dgram_send(int fd, const void *to, socklen_t, const uint8_t *, size_t len,
    struct fsock *count);
void dgram_flush(void);

#endif
