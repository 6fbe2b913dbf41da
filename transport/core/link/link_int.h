/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_LINK_INT_H
#define WARREN_TRANSPORT_CORE_LINK_LINK_INT_H

#include "transport/core/base/bz.h"
#include "transport/core/core.h"
#include "transport/core/base/crypt.h"
#include "transport/core/link/link.h"
#include "common/mpk.h"
#include "transport/core/table/receipt.h"

/*
 * What the files of a link share. A link that closes leaves the tree, tells its
 * parts (which free what they hung on it), wipes its keys and waits in a list
 * of the dead until the next packet or command: so whoever closes a link on the
 * way may still look at its status, but at nothing that hung on it.
 */

/* ceilings of one link, all ours */
#define LINK_RTT_MAX 1200.0 /* ours: above the longest wait for a proof */
#define LINK_MTU_MIN 219    /* ours: below, an identification does not fit */
#define LINK_SERVED_MAX 256 /* ours: requests that wait for an answer */
#define LINK_PENDING_MAX 256 /* ours: requests of ours on one link */
#define LINK_RES_IN_MAX 8   /* ours: a peer of the reference sends one */
#define LINK_RES_OUT_MAX 256 /* ours: resources that wait for their turn */
#define LINK_PROOFS_KEPT 16 /* ours: 8.12, last resource proofs */
#define RES_ANSWER_WAIT 120.0 /* ours: s for the application to decide */

enum res_status { /* 8.1 */
	RES_NONE = 0,
	RES_QUEUED = 1,
	RES_ADVERTISED = 2,
	RES_TRANSFERRING = 3,
	RES_AWAITING_PROOF = 4,
	RES_ASSEMBLING = 5,
	RES_COMPLETE = 6,
	RES_FAILED = 7,
	RES_CORRUPT = 8,
	RES_REJECTED = 9,
};

enum res_kind { RES_PLAIN, RES_REQUEST, RES_RESPONSE };

struct channel;

/* An outgoing transfer is over, well or not: for who asked for it. */
typedef void res_sent_fn(struct rns *, struct link *,
    const uint8_t request_id[RNS_HASH], bool ok);

struct link_receipt { /* of LINK_SEND with receipt */
	TAILQ_ENTRY(link_receipt) entry;
	struct link *link;
	struct receipt *receipt;
	uint64_t tag;
};

/* A request of ours that waits for its response (7.4). */
struct request {
	TAILQ_ENTRY(request) entry;
	struct link *link;
	struct timer timer;
	uint8_t id[RNS_HASH];
	uint64_t tag;
	uint64_t max_response;
	int64_t timeout_us;
	struct mono started;
	bool receiving; /* its response resource is on the way */
};

/* A request of the peer that the application may answer. */
struct served {
	TAILQ_ENTRY(served) entry;
	uint8_t id[RNS_HASH];
	uint64_t compress_max;
};

struct bytes { /* a malloc()ed buffer with its meaning inside */
	uint8_t *base;
	size_t off, len, cap;
};

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
	uint8_t orig[RNS_FULL_HASH];
	uint8_t request_id[RNS_HASH];
	uint64_t total, delivered; /* bytes of content, all segments */
	uint32_t segments, segment;
	struct bytes whole; /* requests and responses */
	uint8_t *metadata;
	size_t metadata_len;
	bool has_metadata;
	uint64_t charged; /* of r->resource_bytes */

	/* the segment */
	uint8_t hash[RNS_FULL_HASH];
	uint8_t random[RES_RANDOM];
	bool compressed;
	uint32_t size, parts, sdu;
	uint8_t *stream;
	uint8_t *map; /* parts * 4, the first `height` are known */
	uint8_t *got; /* parts */
	uint32_t height, received, next, high, outstanding;
	bool waiting_hmu, held;
	/* 8.8 */
	uint32_t window, window_min, window_max;
	uint32_t fast_rounds, very_slow_rounds;
	uint32_t retries;
	uint32_t factor;
	bool answered; /* a part came since the request */
	struct mono req_sent, activity;
	size_t req_len;
	uint64_t req_bytes;
	double rtt;       /* s, < 0: not known */
	double resp_rate; /* bytes/s, 0: not known */
	double data_rate; /* bytes/s, 0: not known */
};

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
	bool has_tag; /* SENT and PROGRESS are wanted */
	res_sent_fn *sent_fn; /* NULL: nobody asks */
	uint8_t *head;
	size_t head_len;
	const uint8_t *data;
	size_t len;
	bool has_metadata, compress;
	uint8_t request_id[RNS_HASH];
	uint8_t orig[RNS_FULL_HASH];
	uint32_t segments, segment;
	double timeout; /* s, of the advertisement */

	uint8_t *stream_base, *stream;
	uint32_t size, parts, sdu;
	uint8_t *map, *sent_once;
	uint8_t hash[RNS_FULL_HASH], random[RES_RANDOM], proof[RNS_FULL_HASH];
	bool compressed;
	uint32_t sent, low, retries;
	struct mono adv_sent, activity;
	double rtt; /* s, < 0: no request yet */
	uint8_t seen[64][8]; /* heads of hashes of request packets */
	uint32_t seen_count;
};

struct link {
	RB_ENTRY(link) node;
	TAILQ_ENTRY(link) dead;
	uint8_t id[RNS_HASH];
	uint8_t dest[RNS_HASH];
	enum link_status status;
	enum rns_link_reason reason;
	bool initiator, rebalanced;
	bool lost; /* never came up: ask for a path */
	uint8_t hops; /* expected */
	uint64_t tag;
	struct iface *iface; /* NULL: pending */
	uint32_t mtu, mdu;
	uint32_t mtu_asked;

	uint8_t x_priv[32]; /* initiator, until the proof */
	uint8_t x_pub[32];
	uint8_t sign_sk[64]; /* 6.7 */
	uint8_t peer_ed[32];
	uint8_t key[64];

	double rtt, keepalive, stale; /* s */
	double establish;             /* s */
	uint32_t cost;                /* bytes, 6.18 */
	struct mono requested, activated;
	struct mono last_in, last_out, last_proof, last_keepalive;
	struct timer timer;
	struct mono hold;

	bool identified;
	uint8_t peer_pub[RNS_KEY];
	uint8_t peer_hash[RNS_HASH];
	enum rns_accept resources;

	TAILQ_HEAD(, link_receipt) receipts;
	TAILQ_HEAD(, request) requests;
	uint32_t request_count;
	TAILQ_HEAD(, served) served;
	uint32_t served_count;
	TAILQ_HEAD(, res_in) res_in;
	uint32_t res_in_count;
	TAILQ_HEAD(, res_out) res_out; /* the first one is on its way */
	uint32_t res_out_count;
	uint32_t prev_window; /* 0: none */
	double prev_eifr;     /* bits/s, 0: none */
	struct {
		uint8_t hash[RNS_FULL_HASH]; /* of the proof packet */
		uint8_t data[64];
	} proofs[LINK_PROOFS_KEPT];
	uint32_t proof_count;
	struct channel *channel;
};

RB_HEAD(link_tree, link);

struct links {
	struct link_tree tree;
	TAILQ_HEAD(, link) dead;
	uint32_t count, lost;
	/* its parts free what they hung on it; link_in.c */
	void (*closed)(struct rns *, struct link *);
	uint8_t *scratch; /* one packet of the largest link MTU, and plaintext */
	size_t scratch_cap;
	uint8_t *plain;
	uint32_t segment_max; /* RES_SEGMENT_MAX; less in the tests of 8.3 */
};

/* ---- link.c ---- */

static inline double
link_seconds(int64_t us)
{
	return (double)us / 1e6;
}

uint32_t link_mdu(uint32_t mtu); /* 6.14 */
double link_keepalive(double rtt); /* 6.9 */
double link_establish_initiator(int64_t first_hop_us, uint8_t hops);
double link_establish_responder(uint8_t hops);
bool link_usable(const struct link *); /* ACTIVE or STALE */
/*
 * One encrypted DATA packet; hash (may be NULL) gets the packet hash. RNS_EBIG:
 * over the link's MDU. RNS_ESTATE: not open. RNS_ENOENT: the interface is gone.
 */
int link_send(struct rns *, struct link *, uint8_t context, const void *,
    size_t, uint8_t *hash);
int link_sendv(struct rns *, struct link *, uint8_t context,
    const struct iovec_c *, size_t count, uint8_t *hash);
int link_send_clear(struct rns *, struct link *, enum packet_type,
    uint8_t context, const void *, size_t);
/* A whole packet that the caller built; not entered into the filter. */
int link_send_raw(struct rns *, struct link *, const uint8_t *, size_t);
void link_prove(struct rns *, struct link *, const uint8_t hash[32]);
/* Sends LINKCLOSE when the link can, and closes. */
void link_teardown(struct rns *, struct link *, enum rns_link_reason);
void link_event(struct rns *, const struct link *, enum rns_event_type);

/* Free the links that are closed; only where no link is in use. */
void links_reap(struct rns *);
/* NULL: the limit, or out of memory. Not yet in the tree. */
struct link *link_new(struct rns *);
void link_insert(struct rns *, struct link *);
void link_wipe(struct link *);
int link_mtu_set(struct rns *, struct link *, uint32_t mtu);
/* The only way to CLOSED; nothing is sent. */
void link_end(struct rns *, struct link *, enum rns_link_reason);
void link_teardown_own(struct rns *, struct link *);
double link_since(struct mono now, struct mono then); /* s */
void link_timer_set(struct rns *, struct link *, double s);
/* It is up; false: it cannot be, see link_set_state(). */
bool link_activate(struct rns *, struct link *, double rtt);
/* link_open.c */
int link_open(struct rns *, const struct rns_cmd *);
void link_rtt_in(struct rns *, struct link *, const uint8_t *, size_t);

/* One look of the watchdog (6.9): what to do and when to look again. */
struct link_check {
	bool keepalive, close, stale;
	enum rns_link_reason reason;
	double next; /* s */
};
struct link_check link_watch(const struct link *, struct mono now);

/* ---- request.c ---- */

int request_submit(struct rns *, struct link *, const struct rns_cmd *);
int request_respond(struct rns *, struct link *, const struct rns_cmd *);
void request_in(struct rns *, struct link *, const struct packet *,
    const uint8_t *, size_t);
void request_response_in(struct rns *, struct link *, const uint8_t *, size_t);
struct request *request_find(struct link *, const uint8_t id[RNS_HASH]);
bool request_has_handlers(struct rns *, const struct link *, uint32_t *max);
void request_fail(struct rns *, struct request *, bool too_large);
/* Assembled ones; *b becomes theirs or is freed. */
void request_whole(struct rns *, struct link *, struct bytes *b);
void request_response_whole(struct rns *, struct request *, struct bytes *b,
    bool has_metadata, const uint8_t *metadata, size_t metadata_len);
void request_progress(struct rns *, struct request *, uint64_t done,
    uint64_t total);
void request_closed(struct rns *, struct link *);

/* ---- resource.c ---- */

void resource_adv_in(struct rns *, struct link *, const uint8_t *, size_t);
void resource_part_in(struct rns *, struct link *, const struct packet *);
void resource_hmu_in(struct rns *, struct link *, const uint8_t *, size_t);
void resource_icl_in(struct rns *, struct link *, const uint8_t *, size_t);
void resource_cache_in(struct rns *, struct link *, const struct packet *);
int resource_answer(struct rns *, struct link *, const struct rns_cmd *);
int resource_cancel(struct rns *, struct link *, const uint8_t hash[32]);
void resource_hold(struct rns *, struct link *);
void resource_closed(struct rns *, struct link *);
double resource_eifr(const struct res_in *); /* bits/s */
double resource_wait(const struct res_in *); /* s from last activity */
void resource_shrink(struct res_in *);

/* ---- resource_tx.c ---- */

struct res_spec {
	enum res_kind kind;
	uint8_t *head; /* malloc()ed, taken over also on failure; may be NULL */
	size_t head_len;
	const uint8_t *data;
	size_t len;
	bool has_metadata;
	bool compress;
	const uint8_t *request_id;
	int64_t timeout_us; /* 0: RTT * 6 */
	bool has_tag;
	uint64_t tag;
	res_sent_fn *sent_fn;
};
int resource_tx_start(struct rns *, struct link *, const struct res_spec *);
int resource_tx_submit(struct rns *, struct link *, const struct rns_cmd *);
int resource_tx_cancel(struct rns *, struct link *, uint64_t tag);
void resource_tx_request_in(struct rns *, struct link *, const struct packet *,
    const uint8_t *, size_t);
void resource_tx_proof_in(struct rns *, struct link *, const struct packet *);
void resource_tx_rcl_in(struct rns *, struct link *, const uint8_t *, size_t);
void resource_tx_closed(struct rns *, struct link *);
double resource_tx_wait(const struct res_out *); /* s */
/* 8.2 metadata block; malloc()ed, NULL: out of memory. */
uint8_t *resource_metadata_block(const uint8_t *, size_t, size_t *out_len);

/* ---- channel.c, stream.c ---- */

#define CHANNEL_HEAD 6
#define CHANNEL_STREAM 0xff00
#define STREAM_HEAD 2

int channel_open(struct rns *, struct link *);
int channel_send(struct rns *, struct link *, uint16_t type,
    const struct iovec_c *, size_t count, uint64_t tag);
bool channel_ready(const struct link *);
unsigned channel_room(const struct link *);
void channel_in(struct rns *, struct link *, const struct packet *);
void channel_closed(struct rns *, struct link *);
double channel_timeout(unsigned tries, double rtt, unsigned ring);

int stream_open(struct rns *, struct link *, uint16_t id);
int stream_send(struct rns *, struct link *, const struct rns_cmd *);

#endif
