/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_APPROVAL_H
#define WARREN_TRUST_DOC_APPROVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "trust/doc/frame.h"
#include "trust/doc/keytext.h"
#include "trust/doc/secp.h"

/*
 * A reviewer's word on one job (klp.md 6.1): a compact frame that proves
 * itself. The job's id is the digest of its signed manifest, so it fixes
 * content, submitter and nonce.
 */
#define TYPE_APPROVAL "application/vnd.klp.approval"
#define APPROVAL_FRAME 44	      /* what is signed */
#define APPROVAL_LEN IPC_APPROVAL     /* with one signature: 113 */
#define APPROVAL_MAX FRAME_LEN(APPROVAL_FRAME, ENV_SIGS_MAX)
#define APPROVAL_LIFE_MAX (30u * 86400u) /* seconds that one is kept */
#define APPROVAL_LIFE (7u * 86400u)   /* ours: of those that are made here */
#define APPROVAL_EARLY 300	      /* klp.md 1.7: `issued` ahead of now */

struct approval {
	bool approve; /* false: a reject */
	struct id32 job;
	uint32_t issued, expires; /* unix seconds */
};

/*
 * The form: magic, version, verdict, signatures (not verified: env_verify()
 * with TYPE_APPROVAL). 0, or -1 with a literal in *why. The envelope borrows
 * buf.
 */
int approval_parse(struct approval *, struct env *, const uint8_t *buf,
    size_t len, const char **why);
void approval_frame(uint8_t out[APPROVAL_FRAME], const struct approval *);
/* NULL: it holds at this time; else a literal. */
const char *approval_times(const struct approval *, uint32_t now);
/* With one signature, of this key; false: it is none. aux: random bytes. */
bool approval_sign(uint8_t out[APPROVAL_LEN], const struct approval *,
    const struct klp_secret *, const uint8_t aux[32]);

#endif
