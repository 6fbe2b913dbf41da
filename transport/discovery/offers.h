/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_DISCOVERY_OFFERS_H
#define WARREN_TRANSPORT_DISCOVERY_OFFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/util.h"
#include "transport/core/base/stamp.h"
#include "transport/discovery/offer.h"

/*
 * The interfaces that were heard of, by offer_id(), and how old the news is
 * (reticulum-transport.md 7.8). Pure: the caller brings the wall clock, in
 * microseconds, and keeps the files.
 */
#define OFFERS_MAX 1024 /* ours: 2 MiB */
/* The age from which it is not available, unknown, known any more. */
#define OFFERS_UNKNOWN_S 86400
#define OFFERS_STALE_S (3 * 86400)
#define OFFERS_GONE_S (7 * 86400)

enum offer_age { OFFER_AVAILABLE, OFFER_UNKNOWN, OFFER_STALE, OFFER_GONE };
const char *offer_age_name(enum offer_age);
unsigned offer_age_code(enum offer_age);

struct offer_entry {
	RB_ENTRY(offer_entry) by_id;
	struct id32 id;
	struct offer offer;
	struct hash16 network_id; /* who signed the announce */
	uint8_t stamp[STAMP_LEN];
	uint32_t value; /* steps of 1/256 bit */
	uint8_t hops;
	int64_t discovered_us, heard_us;
	uint64_t heard_count; /* after the first time */
};

struct offers;

struct offers *offers_new(void); /* NULL: no memory */
void offers_free(struct offers *);
size_t offers_count(const struct offers *);

/*
 * Takes what was heard, or read from a file, of one. Its id is made here;
 * *entry is the table's, with the times of both, and *lost the id of one that
 * had to make room (left alone when none had). OFFER_TAKEN; OFFER_SOURCE:
 * another identity's that is still available; OFFER_FULL; OFFER_MEMORY.
 */
enum offer_drop offers_heard(struct offers *, const struct offer_entry *what,
    int64_t now_us, struct offer_entry **entry, struct id32 *lost);
enum offer_age offers_age(const struct offer_entry *, int64_t now_us);
/* One that is too old, or whose identity `gone` says; NULL: none is. */
struct offer_entry *offers_expired(struct offers *, int64_t now_us,
    bool (*gone)(void *arg, const struct hash16 *network_id), void *arg);
void offers_remove(struct offers *, struct offer_entry *);
/*
 * All of them: available ones first, then by value and the time they were
 * heard. out has room for offers_count(). Returns how many.
 */
size_t offers_list(const struct offers *, const struct offer_entry **out,
    int64_t now_us);

/* ---- storage/discovery/interfaces (reticulum-transport.md 11.4) ---- */

#define OFFERS_FILE_MAX 8192
/* The section of a configuration that would connect to it. */
size_t offers_config(char *out, size_t cap, const struct offer *);
void offers_put(struct wr *, const struct offer_entry *);
/* False: damaged, or of a type that is none. */
bool offers_get(struct offer_entry *, const uint8_t *, size_t n);

#endif
