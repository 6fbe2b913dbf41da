/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_ROOTSDOC_H
#define WARREN_TRUST_DOC_ROOTSDOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/sigroot.h"
#include "trust/doc/uri.h"

/*
 * Roots of sigstore as a document of an authority (klp.md 9.1): a trusted_root
 * as sigroot.h takes it, inside a payload that has number and times. Pure.
 */
#define ROOTSDOC_TYPE "klp.sigstore-roots"
#define TYPE_ROOTSDOC "application/vnd.klp.sigstore-roots+json"
#define ROOTSDOC_PAYLOAD (256u << 10)
#define ROOTSDOC_BYTES (384u << 10) /* of its envelope */

struct rootsdoc {
	char uri[URI_MAX + 1];
	uint32_t version, issued, expires;
	char *text; /* trusted_root, for sigroot_parse(); an allocation */
	size_t len;
};

/*
 * A payload whose signatures hold; what its root declares of it is the caller's
 * to compare (authority.h). false: *why, and nothing to clear.
 */
bool rootsdoc_parse(struct rootsdoc *, const void *payload, size_t len,
    char why[SIGROOT_WHY_MAX]);
/*
 * Such a payload around the text of a trusted_root.json, canonical, in an own
 * allocation; NULL: *why.
 */
char *rootsdoc_make(const char *text, size_t len, const char *uri,
    uint32_t version, uint32_t issued, uint32_t expires, size_t *out_len,
    char why[SIGROOT_WHY_MAX]);
void rootsdoc_clear(struct rootsdoc *);
/* Has a JSON text the mark of a trusted_root.json, whatever it is worth? */
bool rootsdoc_bare(const char *text, size_t len);

#endif
