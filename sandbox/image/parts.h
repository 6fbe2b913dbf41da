/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_IMAGE_PARTS_H
#define WARREN_SANDBOX_IMAGE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <rns/hash.h>

#include "sandbox/plan/recipe.h"

/*
 * What a node gives of an image to who pulls it from here (compute.md 3.7),
 * read from meta/DIGEST.parts and from the files of its root. It may go from
 * the store meanwhile: then contents are not found.
 */
struct image_parts {
	int fd, root;
	uint64_t size; /* of the file */
	struct parts p;
	uint16_t nlayers;
};

/* dir: the store. 0; -1 with errno: ENOENT (not here, or not to be shared). */
int parts_open(struct image_parts *, int dir, const struct id32 *image);
void parts_close(struct image_parts *);
/*
 * Up to n bytes from off of a part: 0 is the head, the others are the recipes of
 * its layers. How many, 0 beyond its end; -1: there is no such part, or errno.
 */
ssize_t parts_part(const struct image_parts *, uint64_t part, uint64_t off,
    void *buf, size_t n, uint64_t *size);
/*
 * One content, looked at: it has this digest. Its length; 0: more than n; -1
 * with errno: ENOENT, it is none of this image; EBADMSG, not here as it was.
 */
ssize_t parts_content(const struct image_parts *, const struct id32 *,
    uint8_t *buf, size_t n);

#endif
