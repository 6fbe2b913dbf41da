/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_SOCKET_FSOCK_H
#define WARREN_TRANSPORT_SOCKET_FSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <ev.h>
#include <rns/rns.h>

/*
 * A framed stream socket: packets out of bytes and bytes out of packets. One
 * read of at most FSOCK_READ bytes a turn and stream, so that none starves
 * the others; and since a frame may cost a signature, whose frames take longer
 * than its share of a turn goes on with them in the next. Frames to send gather
 * in one buffer, written by fsock_flush() once a turn; nothing is allocated per
 * packet.
 */
#define FSOCK_READ 65536
/*
 * ours, us: of a turn for all that have frames left of an earlier one, who had
 * none for the longest time first; of each at most and at least.
 */
#define FSOCK_TURN_US 16000
#define FSOCK_SHARE_MAX_US 2000
#define FSOCK_SHARE_MIN_US 100
/*
 * ours: buffers for frames that go on, of all streams of the process. Above the
 * first none keeps much more than its frame has, and of who has much already little
 * is read at once; above the second whoever began its frame first loses it,
 * unless that is little.
 */
#define FSOCK_IN_EASY (4u << 20)
#define FSOCK_IN_MAX (16u << 20)
#define FSOCK_IN_SMALL 8192
#define FSOCK_READ_SMALL 4096
/* bytes waiting (reticulum-transport.md 12.1, 18.5) */
#define FSOCK_OUT_MAX (4u << 20)
/*
 * ours: buffers of all streams of the process. Who has little waiting gets
 * FSOCK_OUT_SMALL in any case, so that those who do not read cannot starve
 * those who do.
 */
#define FSOCK_TOTAL_MAX (64u << 20)
#define FSOCK_OUT_SMALL 65536u

struct fsock {
	struct ev_loop *loop;
	int fd; /* -1: closed */
	enum rns_framing framing;
	struct rns_deframer *in;
	size_t in_room; /* its buffer, as counted */
	bool behind;	/* has frames that were read and not passed on */
	TAILQ_ENTRY(fsock) fed, late;
	ev_io rd, wr;
	ev_timer more; /* with them, in the next turn */
	uint8_t *out;
	size_t out_cap, out_from, out_to;
	/* what happened on all connections of this stream */
	uint64_t rx_bytes, tx_bytes; /* with framing */
	uint64_t rx_frames, tx_frames;
	uint64_t tx_drops, tx_drop_bytes; /* no room, or closed */
	uint64_t rx_drops;                /* too short or too long */

	/* one packet, unframed; must not close the stream */
	void (*frame)(void *arg, const uint8_t *, size_t);
	/* EOF or error (errno, 0: EOF); it is closed; may free the stream */
	void (*gone)(void *arg, int error);
	void *arg;
};

void fsock_init(struct fsock *, struct ev_loop *);
/* Takes the connected fd. max: bytes of the longest packet. -1: ENOMEM. */
int fsock_open(struct fsock *, int fd, enum rns_framing, size_t max);
/* Counters stay; what waits is lost. */
void fsock_close(struct fsock *);
/* Close it and say so, as if the other end had: gone() is called. */
void fsock_fail(struct fsock *, int error);
/* Frame and queue; false: dropped and counted. */
bool fsock_send(struct fsock *, const uint8_t *, size_t);
/* Write what waits; what the socket does not take goes when it can. */
void fsock_flush(struct fsock *);
/* A few bytes that are no frame, at once, when nothing else waits. */
void fsock_idle(struct fsock *, const void *, size_t);
size_t fsock_waiting(const struct fsock *);
/*
 * Before the end: blocks until the other side has read all that was sent (of
 * TCP: its machine has it), at most ms.
 */
void fsock_drain(struct fsock *, int ms);

#endif
