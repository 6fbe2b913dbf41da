/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_REVLIST_H
#define WARREN_TRUST_DOC_REVLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "trust/doc/keytext.h"
#include "trust/doc/level.h" /* enum revocation */
#include "trust/doc/uri.h"

/*
 * Revocation lists, self-revocations, and what they say together (klp.md 4.1,
 * 4.2, 4.5). Pure.
 */
#define REVLIST_BYTES (1u << 20)
#define REVLIST_TYPE "klp.revocation-list"
#define TYPE_REVLIST "application/vnd.klp.revocation-list+json"
#define SELFREV_FRAME 44
#define TYPE_SELFREV "application/vnd.klp.self-revocation"

/* Numbers of klp.md 4.1; those without a name here are only told. */
enum rev_kind { REV_KEY = 0, REV_RNS = 1, REV_ARTIFACT = 2 };
enum rev_reason { REASON_SUPERSEDED = 4, REASON_RETIRED = 5 };
const char *rev_kind_name(unsigned);
const char *rev_reason_name(unsigned); /* "other" for what has no name */

struct rev_entry {
	uint8_t id[32]; /* rns: 16 bytes, and zeros */
	uint8_t kind, reason;
	bool suspended;
	bool brief; /* of a delta: the first 16 bytes of id, and zeros */
	uint32_t revoked_at, invalid_since;
};

/* Entries by kind and id. */
struct revlist {
	struct rev_entry *e;
	size_t n;
	char uri[URI_MAX + 1];
	uint32_t version, issued, expires;
	struct id32 digest; /* the set's, checked */
};

/*
 * A payload whose signatures hold; what its root declares of it is
 * the caller's to compare (authority.h). NULL,
 * or a literal that says what is wrong, and nothing to clear.
 */
const char *revlist_parse(struct revlist *, const void *payload, size_t len);
void revlist_clear(struct revlist *);
/* klp.md 4.1, over entries in their order. */
void revlist_digest(struct id32 *out, const struct rev_entry *, size_t n);
/* How entries are ordered and told apart: kind, then half of the id. */
int rev_cmp(const void *, const void *);

/* A key's own last word (KX); which key that is, its user finds out. */
struct selfrev {
	struct fp fp;
	uint8_t reason;
	uint32_t issued, invalid_since;
};
/* The form alone: NULL, or a literal. */
const char *selfrev_parse(struct selfrev *, const void *buf, size_t len);
/* Is it signed by this key, whose fingerprint it names? */
bool selfrev_by(const void *buf, size_t len, const struct klp_key *);

/*
 * What several lists say together: revoked beats suspended, and of two words
 * of one state the earlier times count.
 */
struct revset {
	struct rev_entry *e;
	size_t n, cap;
};
/* 0, or -1: no memory. revset_sort() makes it answer. */
int revset_add(struct revset *, const struct rev_entry *, size_t n);
void revset_sort(struct revset *);
const struct rev_entry *revset_find(const struct revset *, enum rev_kind,
    const uint8_t *id);
enum revocation revset_state(const struct revset *, enum rev_kind,
    const uint8_t *id);
void revset_clear(struct revset *);
/*
 * klp.md 4.5, without proofs of a log: does a signature of this key count
 * that was made then? Of what is checked offline; at a node who is listed has
 * no say.
 */
bool revset_signature(const struct revset *, const struct fp *,
    uint32_t issued);

/* The brake of 4.2: held when so many of those at +1 and above are hit. */
bool rev_brake(uint64_t hit, uint64_t positive);

#endif
