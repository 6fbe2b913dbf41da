/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_WEAVEKIT_H
#define WARREN_TESTS_UNIT_WEAVEKIT_H

#include "transport/modem/weave.h"

/*
 * A driver of the machine of Weave devices, in virtual time, and the device's
 * words. Signatures are "signed", what was signed, and zeros.
 */
#define WEAVEKIT_FRAMES 64
#define WEAVEKIT_COUNTS (WEAVE_REASON_OVERSIZE + 1)

struct weavekit {
	struct weave v;
	bool there; /* v is to be cleared */
	struct mono now;
	unsigned frames; /* that it wrote, unframed; the last ones are kept */
	struct {
		uint8_t data[1200];
		size_t len;
	} frame[WEAVEKIT_FRAMES];
	bool up[MODEM_PORTS];
	unsigned packets, port;
	uint8_t data[1200];
	size_t len;
	unsigned faults, reason, counts[WEAVEKIT_COUNTS];
	char text[200];
	/* weavekit_record() */
	uint8_t *record;
	size_t cap, *recorded;
};

extern const struct weave_keys weavekit_keys;
extern const uint8_t weavekit_host[WEAVE_SWITCH];

void weavekit_begin(struct weavekit *);
void weavekit_end(struct weavekit *);
/* Its handshake is over. */
void weavekit_online(struct weavekit *, const uint8_t pub[32]);
void weavekit_run(struct weavekit *, int64_t us);
const uint8_t *weavekit_frame(const struct weavekit *, unsigned i, size_t *n);
/* What the device says from now on is kept as well; NULL: no more. */
void weavekit_record(struct weavekit *, uint8_t *, size_t cap, size_t *n);
void weavekit_says(struct weavekit *, const uint8_t to[WEAVE_SWITCH],
    uint8_t type, const uint8_t *, size_t);
void weavekit_log(struct weavekit *, uint16_t event, const uint8_t *, size_t);
/* good: signed by whom it names. */
void weavekit_discovered(struct weavekit *, const uint8_t pub[32], bool good);

#endif
