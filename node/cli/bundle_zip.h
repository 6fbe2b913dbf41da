/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_BUNDLE_ZIP_H
#define WARREN_NODE_CLI_BUNDLE_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * The members of a bundle, by their digests. An archive may be anybody's, so a
 * child without rights reads it: no file, no network, bounded memory and time.
 */
#define BUNDLE_ZIP_MEMBERS 65536u
#define BUNDLE_ZIP_SUMS (16u << 20) /* of SHA256SUMS, bytes */

struct bundle_zip {
	struct bundle_member {
		char *name;
		struct id32 digest;
	} *members;
	size_t n;
	char *sums; /* the text of SHA256SUMS; NULL: there is none */
	size_t sums_len;
	char why[160]; /* it could not be read to its end */
};

/* false: nothing could be read at all (errno). fd: from its beginning. */
bool bundle_zip_read(struct bundle_zip *, int fd);
/* The records of bundle_walk.h, into an empty one; what is no such ends it. */
void bundle_zip_take(struct bundle_zip *, int in);
void bundle_zip_clear(struct bundle_zip *);

#endif
