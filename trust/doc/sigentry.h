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
 * this signature by just this certificate, or key, and is it in the log? Kinds:
 * hashedrekord 0.0.1 and 0.0.2, dsse 0.0.1 and 0.0.2, intoto 0.0.2. Pure.
 */
#define SIGENTRY_BODY_MAX ATTEST_TEXT_MAX

/* Whose signature it is: of a certificate, or of a key that has none. */
struct sigentry_by {
	const uint8_t *cert; /* NULL: a key */
	size_t cert_len;
	const struct pemkey *key; /* not PEMKEY_KLP; NULL: a certificate */
};

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
    const struct sigentry_by *, const struct sigroot *, const char **why);
/* The log that e names; NULL: none of these roots'. */
const struct sigroot_key *sigentry_log(const json_t *e,
    const struct sigroot *);

#endif
