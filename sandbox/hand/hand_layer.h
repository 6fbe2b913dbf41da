/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_HAND_LAYER_H
#define WARREN_SANDBOX_HAND_HAND_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An image's files, made of its layers beneath one folder (THREATS.md 3).
 * Bounds are ours.
 */
#define IMPORT_WHY_MAX 256
#define IMPORT_BYTES_MAX (16ull << 30) /* of all files of an image */
#define IMPORT_MEMBERS_MAX 1000000u
#define IMPORT_LAYERS_MAX 256
#define IMPORT_DEPTH_MAX 64
#define IMPORT_PATH_MAX 4095
#define IMPORT_JSON_MAX (4u << 20)

struct import {
	int v, root; /* /v and /v/root */
	int src;     /* the layout: /s or /v/src */
	uint64_t bytes;
	uint32_t members, dropped;
	char why[IMPORT_WHY_MAX];
};
/* -1, and why for people (escaped). */
int import_fail(struct import *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A member's path: no `..`, not absolute, a leading "./" is dropped, no
 * control bytes below 0x20. false: refused. out may become "" (the root).
 */
bool import_path(const char *in, char out[IMPORT_PATH_MAX + 1]);
/*
 * A folder beneath root by its path, no link on the way; made when make is
 * set. Its descriptor, or -1.
 */
int import_folder(int root, const char *path, bool make);
/* n more bytes of files, holes too. -1: over the limit, or the disk is full. */
int import_count(struct import *, uint64_t n);
/* Remove whatever lies at name, a whole tree too. 0 or -1. */
int import_remove(int folder, const char *name);
/* Unpack one layer (tar, gzip or zstd) from fd over what is there. */
int import_layer(struct import *, int fd);
/* An archive's regular files into /v/src, as they are named. */
int import_archive(struct import *, int fd);
/* No write bit, r and x of the owner for all, beneath root. */
int import_seal(struct import *);

#endif
