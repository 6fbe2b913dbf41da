/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_CTX_H
#define WARREN_TRANSPORT_CORE_BASE_CTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

#include "transport/core/base/identity.h"
#include "transport/core/base/timer.h"
#include "common/util.h"
#include "common/wire.h"

/*
 * The context. Each table is owned by the file of its noun; others go through
 * that file's functions. What stands here itself is the caller's settings, the
 * time of this call, the counters, and the heads of the interface table.
 *
 * A table's x_new() is called once by rns_new(), returns RNS_OK or RNS_ENOMEM
 * and leaves nothing behind when it fails; x_free() copes with a table that was
 * never made.
 */
struct iface;
struct packet;
TAILQ_HEAD(iface_list, iface);
RB_HEAD(iface_tree, iface);

/* Tables whose places are shared out between interfaces; table/share.c */
enum share_table {
	SHARE_PATHS,
	SHARE_LINKS,
	SHARE_REVERSE,
	SHARE_REQUESTS,
	SHARE_WAITING,
	SHARE_HELD,
	SHARE_TABLES
};

struct share {
	uint32_t holders;      /* interfaces that have entries */
	struct iface *biggest; /* who gave last; NULL: look for one */
};

struct rns {
	struct rns_config cfg;
	struct identity self;
	struct mono now;     /* of this call, never backwards */
	int64_t wall_offset; /* Unix us = now.us + wall_offset */

	/* by falling bitrate (reticulum-endpoint.md 5.2) */
	struct iface_list ifaces;
	struct iface_tree iface_ids;
	struct iface **iface_at; /* by their places; NULL: nobody's */
	uint16_t iface_places;
	uint32_t iface_count;
	bool passing;     /* what is sent now did not begin here */
	uint8_t rx_kind;  /* enum rns_kind of the last that came in */
	uint32_t rx_from; /* id of the interface that is listened to, or 0 */
	uint32_t local_clients; /* interfaces of attached programs */
	struct iface *shared;   /* attached: the way to the daemon, or NULL */
	struct share shares[SHARE_TABLES];
	uint8_t hops_delta;     /* reticulum-transport.md 5.4; 0: off */
	bool closing;           /* rns_free(): nothing is sent any more */
	uint32_t notes; /* left for who stands above; core.c turn_end() */
	uint32_t chances[16];
	unsigned chances_left;

	struct timers timers;
	struct txq *txq;
	struct evq *evq;
	struct dedup *dedup;
	struct dests *dests;
	struct known_table *known;
	struct deliver *deliver;
	struct paths *paths;       /* path table */
	struct tunnels *tunnels;
	struct rates *rates;       /* of announces */
	struct waitings *waiting;  /* announces to pass on */
	struct relay *relay;       /* link table */
	struct reverses *reverses;
	struct pathreqs *pathreqs;
	struct receipts *receipts;
	struct signals *signals;   /* NULL: none was measured yet */
	struct links *links;
	uint64_t resource_bytes;   /* held by incoming resources now */
	/*
	 * control destinations of transport (reticulum-transport.md 6.1, 7.1)
	 */
	struct hash16 path_request_dest, tunnel_dest;
	uint8_t *rx_buf; /* for unmasking; grows to the largest packet */
	size_t rx_cap;

	struct noted *noted; /* the last drops that name somebody */
	/* that is handled now, whose drops are noted by its destination */
	const struct packet *rx_packet;
	const struct rns_signal *rx_signal; /* of that one, or NULL */
	uint64_t drops[RNS_DROP_COUNT];
	uint64_t values[RNS_VALUE_KINDS][RNS_VALUE_BITS]; /* value.c */
	uint64_t *rx_drops; /* rns_recv(): those of the interface, or NULL */
	struct rns_counts counts;
};

/* ---- what it lends to every file ---- */

/* n random bytes of the caller's source; never fails. */
void core_random(struct rns *, void *, size_t n);
/* A number for what may be known, such as times: of many asked for at once. */
uint32_t core_chance(struct rns *);
/* The time of this call as Unix time in microseconds; may be before 1970. */
int64_t core_wall_us(const struct rns *);
/*
 * A secret odd multiplier for hash_place(); each table takes its own when it
 * is made and keeps it.
 */
uint64_t core_seed(struct rns *);
/* A time that never was. */
#define MONO_NONE ((struct mono){-1})
/* A time of ours as Unix time, 0: it never was. */
int64_t core_wall_of(const struct rns *, struct mono);
/* Count a drop; returns false so that `return core_drop(...)` reads well. */
bool core_drop(struct rns *, enum rns_drop);
/*
 * The same, of a destination or link that is not that of the packet that is
 * handled, and an interface (0: none in particular).
 */
bool core_drop_of(struct rns *, enum rns_drop, const struct hash16 *about,
    unsigned ifid);
/*
 * One of a row as long as the packets, which would leave no room for what is
 * worth a note.
 */
void core_drop_count(struct rns *, enum rns_drop);

/*
 * Where a key stands in a table of 1 << bits (1 to 32) places. The key is a
 * SHA-256 that we computed, so spread well unless somebody searched for keys
 * that meet; the secret seed (2-universal, multiply-shift) keeps them from
 * knowing which ones do.
 */
static inline size_t
mark_place(uint64_t seed, uint64_t mark, unsigned bits)
{
	return (size_t)(mark * seed >> (64 - bits));
}

static inline size_t
hash_place(uint64_t seed, const struct hash16 *key, unsigned bits)
{
	return mark_place(seed, get_u64(key->b), bits);
}

#endif
