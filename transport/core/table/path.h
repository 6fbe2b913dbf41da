/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_PATH_H
#define WARREN_TRANSPORT_CORE_TABLE_PATH_H

#include <rns/hash.h>

#include "transport/core/base/const.h"
#include "transport/core/base/ctx.h"
#include "transport/core/base/htab.h"
#include "transport/core/table/heard.h"

/*
 * Path table (reticulum-transport.md 2.1); used by link.c for hops and
 * time-outs. When it is full the path that was unused for longest goes, of the
 * interface that has more than its share (share.h), so that a flood of made-up
 * destinations does not lock out those in use.
 */
enum path_state { /* reticulum-transport.md 2.2 */
	PATH_UNKNOWN = 0,
	PATH_UNRESPONSIVE = 1,
	PATH_RESPONSIVE = 2,
};

/* A place in the list of rate.c; numbers of what stands before and behind. */
struct rate_age {
	uint32_t older, newer;
};

#define PATH_BLOBS_FEW 2 /* ours: as many as most have stand in the path */

/*
 * There may be 100,000, so what can be worked out is not kept: the hash of the
 * announce is that of its bytes, the key of its identity is known.c's too.
 */
struct path {
	union {
		struct hitem item;
		struct hash16 dest; /* its key */
	};
	uint8_t hops;
	uint8_t state; /* enum path_state */
	uint8_t blob_count;
	/* its destination announces too often: only as an answer */
	bool blocked : 1;
	/* rate.c: learned by the only announce of it that counted */
	bool rated : 1;
	struct hash16 next_hop;
	struct iface *rx;
	TAILQ_ENTRY(path) age; /* in the list of rx */
	int64_t learned_us; /* Unix time */
	struct mono stamp;  /* learned, or last used */
	struct heard *heard; /* raw, hop byte as received; NULL: none */
	uint32_t life_ms;   /* from learned_us on */
	/* path_blobs(); where there are more, the address of them */
	uint8_t few[PATH_BLOBS_FEW * ANNOUNCE_BLOB];
	struct rate_age rate_age;
};

/* Unix time */
static inline int64_t
path_expires_us(const struct path *p)
{
	return p->learned_us + (int64_t)p->life_ms * 1000;
}

int paths_new(struct rns *);
void paths_free(struct rns *);
/*
 * PATH_ADD: as old as it was; the interface must be there (RNS_ENOENT), and
 * RNS_ESTATE is a path too old, RNS_EPARSE an announce that is not its own.
 * PATH_DROP: RNS_ENOENT.
 */
int path_submit(struct rns *, const struct rns_cmd *);
/* Those learned there go. */
void paths_iface_gone(struct rns *, const struct iface *);
/* Those learned on one go on with another, as learned there just now. */
void paths_move(struct rns *, const struct iface *from, struct iface *to);
/*
 * Those to the destinations of an identity go, or of all that are blackholed
 * (NULL); by what known.c knows.
 */
void paths_blackhole(struct rns *, const struct hash16 *identity);
/*
 * A path that goes leaves a note, which waiting.c takes: the destination of
 * the next one, oldest first; false: there is none.
 */
bool path_gone_next(struct rns *, struct hash16 *dest);

/* NULL: none; else it stays until the next call that drops or stores one. */
struct path *path_find(const struct rns *, const struct hash16 *dest);
/* The bytes of its announce; at their end: there is none. */
struct rd path_announce(const struct path *);
/* It was used just now. */
void path_touch(struct rns *, struct path *);
/*
 * The proof of a link along it came this far on rx (reticulum-transport.md
 * 3.9). Not when the path leads elsewhere by now; and a neighbour does not
 * become a node behind another one, or the reverse: whoever plays a proof back
 * sets its hops, and packets would then bear an address that nobody has.
 */
void path_rebalance(struct rns *, const struct hash16 *dest,
    const struct iface *rx, uint8_t hops);
/* Hops to a destination, RNS_HOPS_MAX when unknown. */
uint8_t path_hops(const struct rns *, const struct hash16 *dest);
/*
 * 500 * 8 / bitrate + 6 s, 6 s when unknown (reticulum-endpoint.md 3.7), in
 * microseconds.
 */
int64_t path_first_hop_timeout_us(const struct rns *,
    const struct hash16 *dest);
/* Next-hop interface or NULL. */
struct iface *path_iface(const struct rns *, const struct hash16 *dest);
/* None is fine. */
void path_drop(struct rns *, const struct hash16 *dest);
/* It will be looked for soon. */
void path_soon(const struct rns *, const struct hash16 *dest);

/* ---- what announces and path requests do with it ---- */

struct path_new {
	const uint8_t *dest, *next_hop; /* 16 */
	const uint8_t *blob;            /* 10, or NULL */
	uint8_t hops;
	struct iface *rx;
	int64_t learned_us, expires_us;
	struct mono stamp;
	const uint8_t *announce; /* copied; at most RNS_MTU */
	size_t announce_len;
};

/*
 * There is room for one more that is learned there; whose path went is the
 * next known destination to be forgotten, if it must be one.
 */
void path_room(struct rns *, struct iface *rx);
/* Makes the path or replaces it; NULL: out of memory, the old one stays. */
struct path *path_store(struct rns *, const struct path_new *);
/* blob_count of 10 bytes, newest last, at most 64. */
const uint8_t *path_blobs(const struct path *);
/* Was an announce with this random hash heard of it? */
bool path_has_blob(const struct path *, const uint8_t blob[ANNOUNCE_BLOB]);
/* The newest emission (s) that n blobs of 10 bytes tell of. */
uint64_t path_timebase(const uint8_t *blobs, size_t n);
/* How long a path learned there lives (reticulum-transport.md 2.1). */
int64_t path_life_us(const struct iface *);

#endif
