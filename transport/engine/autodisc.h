/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_AUTODISC_H
#define WARREN_TRANSPORT_ENGINE_AUTODISC_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

#include "common/util.h"

/*
 * Who is there on the devices of an AutoInterface (reticulum-transport.md
 * 10.1). Pure: datagrams and time in, decisions out. Anybody on a link may
 * make tokens from as many addresses as he likes, so the peers of a device and
 * of all are bounded; those that fall silent go.
 */
#define AUTO_TOKEN 32
#define AUTO_MTU 1196 /* reticulum-transport.md 10.1 */
#define AUTO_DEVICES 64       /* ours: as many as the parent opens */
#define AUTO_PEERS 256        /* ours: peers of one AutoInterface ... */
#define AUTO_DEVICE_PEERS 128 /* ... and of them on one device */
#define AUTO_REMEMBERED 48
#define AUTO_ANNOUNCE_US 1600000
#define AUTO_CHECK_US 4000000
#define AUTO_REVERSE_US 5200000
#define AUTO_PEER_US 22000000
#define AUTO_ECHO_US 6500000
#define AUTO_TWICE_US 750000

struct auto_device {
	char name[16]; /* "": a free place */
	struct in6_addr addr;
	bool up;
	struct mono echo; /* heard ourselves; or since when it is up */
	bool silent;      /* no echo, and that was said */
	unsigned npeers;
};

struct auto_peer {
	struct auto_peer *next; /* in its bucket */
	struct auto_device *device;
	struct in6_addr addr;
	struct mono heard, reverse;
	void *owner; /* the caller's */
};

enum auto_heard {
	AUTO_SELF,   /* our own token: the echo */
	AUTO_NEW,    /* *peer has come into the table */
	AUTO_KNOWN,  /* it is still there */
	AUTO_WRONG,  /* no token, or one of another group or address */
	AUTO_CROWDED /* a new one, and no place for it */
};

struct autodisc {
	const char *group; /* the caller's */
	struct auto_device device[AUTO_DEVICES];
	struct auto_peer *bucket[AUTO_PEERS];
	unsigned npeers;
	uint8_t key[16]; /* random: nobody can choose two that look alike */
	struct {
		uint64_t hash;
		struct mono at;
	} last[AUTO_REMEMBERED];
	unsigned next;
	/* datagrams that were dropped */
	uint64_t wrong, crowded, strangers, twice;
};

void autodisc_init(struct autodisc *, const char *group,
    const uint8_t key[16]);
/* All peers; what they own is the caller's to free before. */
void autodisc_clear(struct autodisc *);

/* The token of an address in a group. */
void autodisc_token(uint8_t out[AUTO_TOKEN], const char *group,
    const struct in6_addr *);

/*
 * A device is up, with that address; it may have been before, and keeps its
 * peers. NULL: there are too many.
 */
struct auto_device *autodisc_up(struct autodisc *, const char *name,
    const struct in6_addr *, struct mono now);
/* By its name; NULL: not known. Its peers stay until they are silent. */
struct auto_device *autodisc_device(struct autodisc *, const char *name);
void autodisc_down(struct auto_device *);

/* A datagram of discovery. *peer: only of AUTO_NEW and AUTO_KNOWN. */
enum auto_heard autodisc_hear(struct autodisc *, struct auto_device *,
    const struct in6_addr *from, const uint8_t *, size_t len, struct mono now,
    struct auto_peer **peer);
/*
 * A packet from that address. NULL: dropped, of a stranger, or the same as one
 * that came a moment ago by another way.
 */
struct auto_peer *autodisc_data(struct autodisc *, struct auto_device *,
    const struct in6_addr *from, const uint8_t *, size_t len, struct mono now);

/* Every AUTO_CHECK_US: one that was silent too long; NULL: none. */
struct auto_peer *autodisc_silent(const struct autodisc *, struct mono now);
void autodisc_drop(struct autodisc *, struct auto_peer *);
/* The next peer that is to get our token by itself; NULL: all have it. */
struct auto_peer *autodisc_reverse(struct autodisc *, struct mono now);
/* Whether it began or ceased to hear itself since the last question. */
bool autodisc_echo_changed(struct auto_device *, struct mono now);

#endif
