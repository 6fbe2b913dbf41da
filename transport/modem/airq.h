/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_AIRQ_H
#define WARREN_TRANSPORT_MODEM_AIRQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

#include "transport/modem/airtime.h"

/*
 * What waits for a slow interface, whose turn it is, and when it may go: it
 * stands between the packets of the core and a machine that takes() one at a
 * time (modem.h). Pure.
 *
 *	put	a packet that the core sends
 *	due	when next() gives one: ask it then, if the machine takes one
 *	next	the one whose turn it is; it counts as sent from now on
 *	sent	the machine is done with it (takes() again): the airtime of
 *		what next() gave ends now, however long the channel was busy
 *
 * The classes are those of enum rns_kind. One goes before those behind it,
 * except that control leads over the relay by AIRQ_LEAD_US at most while both
 * wait, and that announces go before the relay as long as they are within their
 * share of time, those of far destinations never beyond it. In a class the
 * peers share by bytes, and of one peer its destinations and links.
 *
 * A duty cycle is kept in every window of its length, not on the average: what
 * was sent when stands in a book, and a packet leaves when the window that
 * ends with it has room for all of it. Announces and jobs have shares of the
 * window that they do not go beyond, so that the relay finds room. While
 * something waits for room, nothing behind it goes. What a device sends that
 * does not say when counts for AIRQ_SPARE longer than the window, or than two
 * packets and its listening take: so long may the channel have kept it by what
 * it could not hear.
 *
 * A full class drops of the peer that has most waiting, its last; what has
 * waited longer than age_us is dropped, since whoever sent it has given up.
 */
const char *airq_kind_name(enum rns_kind); /* "control", ..., for people */

#define AIRQ_BYTES 32768            /* ours: of each class */
#define AIRQ_PACKETS 256            /* ours: of each class */
#define AIRQ_AGE_US (180 * MONO_SECOND) /* ours */
#define AIRQ_SPARE 64 /* ours: of the window, this part */
#define AIRQ_LEAD_US (5 * MONO_SECOND)  /* ours */

/* Why one was dropped; airq_drop_name() of each, for status and metrics. */
enum airq_drop {
	AIRQ_DROP_FULL,  /* its class is full, and its peer has most of it */
	AIRQ_DROP_OLD,   /* waited too long */
	AIRQ_DROP_NEVER, /* alone more than the duty cycle gives a window */
	AIRQ_DROP_MEMORY,
	AIRQ_DROP_GONE,  /* airq_clear(): the interface went */
	AIRQ_DROPS
};
const char *airq_drop_name(enum airq_drop);

/* Why what is first of a class does not leave. */
enum airq_why {
	AIRQ_NOTHING, /* nothing waits */
	AIRQ_RADIO,   /* it may go: the device has still to take it */
	AIRQ_TURN,    /* others go first */
	AIRQ_DUTY,    /* the duty cycle */
	AIRQ_PACE,    /* announces have had their share of time */
	AIRQ_SHARE,   /* announces, or jobs, have had theirs of the window */
};
const char *airq_why_text(enum airq_why);

struct airq_conf {
	/* thousandths of a per cent of the window; 0: no limit */
	uint32_t duty;
	int64_t window_us;
	/* of the time, for announces passed on, permille; 0: no limit */
	uint32_t announce_cap;
	/* of what the duty cycle gives, per cent; 0: all of it */
	uint32_t announces, jobs;
	size_t bytes;   /* of each class; 0: AIRQ_BYTES */
	int64_t age_us; /* 0: AIRQ_AGE_US */
};
#define AIRQ_DUTY_ALL 100000u

struct airq;
struct airq *airq_new(const struct airq_conf *); /* NULL: no memory */
void airq_free(struct airq *); /* NULL is fine */
/* Other limits, of a reload; what was sent is remembered. -1: no memory. */
int airq_limit(struct airq *, const struct airq_conf *);
/* How long packets last from now on, when the device has said so. */
void airq_medium(struct airq *, const struct airtime *);
const struct airtime *airq_get_medium(const struct airq *);

/* Copied. False: dropped, as counted (another one may have been instead). */
bool airq_put(struct airq *, const struct rns_tx *, struct mono now);
struct airq_packet {
	enum rns_kind kind;
	const uint8_t *data; /* until the next call of next, put or free */
	size_t len;
	int64_t air_us; /* 0: not known */
};
/* False: nothing may go now. */
bool airq_next(struct airq *, struct airq_packet *, struct mono now);
/*
 * The device says that it is ready for more: what it was given last has left
 * by now. Later than reckoned when the channel was busy, and the books of duty
 * cycles have it there. false: nothing was on its way.
 */
bool airq_sent(struct airq *, struct mono now);
/* MONO_NEVER: nothing waits. What has come: next() gives one. */
struct mono airq_due(const struct airq *, struct mono now);
/*
 * The device is away: nothing that waits would be of use when it is back. How
 * many there were, and their bytes.
 */
size_t airq_clear(struct airq *, size_t *bytes);
size_t airq_waiting(const struct airq *); /* bytes of packets */
/*
 * When a beacon may be sent, which goes before all that waits: the duty cycle
 * holds for it, too. MONO_NEVER: it alone is more.
 */
struct mono airq_beacon_at(const struct airq *, size_t len, struct mono now);
/* It was sent: it counts, and airq_sent() is for it. */
void airq_beacon(struct airq *, size_t len, struct mono now);
/*
 * One that another queue has given the same radio, and that it has left by now:
 * what it took of the window is gone for all of them. airq_save() of one is what
 * airq_load() of a new one begins with.
 */
void airq_shared(struct airq *, enum rns_kind, size_t len, struct mono now);
void airq_shared_sent(struct airq *, enum rns_kind, struct mono now);
/*
 * One that was received until now, of rns_rx_kind(). What a silent device
 * (struct airtime) was given and was thought to send meanwhile is still to come.
 */
void airq_heard(struct airq *, enum rns_kind, size_t len, struct mono now);

/* ---- views ---- */

struct air_count {
	uint64_t frames, bytes;
	int64_t air_us;
};
struct airq_class {
	uint32_t packets;
	size_t bytes;
	enum airq_why why;
	struct mono at; /* when its first may go, as it looks now */
	struct air_count tx, rx;
	uint64_t drops[AIRQ_DROPS];
};
struct airq_view {
	struct airq_class of[RNS_KINDS];
	struct mono due;
	/* of the window that ends now: what was sent, what is allowed; us */
	int64_t window_us, used_us, limit_us; /* limit 0: none */
	int64_t jobs_us, announces_us;        /* of used_us */
};
void airq_view(const struct airq *, struct airq_view *, struct mono now);
/* What waits here for dest or link: how many, and why the first of them. */
uint32_t airq_about(const struct airq *, const struct hash16 *,
    struct airq_class *, struct mono now);

/* ---- across a restart ---- */

/*
 * The book as bytes, 0: there is no limit, nothing to keep. wall_us: Unix time
 * of now. At most AIRQ_SAVED bytes; airq_load() takes them into a queue that
 * is new. An entry that lies ahead of the clock counts as sent now, and so does
 * `unsaved_us` of airtime: what may have been sent since. -1: they are not what
 * airq_save() wrote; nobody knows what was sent, and nothing is for a window.
 */
#define AIRQ_SAVED 65536
size_t airq_save(const struct airq *, uint8_t out[AIRQ_SAVED], int64_t wall_us,
    struct mono now);
int airq_load(struct airq *, const uint8_t *, size_t, int64_t wall_us,
    int64_t unsaved_us, struct mono now);

#endif
