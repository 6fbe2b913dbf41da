/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_COMPACT_H
#define WARREN_TRUST_DOC_COMPACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/delta.h"
#include "trust/doc/revlist.h"

/*
 * A revocation set on slow links (klp.md 4.4): 17 bytes an entry, as the
 * operation of a delta that would make it, ordered by half of the id, then by
 * kind. Nobody signs it; the delta that led to its version, which says its
 * digest, does. Pure.
 */
#define COMPACT_ENTRY 17
#define COMPACT_MAX 65536 /* entries, as a list has them */
#define COMPACT_BYTES (COMPACT_MAX * (size_t)COMPACT_ENTRY)

/*
 * Entries that follow `last` (16 bytes, or NULL: they are the first), each
 * once, in their order. NULL, or a literal.
 */
const char *compact_page(const uint8_t *p, size_t len, const uint8_t *last);
/*
 * The list in the version that this delta leads to, from a whole set; what
 * `in` knows of an entry that is the same is kept. NULL, or a literal and
 * nothing to clear.
 */
const char *compact_list(struct revlist *out, const struct revlist *in,
    const struct delta *, const uint8_t *set, size_t len);

#endif
