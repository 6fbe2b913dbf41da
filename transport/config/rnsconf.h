/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CONFIG_RNSCONF_H
#define WARREN_TRANSPORT_CONFIG_RNSCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

#include "transport/config/confobj.h"

/*
 * Reticulum's `config` as values (reticulum-transport.md 8, 10.3, 11.3). Pure:
 * text in, struct out. Every mistake has its place and a hint; what this build
 * does not know or does not do yet is a note, and never stops the daemon. A
 * mistake belongs to the file, which then cannot be used, or to one [[section]]
 * of [interfaces], and keeps that interface off. All strings belong to the
 * struct rnsconf. Of a section that is off, what would keep it off is a note.
 */
enum rnsconf_type {
	RNSCONF_UNKNOWN,     /* no such type in Reticulum */
	RNSCONF_TCP_SERVER,
	RNSCONF_TCP_CLIENT,
	RNSCONF_UDP,
	RNSCONF_AUTO,
	RNSCONF_PIPE,
	RNSCONF_SERIAL,
	RNSCONF_KISS,
	RNSCONF_AX25,
	RNSCONF_RNODE,
	RNSCONF_RNODE_MULTI,
	RNSCONF_WEAVE,
	RNSCONF_BACKBONE, /* a listener */
	RNSCONF_BACKBONE_CLIENT,
	RNSCONF_I2P,
};

/* As it stands in the multicast address (reticulum-transport.md 10.1). */
enum rnsconf_scope {
	RNSCONF_SCOPE_LINK = 2,
	RNSCONF_SCOPE_ADMIN = 4,
	RNSCONF_SCOPE_SITE = 5,
	RNSCONF_SCOPE_ORGANISATION = 8,
	RNSCONF_SCOPE_GLOBAL = 14,
};

/* What is said of an interface to everybody, reticulum-transport.md 7.8, 8.7. */
struct rnsconf_offer {
	bool on;                 /* discoverable */
	uint32_t interval_min;   /* between its announces */
	unsigned cost;           /* bits of its stamp */
	const char *name;        /* NULL: the section's */
	const char *reachable_on; /* NULL: none */
	/* programs that say it, and the place; NULL: none */
	const char *reachable_cmd, *location_cmd;
	bool encrypt, publish_ifac;
	bool placed[3]; /* latitude, longitude, height */
	double place[3];
	bool has_operator;
	struct hash16 operator_lxmf;
	uint64_t frequency, bandwidth; /* 0: not given */
	const char *modulation;        /* NULL: not given */
};

/* A TNC, reticulum-transport.md 10.7. */
struct rnsconf_tnc {
	uint32_t preamble_ms, txtail_ms, persistence, slottime_ms;
	bool flow_control;
	/* KISSInterface: who it is, and when it says so; 0 or NULL: never */
	uint32_t id_interval_s;
	const char *id_callsign;
	/* AX25KISSInterface */
	const char *callsign;
	uint32_t ssid;
};

/* One radio of an RNode, reticulum-transport.md 10.8, 10.9. */
#define RNSCONF_RADIOS 11
struct rnsconf_radio {
	const char *name; /* of its [[[section]]], or the interface's */
	bool outgoing;
	uint32_t vport;
	uint32_t frequency, bandwidth; /* Hz */
	int32_t txpower;               /* dBm */
	uint32_t sf, cr;
	bool flow_control;
	bool st_limited, lt_limited; /* airtime_limit_short, _long */
	uint16_t st_limit, lt_limit; /* per cent x 100 */
};

/* The index of what stands in no configuration: an interface that was found. */
#define RNSCONF_FOUND UINT32_MAX

#define RNSCONF_ALSO 8 /* ours: mistakes that are kept beside the first */

struct rnsconf_if {
	unsigned index; /* place among the [[sections]] of [interfaces] */
	unsigned line;
	const char *name;
	const char *type_text;
	enum rnsconf_type type;
	bool on;      /* the file says enabled */
	/* on, of a type that this build has, and nothing keeps it off */
	bool enabled;
	/* "config:LINE:COLUMN: ...", the first that keeps it off; NULL: none */
	const char *mistake;
	const char *also[RNSCONF_ALSO]; /* those below it; NULL: no more */
	const struct conf_section *section;

	/* common keys, reticulum-transport.md 8.2 to 8.7 */
	enum rns_if_mode mode;
	bool outgoing;
	uint64_t bitrate; /* 0: the type's estimate */
	uint32_t announce_cap_permille;
	int32_t gravity;
	bool recursive_prs;
	bool announces_from_internal;
	bool announces_to_internal, to_internal_said;
	uint32_t ar_target_s, ar_penalty_s, ar_grace; /* 0 target: none */
	struct rns_ingress ingress; /* reticulum-transport.md 8.5 */
	const char *network_name, *passphrase; /* NULL: none */
	unsigned ifac_size; /* bytes; 0: no access code */
	struct rnsconf_offer offer;
	bool bootstrap_only; /* gone while enough discovered ones are there */

	/* TCP, reticulum-transport.md 10.3 */
	const char *listen_ip; /* a name or an address; NULL: none */
	const char *device; /* its first address counts before listen_ip */
	uint16_t listen_port;
	bool prefer_ipv6;
	const char *target_host;
	uint16_t target_port;
	bool kiss_framing;
	bool i2p_tunneled;
	uint32_t connect_timeout_s;   /* for each address; 0: 5 */
	uint32_t max_reconnect_tries; /* 0: unlimited */
	uint32_t fixed_mtu;           /* 0: off */

	/* UDP, reticulum-transport.md 10.2; listen_ip, listen_port, device */
	const char *forward_ip; /* NULL: broadcast of device, or no sending */
	uint16_t forward_port;

	/* I2P, reticulum-transport.md 10.5 */
	bool connectable;
	const char **i2p_peers;
	unsigned ni2p_peers;
	/* reticulum-transport.md 10.4: those that end soon; TCP servers too */
	bool block_flapping;
	uint32_t flap_threshold_s, flap_grace, flap_block_min;

	/* Pipe, reticulum-transport.md 10.10 */
	char *const *argv;    /* ends with NULL */
	double respawn_delay; /* seconds */

	/* what has a serial port, reticulum-transport.md 10.6 */
	const char *tty; /* its path; NULL: none */
	uint32_t speed;  /* baud; 0: it has none */
	uint16_t databits, stopbits;
	char parity; /* 'N', 'E', 'O' */
	struct rnsconf_tnc tnc;

	/* RNodes; a port that is tcp:// is target_host and target_port */
	struct rnsconf_radio *radios;
	unsigned nradios;
	const char *id_callsign; /* NULL: none is sent */
	uint32_t id_interval_s;

	/* Auto, reticulum-transport.md 10.1 */
	const char *group_id;
	enum rnsconf_scope scope;
	bool permanent; /* the type of the multicast address */
	uint16_t discovery_port, data_port;
	const char *const *devices; /* NULL: all that are fit */
	unsigned ndevices;
	const char *const *ignored;
	unsigned nignored;
};

enum rnsconf_share { RNSCONF_UNIX, RNSCONF_TCP };

/*
 * The socket of the shared instance, at both of its ends
 * (reticulum-transport.md 12.1).
 */
#define RNSCONF_LOCAL_MTU 262144
#define RNSCONF_LOCAL_BITRATE 1000000000
#define RNSCONF_LOCAL_CAP_PERMILLE 20 /* of announces */

/* Interfaces of others, reticulum-transport.md 7.8. */
struct rnsconf_discovery {
	bool listen;           /* discover_interfaces */
	unsigned required;     /* bits of a stamp */
	struct hash16 *sources; /* network identities; none: all */
	unsigned nsources;
	unsigned autoconnect;  /* to so many; 0: to none */
	bool unverified;       /* also to other programs than those known */
	enum rns_if_mode mode; /* 0: not given */
	int32_t gravity;
	bool to_internal, to_internal_said; /* announces_to_internal */
};

/* What was skipped or has no effect; for the log. */
struct rnsconf_note {
	unsigned line, column;
	const char *text, *hint; /* hint: may be "" */
};

struct rnsconf {
	int loglevel; /* 0 to 8 */
	bool enable_transport;
	bool share_instance;
	const char *instance_name;
	enum rnsconf_share shared_instance_type;
	uint16_t shared_instance_port;
	uint16_t instance_control_port;
	int64_t local_bitrate; /* force_shared_instance_bitrate; bit/s */
	/* rpc_key_len 0: derived, reticulum-transport.md 13.1 */
	uint8_t *rpc_key;
	size_t rpc_key_len;
	bool link_mtu_discovery;
	bool use_implicit_proof;
	bool local_hops_delta;
	bool static_transport_identity;
	bool panic_on_interface_error;
	int32_t default_gravity;
	struct rns_ingress ingress; /* of interfaces that do not say */
	/* reticulum-transport.md 7.4: whose lists count, and are fetched */
	struct hash16 *blackhole_sources;
	unsigned nblackhole_sources;
	uint32_t blackhole_update_s;
	bool publish_blackhole;
	const char *network_identity; /* path of its file; NULL: none */
	/* reticulum-transport.md 7.6, 7.7 */
	bool enable_remote_management, respond_to_probes;
	bool enable_interface_management;
	struct hash16 *managers; /* remote_management_allowed */
	unsigned nmanagers;

	struct rnsconf_discovery discovery;
	struct rnsconf_if *ifs; /* all sections, in the order of the file */
	unsigned nifs;
	struct rnsconf_note *notes;
	unsigned nnotes;

	unsigned nfile; /* mistakes that are the file's */
	struct confobj *tree; /* owns the strings */
};

/*
 * 0 and *out, or -1: a mistake is the file's. Every mistake is added in either
 * case; those of interfaces keep no more than these off. An empty text is a
 * configuration without interfaces. Keys of [reticulum] have Reticulum's
 * defaults.
 */
int rnsconf_parse(struct rnsconf **out, const char *text, size_t len,
    struct mistakes *);
/*
 * The same for who only looks: *out is there with mistakes of the file too, for
 * its notes; NULL: nothing could be read.
 */
void rnsconf_look(struct rnsconf **out, const char *text, size_t len,
    struct mistakes *);
/* "AutoInterface, ...": the types that can be used, for a hint. */
const char *rnsconf_types(void);
void rnsconf_free(struct rnsconf *); /* zeroes keys; NULL is fine */
/* It cannot be made as its section says: off, with the reason in `mistake`. */
void rnsconf_if_off(struct rnsconf *, struct rnsconf_if *, const char *why);

/*
 * The display name (reticulum-transport.md 8.1); its SHA-256 is the interface
 * hash.
 */
void rnsconf_if_display(const struct rnsconf_if *, char *out, size_t cap);
/* The same of a listener on a device, when its address is known. */
void rnsconf_if_display_at(const struct rnsconf_if *, const char *ip,
    char *out, size_t cap);

/* The multicast address of an AutoInterface (reticulum-transport.md 10.1). */
void rnsconf_auto_group(const struct rnsconf_if *, uint8_t out[16]);

/*
 * Socket name of the shared instance: "rns/NAME", or "rns/NAME/rpc"; without
 * the leading NUL of the abstract address. Length, or 0: does not fit.
 */
size_t rnsconf_socket_name(const struct rnsconf *, bool rpc, char *out,
    size_t cap);

#endif
