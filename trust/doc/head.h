/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_HEAD_H
#define WARREN_TRUST_DOC_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/envelope.h"

/*
 * The head of an authority (klp.md 1.3): one small record, signed often, that
 * names version, length and digest of every document. Pure.
 */
#define HEAD_BYTES 4096 /* signatures included */
#define HEAD_DOCS_MAX 64
#define HEAD_FRAME(n) (28 + 44 * (size_t)(n))
#define HEAD_LIFE_MAX (14u * 86400u) /* klp.md 1.8: what a verifier takes */
#define TYPE_HEAD "application/vnd.klp.head"

struct head_doc {
	uint8_t ptag[4]; /* SHA-256 of the path */
	uint32_t version, length; /* of the envelope */
	struct id32 sha256;	  /* ... */
};

struct head {
	uint8_t atag[8]; /* the authority's id */
	uint32_t root_version, version, issued, expires;
	unsigned n;
	struct head_doc docs[HEAD_DOCS_MAX];
	struct id32 digest; /* of the frame without its signatures */
};

/*
 * The frame and, as an envelope over it, its signatures, which borrow buf and
 * are the caller's to verify. NULL, or a literal: what is wrong.
 */
const char *head_parse(struct head *, struct env *, const void *buf,
    size_t len);
const struct head_doc *head_doc(const struct head *, const char *path);
/* The frame; 0: too many documents, or no room. */
size_t head_put(uint8_t *out, size_t cap, const struct head *);
void head_ptag(uint8_t ptag[4], const char *path);

#endif
