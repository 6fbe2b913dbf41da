/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_CHANNEL_H
#define WARREN_TRANSPORT_CORE_LINK_CHANNEL_H

#include "transport/core/link/link_int.h"

/* The state of channel.c and stream.c on a link. */

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
	TAILQ_HEAD(, envelope) ring;
	unsigned ring_count;
	uint16_t tx_next, rx_next;
	unsigned window, window_min, window_max, flex;
	unsigned fast, medium;
	bool want_ready;
	TAILQ_HEAD(, message) held; /* in order of sequence from rx_next on */
	uint64_t charged;
	uint8_t *streams; /* bit set of open stream ids, NULL: none */
	/* takes messages of type 0xff00; NULL: no stream is open */
	void (*stream_in)(struct rns *, struct link *, const uint8_t *, size_t);
};

#endif
