/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_HAND_SHARE_H
#define WARREN_SANDBOX_HAND_HAND_SHARE_H

#include <stddef.h>

#include <rns/hash.h>

#include "sandbox/hand/hand_path.h"

/*
 * What other nodes need to put the image together (sandbox/plan/recipe.h), when
 * the import is to keep it: a recipe of each layer while it is read, then where
 * what they name lies. All do nothing where it is not kept.
 */
int share_start(struct import *);
/* A layer begins; its reader feeds im->maker. It was this one. 0 or -1. */
int share_begin(struct import *);
int share_layer(struct import *, const struct id32 *diff);
/* A file that has come; a later layer may take it away. 0, or -1 with errno. */
int share_file(struct import *, int folder, const char *name);
/* The documents, as they are hashed; borrowed from nobody. 0 or -1. */
int share_manifest(struct import *, const void *, size_t);
int share_config(struct import *, const void *, size_t);
/* The same of a file. */
int share_manifest_of(struct import *, int fd);
int share_config_of(struct import *, int fd);
/* All is there: into the file `parts` of the import's folder. 0 or -1. */
int share_finish(struct import *, const struct id32 *manifest);

#endif
