/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_AIRQ_STATE_H
#define WARREN_TRANSPORT_MODEM_AIRQ_STATE_H

#include "transport/modem/airbook.h"
#include "transport/modem/airq.h"
#include "common/util.h"

/* What airq.c (whose turn) and airq_view.c (what is seen and saved) share. */
#define AIRQ_PEERS 32 /* ours: told apart; more share a share */
#define AIRQ_FLOWS 64 /* ours: likewise, destinations and links of peers */

struct air_packet {
	TAILQ_ENTRY(air_packet) entry;
	struct mono at;
	struct hash16 dest;
	uint8_t peer, flow; /* places below */
	size_t len;
	uint8_t data[];
};

/*
 * Start-time fair queueing: who has been given least goes first. One that
 * begins to wait starts where the one that was served last stood, so that what
 * it did not use before is lost.
 */
struct air_share {
	uint64_t served;
	size_t bytes; /* that wait */
	uint64_t level; /* of a peer: where its flows stand */
};

TAILQ_HEAD(air_packets, air_packet);
struct air_lane {
	struct air_packets packets; /* oldest first */
	uint32_t count;
	size_t bytes;
	uint64_t level; /* where the peers stand */
	struct air_share peers[AIRQ_PEERS], flows[AIRQ_FLOWS];
	struct air_count tx, rx;
	uint64_t drops[AIRQ_DROPS];
};

/* Books of all, and of the classes that have a share of the window. */
enum air_book { BOOK_ALL, BOOK_ANNOUNCES, BOOK_JOBS, BOOKS };

struct airq {
	struct airq_conf conf;
	struct airtime medium;
	struct air_lane lanes[RNS_KINDS];
	struct airbook *books[BOOKS]; /* NULL: there was never a limit */
	struct mono busy;    /* the air is, with ours, until then */
	int64_t lead_us;     /* of control over the relay */
	struct mono far_from; /* next announce that is passed on, not before */
	/* from when on the announces go before the relay: near, far */
	struct mono promise[2];
	struct air_packet *out; /* what next() gave */
	enum rns_kind flying;   /* its class; RNS_KINDS: nothing is */
	/*
	 * A silent device may still have that much, as it was at `owed_at`; since
	 * when it has had some; and what it was given last.
	 */
	int64_t owed_us, last_us;
	struct mono owed_at, owed_since;
};

/* MONO_NEVER and the reason why the first of that class has to wait. */
struct air_gate {
	struct mono at;
	enum airq_why why;
};

/* The book that a class has a share of; BOOK_ALL: none. */
enum air_book airq_book(enum rns_kind);
int64_t airq_limit_us(const struct airq *, enum air_book);
/* How long what was sent counts: the window, of a silent device more. */
int64_t airq_counts_us(const struct airq *);
/* NULL: there is no limit now. */
const struct airbook *airq_kept(const struct airq *, enum air_book);
/* Whose turn it is in a class; NULL: nothing waits. */
struct air_packet *airq_pick(const struct airq *, enum rns_kind);
/* What holds its class alone. */
struct air_gate airq_gate(const struct airq *, enum rns_kind,
    const struct air_packet *, struct mono now);
/*
 * The class that goes next, RNS_KINDS: none may, of those that wait, because
 * of what holds them alone.
 */
enum rns_kind airq_choose(const struct airq *, struct mono now);
/* When one of that length may go, for the duty cycle of all and for the air. */
struct mono airq_room(const struct airq *, size_t len, struct mono now);

#endif
