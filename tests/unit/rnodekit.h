/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_RNODEKIT_H
#define WARREN_TESTS_UNIT_RNODEKIT_H

#include "transport/modem/rnode.h"

/*
 * A driver of the machine of RNodes, in virtual time: it keeps what the machine
 * wrote and said, and holds it to the contract of modem.h.
 */
#define KIT_OUT 65536
#define RNODE_KIT_COUNTS (RNODE_REASON_READY + 1)

/* One radio, and what a device with it is asked, answers and echoes. */
extern const struct rnode_conf kit_plain;
#define KIT_ASK "c00873c05000c04800c04900c0"
#define KIT_ANSWER "c00846c0c050014ac0c04880c0c04981c0"
#define KIT_ECHO                                                               \
	"c00133bfae40c0c0020001e848c0c00307c0c00408c0c00505c0c00601c0"

struct kit {
	struct rnode r;
	struct mono now;
	uint8_t out[KIT_OUT]; /* for the line, not taken yet */
	size_t nout;
	bool up[RNODE_RADIOS];
	unsigned ready[RNODE_RADIOS];
	unsigned packets, port; /* port, data, signal: of the last */
	uint8_t data[RNODE_MTU];
	size_t len;
	bool measured;
	struct rns_signal signal;
	unsigned faults, reason, troubles, trouble_port;
	unsigned counts[RNODE_KIT_COUNTS]; /* by reason, of count() */
	char text[240];
	const char *remark; /* of the last */
	struct mono room; /* before it no beacon may be sent */
};

void kit_begin(struct kit *, const struct rnode_conf *);
/* Time goes on, by deadlines. */
void kit_run(struct kit *, int64_t us);
/* The device says, at now. */
void kit_says(struct kit *, const uint8_t *, size_t);
void kit_says_hex(struct kit *, const char *hex);
/* What was written so far is forgotten. */
void kit_forget(struct kit *);
/* Whether the hex digits are all that was written since. */
bool kit_wrote(struct kit *, const char *hex);
/* Opened, detected, each radio echoing what it is told: online. */
void kit_online(struct kit *, const struct rnode_conf *);

#endif
