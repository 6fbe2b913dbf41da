/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_HAND_PATH_H
#define WARREN_SANDBOX_HAND_HAND_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/util.h"

/*
 * Names of strangers, and where they lead beneath one folder (THREATS.md 3).
 * Bounds are ours.
 */
#define IMPORT_WHY_MAX 256
#define IMPORT_BYTES_MAX (16ull << 30) /* of all files of an image */
#define IMPORT_MEMBERS_MAX 1000000u
#define IMPORT_LAYERS_MAX 256
#define IMPORT_DEPTH_MAX 64
#define IMPORT_LINKS_MAX 40 /* on the way to one folder, as the kernel has it */
#define IMPORT_PATH_MAX 4095
#define IMPORT_JSON_MAX (4u << 20)
#define IMPORT_NAMES_MAX 200 /* bytes of names of what was left out */

/* Paths of the tree, links resolved. */
RB_HEAD(path_tree, path_node);

struct recipe_maker;
struct share;

struct import {
	int v, root; /* /v and /v/root */
	int src;     /* a folder of the layout's files; -1: ask for them */
	int ask;     /* the socket that hands them out, or -1 */
	const char *tag; /* which image of several, or NULL */
	bool flat;   /* blobs lie at the top, by their digests */
	uint64_t bytes;
	uint32_t members, dropped;
	struct path_tree written;  /* by this layer; with all their folders */
	struct path_tree cleared;  /* folders, with a slash: hand_layer.c */
	struct path_tree left_out; /* by any layer */
	struct share *share;	   /* what others need of it is kept */
	struct recipe_maker *maker; /* of the layer that is read */
	char names[IMPORT_NAMES_MAX]; /* of some that were */
	char layer[64];            /* which one we are at, for people */
	char why[IMPORT_WHY_MAX];
};
/* -1, and why for people, with the layer in front; not escaped. */
int import_fail(struct import *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A member's path: no `..`, no control bytes; leading slashes and "./" are
 * dropped. false: refused, why is a literal. out may become "" (the root).
 */
bool import_path(const char *in, char out[IMPORT_PATH_MAX + 1],
    const char **why);
/*
 * Where path leads beneath root when each link on the way, the last one too,
 * is followed as if root were /: real has no link and no `..`; what is not
 * there may follow. 0, or -1 with errno: ELOOP, ENAMETOOLONG.
 */
int import_resolve(int root, const char *path,
    char real[IMPORT_PATH_MAX + 1]);
/*
 * A folder beneath root by its path, links followed inside root; made when
 * make is set, also where a file lies. real: see above. Its descriptor, or -1
 * with errno.
 */
int import_folder(int root, const char *path, bool make,
    char real[IMPORT_PATH_MAX + 1]);
/*
 * The folder of path, likewise: *name becomes the last component of path, real
 * where that lies.
 */
int import_parent(int root, char *path, bool make, char **name,
    char real[IMPORT_PATH_MAX + 1]);
/* Remove whatever lies at name, a whole tree too. 0 or -1. */
int import_remove(int folder, const char *name);

/* Into the tree, with all folders above it. 0, or -1: memory. */
int path_add(struct path_tree *, const char *path);
bool path_in(struct path_tree *, const char *path);
void path_clear(struct path_tree *);

#endif
