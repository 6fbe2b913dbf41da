/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_IMAGE_GC_H
#define WARREN_SANDBOX_IMAGE_GC_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * What lies in the store and belongs to no image: imports that were killed,
 * roots that were not put in their place or lost their record, records without
 * a root, shared files that no image has any more. Whatever is found of the
 * store, this leaves one whose images are whole. dir: the store; its lock is
 * taken.
 */
struct store_gc {
	unsigned halves;  /* imports and removals that were killed */
	unsigned orphans; /* roots without a record, records without a root */
	uint32_t files;   /* shared ones, and */
	uint64_t bytes;   /* what they hold */
};
/* dry: nothing is removed. 0, or -1 with errno: something is left. */
int store_gc(int dir, bool dry, struct store_gc *);

/* No name means this image. false also when the names cannot be read. */
bool store_unnamed(int dir, const struct id32 *digest);

#endif
