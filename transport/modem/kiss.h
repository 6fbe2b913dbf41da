/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_KISS_H
#define WARREN_TRANSPORT_MODEM_KISS_H

#include "transport/modem/ax25.h"
#include "transport/modem/kissframe.h"
#include "transport/modem/modem.h"
#include "transport/modem/noise.h"

/*
 * KISSInterface and AX25KISSInterface: a TNC (reticulum-transport.md 10.7). Two
 * seconds after the line was opened, in which it may start itself, it is told
 * how to use its channel, and carries; it never answers.
 */
#define KISS_MTU 564
#define KISS_BEACON 15 /* bytes that a callsign is filled up to */
#define KISS_CALL_MOST 64 /* ours */

enum kiss_reason {
	KISS_PARTIAL,      /* a frame that stopped in the middle */
	KISS_SIZE,         /* too long for a packet */
	KISS_COMMAND,      /* frames of other commands */
	KISS_HEADER,       /* shorter than its AX.25 header */
	KISS_FLOW_TIMEOUT, /* READY did not come */
	KISS_NOISE,        /* noise.h */
};

struct kiss_conf {
	uint32_t preamble_ms, txtail_ms, slottime_ms;
	uint8_t persistence;
	bool flow_control;
	/* after which time the callsign is sent; 0: never */
	int64_t id_interval_us;
	char id_callsign[KISS_CALL_MOST + 1];
	bool ax25; /* with a header before each packet */
	uint8_t header[AX25_HEADER];
};

struct kiss {
	struct modem m;
	struct kiss_conf conf;
	struct kissframe in;
	struct noise noise;
	size_t limit; /* bytes of a packet, without header */
	bool up;
	bool locked; /* it has not said READY since the last packet */
	struct mono up_at;
	struct mono idle_at;   /* an unfinished frame is given up */
	struct mono unlock_at;
	struct mono beacon_at;
	bool beacon_held; /* it is due, and has to wait for airtime */
	/* header, packet; its frame */
	uint8_t packet[KISS_MOST], frame[3 + 2 * KISS_MOST];
};

/* limit: bytes of the longest packet, access code included. */
void kiss_init(struct kiss *, const struct kiss_conf *, size_t limit);

#endif
