/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_EGRESS_REGDOC_H
#define WARREN_TRUST_EGRESS_REGDOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/platform.h"

/*
 * The documents of a registry: manifests and indexes, of OCI's image
 * specification and Docker's second, and answers of token servers. Bounded in
 * size, depth and number of values before jansson sees a byte. Pure.
 */
#define REGDOC_MAX (4u << 20) /* bytes; what the specification makes all take */
#define REGDOC_TOKEN_MAX (64u << 10)
#define REGDOC_LAYERS 256 /* as sandbox/hand takes */
#define REGDOC_VALUES 32768 /* objects, lists and their commas: memory */
#define REGDOC_TOKEN 16384  /* bytes of a token */

enum regdoc_kind {
	REGDOC_OTHER,
	REGDOC_OCI_INDEX,
	REGDOC_OCI_MANIFEST,
	REGDOC_DOCKER_LIST,
	REGDOC_DOCKER_MANIFEST,
	REGDOC_DOCKER_OLD, /* schema 1, which has no digests to hold on to */
};
/* All that are asked for: a header line. */
extern const char regdoc_accept[];
enum regdoc_kind regdoc_kind(const char *media_type);
const char *regdoc_type(enum regdoc_kind);

struct regdoc_blob {
	struct id32 digest;
	uint64_t size;
};
struct regdoc {
	enum regdoc_kind kind;
	/* of an index: the one for this machine */
	struct regdoc_blob pick;
	/* of a manifest; no layer twice */
	struct regdoc_blob config, layer[REGDOC_LAYERS];
	unsigned nlayers;
	uint64_t total; /* config and layers */
};
/*
 * type: Content-Type, "" when there is none, then the document's own counts;
 * two that differ are refused. here: what an index is to run on. false: why, for people, with words of strangers.
 */
bool regdoc_parse(struct regdoc *, const char *type, const void *text,
    size_t len, const struct platform *here, char *why, size_t cap);
/* false: no token in it that could stand in a header. */
bool regdoc_token(char out[REGDOC_TOKEN + 1], const void *text, size_t len);

#endif
