/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_RELAY_NODE_H
#define WARREN_TESTS_UNIT_RELAY_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

/* One node under test: packets in, what comes out is kept in order. */
#define NODE_OUT_MAX 1024
#define NODE_SECOND 1000000
#define NODE_WALL_US INT64_C(1800000000000000)

struct node_out {
	unsigned ifid;
	int64_t at;
	uint8_t *data;
	size_t len;
	enum rns_kind kind;
	struct hash16 dest;
};

struct node {
	struct rns *r;
	int64_t now;
	uint64_t rng;
	struct node_out out[NODE_OUT_MAX];
	size_t out_count;
	unsigned events[64]; /* by type */
	enum rns_receipt_status receipt;
};

void node_open(struct node *, bool transport, bool attached,
    const uint8_t priv[RNS_KEY]);
/* A relay with limits of its own. */
void node_open_limits(struct node *, const struct rns_limits *,
    const uint8_t priv[RNS_KEY]);
/* A relay with local_hops_delta on. */
void node_open_delta(struct node *, const uint8_t priv[RNS_KEY]);
/* With so many interfaces of 500 bytes to the net. */
void node_open_on(struct node *, const uint8_t priv[RNS_KEY], bool transport,
    unsigned ifs);
void node_close(struct node *);
/* hw_mtu 0: none. */
void node_if(struct node *, unsigned id, enum rns_if_kind, enum rns_if_mode,
    uint32_t hw_mtu, bool mtu_signal);
void node_in(struct node *, unsigned ifid, const uint8_t *, size_t);
int node_submit(struct node *, const struct rns_cmd *);
/* Runs every deadline within us. */
void node_run(struct node *, int64_t us);
void node_clear(struct node *); /* forget what came out */
/* How often these bytes came out there; UINT_MAX: anywhere. */
size_t node_sent(const struct node *, unsigned ifid, const uint8_t *, size_t);

/* Another node's destination, which never lives in a core. */
struct stranger {
	uint8_t priv[RNS_KEY], pub[RNS_KEY];
	struct hash16 id, dest;
};
void stranger_make(struct stranger *, uint8_t seed);
/* As many of them as a test wants. */
void stranger_number(struct stranger *, unsigned i);
/* Its announce: header 1, or 2 with transport_id. Returns the length. */
size_t stranger_announce(const struct stranger *, uint8_t out[RNS_MTU],
    uint64_t emitted, uint8_t hops, const uint8_t *transport_id,
    bool path_response);
/* The announce of the stranger number i comes in. */
void stranger_heard(struct node *, unsigned ifid, unsigned i,
    uint64_t emitted);
/*
 * A packet of that type for the stranger by way of the relay n, which n bytes
 * of data make; its own keys of a link request are the byte. The length.
 */
size_t stranger_packet(const struct stranger *, const struct node *relay,
    uint8_t out[RNS_MTU], uint8_t type, const uint8_t *data, size_t n);
/* Its proof of the link request that it got; `hops` as on the wire. */
size_t stranger_proves(const struct stranger *, const uint8_t *request,
    size_t len, uint8_t out[RNS_MTU], uint8_t hops);
/* A path request for dest with the tag (16 times the byte). */
size_t path_request_make(uint8_t out[RNS_MTU], const struct hash16 *dest,
    const uint8_t *requestor, uint8_t tag);

/* `many` of them, from the number `from` on, so many a second. */
#define HEARD_FROM 1800000000u /* emission times of strangers */
void heard_many(struct node *, unsigned from, unsigned many, unsigned hz);
/* One from the stranger 1; how often it was passed on within that time. */
size_t rate_step(struct node *, uint64_t emitted, int64_t after_s);
/* The first rate that is kept. */
struct rns_rate rate_of(const struct node *);

#endif
