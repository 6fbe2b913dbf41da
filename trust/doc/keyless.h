/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_KEYLESS_H
#define WARREN_TRUST_DOC_KEYLESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/attest.h"
#include "trust/doc/sigcert.h"
#include "trust/doc/sigroot.h"

/*
 * Signatures by certificate, keyless (klp.md 9), of a bundle alone and offline:
 *
 *   the signature is the certificate's key's;
 *   an entry of a log of the roots is about just this signature by just this
 *   certificate, and is in the log (a checkpoint that the log has signed);
 *   the log or a timestamp says when, and not in the future;
 *   at each such time the log and a CA of the roots counted, and the CA had given
 *   the certificate, for signing code, in sight of a log of certificates (SCT).
 *
 * Whom it then names counts by keyless_is() alone.
 *
 * A signature by a key that the operator names may be wanted in a log, too: the
 * same, but that no certificate has to count.
 */
#define KEYLESS_STAMPS_MAX 8 /* ours: timestamps in a bundle */
#define KEYLESS_CHAIN_MAX 10 /* certificates in one */
#define KEYLESS_AHEAD_S 300  /* ours: by which clocks differ */

struct keyless_who {
	char issuer[SIGCERT_ISSUER_MAX + 1];
	char subject[SIGCERT_SUBJECT_MAX + 1];
	int64_t when; /* the last of its times */
	struct fp key; /* a fingerprint of pemkey.h */
	/* refused for its time alone: from when it counts; 0: by nothing then */
	int64_t not_before;
};

/* Has it a certificate, so that the answer below says more than that? */
bool keyless_has(const struct attest *);
/* 0, or -1 and *why, a literal. now: seconds since 1970. */
int keyless_check(struct keyless_who *, const struct attest *,
    const struct sigroot *, int64_t now, const char **why);
/* Issuer as it is, subject by a pattern in which `*` is anything. */
bool keyless_is(const struct keyless_who *, const char *issuer,
    const char *subject);

/*
 * Of a bundle whose one signature is this key's: is it in a log of these roots,
 * by one entry that is about just this signature by just this key? The log or a
 * timestamp says when, and the log counted then. 0, or -1 and *why, a literal;
 * *not_before as keyless_who's.
 */
int keyless_logged(int64_t *not_before, const struct attest *,
    const struct pemkey *, const struct sigroot *, int64_t now,
    const char **why);
/* Entries of logs that come with it. */
size_t keyless_entries(const struct attest *);
/* Does one of them name a log of these roots? */
bool keyless_names_log(const struct attest *, const struct sigroot *);

#endif
