/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SIGENTRY_H
#define WARREN_TRUST_DOC_SIGENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/attest.h"
#include "trust/doc/sigroot.h"

/*
 * A signature's entry in a log of sigstore, Rekor (klp.md 9): is it about just
 * this signature by just this certificate, and is it in the log? Kinds:
 * hashedrekord 0.0.1 and 0.0.2, dsse 0.0.1 and 0.0.2, intoto 0.0.2. Pure.
 */
#define SIGENTRY_BODY_MAX ATTEST_TEXT_MAX

struct sigentry {
	const struct sigroot_key *log; /* of the root */
	/* when the log says that it came in, by its signature; 0: it does not */
	int64_t when;
};

/*
 * e: of a bundle's tlogEntries; a has one signature. 0, or -1 and *why, a
 * literal. Whether the log's key counted at that time is not asked here.
 */
int sigentry_check(struct sigentry *, const json_t *e, const struct attest *a,
    const uint8_t *cert, size_t cert_len, const struct sigroot *,
    const char **why);

#endif
