/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_STANDING_H
#define WARREN_TRUST_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "trust/doc/fresh.h"
#include "trust/doc/kte1.h"
#include "trust/doc/level.h"
#include "trust/doc/revlist.h"

/*
 * How somebody stands here: the operator's pins, what is revoked, the trust
 * graph, and how old both are (klp.md 3.4 step 0, 1.8). Pure; what it looks at
 * belongs to its filler (law.h).
 */
struct standing_age {
	bool wanted; /* node.yaml names one */
	bool known;  /* there is one */
	uint32_t head_expires, doc_expires;
	uint32_t grace; /* s */
};

struct standing {
	struct level_conf levels;
	struct revset revoked;
	const struct graph *g; /* NULL: none, and no kte1 */
	struct kte1 *now;
	struct kte1 *then; /* the same, asked for its last fresh second; NULL */
	struct standing_age graph, list;
	enum on_stale on_stale;
};

struct standing_of {
	int level;
	enum revocation revoked;
	enum fresh_jobs jobs;
	bool pinned; /* a pin of the operator's decided */
	uint32_t valid_until;
	const char *why; /* a literal */
	const char *why_jobs; /* ... when jobs are not taken; NULL */
};

/* Either of fp and rns may be NULL. */
void standing_ask(struct standing *, struct standing_of *, const struct fp *,
    const struct hash16 *rns, enum scope, uint32_t now);
/*
 * The paths of the trust graph that say so, as of now; false: it is not the
 * graph that decides, or it has none.
 */
bool standing_paths(struct standing *, struct kte1_result *, const struct fp *,
    const struct hash16 *rns, enum scope, uint32_t now);
enum fresh standing_fresh(const struct standing_age *, uint32_t now);
/* When one of both ages next becomes another; UINT32_MAX: not again. One. */
uint32_t standing_next(const struct standing *, uint32_t now);
uint32_t standing_age_next(const struct standing_age *, uint32_t now);
/* A pin says that revocation does not count for this key, or identity. */
bool standing_exempt(const struct level_conf *, const struct fp *,
    const struct hash16 *rns);

/*
 * The brake (klp.md 4.2): how many now stand at +1 or above, and how many of
 * them fn names.
 */
typedef bool standing_hit_fn(void *ctx, const struct fp *,
    const struct hash16 *rns);
void standing_count(struct standing *, uint32_t now, standing_hit_fn *,
    void *ctx, uint64_t *positive, uint64_t *hit);

#endif
