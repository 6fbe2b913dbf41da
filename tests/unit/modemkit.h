/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_MODEMKIT_H
#define WARREN_TESTS_UNIT_MODEMKIT_H

#include "tests/unit/vec.h"
#include "transport/modem/modem.h"

/*
 * A driver of a device (transport/modem/modem.h) that only writes down what the
 * machine says, in virtual time.
 */
#define KIT_PACKETS 64

struct modemkit {
	struct modem *m;
	struct mono now;
	uint8_t wrote[65536]; /* since it was last looked at */
	size_t nwrote;
	struct {
		uint8_t *data;
		size_t len;
	} packet[KIT_PACKETS];
	unsigned packets; /* all that came; those beyond the table are lost */
	bool up;
	unsigned ups, readies, faults;
	char fault[200];
	unsigned counts[32];
	unsigned beacons;
	size_t beacon_len; /* of the last */
	struct mono room; /* before it no beacon may be sent */
};

/* Drives it from now on, at a time that is not 0; not opened yet. */
void modemkit_init(struct modemkit *, struct modem *);
/* Time passes; each deadline on the way is met at its time. */
void modemkit_wait(struct modemkit *, double seconds);
void modemkit_feed(struct modemkit *, const uint8_t *, size_t);
void modemkit_feed_hex(struct modemkit *, const char *hex);
/* What was written since the last call is this. */
void modemkit_wrote(struct modemkit *, const char *hex);
/* That packet came, as hex. */
void modemkit_packet(const struct modemkit *, unsigned k, const char *hex);

/*
 * A session of rnode-kiss-serial.json, byte for byte: what the reference wrote
 * by itself must come at its time, what it wrote for a packet when that is
 * sent; unframe() gives the packet in such a frame, and its length. What the
 * machine delivered stays in the kit.
 */
void modemkit_replay(struct modemkit *, const json_t *session,
    size_t (*unframe)(uint8_t *, const uint8_t *, size_t));

#endif
