/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_KTE1_H
#define WARREN_TRUST_DOC_KTE1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fp.h"
#include "trust/doc/graph.h"
#include "trust/doc/level.h"

/*
 * KTE-1 (klp.md 3.4), steps 1 to 8, over one graph with one set of anchors.
 * Step 0 (pins, revocation of the target, an anchor as target) is level.c's
 * and comes first; step 9 (penalties) is the caller's and comes last. Pure:
 * integers, no recursion but over the operator's anchors, memory fixed when it
 * is made.
 *
 * Verdicts are kept by target and scope until they end, the time goes back, or
 * what is revoked changes. A new graph or other anchors want a new struct.
 */
#define KTE1_VALID 300 /* s, klp.md 3.4 */
#define KTE1_HOPS 3
#define KTE1_PATHS 6

enum kte1_why {
	KTE1_NOBODY,	  /* 0: no path leads there */
	KTE1_REACHED,	  /* +1: by introducers, at most three edges */
	KTE1_DISJOINT,	  /* +2: paths that share nobody */
	KTE1_ANCHORS,	  /* +3: as many anchors as the quorum */
	KTE1_CAPPED,	  /* +1 at most, or -1: somebody said -1 */
	KTE1_ANCHOR_VETO, /* -2, -3: an anchor */
	KTE1_VETO,	  /* -2, -3: two introducers of different anchors */
};
const char *kte1_why_text(enum kte1_why);

/* From an anchor to the target. */
struct kte1_path {
	uint8_t n;		  /* edges, 1 to KTE1_HOPS */
	uint32_t edge[KTE1_HOPS]; /* of graph_edge() */
	uint16_t conf[KTE1_HOPS]; /* permille that are left by now */
};

struct kte1_result {
	int level;
	enum kte1_why why;
	uint32_t valid_until;
	uint8_t npaths; /* those that decided */
	struct kte1_path path[KTE1_PATHS];
};

/* What is left of an edge's confidence, permille (klp.md 3.2). */
uint16_t kte1_conf(const struct graph_edge *, uint32_t now);

struct kte1;

/* Borrows the graph; copies the anchors. NULL: no memory. */
struct kte1 *kte1_new(const struct graph *, const struct level_anchor *,
    size_t nanchors);
void kte1_free(struct kte1 *);
/*
 * Who is revoked or suspended has changed (klp.md 4.1): asks about everybody
 * in the graph at once, 20,000 calls. Before the first call nobody is.
 */
typedef bool kte1_revoked_fn(void *ctx, const struct fp *);
void kte1_revoked(struct kte1 *, kte1_revoked_fn *, void *ctx);
/* The level of a target that step 0 leaves open. */
void kte1_ask(struct kte1 *, struct kte1_result *, const struct fp *target,
    enum scope, uint32_t now);

/*
 * How many of the graph have +1 or more, and in *hits for how many of these
 * fn says true (the brake of klp.md 4.2 counts both). One pass, not a verdict
 * for each.
 */
size_t kte1_trusted(struct kte1 *, size_t *hits, enum scope, uint32_t now,
    kte1_revoked_fn *, void *ctx);

#endif
