/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_IFACE_H
#define WARREN_TRANSPORT_CORE_TABLE_IFACE_H

#include "transport/core/base/ctx.h"
#include "transport/core/base/ifac.h"
#include "transport/core/table/loss.h"
#include "transport/core/table/traffic.h"

/*
 * Interfaces (reticulum-transport.md 8): what the caller said of each, its
 * counters, and the place where announceq.c keeps what waits for its share of
 * the bitrate.
 */
struct path;
TAILQ_HEAD(path_ages, path);
/* Of reverse.c, by their numbers; 0: none. */
struct reverse_ages {
	uint32_t oldest, newest;
};
struct rlink;
TAILQ_HEAD(rlink_ages, rlink);
struct pathreq;
TAILQ_HEAD(pathreq_ages, pathreq);
struct waiting;
TAILQ_HEAD(waiting_ages, waiting);
struct held;
RB_HEAD(held_tree, held);
RB_HEAD(held_order, held);
struct queued;
RB_HEAD(announce_queue, queued);
RB_HEAD(announce_order, queued);
TAILQ_HEAD(announce_ages, queued);
struct queued_from;
LIST_HEAD(announce_sources, queued_from);

/* Too many announces, or path requests (reticulum-transport.md 8.5). */
struct burst {
	bool active;
	struct mono activated; /* the last time; us < 0: never */
	struct mono sustained; /* last found too many */
	uint8_t calm;          /* evaluations that are still to be quiet */
};

struct iface {
	TAILQ_ENTRY(iface) entry;
	RB_ENTRY(iface) node; /* by id */
	uint16_t place; /* in r->iface_at; another's when it is gone */
	struct rns_if cfg;
	struct ifac ifac;
	struct tunnel *tunnel; /* that it carries, or NULL; tunnel.c */
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	struct rns_if_use use;
	struct rns_amount rx_kinds[RNS_KINDS], tx_kinds[RNS_KINDS];
	struct traffic traffic[TRAFFIC_SORTS];
	struct loss loss; /* of all links on it; link_counted() */
	uint64_t drops[RNS_DROP_COUNT]; /* while a packet of it was handled */
	/* entries of tables that are there because of it; share.c */
	uint32_t share[SHARE_TABLES];
	struct path_ages paths;       /* by falling time since last use */
	struct reverse_ages reverses; /* oldest first, as those below */
	struct rlink_ages young_links, proved_links;
	struct pathreq_ages requests;
	struct waiting_ages waiting;
	/* ingress control; ingress.c, and the job is announce_in.c's */
	struct mono since;
	struct burst burst, pr_burst;
	struct held_tree held;
	struct held_order held_order;
	uint32_t held_count;
	struct rns_signal signal; /* of the last that was measured */
	uint64_t held_seq;
	struct mono release_at; /* the next held one, not before */
	struct timer ingress_job;
	/* announce cap (reticulum-endpoint.md 5.3); announceq.c */
	struct mono announce_allowed;
	struct announce_queue announces; /* the same ones, three ways */
	struct announce_order announce_order;
	struct announce_ages announce_ages;
	struct announce_sources announce_sources; /* by who brought them */
	uint32_t announce_count;
	uint64_t announce_seq;
	struct timer announce_timer;
};

/* It is up and may transmit. */
static inline bool
iface_sends(const struct iface *i)
{
	return i->cfg.online && i->cfg.out;
}

/* Both lists are empty. */
void ifaces_init(struct rns *);
/* Nobody may point at any of them any more; announceq_clear() was called. */
void ifaces_free(struct rns *);
/* By the caller's number; NULL: there is none. */
struct iface *iface_find(const struct rns *, unsigned id);
/*
 * IF_ADD; the caller goes on with announceq_init(). RNS_EINVAL: a field out
 * of its range, or of a kind that this context cannot have; RNS_EEXIST: the
 * number is taken; RNS_ELIMIT; RNS_ENOMEM.
 */
int iface_add(struct rns *, const struct rns_if *, struct iface **out);
/* The end: nobody may point at it any more (core.c asks them all). */
void iface_free(struct rns *, struct iface *);
/* IF_ONLINE. RNS_ENOENT */
int iface_online(struct rns *, unsigned id, bool online);
/* IF_BITRATE. RNS_ENOENT; RNS_EINVAL: 0, by which shares are divided */
int iface_bitrate(struct rns *, unsigned id, uint64_t bitrate);
/*
 * Bytes of a packet without access code that it may deliver
 * (reticulum-endpoint.md 3.1).
 */
size_t iface_rx_max(const struct iface *);

#endif
