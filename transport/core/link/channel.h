/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_CHANNEL_H
#define WARREN_TRANSPORT_CORE_LINK_CHANNEL_H

#include "transport/core/link/link.h"

/* Reliable messages in order over a link (9). */

#define CHANNEL_HEAD 6
#define CHANNEL_RTT_SLOW 1.45 /* s; above: one message at a time */
#define CHANNEL_RESERVED 0xf000 /* types from here on */
#define CHANNEL_STREAM 0xff00 /* the type of messages of streams (10) */

struct envelope { /* sent and not yet proved */
	TAILQ_ENTRY(envelope) entry;
	struct link *link;
	struct timer timer;
	struct receipt *receipt; /* NULL: culled, the timer goes on */
	uint64_t tag;
	bool wants_event;
	unsigned tries;
	double timeout; /* s, from `sent` */
	struct mono sent;
	size_t len;
	uint8_t data[];
};

struct message { /* came before its turn */
	TAILQ_ENTRY(message) entry;
	uint16_t type, seq;
	size_t len;
	uint8_t data[];
};

struct channel {
	TAILQ_HEAD(envelope_ring, envelope) ring;
	unsigned ring_count;
	uint16_t tx_next, rx_next;
	unsigned window, window_min, window_max, flex;
	unsigned fast, medium;
	bool want_ready;
	TAILQ_HEAD(, message) held; /* in order of sequence from rx_next on */
	uint64_t charged;
	uint8_t *streams; /* bit set of open stream ids, NULL: none */
	/*
	 * Takes messages of type 0xff00, or says false: not now. NULL: no
	 * stream is open.
	 */
	bool (*stream_in)(struct rns *, struct link *, const uint8_t *, size_t);
};

/* There is one behind it. RNS_ENOMEM. */
int channel_open(struct rns *, struct link *);
/*
 * One message of pieces that stand together. RNS_EAGAIN: the window is full,
 * CHANNEL_READY follows; RNS_EBIG; RNS_ENOMEM; errors of link_send().
 */
int channel_send(struct rns *, struct link *, uint16_t type,
    const struct iovec_c *, size_t count, uint64_t tag);
/* channel_room() is not 0. */
bool channel_ready(const struct link *);
/* How many messages channel_send() takes now, also before channel_open(). */
unsigned channel_room(const struct link *);
/* A packet, not decrypted yet; proved when it was taken. */
void channel_in(struct rns *, struct link *, const struct packet *);
/* The link ends: what was not proved is lost. */
void channel_closed(struct rns *, struct link *);
/* reticulum-endpoint.md 9.3, pure: s until a message is sent again. */
double channel_timeout(unsigned tries, double rtt, unsigned ring);

#endif
