/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_VERDICT_H
#define WARREN_TRUST_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc_msg.h"
#include "trust/bindstore.h"
#include "trust/standing.h"

/*
 * What warren-trust answers (compute.md 4, steps 3, 4, 5 and 7), pure: a
 * question and the time in, the answer out.
 */
#define VERDICT_VALID 300 /* s, klp.md 3.4 */
#define LIVE_FROM_ALWAYS (-3)
#define LIVE_FROM_NEVER 4

/*
 * A board that approved_by may name (klp.md 6.1): the keys of its role in a
 * pinned root. threshold 0: no root here has the role, so nobody can sign.
 */
struct verdict_board {
	const char *text;
	const struct klp_key *keys;
	size_t nkeys; /* at most ENV_KEYS_MAX */
	unsigned threshold;
};

struct verdicts {
	struct standing *s;
	const struct verdict_board *boards;
	size_t nboards;
	/* least level that needs a live proof of the secp256k1 key */
	int live_from;
	struct bindstore *store;
};

enum verdict_note {
	VERDICT_PLAIN,
	VERDICT_BOUND,	    /* a binding was taken that is new here */
	VERDICT_BOUND_KEPT, /* ... of a peer that is pinned: save it now */
	VERDICT_BAD,	    /* out->why says what is wrong with it */
};

/* Who is this, and how far trusted. */
enum verdict_note verdict_ask(struct verdicts *, struct msg_V_VERDICT *out,
    const struct msg_V_ASK *, uint32_t now);
/*
 * The envelope of a submit, signed by the key that m names: its manifest as a
 * record (manifest.h) of the length returned, out->ok true; else 0 and
 * out->why, which names the member. Times, node and nonce are the node's to
 * check (manifest_times()). cap: MANIFEST_RECORD_MAX.
 */
size_t verdict_envelope(const struct verdicts *, uint8_t *record, size_t cap,
    struct msg_V_MANIFEST *out, const struct msg_V_ENVELOPE *m,
    const uint8_t *env, size_t len);
/* Level of a key and its identity hash (NULL: not known) in a scope. */
int verdict_level(const struct verdicts *, const struct fp *fp,
    const uint8_t *rns, const char *scope, uint32_t now, const char **why);
/* The board of that text; NULL. */
const struct verdict_board *verdict_board(const struct verdicts *,
    const char *text);
/* Does the live proof hold: signed by the key that m names? */
bool verdict_live(const struct msg_V_LIVE *);

#endif
