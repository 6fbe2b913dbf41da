/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_IMAGE_STORE_H
#define WARREN_SANDBOX_IMAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "sandbox/plan/record.h"

/*
 * The store, warren/images:
 *
 *   names         one line an image: NAME:TAG DIGEST(64 hex); replaced whole
 *                 under the lock names.lock
 *   roots/DIGEST  the unpacked files, without a write bit
 *   roots/new-*   one that was not put in its place to the end
 *   files/        what images have in common, once (share.h)
 *   meta/DIGEST   its record (record.h)
 *   meta/DIGEST.about  what else is known of it (about.h)
 *   meta/DIGEST.files  the list of its files (audit/filelist.h)
 *   meta/DIGEST.parts  what other nodes need to pull it (plan/recipe.h), of one
 *                   that was imported to be shared
 *   meta/DIGEST.gone   it was taken away for good, and why (gone.h)
 *   tmp-*         an import that runs, or was killed
 *   store.lock    whoever puts an image there or takes one away
 *
 * dir is a descriptor of it. Written by the CLI as DIR's owner, and by the
 * parent, which sweeps it and buries what is revoked; node and jail read.
 */
#define STORE_NAME_MAX 255 /* NAME:TAG */
#define STORE_NAMES_MAX (1u << 20) /* bytes of the names file */

#define STORE_BESIDE "new-"        /* and 16 digits */

/*
 * A name is [a-z0-9] and [._/-] in between, with an optional tag behind ':',
 * and maybe a registry with a port in front; out gets it with its tag
 * (":latest" when it has none). false: no name.
 */
bool store_name_ok(const char *name, char out[STORE_NAME_MAX + 1]);

/*
 * "NAME:TAG", "NAME", "sha256:HEX", or a name with "@sha256:HEX" behind it, which
 * counts then. 0; -1 with errno: ENOENT (not here; the
 * digest is told where one is known), EINVAL (no name), EBADMSG as below.
 */
int store_resolve(int dir, const char *name, struct id32 *digest);
/*
 * The record of an image that is here; buf (IMAGE_RECORD_MAX bytes) holds its
 * texts. 0 or -1 (ENOENT, EINVAL).
 */
int store_record(int dir, const struct id32 *digest, uint8_t *buf,
    struct image_record *);
/*
 * Each name in order; stops when the function says false. 0; -1 with errno,
 * EBADMSG at a line that is malformed: which names follow is not known then.
 */
int store_each(int dir, bool (*fn)(void *ctx, const char *name,
    const struct id32 *digest), void *ctx);

/* What an errno of these is, in words. */
const char *store_why(int err);

/* ---- for the CLI ---- */

/*
 * Where this kernel has SELinux: the folder's label, which what is made in it
 * has from then on. 0, or -1 with errno: the policy does not know it.
 */
int store_label(int dir);
/* Make the folders of a new store; dir is warren/images. 0 or -1. */
int store_make(int dir);
/*
 * Held while images come or go, by its descriptor; before the one of names. -1
 * with errno.
 */
int store_lock(int dir);
/* Let name mean this digest from now on. 0 or -1. */
int store_set_name(int dir, const char *name, const struct id32 *digest);
/*
 * Let name mean nothing any more; left: how many other names its image has. 0;
 * -1 with errno: ENOENT (there is none), EINVAL.
 */
int store_drop_name(int dir, const char *name, struct id32 *was,
    unsigned *left);
/* The list of an image's files, whole and of the form; free it. NULL. */
char *store_list(int dir, const struct id32 *digest, size_t *len);

/*
 * Take folder `tmp`/root of the store as the files of an image, with its
 * record, the list `tmp`/files and `tmp`/about. Files that are here already
 * stay when they are as the list has them; else they and these change places
 * (mended), and `tmp` has the old ones. The caller holds the lock of the store,
 * and nobody writes to `tmp` any more. 0, or -1: killed at any point the store
 * is as before or has the image.
 */
struct store_adopted {
	bool here, mended;
	struct id32 list; /* SHA-256 of the list */
	uint64_t shared; /* bytes of it that were here of other images */
};
int store_adopt(int dir, const char *tmp, const uint8_t *record, size_t len,
    struct store_adopted *);

/*
 * Removes what imports that were killed have left, "tmp-" and 16 digits each;
 * one that is at work holds a lock on its folder. dry: only counts. How many.
 */
unsigned store_sweep(int images, bool dry);
/* roots/new-*, with the lock of the store. How many. */
unsigned store_leftovers(int images, bool dry);

#endif
