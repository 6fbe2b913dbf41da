/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_SERIAL_H
#define WARREN_TRANSPORT_MODEM_SERIAL_H

#include "transport/modem/modem.h"
#include "transport/modem/noise.h"

/*
 * SerialInterface: packets in HDLC-like frames over a cable
 * (reticulum-transport.md 9.1, 10.6). Nothing is at the other end that answers:
 * half a second after the line was opened it carries.
 */
#define SERIAL_MTU 564

enum serial_reason {
	SERIAL_PARTIAL, /* a frame that stopped in the middle */
	SERIAL_SIZE,    /* too short or too long for a packet */
	SERIAL_MEMORY,  /* ... and there was none */
	SERIAL_NOISE,   /* noise.h */
};

struct serial {
	struct modem m;
	struct rns_deframer *in;
	struct noise noise;
	uint8_t *frame; /* what goes out, whole */
	size_t limit;
	bool up;
	struct mono up_at;
	struct mono idle_at; /* an unfinished frame is given up */
};

/* limit: bytes of the longest packet, access code included. -1: ENOMEM. */
int serial_init(struct serial *, size_t limit);
void serial_clear(struct serial *);

#endif
