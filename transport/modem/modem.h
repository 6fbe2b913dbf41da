/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_MODEM_H
#define WARREN_TRANSPORT_MODEM_MODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

#include "transport/modem/airtime.h"

/*
 * A device behind a line of bytes (a tty, TCP): a serial cable, a KISS TNC, an
 * RNode (reticulum-transport.md 9, 10.6 to 10.11). Pure: bytes and time go in,
 * bytes and events come out. One machine is one file with a struct modem_kind;
 * its state begins with a struct modem. Who drives it (engine/line.c) opens
 * the line, writes what it is given, calls tick() when deadline() has come, and
 * asks takes() before each send(): what waits for its turn waits at the
 * driver, never in a machine.
 */
/* what has no room yet asks again by then: limits may have changed */
#define MODEM_ASK_AGAIN (10 * MONO_SECOND)
#define MODEM_PORTS 32 /* peers of Weave; most devices have port 0 alone */

struct modem;

/* Called by a machine only while one of its own functions runs. */
struct modem_out {
	/* for the line, all of it, in order; valid until it returns */
	void (*write)(void *arg, const uint8_t *, size_t);
	/* one packet, unframed; signal NULL: not measured */
	void (*packet)(void *arg, unsigned port, const uint8_t *, size_t,
	    const struct rns_signal *);
	/* it can carry packets from now on, or cannot any more */
	void (*up)(void *arg, unsigned port, bool up);
	/*
	 * takes() may have become true: of a device that says when it is
	 * ready, what it was given last has left
	 */
	void (*ready)(void *arg, unsigned port);
	/*
	 * The line is of no use like this, for `text` (a person's words, no
	 * bytes of the device in it): close it, open it again after the usual
	 * wait. Nothing more of it is fed in. reason: an enum of the kind's
	 * own, counted under the name that reasons() gives.
	 */
	void (*fault)(void *arg, unsigned reason, const char *text);
	/*
	 * One port of several cannot be used for now, for `text`, and is down;
	 * the others go on. NULL: not asked for.
	 */
	void (*trouble)(void *arg, unsigned port, unsigned reason,
	    const char *text);
	/* Something was thrown away or odd, of the same enum; it goes on. */
	void (*count)(void *arg, unsigned reason);
	/*
	 * The same, of what the device itself complains: counted, and for a
	 * person to read. text outlives the machine. NULL: count() will do.
	 */
	void (*remark)(void *arg, unsigned reason, const char *text);
	/*
	 * When a packet of its own may be sent, for what limits its airtime:
	 * not later than now, or it is asked again then, and packets of others
	 * are not taken meanwhile; MONO_NEVER: never, it is left out. NULL: at
	 * any time.
	 */
	struct mono (*beacon_at)(void *arg, unsigned port, size_t len);
	/* A packet of its own was sent, a beacon. NULL: not asked for. */
	void (*beacon)(void *arg, unsigned port, size_t len);
};

struct modem_kind {
	/* The line was opened, for the first time or again: begin anew. */
	void (*opened)(struct modem *, struct mono now);
	void (*bytes)(struct modem *, const uint8_t *, size_t,
	    struct mono now);
	void (*tick)(struct modem *, struct mono now);
	/* MONO_NEVER: nothing is due */
	struct mono (*deadline)(const struct modem *);
	/* May a packet be sent on this port now? False while it is not up. */
	bool (*takes)(const struct modem *, unsigned port);
	/* One packet with its access code; only when takes(). */
	void (*send)(struct modem *, unsigned port, const uint8_t *, size_t,
	    struct mono now);
	/* Last words before the line is closed in order; NULL: none. */
	void (*closing)(struct modem *);
	/* On-air bit/s of a port, as the device said; 0: not known. */
	uint64_t (*bitrate)(const struct modem *, unsigned port);
	/*
	 * How long packets of a port last, of one whose rate is there already
	 * as configured. NULL: what there is will do.
	 */
	void (*airtime)(const struct modem *, unsigned port, struct airtime *);
	/* Names of what it counts under a reason; NULL after the last. */
	const char *const *reasons;
};

struct modem {
	const struct modem_kind *kind;
	const struct modem_out *out;
	void *arg; /* of out */
};

#endif
