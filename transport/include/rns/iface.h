/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RNS_IFACE_H
#define RNS_IFACE_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/mono.h>

/* What the caller says of an interface; RNS_CMD_IF_ADD takes it. */

enum rns_if_mode {
	RNS_MODE_FULL = 1,
	RNS_MODE_PTP = 2,
	RNS_MODE_AP = 3,
	RNS_MODE_ROAMING = 4,
	RNS_MODE_BOUNDARY = 5,
	RNS_MODE_GATEWAY = 6,
	RNS_MODE_INTERNAL = 7,
};

enum rns_if_kind {
	RNS_IF_NET,          /* reaches other nodes */
	RNS_IF_LOCAL_CLIENT, /* a program attached to us */
	RNS_IF_SHARED,       /* we are the program; the other end relays */
};

/*
 * What a packet is, to who shares out an interface that takes little: those
 * that are most urgent first.
 */
enum rns_kind {
	RNS_KIND_CONTROL, /* of our own: links, proofs, path requests */
	RNS_KIND_NEAR,    /* announces from here, and answers about paths */
	RNS_KIND_FAR,     /* announces that are passed on */
	RNS_KIND_RELAY,   /* all else that is passed on */
	RNS_KIND_JOBS,    /* of our own links: what they carry; bulk of programs */
	RNS_KINDS
};

/* Ingress and egress control (reticulum-transport.md 8.5). */
struct rns_ingress {
	bool set;     /* false: the defaults, whatever stands below */
	bool control; /* ingress_control */
	bool egress;  /* egress_control */
	uint32_t max_held; /* announces; all interfaces together 4,096 */
	double new_time_s; /* so long an interface is new */
	double burst_hz_new, burst_hz; /* of announces */
	double pr_burst_hz_new, pr_burst_hz; /* of path requests */
	double hold_s, penalty_s, release_s;
	double egress_hz; /* ec_pr_freq */
};
#define RNS_INGRESS_DEFAULT                                                    \
	((struct rns_ingress){.set = true, .control = true, .max_held = 256,   \
	    .new_time_s = 7200, .burst_hz_new = 3, .burst_hz = 10,             \
	    .pr_burst_hz_new = 3, .pr_burst_hz = 8, .hold_s = 15,              \
	    .penalty_s = 15, .release_s = 5, .egress_hz = 5})

/* What an interface was good for; a time below 0: never. */
struct rns_if_use {
	/* it delivered a packet: the right access code, and a header */
	bool heard;
	/* an announce of it was taken, or a packet passed on from or to it */
	struct mono useful;
	/* the same of a link that its destination has proved, or one of ours */
	struct mono linked;
};

struct rns_if {
	unsigned id; /* the caller's number, unique while it exists */
	enum rns_if_kind kind;
	enum rns_if_mode mode;
	uint64_t bitrate;  /* bits/s, 0 unknown */
	uint32_t hw_mtu;   /* bytes without access code, 0 none */
	/*
	 * Bytes of a packet, access code included, that its medium takes in one
	 * frame: a longer one is lost with any of its frames. 0: it takes all.
	 */
	uint32_t frame;
	bool mtu_signal;   /* autoconfigured or fixed: in link MTU discovery */
	bool out;          /* may transmit */
	bool online;
	bool recursive_prs;
	bool from_internal_blocked; /* announces_from_internal = no */
	bool to_internal;           /* announces_to_internal = yes */
	/* the other end keeps our paths when the connection breaks: 7.1 */
	bool wants_tunnel;
	int32_t gravity;
	uint32_t announce_cap_permille; /* share of bitrate, 20 = 2 % */
	uint32_t ar_target_s, ar_penalty_s, ar_grace; /* 0 target: no limit */
	/* a slow medium, where announces are never too many: 8.5 */
	bool announces_unlimited;
	struct rns_ingress ingress;
	struct id32 name_hash; /* H(display name) */
	uint8_t ifac_size;                /* bytes, 0: no access code */
	uint8_t ifac_key[64];             /* rns_ifac_key() */
};

/*
 * How a packet was received, by an interface that measures it
 * (reticulum-transport.md 2.10). The values of the last RNS_SIGNALS such
 * packets are kept by their hashes.
 */
#define RNS_SIGNALS 512
enum { RNS_SIGNAL_RSSI = 1, RNS_SIGNAL_SNR = 2, RNS_SIGNAL_Q = 4 };
struct rns_signal {
	uint8_t has;  /* which of these it knows: a sum of RNS_SIGNAL_ */
	int16_t rssi; /* dBm */
	float snr;    /* dB */
	float q;      /* quality of the link, per cent */
};

/* Packets of one kind, one way. */
struct rns_amount {
	uint64_t packets, bytes;
};

/* One sort of packets, one way. */
struct rns_if_class {
	uint64_t packets, bytes;
	double hz; /* by the last 48 (reticulum-transport.md 8.5) */
};

/* What the statistics map (reticulum-transport.md 13.6) wants of the core. */
struct rns_if_stats {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	struct rns_if_class announces_rx, announces_tx;
	struct rns_if_class path_requests_rx, path_requests_tx;
	struct rns_amount rx_kinds[RNS_KINDS], tx_kinds[RNS_KINDS];
	uint32_t announce_queue; /* waiting for their share of the bitrate */
	uint32_t held_announces; /* waiting for the end of a burst */
	/* of announces, of path requests: 0 or 1; of a sum, how many */
	uint32_t bursts, pr_bursts;
	/* Unix time, 0: there was none; of a sum, the earliest of those on */
	int64_t burst_activated_us, pr_burst_activated_us;
	/* reticulum-transport.md 18.3 */
	uint64_t protocol_violations, ifac_violations, filter_hits;
	struct rns_signal signal; /* of the last that was measured */
	/* of frames of its links, seen by this end; of a sum, the worst */
	uint32_t loss_permille;
};

#endif
