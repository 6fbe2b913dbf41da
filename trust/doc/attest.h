/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_ATTEST_H
#define WARREN_TRUST_DOC_ATTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <rns/hash.h>

#include "trust/doc/pemkey.h"

/*
 * What others sign about an image (klp.md 9). Three forms, JSON each:
 *
 *   {"Base64Signature", "Payload"}    a signature, as `cosign download
 *                                     signature` prints it
 *   {"payloadType", "payload", "signatures"}   an envelope around an in-toto
 *                                     statement, as `cosign download
 *                                     attestation` prints it
 *   {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", ...}
 *                                     a bundle around either; also v0.1, v0.2
 *
 * The order is: attest_read() (the wrapping), attest_by() (whose it is), and
 * only then attest_says() looks into what was signed. What comes with a bundle,
 * a certificate and a log's entry, is for keyless.h alone.
 */
#define ATTEST_TEXT_MAX (256u << 10) /* of one */
#define ATTEST_DEPTH 32
#define ATTEST_SIGS_MAX 4
#define ATTEST_IMAGES_MAX 16 /* subjects with a SHA-256 */
#define ATTEST_TYPE_MAX 200  /* of a predicate */

enum attest_form {
	ATTEST_SIMPLE,	  /* payload: cosign's simple signing */
	ATTEST_STATEMENT, /* payload: an in-toto statement, signed as DSSE */
	ATTEST_DIGEST,	  /* of a bundle: the image manifest itself */
};

struct attest_sig {
	uint8_t b[PEMKEY_SIG_MAX];
	uint16_t n;
};

struct attest {
	enum attest_form form;
	uint8_t *signed_bytes; /* payload, or its PAE */
	size_t signed_len;
	const uint8_t *payload; /* in signed_bytes; NULL: a digest */
	size_t payload_len;
	struct id32 sum; /* ATTEST_DIGEST */
	unsigned nsigs;
	struct attest_sig sig[ATTEST_SIGS_MAX];
	json_t *material; /* a bundle's verificationMaterial; or NULL */
};

/* 0, or -1 with a literal in *why and nothing to clear. */
int attest_read(struct attest *, const char *text, size_t len,
    const char **why);
void attest_clear(struct attest *);
/* Is one of its signatures this key's? */
bool attest_by(const struct attest *, const struct pemkey *);

struct attest_said {
	struct id32 image[ATTEST_IMAGES_MAX];
	unsigned nimages;
	char type[ATTEST_TYPE_MAX + 1]; /* "": a plain signature */
	json_t *statement; /* NULL: a plain signature */
};
/* The same. */
int attest_says(struct attest_said *, const struct attest *, const char **why);
void attest_said_clear(struct attest_said *);

/*
 * The same of what a program of the operator says, which has verified whatever
 * it was given (klp.md 9, tier C): {"who": TEXT, "images": ["sha256:..."]}, a
 * signature, or {"who", "statement": {...}}, an in-toto statement.
 */
#define ATTEST_WHO_MAX 600
int attest_told(struct attest_said *, char who[ATTEST_WHO_MAX + 1],
    const char *text, size_t len, const char **why);

/*
 * Does this member of what is said hold such a text (with `*` in the pattern)?
 * path: names with dots between them ("predicate.builder.id"); in a list, any
 * of its values will do; a name that has dots is found as well.
 */
bool attest_where(const struct attest_said *, const char *path,
    const char *pattern);

#endif
