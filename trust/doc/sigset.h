/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SIGSET_H
#define WARREN_TRUST_DOC_SIGSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "trust/doc/keytext.h"
#include "trust/doc/secp.h"

/*
 * Signatures that were found good, by the digest of key, type, what is signed
 * and signature: the next version of a document checks only what is new in it.
 */
struct sigset;

struct sigset *sigset_new(size_t max); /* NULL: no memory */
void sigset_free(struct sigset *);
void sigset_digest(struct id32 *out, const struct klp_key *, const char *type,
    const void *payload, size_t len, const uint8_t sig[SIG_LEN]);
/* At most max of them: false beyond that. */
bool sigset_add(struct sigset *, const struct id32 *digest);
/*
 * After the last one was added, before it is asked: in turns of about so many.
 * 1: there is more; 0; -1: no memory.
 */
int sigset_close(struct sigset *, size_t budget);
bool sigset_has(const struct sigset *, const struct id32 *digest);

/*
 * As a file that is kept beside the document: "WSIGS1", the digest of the
 * document, the signatures' digests in order, a checksum. Whoever can write it
 * can let a signature count that does not: it lies where only trust writes.
 * put: of a closed set, *len bytes in an allocation; NULL: no memory. get: the
 * caller's; NULL: damaged, of another document, or no memory.
 */
uint8_t *sigset_put(const struct sigset *, const struct id32 *doc, size_t *len);
struct sigset *sigset_get(const uint8_t *buf, size_t len,
    const struct id32 *doc);
size_t sigset_file_bytes(size_t max); /* of a set of so many */

#endif
