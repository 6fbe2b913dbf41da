/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_LINK_H
#define WARREN_TRANSPORT_CORE_LINK_LINK_H

#include <rns/hash.h>

#include "transport/core/base/const.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/link_state.h"
#include "transport/core/table/iface.h"

/*
 * Links (6), both sides: their life, what they send, and the watchdog. Other
 * files hang their state on a link, each above this one:
 *
 *   link_state.c  the states and their edges
 *   link_open.c   how it comes up: request, proof, RTT
 *   request.c     requests, on resource_tx.c when they are large
 *   resource_tx.c outgoing resources; resource.c incoming ones, with
 *                 resource_adv.c and resource_asm.c, owned by request.c or by
 *                 the application; charge.c counts what they hold
 *   channel.c     messages in order; stream.c streams on them
 *   link_in.c     packets, to the part that wants them
 *   link_cmd.c    commands, likewise
 *
 * A link that closes leaves the tree, tells its parts (which free what they
 * hung on it), wipes its keys and waits in a list of the dead until the next
 * packet or command: so whoever closes a link on the way may still look at its
 * status, but at nothing that hung on it.
 */

/* what one link may hold or believe */
#define LINK_RTT_MAX 1200.0 /* ours: above the longest wait for a proof */
#define LINK_MTU_MIN 219    /* ours: below, an identification does not fit */
/* ours: reticulum-endpoint.md 8.12, last resource proofs */
#define LINK_PROOFS_KEPT 16

struct channel;
struct res_in;
struct res_out;
struct request;
struct served;
struct receipt;

struct link_receipt { /* of LINK_SEND with receipt */
	TAILQ_ENTRY(link_receipt) entry;
	struct link *link;
	struct receipt *receipt;
	uint64_t tag;
};

struct link {
	RB_ENTRY(link) node;
	TAILQ_ENTRY(link) dead;
	TAILQ_ENTRY(link) young; /* asked for by another, not yet active */
	bool is_young;
	struct hash16 id;
	struct hash16 dest;
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
	uint8_t sign_sk[64]; /* reticulum-endpoint.md 6.7 */
	uint8_t peer_ed[32];
	uint8_t key[64];

	double rtt, keepalive, stale; /* s */
	double asker_rtt; /* s: the initiator's own; 0: its word was lost */
	struct loss loss;             /* link_counted() */
	double establish;             /* s */
	uint32_t cost;                /* bytes, reticulum-endpoint.md 6.18 */
	struct mono requested, activated;
	struct mono last_in, last_out, last_proof, last_keepalive;
	struct timer timer;
	struct mono hold;

	bool identified;
	uint8_t peer_pub[RNS_KEY];
	struct hash16 peer_hash;
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
		struct id32 hash; /* of the proof packet */
		uint8_t data[64];
	} proofs[LINK_PROOFS_KEPT];
	uint32_t proof_count;
	struct channel *channel;
};

RB_HEAD(link_tree, link);

struct links {
	struct link_tree tree;
	TAILQ_HEAD(, link) dead;
	TAILQ_HEAD(, link) young; /* oldest first */
	uint32_t count;
	/* its parts free what they hung on it; link_in.c */
	void (*closed)(struct rns *, struct link *);
	uint8_t *scratch; /* one packet of the largest link MTU, and plaintext */
	size_t scratch_cap;
	uint8_t *plain;
	/* RES_SEGMENT_MAX; less in the tests of reticulum-endpoint.md 8.3 */
	uint32_t segment_max;
};

/* ---- values (reticulum-endpoint.md 6.9, 6.14), pure ---- */

static inline double
link_seconds(int64_t us)
{
	return (double)us / 1e6;
}

double link_since(struct mono now, struct mono then); /* s */
uint32_t link_mdu(uint32_t mtu); /* reticulum-endpoint.md 6.14 */
double link_keepalive(double rtt); /* reticulum-endpoint.md 6.9, s */
/* How long a link may take to come up (reticulum-endpoint.md 6.4, 6.9), s. */
double link_establish_initiator(int64_t first_hop_us, uint8_t hops);
double link_establish_responder(uint8_t hops);
bool link_usable(const struct link *); /* ACTIVE or STALE */
/*
 * One look of the watchdog (reticulum-endpoint.md 6.9): what to do and when to
 * look again.
 */
struct link_check {
	bool keepalive, close, stale;
	enum rns_link_reason reason;
	double next; /* s */
};
struct link_check link_watch(const struct link *, struct mono now);

/* ---- life ---- */

int links_new(struct rns *);
/* All of them end (RNS_CLOSE_NONE). */
void links_free(struct rns *);
/* One that is not closed, or NULL. */
struct link *link_find(const struct rns *, const struct hash16 *id);
/*
 * The caller's until link_insert(); then it lives until link_end().
 * NULL: the limit, or out of memory.
 */
struct link *link_new(struct rns *);
/* It counts from now on, and is found. */
void link_insert(struct rns *, struct link *);
/* Clears its keys; before free() of one that was never inserted. */
void link_wipe(struct link *);
/* RNS_ENOMEM: no room for packets of that size; nothing has changed. */
int link_mtu_set(struct rns *, struct link *, uint32_t mtu);
/* The watchdog looks again in s seconds. */
void link_timer_set(struct rns *, struct link *, double s);
/* It is up; false: it cannot be, see link_set_state(). */
bool link_activate(struct rns *, struct link *, double rtt);
/* An event with what there is to say of it. */
void link_event(struct rns *, const struct link *, enum rns_event_type);
/* The only way to CLOSED; nothing is sent. A second time it does nothing. */
void link_end(struct rns *, struct link *, enum rns_link_reason);
/* Sends LINKCLOSE when the link can, and closes. */
void link_teardown(struct rns *, struct link *, enum rns_link_reason);
/* The same for the reason "we wanted it". */
void link_teardown_own(struct rns *, struct link *);
/* Free the links that are closed; only where no link is in use. */
void links_reap(struct rns *);
/*
 * A link that never came up leaves a note, which core.c takes: the destination
 * that a path should be asked for; false: there is none.
 */
bool link_lost_next(struct rns *, struct hash16 *dest);
/* Its interface is gone: RNS_CLOSE_INTERFACE, nothing is sent. */
void link_iface_gone(struct rns *, const struct iface *);

/* Frames that a packet of so many bytes is on the medium of its interface. */
uint32_t link_frames(const struct link *, size_t len);
/*
 * So many packets of so many frames were waited for, and so many of them lost,
 * as far as the one who waited can tell: of the link and of its interface. What
 * comes only when all of several came counts as one.
 */
void link_counted(struct rns *, struct link *, uint32_t frames, uint32_t of,
    uint32_t lost);

/* ---- sending ---- */

/*
 * One encrypted DATA packet; hash (may be NULL) gets the packet hash. RNS_EBIG:
 * over the link's MDU. RNS_ESTATE: not open. RNS_ENOENT: the interface is gone.
 */
int link_send(struct rns *, struct link *, uint8_t context, const void *,
    size_t, struct id32 *hash);
/* The same of pieces that stand together. */
int link_sendv(struct rns *, struct link *, uint8_t context,
    const struct iovec_c *, size_t count, struct id32 *hash);
/* Not encrypted, in any state. RNS_EBIG: over the MTU. RNS_ENOENT. */
int link_send_clear(struct rns *, struct link *, enum packet_type,
    uint8_t context, const void *, size_t);
/* A whole packet that the caller built; not entered into the filter. */
int link_send_raw(struct rns *, struct link *, const uint8_t *, size_t);
/*
 * The explicit proof of a packet that came in on it
 * (reticulum-endpoint.md 3.6).
 */
void link_prove(struct rns *, struct link *, const struct id32 *hash);

#endif
