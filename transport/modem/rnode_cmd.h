/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_RNODE_CMD_H
#define WARREN_TRANSPORT_MODEM_RNODE_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

#include "common/wire.h"

/*
 * What an RNode and its host say to each other: commands in KISS frames whose
 * first byte is the whole command (reticulum-transport.md 9.2, 10.8, 10.9).
 */
#define RNODE_MTU 508 /* bytes of a packet, with its access code */
/* the frame of a packet, every byte escaped */
#define RNODE_FRAME_MAX (3 + 2 * RNODE_MTU)
#define RNODE_FRAME_US 100000      /* silence that ends a frame: serial */
#define RNODE_FRAME_TCP_US 1500000 /* ... TCP */

enum rnode_cmd {
	RNODE_DATA = 0x00,
	RNODE_FREQUENCY = 0x01,
	RNODE_BANDWIDTH = 0x02,
	RNODE_TXPOWER = 0x03,
	RNODE_SF = 0x04,
	RNODE_CR = 0x05,
	RNODE_RADIO_STATE = 0x06,
	RNODE_DETECT = 0x08,
	RNODE_LEAVE = 0x0a,
	RNODE_ST_ALOCK = 0x0b,
	RNODE_LT_ALOCK = 0x0c,
	RNODE_READY = 0x0f,
	RNODE_SEL_INT = 0x1f,
	RNODE_STAT_RSSI = 0x23,
	RNODE_STAT_SNR = 0x24,
	RNODE_STAT_CHTM = 0x25,
	RNODE_STAT_PHYPRM = 0x26,
	RNODE_STAT_BAT = 0x27,
	RNODE_STAT_CSMA = 0x28,
	RNODE_STAT_TEMP = 0x29,
	RNODE_FB_EXT = 0x41,
	RNODE_PLATFORM = 0x48,
	RNODE_MCU = 0x49,
	RNODE_FW_VERSION = 0x50,
	RNODE_RESET = 0x55,
	RNODE_INTERFACES = 0x71,
	RNODE_ERROR = 0x90,
};

#define RNODE_DETECT_ASK 0x73
#define RNODE_DETECT_ANSWER 0x46
#define RNODE_RESTARTED_BYTE 0xf8 /* with RNODE_RESET */

enum rnode_in_state {
	RNODE_IN_NONE,
	RNODE_IN_CMD,
	RNODE_IN_VALUE,
	RNODE_IN_DATA,
	RNODE_IN_SKIP
};

/*
 * The device's bytes, one after the other. A value counts as soon as it is as
 * long as its command says; a packet when its frame is closed.
 */
struct rnode_in {
	bool multi; /* of RNodeMulti: two values are shorter */
	enum rnode_in_state state;
	bool escape;
	bool over; /* a packet longer than a radio sends, which is dropped */
	struct mono last; /* byte */
	/* what a complete frame says */
	uint8_t cmd;
	size_t len;
	uint8_t buf[RNODE_MTU];
};

void rnode_in_init(struct rnode_in *, bool multi);
/*
 * True: cmd, buf and len are one frame, until the next call. A packet that is
 * `over` ends here as well.
 */
bool rnode_in_byte(struct rnode_in *, uint8_t byte);
/* A frame that has begun is given up after so long a silence; false: none. */
bool rnode_in_expire(struct rnode_in *, struct mono now, int64_t silence_us);
/* When; MONO_NEVER: none has begun. */
struct mono rnode_in_deadline(const struct rnode_in *, int64_t silence_us);

/* Frames for the device. */
void rnode_put(struct wr *, enum rnode_cmd, const uint8_t *, size_t);
void rnode_put_u8(struct wr *, enum rnode_cmd, uint8_t);
void rnode_put_u16(struct wr *, enum rnode_cmd, uint16_t);
void rnode_put_u32(struct wr *, enum rnode_cmd, uint32_t);

#endif
