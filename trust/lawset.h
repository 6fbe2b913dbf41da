/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_LAWSET_H
#define WARREN_TRUST_LAWSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * The revocation set, page by page (klp.md 4.3, 4.4): when the list is too long
 * for the way that there is, and deltas from ours on are not to be had any more.
 * What has come of it outlives a round, until its source has another version.
 */
struct lawset {
	char from[48];    /* the source; "": nothing has come */
	uint8_t *p;       /* entries */
	size_t len, cap, total;
	uint32_t version;
	struct id32 sha;  /* as its source says; what counts is in the delta */
	bool whole;
};

#endif
