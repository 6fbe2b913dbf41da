/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_KISSFRAME_H
#define WARREN_TRANSPORT_MODEM_KISSFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * KISS as TNCs speak it (reticulum-transport.md 9.2): commands and packets in
 * frames, a port in the high half of the command, which is not looked at.
 */
#define KISS_MOST 704 /* ours: bytes of a packet that is kept, with header */

enum kiss_cmd {
	KISS_DATA = 0x00,
	KISS_TXDELAY = 0x01,
	KISS_PERSISTENCE = 0x02,
	KISS_SLOTTIME = 0x03,
	KISS_TXTAIL = 0x04,
	KISS_READY = 0x0f,
};

enum kiss_event {
	KISS_NOTHING,
	KISS_PACKET, /* in buf[0..len) until the next byte */
	KISS_IS_READY,
	KISS_TOO_LONG, /* one that was, has ended */
	KISS_OTHER, /* a command that means nothing here */
};

struct kissframe {
	bool in, known, escaped, over; /* known: its command */
	uint8_t cmd;
	size_t len, most;
	uint8_t buf[KISS_MOST];
};

/* Nothing has come; most: bytes of the longest packet, at most KISS_MOST. */
void kissframe_begin(struct kissframe *, size_t most);
enum kiss_event kissframe_byte(struct kissframe *, uint8_t);
/* Whether a packet, or a command, is here in part. */
bool kissframe_partial(const struct kissframe *);
/* Forget that, and wait for the next frame. */
void kissframe_drop(struct kissframe *);
/* The frame of a command with one byte; its length, 4. */
size_t kissframe_command(uint8_t out[4], enum kiss_cmd, uint8_t value);

#endif
