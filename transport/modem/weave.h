/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_WEAVE_H
#define WARREN_TRANSPORT_MODEM_WEAVE_H

#include "transport/modem/modem.h"

/*
 * WeaveInterface (reticulum-transport.md 10.11): a switch on the other side of
 * a serial line, which carries packets to the endpoints that it hears. Host and
 * device sign for each other's number first. Port 0 is the device and carries
 * nothing; each other port is one peer while it is heard of.
 */
#define WEAVE_MTU 1024
#define WEAVE_ENDPOINT 8
#define WEAVE_SWITCH 4
#define WEAVE_PEERS (MODEM_PORTS - 1)
#define WEAVE_REMEMBERED 48 /* packets, for the filter of copies */

/* Who the host is; its key is made at each start. Both outlive the machine. */
struct weave_keys {
	uint8_t pub[32]; /* Ed25519 */
	void *arg;
	void (*sign)(void *arg, uint8_t sig[64], const uint8_t *, size_t);
	bool (*verify)(void *arg, const uint8_t pub[32], const uint8_t sig[64],
	    const uint8_t *, size_t);
};

/* Why the line is closed; then what is thrown away. */
#define WEAVE_REASON_LIST(X)                                                   \
	X(SILENT, "no_answer")                                                 \
	X(LOST, "lost")                                                        \
	X(OTHER, "other_device")                                               \
	X(MEMORY, "memory")                                                    \
	X(FORM, "malformed")                                                   \
	X(SIGNATURE, "signature")                                              \
	X(STRANGER, "of_no_peer")                                              \
	X(COPY, "copies")                                                      \
	X(CROWDED, "crowded")                                                  \
	X(OVERSIZE, "too_long_to_send")

enum weave_reason {
#define WEAVE_REASON_ENUM(name, text) WEAVE_REASON_##name,
	WEAVE_REASON_LIST(WEAVE_REASON_ENUM)
#undef WEAVE_REASON_ENUM
};

struct weave_peer {
	bool used;
	uint8_t endpoint[WEAVE_ENDPOINT];
	bool has_via;
	uint8_t via[WEAVE_SWITCH]; /* the switch that it is behind */
	struct mono heard;
};

struct weave {
	struct modem m;
	const struct weave_keys *keys;
	struct rns_deframer *in;
	enum { WEAVE_CLOSED, WEAVE_ASKED, WEAVE_JOINING, WEAVE_UP } state;
	struct mono limit; /* of the handshake, and of a later question */
	struct mono heard; /* the last word to this host */
	/* it was silent: does it know this host still? Joined once more */
	bool asked_again, joined_again;
	struct mono look;  /* for peers that are gone */
	uint8_t device[WEAVE_SWITCH];
	bool has_endpoint;
	uint8_t endpoint[WEAVE_ENDPOINT]; /* the device's own */
	bool has_cpu, has_memory;
	uint8_t cpu; /* per cent */
	uint32_t memory_free, memory_all;
	struct weave_peer peer[WEAVE_PEERS]; /* of port n + 1 */
	struct {
		struct id32 hash;
		struct mono at;
	} seen[WEAVE_REMEMBERED];
	unsigned nseen, next_seen;
};

extern const struct modem_kind weave_kind;

/* -1: ENOMEM. */
int weave_init(struct weave *, const struct weave_keys *);
void weave_clear(struct weave *);
/* The number by which the device knows the host. */
const uint8_t *weave_host(const struct weave *);

#endif
