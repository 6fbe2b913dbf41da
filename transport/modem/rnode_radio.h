/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_RNODE_RADIO_H
#define WARREN_TRANSPORT_MODEM_RNODE_RADIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/modem/airtime.h"
#include "transport/modem/rnode_cmd.h"

/*
 * One radio of an RNode: what it shall be set to, what it says that it is set
 * to, and what it measures (reticulum-transport.md 10.8).
 */
struct rnode_want {
	unsigned vport; /* of RNodeMulti */
	uint32_t frequency, bandwidth; /* Hz */
	int txpower;                   /* dBm */
	unsigned sf, cr;
	bool flow_control;
	bool st_limited, lt_limited; /* its own limits of airtime */
	uint16_t st_limit, lt_limit; /* per cent x 100 */
};

/* Which of the values below the device has said. */
enum {
	RNODE_HAS_FREQUENCY = 1,
	RNODE_HAS_BANDWIDTH = 2,
	RNODE_HAS_TXPOWER = 4,
	RNODE_HAS_SF = 8,
	RNODE_HAS_CR = 16,
	RNODE_HAS_STATE = 32,
	RNODE_HAS_CHTM = 64,
	RNODE_HAS_PHY = 128,
	RNODE_HAS_TEMP = 256,
	RNODE_HAS_INTERFERENCE = 512, /* there is some now */
	RNODE_HAS_NOISE = 1024,
};

struct rnode_radio {
	struct rnode_want want;
	bool up;
	bool full; /* with flow control: it has not asked for the next yet */
	struct mono unheard; /* then it is given one all the same */
	unsigned late;	     /* so often in a row it was */
	bool failed; /* is not set up, of several; the others go on */
	struct mono beacon; /* when the call sign is due; MONO_NEVER */
	bool held; /* ... it has to wait for airtime, and others for it */
	struct rns_signal signal; /* of the next packet; the last is kept */
	unsigned has;
	uint32_t frequency, bandwidth;
	int txpower;
	unsigned sf, cr, state;
	/* per cent x 100: of 15 s, and of an hour */
	uint16_t air_short, air_long, load_short, load_long;
	int noise_floor, interference; /* dBm; the last interference */
	struct mono interfered; /* MONO_NEVER: never */
	unsigned preamble; /* symbols */
	/* how it listens before it sends, and whether it has said so */
	uint16_t slot_ms, difs_ms;
	bool csma;
	int temp; /* degrees Celsius */
};

enum rnode_check {
	RNODE_CHECK_OK,
	RNODE_CHECK_MISSING, /* something is not said yet */
	RNODE_CHECK_WRONG
};

/* How long its packets last, as it says that it is set. */
void rnode_radio_airtime(const struct rnode_radio *, struct airtime *);
/* A packet of so many bytes was given to it. */
void rnode_radio_given(struct rnode_radio *, size_t len, struct mono now);
/*
 * With flow control: it should have asked for the next long ago. One that
 * keeps a limit of airtime of its own, and says that it is there, is waited
 * for once more.
 */
bool rnode_radio_unheard(struct rnode_radio *, struct mono now);
/* What it says is forgotten; it is down. */
void rnode_radio_reset(struct rnode_radio *);
/* A value that is a radio's; false: of another kind. */
bool rnode_radio_take(struct rnode_radio *, const struct rnode_in *,
    struct mono now);
/*
 * The commands that set it up, at most RNODE_SETUP_MAX bytes; selected: each
 * behind the choice of its vport.
 */
#define RNODE_SETUP_MAX 160
void rnode_radio_setup(const struct rnode_radio *, bool selected, struct wr *);
/* Whether it is set so; why, of at least 160 bytes, is for people. */
enum rnode_check rnode_radio_check(const struct rnode_radio *, char *why,
    size_t cap);
/* Whether a chip of that type has that frequency, reticulum-transport.md 10.9. */
bool rnode_chip_takes(uint8_t chip, uint32_t hz);
/* Bit/s on the air, of what it says; 0: not known. */
uint64_t rnode_radio_bitrate(const struct rnode_radio *);

#endif
