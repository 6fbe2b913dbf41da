/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SIGROOT_H
#define WARREN_TRUST_DOC_SIGROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "trust/doc/pemkey.h"

/*
 * Whom the operator believes about signatures by certificate (klp.md 9): a
 * file `trusted_root.json` of sigstore (v0.1, v0.2), with those who certify, the
 * logs of certificates and of signatures, and those who tell the time. Keys of
 * logs are read here, of a certificate only whether its key counts (pemkey.h).
 * What is not known, a member, a kind of key, a hash, is refused by its name.
 * Pure.
 */
#define SIGROOT_TEXT_MAX (256u << 10)
#define SIGROOT_EACH 32      /* ours: of each of the four kinds */
#define SIGROOT_CHAIN_MAX 6  /* ours: certificates of a chain */
#define SIGROOT_CERT_MAX 8192
#define SIGROOT_WHY_MAX 200

/* Seconds since 1970, both ends belong to it. */
struct sigroot_span {
	int64_t from, to;
};

struct sigroot_blob {
	uint8_t *p;
	size_t n;
};

/* The one that signs comes first, the one that is believed last. */
struct sigroot_chain {
	unsigned n;
	struct sigroot_blob cert[SIGROOT_CHAIN_MAX];
	struct sigroot_span valid;
};

struct sigroot_key {
	struct id32 id; /* by which others name the log */
	uint8_t note_id[4]; /* by which its checkpoints do */
	struct pemkey key;
	struct sigroot_span valid;
};

struct sigroot {
	unsigned nca, ntsa, nct, nlog;
	struct sigroot_chain ca[SIGROOT_EACH], tsa[SIGROOT_EACH];
	struct sigroot_key ct[SIGROOT_EACH], log[SIGROOT_EACH];
};

/* NULL: why. Without a CA, a log of each kind: a mistake. */
struct sigroot *sigroot_parse(const char *text, size_t len,
    char why[SIGROOT_WHY_MAX]);
void sigroot_free(struct sigroot *);
bool sigroot_in(const struct sigroot_span *, int64_t when);
/*
 * Its end, the last second of which something that is signed can count, and
 * what comes to an end then, a literal; INT64_MAX: never.
 */
int64_t sigroot_end(const struct sigroot *, const char **what);
/* Of logs; NULL: there is none of that name. */
const struct sigroot_key *sigroot_key(const struct sigroot_key *, unsigned n,
    const uint8_t *id, size_t len);
/* Did that key count then? It may stand in the list with several spans. */
bool sigroot_counts(const struct sigroot_key *list, unsigned n,
    const struct sigroot_key *, int64_t when);

#endif
