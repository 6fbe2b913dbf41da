/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_WASM_MEMFS_IMPL_H
#define WARREN_SANDBOX_WASM_MEMFS_IMPL_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "sandbox/wasm/memfs.h"

/* What memfs.c and memfs_tar.c share. */

#define MEMFS_COOKIE_FIRST 2 /* of the last of "." and ".." */

struct mentry {
	RB_ENTRY(mentry) by_name;
	TAILQ_ENTRY(mentry) in_order;
	char *name;
	struct mnode *node;
	uint64_t cookie;
};
RB_HEAD(mentries, mentry);

/* A file may have several names, a folder has one. */
struct mnode {
	enum memfs_kind kind;
	uint16_t mode; /* as it came; 0: it was made here */
	uint64_t ino, links, accessed, modified, changed;
	unsigned opens;
	uint8_t *data; /* of a file; a link's target */
	uint64_t size, cap;
	struct mnode *parent; /* of a folder; NULL: the root, or removed */
	struct mentries entries;
	TAILQ_HEAD(mentry_order, mentry) order;
	uint64_t last_cookie;
	struct mentry *listed; /* where memfs_next() was; NULL: at the start */
};

struct memfs {
	struct mnode *root;
	uint64_t unit, most, used; /* bytes; units of content */
	uint64_t last_ino;
	uint32_t most_nodes, nodes;
	bool writable;
	bool filled; /* who may only read it may do no more from here on */
};

#endif
