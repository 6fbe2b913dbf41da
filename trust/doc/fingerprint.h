/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_FINGERPRINT_H
#define WARREN_TRUST_DOC_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "trust/doc/keytext.h"
#include "trust/doc/note.h"

/*
 * What is put into a transparency log (klp.md 8): one JSON object in its
 * canonical form, {"_type":"klp.fingerprint","issued":S,"version":1} and what
 * it is of:
 *
 *   an image   "image":"sha256:<hex>"
 *   a node     "binding":"sha256:<hex>" (of the frame), "node":URN
 *   a trail    "node":URN, "trail":{"root":"<hex>","size":N}
 *   an agent   "agent":URN, "contract", "image", "manifest" and, once it has
 *              run, "observed", each "sha256:<hex>"
 *
 * Pure.
 */
#define FINGERPRINT_MAX 4096 /* bytes */

enum fingerprint_of {
	FINGERPRINT_IMAGE,
	FINGERPRINT_NODE,
	FINGERPRINT_TRAIL,
	FINGERPRINT_AGENT,
};

struct fingerprint {
	enum fingerprint_of of;
	uint32_t issued; /* unix seconds */
	char urn[URN_MAX]; /* of a node or agent */
	struct id32 image, binding, root; /* as far as it has them */
	struct id32 manifest, contract, observed;
	bool has_observed;
	uint64_t size; /* lines of a trail */
};

const char *fingerprint_name(enum fingerprint_of); /* "image", ... */
/* Its text in an own allocation; NULL: no memory. */
char *fingerprint_put(const struct fingerprint *, size_t *len);
/* false and why, a literal: it is none. */
bool fingerprint_parse(struct fingerprint *, const void *text, size_t len,
    const char **why);

#endif
