/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_RESOURCE_H
#define WARREN_TRANSPORT_CORE_LINK_RESOURCE_H

#include <rns/hash.h>

#include "transport/core/link/link.h"
#include "transport/core/link/res.h"

/* Incoming resources (reticulum-endpoint.md 8.4 to 8.9). */

#define LINK_RES_IN_MAX 8     /* ours: a peer of the reference sends one */
#define RES_ANSWER_WAIT 120.0 /* ours: s for the application to decide */

/*
 * An incoming transfer: all segments of one original hash. `got`, `map` and
 * `stream` belong to the segment that is on its way; between two segments they
 * are NULL and the timer waits for the next advertisement.
 */
struct res_in {
	TAILQ_ENTRY(res_in) entry;
	struct link *link;
	struct timer timer;
	enum res_kind kind;
	enum res_status status;
	struct id32 orig;
	struct hash16 request_id;
	struct mono began, held_at; /* began: later by what it was held */
	uint64_t total, delivered; /* bytes of content, all segments */
	uint32_t segments, segment;
	struct bytes whole; /* requests and responses */
	uint8_t *metadata;
	size_t metadata_len;
	bool has_metadata;
	uint64_t charged; /* of r->resource_bytes */

	/* the segment */
	struct id32 hash;
	uint8_t random[RES_RANDOM];
	bool compressed;
	uint32_t size, parts, sdu;
	uint8_t *stream;
	uint8_t *map; /* parts * 4, the first `height` are known */
	uint8_t *got; /* parts */
	uint32_t height, received, next, high, outstanding;
	bool waiting_hmu, held;
	/* reticulum-endpoint.md 8.8 */
	uint32_t window, window_min, window_max;
	uint32_t fast_rounds, very_slow_rounds;
	uint32_t retries;
	uint32_t factor;
	bool answered; /* a part came since the request */
	uint32_t asked; /* what shall come on it: parts, an update */
	struct mono req_sent, activity;
	size_t req_len;
	uint64_t req_bytes;
	double rtt;       /* s, < 0: not known */
	double resp_rate; /* bytes/s, 0: not known */
	double data_rate; /* bytes/s, 0: not known */
};

/* ---- packets; all but parts decrypted ---- */

/* An advertisement; a malformed one ends the link. */
void resource_adv_in(struct rns *, struct link *, const uint8_t *, size_t);
/* A part that one of them wants, else a drop. May complete a transfer. */
void resource_part_in(struct rns *, struct link *, const struct packet *);
/* More of the map; one that leaves a hole fails the transfer. */
void resource_hmu_in(struct rns *, struct link *, const uint8_t *, size_t);
/* The sender gives up. */
void resource_icl_in(struct rns *, struct link *, const uint8_t *, size_t);

/* ---- commands ---- */

/* RESOURCE_ANSWER. RNS_ENOENT; RNS_ESTATE: decided already. */
int resource_answer(struct rns *, struct link *, const struct rns_cmd *);
/* RESOURCE_CANCEL by the original hash. RNS_ENOENT. */
int resource_cancel(struct rns *, struct link *,
    const struct id32 *hash);
/* The request of ours is cancelled: its response is not brought. */
void resource_unanswered(struct rns *, struct link *,
    const struct hash16 *request_id);
/* l->hold has changed: those that were held may ask again. */
void resource_hold(struct rns *, struct link *);

/* The link ends: all fail. */
void resource_closed(struct rns *, struct link *);

/* ---- values (reticulum-endpoint.md 8.8), pure ---- */

double resource_eifr(const struct res_in *); /* bits/s */
double resource_wait(const struct res_in *); /* s from last activity */
/* Nothing came in time: a smaller window. */
void resource_shrink(struct res_in *);

#endif
