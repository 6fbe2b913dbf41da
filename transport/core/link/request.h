/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_REQUEST_H
#define WARREN_TRANSPORT_CORE_LINK_REQUEST_H

#include <rns/hash.h>

#include "transport/core/link/link.h"
#include "transport/core/link/res.h"

/* Requests and responses (7). */

#define LINK_SERVED_MAX 256  /* ours: requests that wait for an answer */
#define LINK_PENDING_MAX 256 /* ours: requests of ours on one link */

/* A request of ours that waits for its response (reticulum-endpoint.md 7.4). */
struct request {
	TAILQ_ENTRY(request) entry;
	struct link *link;
	struct timer timer;
	struct hash16 id;
	uint64_t tag;
	uint64_t max_response;
	int64_t timeout_us;
	struct mono started;
	bool receiving; /* its response resource is on the way */
	bool delivered; /* it was a resource, and is proved */
};

/* A request of the peer that the application may answer. */
struct served {
	TAILQ_ENTRY(served) entry;
	struct hash16 id;
	uint64_t compress_max;
};

/* ---- commands ---- */

/*
 * REQUEST: ends in the event RESPONSE or REQUEST_FAILED. RNS_EINVAL: no path,
 * or empty data; RNS_ELIMIT; RNS_ENOMEM; errors of link_sendv() and
 * resource_tx_start().
 */
int request_submit(struct rns *, struct link *, const struct rns_cmd *);
/*
 * REQUEST_CANCEL: nobody waits for it any more. id: its own, by which the
 * caller ends what of it or its response is a resource on its way. RNS_ENOENT.
 */
int request_cancel(struct rns *, struct link *, uint64_t tag,
    struct hash16 *id);
/* RESPOND. RNS_ENOENT: nobody waits for it; RNS_EINVAL; as above. */
int request_respond(struct rns *, struct link *, const struct rns_cmd *);

/* ---- packets, decrypted ---- */

/*
 * Of the peer: the event REQUEST when it may ask (reticulum-endpoint.md 7.2),
 * else a drop.
 */
void request_in(struct rns *, struct link *, const struct packet *,
    const uint8_t *, size_t);
/* To one of ours: RESPONSE, or REQUEST_FAILED when it is too large. */
void request_response_in(struct rns *, struct link *, const uint8_t *, size_t);

/* ---- for resource.c, which brings what is large ---- */

/* One of ours that waits; NULL: none. */
struct request *request_find(struct link *, const struct hash16 *id);
/* Does the link's destination answer requests, of what size (0: any)? */
bool request_has_handlers(struct rns *, const struct link *, uint32_t *max);
/* REQUEST_FAILED; q is freed. */
void request_fail(struct rns *, struct request *q, bool too_large);
/* An assembled request of the peer; b's memory is taken over. */
void request_whole(struct rns *, struct link *, struct bytes *b,
    int64_t took_us);
/* An assembled response; q is freed, b's memory is taken over. */
void request_response_whole(struct rns *, struct request *q, struct bytes *b,
    bool has_metadata, const uint8_t *metadata, size_t metadata_len);
/* The event PROGRESS. */
void request_progress(struct rns *, struct request *, uint64_t done,
    uint64_t total);

/* The link ends: all of ours fail, those of the peer are forgotten. */
void request_closed(struct rns *, struct link *);

#endif
