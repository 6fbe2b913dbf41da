/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_TRAIL_LINE_H
#define WARREN_AUDIT_TRAIL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/witness.h"
#include "trust/doc/merkle.h"

/*
 * Lines of the trail (klp.md 7), and the chain through them. Pure.
 *
 *   {"seq":7,"prev":"<64 hex>","e":{...}}
 *   {"seq":9,"prev":"<64 hex>","t":{"from":7,"to":9,"count":3,
 *       "digest":"<64 hex>","tree":["<64 hex>",...]}}      (one line)
 *
 * prev is the SHA-256 of the line before, without its newline; the first is 64
 * zeros and has seq 1. A tombstone stands for the lines from..to that were
 * dropped: digest is that of the last of them, so the chain goes on behind it,
 * and tree covers their RFC 6962 leaves, so signed checkpoints still verify.
 */
#define TRAIL_LINE_MAX 16384 /* with its newline */
#define TRAIL_SEVERITIES 7   /* OCSF: 0 to 6 */

struct trail_tomb {
	uint64_t from, to, count;
	struct id32 digest;
	unsigned ntree;
	struct id32 tree[MERKLE_NODES];
};

struct trail_line {
	uint64_t seq;
	struct id32 prev;
	bool is_tomb;
	const char *body; /* the value of "e" or "t", in the line */
	size_t body_len;
	struct trail_tomb tomb;
};

/* Without the newline. false: not of this form, to the byte. */
bool trail_line_parse(struct trail_line *, const char *text, size_t len);
/* Severity of an event's body; 0 when it has none. */
unsigned trail_line_severity(const char *body, size_t len);
/*
 * Of an event's body: whose event it was, and its number (or the last of those
 * that it says are lost). false: it has none.
 */
bool trail_line_sender(const char *body, size_t len, enum program *,
    struct heard *);
/* With a newline; 0: does not fit. */
size_t trail_line_event(char *out, size_t cap, uint64_t seq,
    const struct id32 *prev, const char *body, size_t len);
/* A tombstone for dropped lines; its length, 0: does not fit. */
size_t trail_line_tomb(char *out, size_t cap, const struct id32 *prev,
    const struct trail_tomb *);

/* The chain so far. */
struct trail_walk {
	uint64_t next;	    /* seq of the next line */
	struct id32 digest; /* of the last */
	bool whole;	    /* nothing wrong since seq 1 */
	struct merkle tree; /* of all lines, while whole */
};

/* Before the first line of a trail. */
void trail_walk_init(struct trail_walk *);
/*
 * The next line, without its newline. NULL, or a literal that says what is
 * wrong with it; the walk then goes on behind it, no longer whole.
 */
const char *trail_walk_line(struct trail_walk *, const char *text, size_t len);

#endif
