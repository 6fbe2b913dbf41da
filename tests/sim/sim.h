/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_SIM_SIM_H
#define WARREN_TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

#include "tests/sim/air.h"

/*
 * Cores on seeded links under virtual time. One seed gives one run: the
 * digest over all events of all nodes is equal whenever it is run again.
 * Every call that can fail ends the program with a line on standard error,
 * unless the simulation was told that memory may run out.
 */
#define SIM_WALL_US INT64_C(1800000000000000)

struct sim;

struct sim_node_opts {
	bool transport, attached;
	int64_t skew_ppm; /* its clock runs fast, or slow if below 0 */
	struct rns_limits *limits; /* NULL: the defaults */
};

struct sim_link_opts {
	uint64_t bitrate;       /* bits/s, 0: no time passes */
	int64_t delay_us;
	uint32_t loss_permille; /* of packets, each way */
	bool half_duplex;       /* both ways share the bitrate */
	uint32_t hw_mtu;        /* 0: 500 */
	bool mtu_signal;
	enum rns_if_mode mode;  /* 0: full */
	bool local;             /* b is a program attached to a */
	const uint8_t *ifac_key; /* 64, or NULL */
	int64_t queue_us;       /* longest wait to send, then loss; 0: 60 s */
	/* two radios: of bitrate, delay_us, loss_permille and queue_us it has
	 * its own (bitrate is what the cores are told); NULL: none */
	const struct air_opts *air;
};

/* Called for every event of every node, in order. */
typedef void sim_event_fn(struct sim *, unsigned node,
    const struct rns_event *, void *arg);

struct sim *sim_new(uint64_t seed, sim_event_fn *, void *arg);
void sim_free(struct sim *);
/* Returns the number of the node. */
unsigned sim_node(struct sim *, const struct sim_node_opts *);
struct rns *sim_rns(struct sim *, unsigned node);
/* Returns the number of the link; both ends have this as interface id. */
unsigned sim_link(struct sim *, unsigned a, unsigned b,
    const struct sim_link_opts *);
/* Both ends forget the interface; what is under way is lost. */
void sim_unlink(struct sim *, unsigned link);
/*
 * An interface of node like that of a program attached to it, which is not of
 * the simulation: fn gets what it is sent, at once, sim_inject() is the other
 * way. sim_port_close(): it is gone.
 */
typedef void sim_port_fn(void *arg, const uint8_t *, size_t);
unsigned sim_port(struct sim *, unsigned node, sim_port_fn *, void *arg);
void sim_port_close(struct sim *, unsigned port);
/* A link that carries nothing for a while; neither end is told. */
void sim_carry(struct sim *, unsigned link, bool on);
int sim_submit(struct sim *, unsigned node, const struct rns_cmd *);
/* A packet out of nowhere, now: node gets it from the link. */
void sim_inject(struct sim *, unsigned node, unsigned link, const uint8_t *,
    size_t);
/* Sees every packet that a node sends. */
typedef void sim_tap_fn(void *arg, const uint8_t *, size_t);
void sim_tap(struct sim *, sim_tap_fn *, void *arg);
struct mono sim_now(const struct sim *);
/* Runs for us microseconds, or until stop() (may be NULL) says so. */
bool sim_run(struct sim *, int64_t us, bool (*stop)(void *), void *arg);
void sim_digest(const struct sim *, struct id32 *out);
uint64_t sim_random(struct sim *);

/*
 * Its program ends: nothing goes in or out, nobody is told. Back again it has
 * its identity and interfaces; keep: and what the engine saves. Destinations
 * and links are the caller's to make anew.
 */
void sim_off(struct sim *, unsigned node);
void sim_on(struct sim *, unsigned node, bool keep);
bool sim_is_off(const struct sim *, unsigned node);

/* What one end of a link sent. */
struct sim_sent {
	uint64_t bytes;
	uint64_t announces; /* bytes of those that it passed on by itself */
	/* how far ahead of 2 % of the bitrate these ever were */
	int64_t ahead_us;
};
struct sim_sent sim_sent(const struct sim *, unsigned link, unsigned node);
/* Of a link that is a channel of radios: what it carried. */
struct air_sum sim_air(const struct sim *, unsigned link, unsigned node);

struct sim_stats {
	uint64_t sent, lost, delivered, bytes;
};
struct sim_stats sim_stats(const struct sim *);

/* Seeded bytes, for rns_config.random: arg is a uint64_t. */
void sim_random_bytes(void *arg, uint8_t *out, size_t n);

#endif
