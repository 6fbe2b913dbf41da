/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_DISCOVERY_OFFER_H
#define WARREN_TRANSPORT_DISCOVERY_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

#include "common/wire.h"

/*
 * An interface that somebody offers to everybody (reticulum-transport.md 7.8,
 * reticulum-endpoint.md 11): what its announce says, and the announce's
 * application data. Pure.
 */
#define OFFER_NAME "rnstransport.discovery.interface"
#define OFFER_IMPL "Warren" /* ours, as 0xfd says it */
#define OFFER_ROUNDS 20   /* of its stamp */
#define OFFER_COST 16     /* bits, unless somebody says otherwise */
#define OFFER_TEXT 255    /* bytes of a text; an announce has no longer one */
#define OFFER_HOST_MAX 253
#define OFFER_LEAST 33    /* bytes of app data; so many or fewer are none */
/*
 * Of the packed form without stamp: with flag, stamp and the token of an
 * encrypted one it must fit an announce (reticulum-1.6.md 6.4).
 */
#define OFFER_APP_MAX 317

struct identity;

#define OFFER_FLAG_SEALED 0x02 /* of the first byte */

enum offer_type {
	OFFER_BACKBONE,
	OFFER_TCP_SERVER,
	OFFER_I2P,
	OFFER_RNODE,
	OFFER_WEAVE,
	OFFER_KISS,
	OFFER_TYPES
};
const char *offer_type_name(enum offer_type);
/* False: of no type that is offered. */
bool offer_type_of(enum offer_type *, const char *name, size_t n);

enum offer_number { /* of radios */
	OFFER_FREQUENCY,
	OFFER_BANDWIDTH,
	OFFER_SF,
	OFFER_CR,
	OFFER_CHANNEL,
	OFFER_MODULATION,
	OFFER_NUMBERS
};

enum offer_place { OFFER_LATITUDE, OFFER_LONGITUDE, OFFER_HEIGHT, OFFER_PLACES };

struct offer {
	enum offer_type type;
	bool transport;
	struct hash16 transport_id;
	char name[OFFER_TEXT + 1];
	/* of the program that offers it; empty: does not say */
	char impl[OFFER_TEXT + 1], version[OFFER_TEXT + 1];
	bool placed[OFFER_PLACES];
	double place[OFFER_PLACES];
	bool has_operator;
	struct hash16 operator_lxmf;
	char host[OFFER_HOST_MAX + 1]; /* empty: none */
	uint16_t port;                 /* 0: none */
	bool numbered[OFFER_NUMBERS];
	uint64_t number[OFFER_NUMBERS];
	char modulation[OFFER_TEXT + 1]; /* as text; empty: none, or a number */
	char netname[OFFER_TEXT + 1], netkey[OFFER_TEXT + 1]; /* empty: none */
};

/* Why an announce of an interface is not taken; each has a counter. */
#define OFFER_DROP_LIST(X)                                                     \
	X(SHORT, "too short to be an offer")                                   \
	X(SOURCE, "not one of interface_discovery_sources")                    \
	X(BLACKHOLE, "identity is blackholed")                                 \
	X(SEALED, "encrypted for another network identity")                    \
	X(STAMP, "its stamp is worth too little")                              \
	X(FORM, "malformed")                                                   \
	X(TYPE, "a type of interface that is not offered")                     \
	X(HOST, "neither an address nor the name of a host")                   \
	X(BUSY, "too many at once")                                            \
	X(FULL, "as many interfaces are known as there is room for")           \
	X(MEMORY, "out of memory")

enum offer_drop {
#define OFFER_DROP_ENUM(name, text) OFFER_##name,
	OFFER_DROP_LIST(OFFER_DROP_ENUM)
#undef OFFER_DROP_ENUM
	OFFER_DROPS,
	OFFER_TAKEN = OFFER_DROPS
};
const char *offer_drop_text(enum offer_drop);

/* ---- app data ---- */

/*
 * What stands behind the flag byte, opened if it was encrypted: the packed
 * offer and its stamp. key: the network identity's, NULL: there is none.
 * OFFER_TAKEN, OFFER_SHORT or OFFER_SEALED.
 */
enum offer_drop offer_open(uint8_t out[OFFER_APP_MAX], size_t *len,
    const uint8_t *app_data, size_t n, const struct identity *key);
/*
 * The value of its stamp in steps of 1/256 bit; false: worth less than
 * `required` steps. n over 32 bytes, as offer_open() gives them.
 */
bool offer_worth(uint32_t *value, const uint8_t *opened, size_t n,
    uint32_t required);
/* The packed offer without its stamp. OFFER_TAKEN, FORM, TYPE or HOST. */
enum offer_drop offer_parse(struct offer *, const uint8_t *, size_t n);
/* Writes the packed form; what is empty is left out. */
void offer_pack(struct wr *, const struct offer *);

/* ---- parts ---- */

/* Text that a person may paste into a file: no line ends in it. */
struct mpk;
bool offer_text(char *out, size_t cap, const struct mpk *);
/* Of our own: one line, without blanks around it. */
void offer_say(char out[OFFER_TEXT + 1], const char *);
/* reticulum-endpoint.md 11.3 step 5; an empty one gets its type's. */
void offer_clean_name(char out[OFFER_TEXT + 1], enum offer_type,
    const char *name, size_t n);
/* An IP address, or the name of a host (reticulum-endpoint.md 11.3 step 4). */
bool offer_host_ok(const char *, size_t n);
/* "latitude, longitude, height" of location_cmd; false: it is none. */
bool offer_place_read(bool placed[3], double place[3], const char *);
/* H(hex transport id || name): which interface it is. */
void offer_id(struct id32 *, const struct offer *);
/*
 * Whether it may be connected to without being asked (reticulum-transport.md
 * 7.8): a Backbone of a transport node that runs a program known to behave, or
 * any program when `any` says so; not an address that is never dialled.
 */
bool offer_dialable(const struct offer *, bool any);

#endif
