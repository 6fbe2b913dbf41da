/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_RNODE_H
#define WARREN_TRANSPORT_MODEM_RNODE_H

#include "transport/modem/modem.h"
#include "transport/modem/rnode_radio.h"

/*
 * RNodeInterface and RNodeMultiInterface (reticulum-transport.md 10.8, 10.9): a
 * device with one radio, or with several that are chosen by a vport. It is
 * detected, its radios are set up one after the other, what they say is
 * compared, and then they carry packets. Port n is radio n.
 */
#define RNODE_RADIOS 11 /* of RNodeMulti */

struct rnode_conf {
	bool multi; /* else one radio, and no vport is chosen */
	bool tcp;   /* waits of TCP, and a sign of life now and then */
	const char *callsign;    /* NULL: none is sent; outlives the machine */
	uint32_t id_interval_s;
	unsigned nradios;
	struct rnode_want want[RNODE_RADIOS];
};

/* Why the line is closed; then what is thrown away, or odd. */
#define RNODE_REASON_LIST(X)                                                   \
	X(SILENT, "no_answer")                                                 \
	X(FIRMWARE, "firmware")                                                \
	X(SETTINGS, "settings")                                                \
	X(HARDWARE, "device_errors")                                           \
	X(RESTART, "restart")                                                  \
	X(OFF, "radio_off")                                                    \
	X(LOST, "lost")                                                        \
	X(CUT, "half_frames")                                                  \
	X(TOO_LONG, "too_long")                                                \
	X(OVERSIZE, "too_long_to_send")                                        \
	X(ASTRAY, "of_no_radio")                                               \
	X(QUEUE, "device_queue_full")                                          \
	X(MEMORY, "memory_low")                                                \
	X(TIMEOUT, "modem_timeout")                                            \
	X(READY, "flow_timeouts")

enum rnode_reason {
#define RNODE_REASON_ENUM(name, text) RNODE_REASON_##name,
	RNODE_REASON_LIST(RNODE_REASON_ENUM)
#undef RNODE_REASON_ENUM
};

/*
 * CLOSED; SETTLE: the device starts; ASKED: is it an RNode; PAUSE: before the
 * next radio of several; SETUP: what it was set to is awaited; CALM: it was
 * right; RUN: all that can be are up.
 */
#define RNODE_STATES(X)                                                        \
	X(CLOSED) X(SETTLE) X(ASKED) X(PAUSE) X(SETUP) X(CALM) X(RUN)

enum rnode_state {
#define RNODE_STATE_ENUM(n) RNODE_##n,
	RNODE_STATES(RNODE_STATE_ENUM)
#undef RNODE_STATE_ENUM
	RNODE_STATE_COUNT
};

struct rnode_life {
	enum rnode_state state;
	unsigned refused; /* edges that there are not */
};
const char *rnode_state_name(enum rnode_state);
/* False, and counted: no such edge. */
bool rnode_set_state(struct rnode_life *, enum rnode_state);

/* reticulum-transport.md 10.8: of STAT_BAT */
enum rnode_battery {
	RNODE_BATTERY_UNKNOWN,
	RNODE_BATTERY_DISCHARGING,
	RNODE_BATTERY_CHARGING,
	RNODE_BATTERY_CHARGED,
	RNODE_BATTERY_OTHER /* a word of a newer firmware */
};

struct rnode {
	struct modem m;
	struct rnode_conf conf;
	struct rnode_life life;
	struct rnode_in in;
	struct mono at;    /* the state's least wait is over */
	struct mono limit; /* and its longest */
	struct mono written;
	unsigned unanswered; /* signs of life in a row */
	unsigned restarts; /* of the device, while it is set up */
	bool detected, has_firmware;
	uint8_t major, minor; /* of its firmware */
	uint8_t platform;     /* 0: not said */
	unsigned nchips; /* of RNodeMulti: types by vport */
	uint8_t chips[RNODE_RADIOS];
	unsigned turn; /* which radio is being set up */
	unsigned chosen; /* vport that its words are of */
	struct mono again; /* those that failed are set up once more */
	struct rnode_radio radio[RNODE_RADIOS];
	bool has_battery;
	enum rnode_battery battery;
	uint8_t battery_percent;
};

extern const struct modem_kind rnode_kind;

void rnode_init(struct rnode *, const struct rnode_conf *,
    const struct modem_out *, void *arg);

#endif
