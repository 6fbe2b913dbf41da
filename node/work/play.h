/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_PLAY_H
#define WARREN_NODE_WORK_PLAY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One course that requests over a link may take, played packet by packet with
 * dice: who asks and who answers, with the timers, windows and retries of
 * reticulum-endpoint.md 7 and 8, the repeated questions of compute.md 3, and
 * one channel between them, on which frames are lost and radios listen before
 * they send. No bytes and no keys, so a packet costs some ten instructions.
 * Pure; the same seed gives the same course.
 *
 * It is the transport's behaviour written down once more, since a forecast has
 * to know it before anything moves; tests/sim/forecast.c holds the two together.
 */
#define PLAY_PAYLOAD 266240u /* most of a request or an answer: compute.md 3 */
#define PLAY_PARTS 576u
#define PLAY_QUEUE 128u
#define PLAY_SPANS 32u
#define PLAY_FAR 64u     /* packets between the medium and the other end */
#define PLAY_ANSWERS 4u  /* that wait for their turn */

struct play_medium {
	double byte_s, packet_s; /* on the air, and around each packet */
	double listen_s, slot_s; /* before it; 0: nobody listens */
	double rtt_s[2];         /* of the link, as each end measured it */
	double way_s;            /* one way, behind the medium */
	unsigned far;            /* hops there that are like it, one by one */
	double link_s;           /* until a link that failed is given up */
	double loss;             /* of a frame, 0 to 0.5 */
	uint32_t frame;          /* bytes of a packet in one; 0: all */
	bool duplex;             /* neither way waits for the other */
};

enum play_kind {
	PLAY_REQUEST,
	PLAY_RESPONSE,
	PLAY_ADVERTISED,
	PLAY_ASKED, /* for parts */
	PLAY_PART,
	PLAY_UPDATE,
	PLAY_PROOF,
	PLAY_QUERY, /* where the proof is */
	PLAY_REFUSED,
};

struct play_packet {
	double at;  /* of ASKED: when it was made */
	uint32_t of; /* which resource, or which request */
	uint32_t serial; /* of ADVERTISED: of which request it is */
	uint16_t len, from, to; /* parts; of PART: which */
	uint8_t kind;
	bool more; /* of ASKED: hashes lack */
};

/* One end's place on the channel. */
struct play_end {
	struct play_packet q[PLAY_QUEUE];
	unsigned head, n;
	double since; /* it waits to send; INFINITY: it does not */
	double left;  /* of its slots; < 0: not drawn */
	struct {
		double from, to;
	} span[PLAY_SPANS]; /* of the air, its own */
	unsigned nspan;
};

enum play_tx_state { PLAY_OFF, PLAY_OFFERED, PLAY_SENDING, PLAY_UNPROVED };

/* What both share, or of a medium that is duplex each has one of. */
struct play_line {
	double free_at;
	bool flying, arrives;
	unsigned of; /* whose it is */
	struct play_packet flight;
};

struct play_tx {
	enum play_tx_state state;
	uint32_t id, serial, parts, last; /* last: bytes of the last part */
	uint32_t sent, retries;
	bool once[PLAY_PARTS];
	double rtt, offered, timer;
};

struct play_rx {
	bool on, answered, update; /* update: waited for */
	uint32_t id, serial, parts, known, received, next, outstanding;
	uint32_t window, least, most, fast, slow, retries, factor;
	double got[PLAY_PARTS]; /* when; INFINITY: not yet */
	double asked, active, timer, rate, first_rate;
	double bytes;
	uint32_t whole; /* the one that was whole last */
	uint32_t window_before;
	double eifr_before; /* bit/s, 0: none before */
};

struct play {
	struct play_medium m;
	uint64_t rng;
	double now;
	struct play_end end[2]; /* who asks, who answers */
	struct play_tx tx[2];
	struct play_rx rx[2];
	/* resources of answers that wait for the one before */
	struct {
		uint32_t payload, serial;
	} queued[PLAY_ANSWERS];
	unsigned nqueued;
	uint32_t ids, packets;
	/* the channel */
	struct play_line line[2];
	double air; /* s of it that were used */
	struct {
		double at;
		unsigned to;
		struct play_packet p;
	} far[PLAY_FAR];
	unsigned nfar;
	double far_free[2]; /* the first of them, to each end */
	/* who asks */
	uint32_t serial, request, response;
	unsigned copies, failed;
	bool packet, alive, done, delivered;
	double wait, answer_wait, again, until, answer_by;
};

void play_begin(struct play *, const struct play_medium *, uint64_t seed);
/*
 * s until a request of so many bytes, heads included, is answered by so many.
 * What is still under way then goes on in the next one.
 */
double play_request(struct play *, uint32_t request, uint32_t response);
/* ---- play_channel.c: dice, the channel, what is noted for who asks ---- */

double play_random(struct play *); /* 0 to 1 */
/* s on the air of one packet of so many bytes. */
double play_air(const struct play_medium *, double len);
uint16_t play_sealed(uint32_t payload); /* bytes of an encrypted packet */
void play_send(struct play *, unsigned end, struct play_packet);
/* An end that has something to send begins to wait for the channel. */
void play_queue_up(struct play *, unsigned end);
/* When the channel changes; play_turn() then is that change. */
double play_channel_at(const struct play *);
/* One begins to send; or has sent, and true if that arrives, in out. */
bool play_turn(struct play *, unsigned *to, struct play_packet *out);
/* All that is on the channel or waits for it is gone. */
void play_channel_reset(struct play *);

/* There is a sign of life; incoming: of an answer. */
void play_alive(struct play *, bool incoming);
void play_delivered(struct play *); /* the request is proved */
void play_failed(struct play *);    /* a copy of it is not answered */
bool play_wanted(const struct play *, uint32_t serial); /* its answer */
void play_done(struct play *, uint32_t serial);

/* ---- play_resource.c ---- */

/* A resource of so many bytes; an answer waits for the one before. */
void play_offer(struct play *, unsigned end, uint32_t payload);
/* The request is whole at the other end: it answers. */
void play_answer(struct play *);
void play_resource_in(struct play *, unsigned end, const struct play_packet *);
void play_tx_timer(struct play *, unsigned end);
void play_rx_timer(struct play *, unsigned end);
/* An answer came: the request needs no proof. */
void play_answered(struct play *);
/* Nothing is on its way any more: another link. */
void play_resource_reset(struct play *);

#endif
