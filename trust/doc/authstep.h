/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_AUTHSTEP_H
#define WARREN_TRUST_DOC_AUTHSTEP_H

#include <stdio.h>

#include "trust/doc/authority.h"
#include "trust/doc/envcheck.h"
#include "trust/doc/fresh.h"

/*
 * An update in turns, for authority.c and authdoc.c alone. No turn does more
 * than AUTH_TURN bytes of a file, or as much work at its signatures.
 */
#define AUTH_TURN (1u << 20)

/* A document on its way: read, hashed, opened, its signatures, its content. */
struct authdoc {
	int (*turn)(struct auth_step *); /* NULL: none is */
	const struct root_doc *rd;
	struct auth_doc *d;
	uint32_t version, length; /* as head or state has them */
	struct id32 sha256;
	uint8_t *buf;
	size_t len, summed;
	struct sha256_ctx sum;
	struct env e;
	struct env_opening opening;
	struct env_check check;
	struct klp_key keys[ENV_KEYS_MAX], signers[ENV_KEYS_MAX];
};

/* What an update has read so far; nothing of it counts yet. */
struct auth_step {
	const struct auth_io *io;
	const struct authority *a; /* as it is */
	struct auth_report report;
	bool (*turn)(struct auth_step *); /* NULL: all is read */
	bool ended; /* as the report says */
	uint32_t now;
	struct authority next; /* as it will be */
	struct {
		uint8_t *p;
		size_t len;
		struct id32 sha;
	} files[AUTH_ROOT_STEPS + 1]; /* roots and head */
	unsigned nfiles, nkept, roots, doc;
	bool kept;   /* it is read from what was kept */
	bool known;  /* ... and that says which versions there were */
	bool forgot; /* the head's keys are others */
	bool walked; /* a new root */
	bool took;   /* settle() is owed */
	bool committed;
	struct root *root; /* ... that is looked at; NULL: none is */
	struct root_turns turns;
	struct head head; /* the same: its envelope, check and keys in at */
	struct authdoc at;
};

static inline bool
auth_ended(struct auth_step *s, enum auth_end end, const char *file,
    const char *why)
{
	s->ended = true;
	s->report.end = end;
	(void)snprintf(s->report.file, sizeof(s->report.file), "%s", file);
	(void)snprintf(s->report.why, sizeof(s->report.why), "%s", why);
	return false;
}

static inline bool
auth_early(uint32_t issued, uint32_t now)
{
	return issued > (uint64_t)now + FRESH_AHEAD;
}

/* The document that root and head, or a kept state, name. */
void authdoc_begin(struct auth_step *, const struct root_doc *,
    struct auth_doc *, uint32_t version, uint32_t length,
    const struct id32 *sha256);
/* 1: there is more; 0: it is good, and in auth_doc; -1: auth_ended(). */
int authdoc_turn(struct auth_step *);
void authdoc_clear(struct auth_step *);

#endif
