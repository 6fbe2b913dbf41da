/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_BUNDLE_H
#define WARREN_TRUST_DOC_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "trust/doc/binding.h"
#include "trust/doc/frame.h"
#include "trust/doc/keytext.h"
#include "trust/doc/secp.h"

/*
 * A node's word on a bundle of evidence (klp.md 7.1): a zip archive whose
 * comment is this frame and the node's binding. It speaks of every byte before
 * the comment, and of the archive's list of digests, so that the files are
 * vouched for once they are unpacked as well.
 *
 *   "KF", version 1, kind u8, job 32, made u32, size u64, digest 32, sums 32
 */
#define TYPE_BUNDLE "application/vnd.klp.bundle"
#define BUNDLE_FRAME 113	/* what is signed */
#define BUNDLE_LEN IPC_BUNDLE	/* with one signature: 182 */

enum bundle_kind { BUNDLE_JOB = 1, BUNDLE_TRAIL = 2 };

struct bundle {
	uint8_t kind;
	struct id32 job;    /* zeros: of a trail */
	uint32_t made;	    /* unix seconds */
	uint64_t size;	    /* bytes before the comment */
	struct id32 digest; /* SHA-256 of these */
	struct id32 sums;   /* ... of the member SHA256SUMS */
};

/*
 * The form; signatures are not verified. 0, or -1 with a literal in *why. The
 * envelope borrows buf.
 */
int bundle_parse(struct bundle *, struct env *, const uint8_t *buf, size_t len,
    const char **why);
/* It is this key's; its hint counts as well, so that no byte is free. */
bool bundle_signed_by(const struct env *, const struct klp_key *);
/* With one signature, of this key; false: it is none. aux: random bytes. */
bool bundle_sign(uint8_t out[BUNDLE_LEN], const struct bundle *,
    const struct klp_secret *, const uint8_t aux[32]);

/*
 * The comment: a line that names it, the frame and the binding in base64, a
 * line each, with a NUL behind; its length.
 */
#define BUNDLE_COMMENT_MAX 700
size_t bundle_comment(char out[BUNDLE_COMMENT_MAX],
    const uint8_t frame[BUNDLE_LEN], const uint8_t binding[BINDING_LEN]);
/* false: it is not of this form, to the byte. */
bool bundle_comment_parse(const char *text, size_t len,
    uint8_t frame[BUNDLE_LEN], uint8_t binding[BINDING_LEN]);

#endif
