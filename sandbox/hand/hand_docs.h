/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_HAND_DOCS_H
#define WARREN_SANDBOX_HAND_HAND_DOCS_H

#include <jansson.h>
#include <stdint.h>

#include <rns/hash.h>

#include "sandbox/hand/hand_path.h"

/* The files of what is imported: found, their digests checked, JSON read. */

/* A regular file by its path, links inside the source followed; -1. */
int docs_open(struct import *, const char *path);
bool docs_has(struct import *, const char *path);
/* SHA-256 of the file as it is. 0 or -1 with errno. */
int docs_digest(int fd, struct id32 *out, uint64_t *size);
/* NULL: why is set; what: its name for people. */
json_t *docs_json(struct import *, int fd, const char *what,
    const struct id32 *want);
/* By its path, and its digest. */
json_t *docs_json_at(struct import *, const char *path, struct id32 *digest);
/*
 * The blob that a descriptor names; its digest is checked. suffix: behind the
 * name of it where blobs lie flat. -1: why is set.
 */
int docs_blob(struct import *, const json_t *desc, const char *suffix,
    struct id32 *digest);
/*
 * A layer, by its descriptor; where that blob is not there, what it holds
 * without compression may be, by its diff_id (or NULL), which the configuration
 * vouches for.
 */
int docs_layer(struct import *, const json_t *desc, const char *diff,
    struct id32 *digest);

#endif
