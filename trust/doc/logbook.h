/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_LOGBOOK_H
#define WARREN_TRUST_DOC_LOGBOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/keytext.h"
#include "trust/doc/tlog.h"

/*
 * What a node has seen of the transparency logs of an authority (klp.md 8):
 * whose keys they are, its root says (role `log`); of each log the largest
 * checkpoint is kept, and goes on only to one that is proven to follow from it.
 * Two that cannot both be true end it: nothing that it vouches for counts any
 * more. Pure.
 */
#define LOGBOOK_LOGS 4 /* ours: of one authority */
/* Of all of it as bytes. */
#define LOGBOOK_BYTES (LOGBOOK_LOGS * (3 + 32 + SNOTE_MAX))

struct logbook_log {
	struct vkey key;
	struct tlog_head head; /* of note */
	char *note;
	size_t note_len;
	bool forked;
};

struct logbook {
	unsigned n;
	struct logbook_log log[LOGBOOK_LOGS];
};

/* Whom to believe: role `log`, and witnesses of whom so many must have signed. */
struct logbook_keys {
	const struct klp_key *log;
	size_t nlog;
	const struct klp_key *witness;
	size_t nwitness;
	unsigned want;
	uint64_t now; /* unix seconds */
};

enum logbook_end {
	LOGBOOK_BAD,	  /* it is none, or by nobody who is believed: *why */
	LOGBOOK_SAME,	  /* what is known */
	LOGBOOK_OLDER,	  /* an earlier state, or so it says */
	LOGBOOK_TAKEN,	  /* known from now on */
	LOGBOOK_UNPROVEN, /* larger, and nobody shows that it follows */
	LOGBOOK_FORK,	  /* it contradicts what is known */
};

/*
 * A growth, or a checkpoint alone. which (not for BAD): the log, as it is then.
 * *why is a literal.
 */
enum logbook_end logbook_see(struct logbook *, const struct logbook_keys *,
    const char *text, size_t len, struct logbook_log **which,
    const char **why);
/*
 * Is this record in a log, by this proof (tlog-proof)? What its checkpoint
 * shows is seen as well: *end (BAD: it was not looked at) and *which as above.
 */
bool logbook_vouches(struct logbook *, const struct logbook_keys *,
    const void *record, size_t record_len, const char *proof, size_t len,
    enum logbook_end *end, struct logbook_log **which, const char **why);

/* As bytes, and back: who is believed is asked again. 0: no room. */
size_t logbook_put(uint8_t out[LOGBOOK_BYTES], const struct logbook *);
void logbook_get(struct logbook *, const uint8_t *, size_t);
void logbook_clear(struct logbook *);

#endif
