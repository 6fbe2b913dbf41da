/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_RESOURCE_TX_H
#define WARREN_TRANSPORT_CORE_LINK_RESOURCE_TX_H

#include <rns/hash.h>

#include "transport/core/link/link.h"
#include "transport/core/link/res.h"

/*
 * Outgoing resources (reticulum-endpoint.md 8.2 to 8.10), one at a time on a
 * link.
 */

#define LINK_RES_OUT_MAX 256 /* ours: resources that wait for their turn */

/* A transfer is over, well or not: for who asked for it. */
typedef void res_sent_fn(struct rns *, struct link *,
    const struct hash16 *request_id, bool ok);

/*
 * An outgoing transfer. The content of all segments is head || data; head is
 * ours (metadata block, or what request.c puts before the value), data is the
 * caller's until SENT. `stream` has 19 bytes before it, so that a part's packet
 * is made in place.
 */
struct res_out {
	TAILQ_ENTRY(res_out) entry;
	struct link *link;
	struct timer timer;
	enum res_kind kind;
	enum res_status status;
	uint64_t tag;
	bool has_tag; /* SENT is wanted */
	bool has_progress; /* ... and PROGRESS, or that alone: a request */
	res_sent_fn *sent_fn; /* NULL: nobody asks */
	uint8_t *head;
	size_t head_len;
	const uint8_t *data;
	size_t len;
	bool has_metadata, compress;
	struct hash16 request_id;
	struct id32 orig;
	uint32_t segments, segment;
	double timeout; /* s, of the advertisement */

	uint8_t *stream_base, *stream;
	uint32_t size, parts, sdu;
	uint8_t *map, *sent_once;
	struct id32 hash, proof;
	uint8_t random[RES_RANDOM];
	bool compressed;
	uint32_t sent, low, retries;
	struct mono leave; /* when what was asked for has left, at the soonest */
	size_t adv_len; /* not encrypted */
	struct mono adv_sent, activity;
	double rtt; /* s, < 0: no request yet */
	uint8_t seen[64][8]; /* heads of hashes of request packets */
	uint32_t seen_count;
};

struct res_spec {
	enum res_kind kind;
	uint8_t *head; /* malloc()ed, taken over also on failure; may be NULL */
	size_t head_len;
	const uint8_t *data;
	size_t len;
	bool has_metadata;
	bool compress;
	const struct hash16 *request_id;
	int64_t timeout_us; /* 0: RTT * 6 */
	bool has_tag;
	bool has_progress; /* without SENT; has_tag is both */
	uint64_t tag;
	res_sent_fn *sent_fn; /* NULL: nobody asks */
};

/*
 * It goes when its turn comes; data stays the caller's and must stay until
 * SENT. RNS_ELIMIT; RNS_EINVAL: too long; RNS_ENOMEM; RNS_EBIG: the link is too
 * narrow for an advertisement.
 */
int resource_tx_start(struct rns *, struct link *, const struct res_spec *);
/* RESOURCE_SEND; as above, RNS_EBIG also for the metadata. */
int resource_tx_submit(struct rns *, struct link *, const struct rns_cmd *);
/* RESOURCE_CANCEL by the tag. RNS_ENOENT. */
int resource_tx_cancel(struct rns *, struct link *, uint64_t tag);
/* A request of ours is cancelled: if it is a resource, it goes no further. */
void resource_tx_unasked(struct rns *, struct link *,
    const struct hash16 *request_id);

/* ---- packets; all but proofs decrypted ---- */

/* The receiver wants parts, perhaps more of the map. */
void resource_tx_request_in(struct rns *, struct link *, const struct packet *,
    const uint8_t *, size_t);
/* A segment arrived: the next one, or SENT. */
void resource_tx_proof_in(struct rns *, struct link *, const struct packet *);
/*
 * A request of ours that went as a resource is answered, so all of it came,
 * though its proof may be lost: nobody waits for that.
 */
void resource_tx_answered(struct rns *, struct link *,
    const struct hash16 *request_id);
/* The receiver refuses: SENT says so. */
void resource_tx_rcl_in(struct rns *, struct link *, const uint8_t *, size_t);

/* The link ends: all fail. */
void resource_tx_closed(struct rns *, struct link *);

/* s from last activity until something is sent again, by its status. */
double resource_tx_wait(const struct res_out *);
/*
 * reticulum-endpoint.md 8.2 metadata block; malloc()ed, NULL: out of memory or
 * too long.
 */
uint8_t *resource_metadata_block(const uint8_t *, size_t, size_t *out_len);

#endif
