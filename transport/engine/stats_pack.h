/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_STATS_PACK_H
#define WARREN_TRANSPORT_ENGINE_STATS_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

#include "common/wire.h"

/*
 * The bytes of the statistics map (reticulum-transport.md 13.6), for programs
 * of 1.4.2 and of 1.5.7. Pure: rpc_stats.c says what the values are. Texts are
 * borrowed; NULL is nil, or leaves its key out where the specification does.
 */
#define STATS_ROW_MAX 8192 /* ours: bytes of one interface's map */
#define STATS_TOP_MAX 2048 /* ours: bytes of all but the interfaces */
#define STATS_BLOCKED_MAX 64 /* ours: addresses shown of those blocked */

/* Bytes, packets or bit/s: all, and of it announces and path requests. */
struct stats_flow {
	double rx, tx, ann_rx, ann_tx, pr_rx, pr_tx;
};

/* Of an interface: its bytes at the last look, and bit/s since the one before. */
struct stats_sample {
	struct stats_flow last, rate;
};

struct stats_burst {
	bool active;
	int64_t since_us; /* Unix time, 0 never */
	int64_t clients;  /* in a burst; below 0: nil */
};

/* What a radio says of itself and its surroundings (RNode). */
struct stats_radio {
	bool on; /* it is one */
	double air_short, air_long, load_short, load_long; /* per cent */
	bool has_noise, disturbed, was_disturbed, has_temp;
	int noise_dbm, disturbed_dbm; /* the last interference */
	int64_t disturbed_us;         /* when; Unix time */
	int temp;                     /* degrees Celsius */
	bool has_battery;    /* an interface with a place for one */
	const char *battery; /* NULL: not known */
	unsigned battery_percent;
};

/* A Weave device, or one of its peers; empty texts are nil. */
struct stats_weave {
	bool device, peer;
	bool has_cpu, has_memory;
	unsigned cpu;  /* per cent */
	double memory; /* per cent */
	char id[24], endpoint[24], via[24];
};

struct stats_if {
	const char *name, *short_name, *type;
	size_t short_len; /* it may hold a NUL */
	struct id32 hash;
	int64_t clients; /* below 0: nil */
	const char *parent_name; /* NULL: none */
	struct id32 parent_hash;
	bool i2p, i2p_connectable;
	const char *i2p_b32;
	bool i2p_peer;
	const char *tunnelstate;
	struct stats_radio radio;
	struct stats_weave weave;
	int64_t peers; /* Auto; below 0: left out */
	uint64_t bitrate; /* 0: nil */
	struct stats_flow rate, bytes; /* rate: bit/s */
	uint64_t ann_rx_n, ann_tx_n, pr_rx_n, pr_tx_n; /* packets */
	bool ifac;
	uint8_t ifac_signature[RNS_SIG];
	unsigned ifac_size;
	const char *ifac_netname;
	const char *autoconnect_source;
	uint32_t announce_queue;
	bool blocks; /* it has a list of those blocked, of nblocked */
	unsigned nblocked;
	const char *blocked[STATS_BLOCKED_MAX]; /* ended by a NULL */
	uint32_t mtu; /* 0: nil */
	uint64_t tx_drops, tx_drop_bytes, tx_waiting;
	bool tx_stalled;
	double ann_in_hz, ann_out_hz, pr_in_hz, pr_out_hz;
	uint32_t ar_target_s, ar_penalty_s, ar_grace; /* 0 target: nil */
	uint32_t held;
	struct stats_burst ann_burst, pr_burst;
	bool online;
	enum rns_if_mode mode;
	int32_t gravity;
	int announces_to_internal; /* below 0: nil */
	uint64_t violations, ifac_violations, filter_hits;
};

struct stats_top {
	struct stats_flow rate, bytes, hz;
	uint64_t rx_pps, tx_pps;
	bool transport;
	struct hash16 transport_id;
	const struct hash16 *network_id;      /* NULL: nil */
	const struct hash16 *probe_responder; /* NULL: nil */
	double uptime_s;
	uint64_t rss; /* bytes, 0: nil */
};

/* b more in sum, each sort. */
void stats_flow_add(struct stats_flow *sum, const struct stats_flow *b);
/* The head; n maps of interfaces follow, then stats_put_rest(). */
void stats_put_head(struct wr *, const struct stats_top *, size_t n);
void stats_put_if(struct wr *, const struct stats_if *);
void stats_put_rest(struct wr *, const struct stats_top *);

#endif
