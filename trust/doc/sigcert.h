/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SIGCERT_H
#define WARREN_TRUST_DOC_SIGCERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/pemkey.h"
#include "trust/doc/sigroot.h"

/*
 * A certificate that Fulcio gives somebody for one signature (klp.md 9; RFC
 * 5280, RFC 6962): whose it is, by whom, and at which time. By libcrypto: a
 * build without it refuses each.
 */
#define SIGCERT_ISSUER_MAX 256 /* bytes of text; ours */
#define SIGCERT_SUBJECT_MAX 1024
#define SIGCERT_SCTS_MAX 8

struct sigcert;

/* Of der, all of it; NULL: *why, a literal. */
struct sigcert *sigcert_new(const uint8_t *der, size_t len, const char **why);
void sigcert_free(struct sigcert *);
/* Who has logged in, and where: the one name in it, and the OIDC issuer. */
const char *sigcert_subject(const struct sigcert *);
const char *sigcert_issuer(const struct sigcert *);
/* The key; false: it is none that signs images (pemkey.h), *why a literal. */
bool sigcert_key(const struct sigcert *, struct pemkey *, const char **why);
/*
 * Was it good for signing code at that time, by a CA of the roots that counted
 * then, and has a log of the roots promised to show it (SCT)? 0, or -1 and *why.
 */
int sigcert_check(const struct sigcert *, const struct sigroot *, int64_t when,
    const char **why);
/*
 * Is this certificate signed by itself? One that cannot be read is not; one that
 * names itself as its issuer is, without a look, if its key does not count here.
 */
bool sigcert_is_root(const uint8_t *der, size_t len);

#endif
