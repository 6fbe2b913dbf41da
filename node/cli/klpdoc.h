/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_KLPDOC_H
#define WARREN_NODE_CLI_KLPDOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/envelope.h"
#include "trust/doc/graph.h"
#include "trust/doc/uri.h"

/*
 * The documents that people sign (klp.md 2): by their _type, which payloadType
 * they have, how long they may be, and whether a node would take their form.
 * Pure.
 */
#define KLPDOC_WHAT_MAX 40
#define KLPDOC_WHY 192
#define KLPDOC_BYTES_MAX (32u << 20)	/* of a payload: a graph's */
#define KLPDOC_ENVELOPE_MAX (48u << 20) /* ... in base64, and signatures */

struct klpdoc {
	char type[ENV_TYPE_MAX + 1];	/* payloadType */
	char what[KLPDOC_WHAT_MAX + 1]; /* "klp.root" */
	char name[URI_MAX + 1];		/* its authority or its uri; "" */
	bool dated;			/* has the three */
	uint32_t version, issued, expires;
};

/*
 * A canonical payload: what it is, and that it has the form of its _type.
 * false: why.
 */
bool klpdoc_check(struct klpdoc *, const void *payload, size_t len,
    char why[KLPDOC_WHY]);
/* Is its uri klp://authority/path? */
bool klpdoc_at(const struct klpdoc *, const char *authority, const char *path);
/* The canonical form of a JSON text, in an own allocation; NULL: why. */
char *klpdoc_canonical(const void *text, size_t len, size_t *out_len,
    char why[KLPDOC_WHY]);
/*
 * The canonical form with issued now and expires so many seconds later, taken
 * for `text`; of objects only.
 */
char *klpdoc_dated(const void *text, size_t len, uint32_t now, uint32_t life,
    size_t *out_len, char why[KLPDOC_WHY]);

/*
 * A trust graph, not signed yet, with the signatures of this key under those
 * of its edges that have none; how many in *count.
 */
char *klpdoc_sign_edges(const void *text, size_t len, const struct klp_secret *,
    unsigned *count, size_t *out_len, char why[KLPDOC_WHY]);
/*
 * A trust graph: how many of its edges count when these keys have signed it,
 * and how many of those not yet or no more at this time (unix s). false: it is
 * none.
 */
struct klpdoc_edges {
	struct graph_stats stats;
	uint32_t early, late;
};
bool klpdoc_edges(struct klpdoc_edges *, const void *payload, size_t len,
    const struct klp_key *signers, size_t nsigners, uint32_t now);
/* "3 of 5 can count; 2 with an unknown tag or scope". */
#define KLPDOC_EDGES 256
void klpdoc_edges_text(char out[KLPDOC_EDGES], const struct klpdoc_edges *);

#endif
