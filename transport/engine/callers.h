/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_CALLERS_H
#define WARREN_TRANSPORT_ENGINE_CALLERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <rns/rns.h>

/*
 * Who may connect to the listeners of this node. Pure: addresses and times in,
 * a decision out. Places are few, and whoever wants one shows an address. One
 * table for all listeners.
 *
 * - An address has a share, which shrinks while the places run out: as many as
 *   are left. So there is nearly always one for who was not here yet.
 * - When there is none, one goes for who has fewer: first what is of no use,
 *   where there are several of one address; then what is of use but bears no
 *   link, of an address with more than its part; then what is of no use at
 *   all, or is the address's own; and links that work last, of whoever has
 *   the most. Of IPv6 a whole network of 48 bits counts as one there. What
 *   alone is of use at its address stays.
 * - An address whose connections end soon after they began is kept out for a
 *   while (reticulum-transport.md 10.4).
 */
#define CALLERS_MAX 1024       /* ours: addresses remembered */
#define CALLERS_LISTENER 512   /* ours: connections of one listener */
#define CALLERS_OPEN 640       /* ours: of all; engine.h has ENGINE_IFS */
#define CALLERS_SHARE 64       /* ours: of one address */
#define CALLERS_SHARE_MIN 4    /* ours: whatever is left; while any is */
#define CALLERS_FORGET_S 600   /* ours: calm after which flaps are forgotten */
/* ours: so long one counts as useful; a link shows itself each 6 minutes */
#define CALLERS_USEFUL_S 1800
#define CALLERS_LINK_S 900

/* How a listener takes connections that end soon. */
struct flap_rule {
	bool on;
	/* only those that sent no packet count: TCP, whose clients may be short */
	bool silent_only;
	unsigned grace;
	int64_t threshold_us;
	/* kept out so long; first 0: at once, else from that on, doubled */
	int64_t block_us, first_us;
};

/* What a connection was good for, lately. */
enum caller_worth {
	WORTH_SILENT, /* never sent a packet */
	WORTH_NONE,   /* none that was of use */
	WORTH_USEFUL, /* announces were taken, packets passed on */
	WORTH_LINK,   /* bears one that works */
};
enum caller_worth callers_worth(const struct rns_if_use *, struct mono now);

/* Whose connections: of IPv6 a network of 48 bits, else an address. */
struct crowd {
	uint8_t addr[16];
	uint16_t open;
};

struct caller {
	uint8_t addr[16]; /* IPv4 mapped; of IPv6 the first 64 bits */
	uint8_t last_addr[16]; /* the whole one that flapped last */
	bool used, free_of_share; /* loopback: all of a tunnel's are one */
	uint16_t open;
	struct crowd *crowd; /* of those that are here */
	uint32_t flaps;
	struct mono last; /* flap */
	int64_t pause_us;
};

/* A connection, part of what the caller of this module has for it. */
struct guest {
	TAILQ_ENTRY(guest) link;
	struct caller *from; /* NULL: not in the table */
	const void *host;    /* the listener */
	struct mono since;
};

struct callers {
	TAILQ_HEAD(, guest) guests; /* the oldest first */
	unsigned open, crowds_here;
	struct caller v[CALLERS_MAX];
	struct crowd crowds[CALLERS_OPEN]; /* open 0: nobody's */
	enum caller_worth (*worth)(const struct guest *, struct mono now);
};

enum callers_say { CALL_TAKE, CALL_FLAPPING, CALL_SHARE, CALL_FULL };

void callers_init(struct callers *,
    enum caller_worth (*worth)(const struct guest *, struct mono now));
/*
 * May it be taken? CALL_TAKE with *out not NULL: when that one has gone. The
 * listener calls callers_came() for what it takes.
 */
enum callers_say callers_ask(struct callers *, const struct sockaddr_storage *,
    const struct flap_rule *, const void *host, struct mono now,
    struct guest **out);
void callers_came(struct callers *, struct guest *,
    const struct sockaddr_storage *, const void *host, struct mono now);
/* It is gone; nothing for one that never came. */
void callers_went(struct callers *, struct guest *, const struct flap_rule *,
    struct mono now);
/* The next address behind *at that is kept out now; false: none. */
bool callers_blocked(const struct callers *, struct mono now, unsigned *at,
    uint8_t addr[16]);

#endif
