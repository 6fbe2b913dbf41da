/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SIGROOT_H
#define WARREN_TRUST_DOC_SIGROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * Whom the operator believes about signatures by certificate (klp.md 9): a
 * file `trusted_root.json` of sigstore, with those who certify, the logs of
 * certificates and of signatures, and those who tell the time. Here it is only
 * read; certificates and keys in it are bytes. Pure.
 */
#define SIGROOT_TEXT_MAX (256u << 10)
#define SIGROOT_EACH 32      /* ours: of each of the four kinds */
#define SIGROOT_CHAIN_MAX 6  /* ours: certificates of a chain */
#define SIGROOT_CERT_MAX 8192
#define SIGROOT_KEY_MAX 1024 /* RSA of 4096 bits: 550 */

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
	struct sigroot_blob der; /* SubjectPublicKeyInfo */
	struct sigroot_span valid;
};

struct sigroot {
	unsigned nca, ntsa, nct, nlog;
	struct sigroot_chain ca[SIGROOT_EACH], tsa[SIGROOT_EACH];
	struct sigroot_key ct[SIGROOT_EACH], log[SIGROOT_EACH];
};

/* NULL: *why, a literal. Without a CA, a log of each kind: a mistake. */
struct sigroot *sigroot_parse(const char *text, size_t len, const char **why);
void sigroot_free(struct sigroot *);
bool sigroot_in(const struct sigroot_span *, int64_t when);
/* Of logs; NULL: there is none of that name. */
const struct sigroot_key *sigroot_key(const struct sigroot_key *, unsigned n,
    const uint8_t *id, size_t len);
/* Did that key count then? It may stand in the list with several spans. */
bool sigroot_counts(const struct sigroot_key *list, unsigned n,
    const struct sigroot_key *, int64_t when);

#endif
