/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_SIGROOTS_H
#define WARREN_TRUST_SIGROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/config/attestconf.h"
#include "trust/doc/fresh.h"
#include "trust/doc/keyless.h"
#include "trust/doc/uri.h"

struct law;

/*
 * The roots that image_policy names, files of klp/roots/ and documents
 * (lawroots.h), and what one signature comes to by each.
 */
struct sigroots {
	unsigned n;
	struct {
		char name[URI_MAX + 1];
		struct sigroot *r; /* NULL: why */
		char why[SIGROOT_WHY_MAX];
		/* seconds since 1970: the file was changed, it was issued */
		int64_t since;
		struct id32 sum; /* of its text; zeros: not read */
		/* of a document (klp.md 9.1); version 0: a file */
		uint32_t version, expires;
		enum fresh fresh;
		/* what was signed later counts for nothing by it */
		int64_t last;
	} f[ATTEST_ROOTS_MAX];
};

void sigroots_load(struct sigroots *, const struct law *);
void sigroots_clear(struct sigroots *);

/* Of one signature: who it is by each file, found out once. */
struct sigroots_who {
	const struct sigroots *roots;
	const struct attest *a;
	int64_t now;
	struct {
		bool asked, good;
		struct keyless_who who;
	} by[ATTEST_ROOTS_MAX];
	const char *why; /* the last refusal; NULL: none */
	int64_t not_before; /* the first time of keyless_who's; 0: none */
	const char *told; /* whom a verifier names, in their place */
	bool unlooked; /* it counts by a key, and no roots know its logs */
};
/* NULL: nobody, by that file. */
const struct keyless_who *sigroots_who(struct sigroots_who *,
    const char *name);
/*
 * Of one that this key, of image_policy, has signed: does what logs say of it
 * hold? By the signer's own file of roots it must be in one; where he has none,
 * an entry must hold by each file that has the log which it names.
 */
bool sigroots_logged(struct sigroots_who *, const struct attest_signer *);

#endif
