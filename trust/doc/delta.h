/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_DELTA_H
#define WARREN_TRUST_DOC_DELTA_H

#include <stddef.h>
#include <stdint.h>

#include "trust/doc/envelope.h"
#include "trust/doc/frame.h"
#include "trust/doc/revlist.h"

/*
 * What a revocation list becomes from one version to the next (klp.md 4.3):
 * small enough for an announce, signed by the list's own role. Pure.
 */
#define DELTA_OPS_MAX 255
#define DELTA_FRAME(n) (60 + 17 * (size_t)(n))
#define DELTA_BYTES FRAME_LEN(DELTA_FRAME(DELTA_OPS_MAX), ENV_SIGS_MAX)
#define TYPE_DELTA "application/vnd.klp.delta"

enum delta_action { DELTA_REVOKE, DELTA_SUSPEND, DELTA_LIFT };

struct delta {
	uint8_t atag[8]; /* the authority's id */
	uint8_t ptag[4]; /* the list's path */
	uint32_t from, to, issued;
	struct id32 after; /* set_digest of what comes out */
	unsigned n;
	struct {
		uint8_t action, kind, reason;
		uint8_t id[16];
	} op[DELTA_OPS_MAX];
};

/*
 * The frame and, as an envelope over it, its signatures, which borrow buf and
 * are the caller's to verify. NULL, or a literal: what is wrong.
 */
const char *delta_parse(struct delta *, struct env *, const void *buf,
    size_t len);
/* The frame; 0: no room. */
size_t delta_put(uint8_t *out, size_t cap, const struct delta *);
/*
 * The list that it makes of this one: entries are known by half of their id.
 * NULL, or a literal and nothing to clear.
 */
const char *delta_apply(struct revlist *out, const struct revlist *in,
    const struct delta *);

#endif
