/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_IMAGE_IMPORT_H
#define WARREN_SANDBOX_IMAGE_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * `warren image import` (compute.md 11, THREATS.md 3.5): a plain root, an OCI
 * layout, what `docker save` or skopeo's dir: make, each as a folder or a tar
 * (gzip or zstd around it too), becomes an image of the store. Works whether
 * the daemon runs or not. Nothing of the image is parsed by the caller:
 * warren-hand does it, confined to a fresh folder, as slot 0 (where ids of
 * ours can be used) or the user in a namespace of its own.
 */
struct image_import {
	int images;       /* directory warren/images, its owner's */
	const char *path; /* what to import */
	const char *tag;  /* which of its images, or NULL: it has one */
	const char *name; /* NAME[:TAG] it is to have, or NULL */
	int hand;         /* warren-hand, opened for reading */
	bool share;       /* keep what other nodes need to pull it */
	uint32_t base;    /* --with-uid-base; used as root */
};
struct image_imported {
	struct id32 digest; /* of the image manifest */
	struct id32 list;   /* of the list of its files */
	bool was_here;      /* the same image had been imported before */
	bool mended;        /* its files were not those, and are new */
	bool unconfined;    /* of a failure: the place does not allow it */
	uint64_t bytes;
	uint64_t shared;    /* of these, bytes that other images have too */
	uint32_t members, layers, dropped;
	char note[512];     /* what was ignored; words of strangers */
};
#define IMAGE_IMPORT_MS 1800000 /* then hand is killed */

/*
 * 0, or -1 and why for people, which has words of strangers and is not escaped;
 * the store is as before then.
 */
int image_import(const struct image_import *, struct image_imported *,
    char *why, size_t why_cap);

#endif
