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
 * a decision out. Places are few, and whoever wants one shows an address: each
 * address has a share of them, and one whose connections end soon after they
 * began is kept out for a while (reticulum-transport.md 10.4). When there is no
 * place, the one goes that never sent a packet. One table for all listeners.
 */
#define CALLERS_MAX 1024       /* ours: addresses remembered */
#define CALLERS_LISTENER 512   /* ours: connections of one listener */
#define CALLERS_OPEN 640       /* ours: of all; engine.h has ENGINE_IFS */
#define CALLERS_SHARE 64       /* ours: of one address */
#define CALLERS_FORGET_S 600   /* ours: calm after which flaps are forgotten */

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

struct caller {
	uint8_t addr[16]; /* IPv4 mapped; of IPv6 the first 64 bits */
	uint8_t last_addr[16]; /* the whole one that flapped last */
	bool used, free_of_share; /* loopback: all of a tunnel's are one */
	uint16_t open;
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
	unsigned open;
	struct caller v[CALLERS_MAX];
	/* whether that one has sent a packet */
	bool (*heard)(const struct guest *);
};

enum callers_say { CALL_TAKE, CALL_FLAPPING, CALL_SHARE, CALL_FULL };

void callers_init(struct callers *, bool (*heard)(const struct guest *));
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
