/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_DEST_H
#define WARREN_TRANSPORT_CORE_TABLE_DEST_H

#include <rns/hash.h>

#include "transport/core/base/ctx.h"
#include "transport/core/base/timer.h"

/*
 * Own (incoming) destinations with their request handlers (5), and the set of
 * blackholed identities.
 */
struct handler {
	SLIST_ENTRY(handler) entry;
	struct hash16 path_hash;
	enum rns_allow allow;
	struct hash16 *list;
	size_t list_len;
	uint64_t compress_max;
};

struct dest {
	RB_ENTRY(dest) node;
	struct hash16 hash;
	uint8_t name_hash[RNS_NAME_HASH];
	enum rns_dest_type type;
	bool has_identity;
	struct identity identity;
	uint8_t group_key[64];
	size_t group_key_len;
	enum rns_prove prove;
	bool accept_links;
	enum rns_accept resources;
	uint32_t max_request;
	SLIST_HEAD(, handler) handlers;
	uint8_t *app_data;
	size_t app_data_len;
	/* ratchets (reticulum-endpoint.md 5.7) */
	bool ratchets, enforce_ratchets;
	uint32_t ratchet_interval_s, ratchet_retain;
	uint8_t (*ratchet_keys)[32]; /* private, newest first */
	size_t ratchet_count;
	uint32_t tries;    /* of a private key that may come to nothing, */
	struct mono tries_at; /* as of then: dest_decrypt() */
	int64_t last_rotation_us; /* Unix time; 0: the next announce rotates */
	/* s; grows with each announce (reticulum-endpoint.md 5.4) */
	uint64_t last_emitted;
	/* send/announce_own.c: the last announce, 0 bytes: none left */
	uint8_t last[RNS_MTU];
	size_t last_len;
	struct mono last_at;
	bool last_everywhere; /* not told to one interface alone */
	/* ... and the next, when its second comes */
	struct dest_waiting {
		struct timer timer;
		bool everywhere;
		unsigned ifid;
		uint8_t *app_data; /* NULL: the default */
		size_t app_data_len;
	} waiting;
	/* attached: the daemon has heard of it (reticulum-transport.md 12.2) */
	bool introduced;
};

int dests_new(struct rns *);
void dests_free(struct rns *);
/* NULL: not ours. Lives until DEST_DEL. */
struct dest *dest_find(const struct rns *, const struct hash16 *hash);
/* In order of hash; NULL asks for the first and means the end. */
struct dest *dest_next(const struct rns *, const struct dest *);
/*
 * DEST_ADD, DEST_DEL, HANDLER_ADD, HANDLER_DEL, APP_DATA and BLACKHOLE; core.c
 * passes them on. A handler of the same path is replaced. RNS_EEXIST: the
 * destination is there, the identity is blackholed already.
 */
int dest_submit(struct rns *, const struct rns_cmd *);
/*
 * Makes the raw announce in d->last, header type 1, after a rotation of
 * ratchets when one is due (reticulum-endpoint.md 5.7; event RATCHETS), newer
 * than the one before. app_data NULL: the default. RNS_EINVAL: not SINGLE;
 * RNS_EBIG: no relay could pass it on (reticulum-endpoint.md 5.4).
 */
int dest_announce(struct rns *, struct dest *, const uint8_t *app_data,
    size_t app_data_len);
/* Could one with so many bytes of app data be passed on? */
bool dest_announce_fits(const struct dest *, size_t app_data_len);
/* Does the one in d->last say the same? */
bool dest_announce_same(const struct dest *, const uint8_t *app_data,
    size_t app_data_len);
/*
 * What a DATA packet for it carries: SINGLE, GROUP or PLAIN. cap >= in_len.
 * RNS_EAUTH: does not decrypt; RNS_EBIG. RNS_ELIMIT: not with its newest keys,
 * and no others are tried: by what did not decrypt with any of its ratchets,
 * DEST_TRIES keys have been tried in vain already, each one in some 50 us.
 */
#define DEST_TRIES 1024u   /* ours: at once */
#define DEST_TRIES_S 512u  /* ours: ... and as many more a second */
#define DEST_TRIES_ALWAYS 2u /* ours: of the newest, for each packet */
int dest_decrypt(struct dest *, uint8_t *out, size_t *out_len,
    size_t cap, const uint8_t *in, size_t in_len, struct mono now);
/*
 * NULL: none for that path. Lives until the next HANDLER_ADD, HANDLER_DEL or
 * DEST_DEL.
 */
const struct handler *dest_handler(const struct dest *,
    const struct hash16 *path_hash);
/*
 * May this peer ask (reticulum-endpoint.md 7.2)? The hash counts only when
 * identified.
 */
bool handler_allows(const struct handler *, bool identified,
    const struct hash16 *identity_hash);
/* Is the identity in the list (BLACKHOLE)? */
bool core_blackholed(const struct rns *, const struct hash16 *identity);

#endif
