/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_TRAIL_VERIFY_H
#define WARREN_AUDIT_TRAIL_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "audit/trail_line.h"
#include "trust/doc/note.h"

/*
 * `warren audit tail` and `verify`: the files alone, while the daemon runs or
 * not. dir: a directory descriptor of warren/trail.
 */
#define TRAIL_WHY 192

struct trail_verdict {
	bool ok;
	char why[TRAIL_WHY]; /* "": nothing is wrong; else the first thing */
	uint32_t segment;    /* where; 0: no segment (head, checkpoint) */
	uint64_t line;	     /* in that segment, from 1; 0 */
	uint64_t bad;	     /* lines that do not follow */
	uint64_t segments, lines, tombstones;
	uint64_t dropped;     /* lines that tombstones stand for */
	uint64_t last;	      /* seq of the last line */
	uint64_t unconfirmed; /* lines behind the head: written in a crash, or
				 just now */
	uint64_t torn;	      /* bytes of a torn last line: ditto */
	bool has_checkpoint;
	uint64_t checkpoint; /* lines under the last signature */
	uint8_t key[32];     /* that it verifies under */
	uint64_t kept; /* lines under the checkpoint of the keys; 0: none */
	uint64_t anchored; /* lines that a log vouches for; 0: none */
	bool met;      /* the line that was looked for is in the chain */
};

/* What is known from elsewhere; each may be NULL. */
struct trail_expect {
	/*
	 * Audit's public key, 32 bytes. NULL: the file beside the trail is
	 * believed, which finds accidents, and attackers who could not write
	 * there.
	 */
	const uint8_t *key;
	/* the checkpoint that warren-keys signed last (warren/keys/checkpoint) */
	const struct note *kept;
	/*
	 * Size and root that a transparency log has of it (klp.md 8); nothing
	 * else of the note is looked at.
	 */
	const struct note *anchored;
	/* of a line, such as a receipt's: v->met says whether it is here */
	const struct id32 *digest;
};

/*
 * Reads all of it. want: NULL, nothing is known. each (may be NULL): every
 * line in order. 0, or -1 with errno when it cannot be read; *v is complete in
 * the first case.
 */
typedef void trail_each_fn(void *arg, const struct trail_line *,
    const char *text, size_t len);
int trail_verify(int dir, const struct trail_expect *want,
    struct trail_verdict *v, trail_each_fn *each, void *arg);

/* The last n lines (unverified), oldest first. 0 or -1. */
int trail_tail(int dir, size_t n, trail_each_fn *, void *arg);
/* All lines that are of the form (unverified), oldest first. 0 or -1. */
int trail_each(int dir, trail_each_fn *, void *arg);

#endif
