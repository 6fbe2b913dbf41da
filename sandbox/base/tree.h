/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_TREE_H
#define WARREN_SANDBOX_BASE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/left.h"

/*
 * Folders to normalised tar and back (compute.md 2.2), by descriptor and
 * beneath it only: no symbolic link is followed, no other mount is entered.
 * Used by warren-hand for a job's volumes and by the CLI for a submitter's.
 */
struct tree_report {
	uint32_t members;
	uint32_t dropped; /* TREE_ROOT: devices, pipes and sockets */
	struct left left; /* TREE_DROP: what cannot be packed as it is */
	uint64_t bytes;
	char why[256]; /* the mistake; names in it are escaped */
};

enum tree_mode {
	TREE_STRICT, /* whatever compute.md 2.2 has no form for is an error */
	TREE_DROP,   /* ... is left out and named, set-id bits as well */
	TREE_ROOT,   /* like STRICT, but links lead anywhere and devices, pipes
		      * and sockets are left out and counted: an image's files */
};

/* Takes bytes of the archive in order: 0, or -1 with errno to stop. */
typedef int tree_sink(void *arg, const void *, size_t);

/*
 * Pack the folder. 0, or -1 with errno and why: EINVAL (not packable,
 * TREE_STRICT), E2BIG (too many members), what the sink said, an open or read
 * that failed. A file that changes meanwhile is an error (ESTALE).
 */
int tree_pack(int dir, enum tree_mode, tree_sink *, void *arg,
    struct tree_report *);

/*
 * Check the whole archive in fd (a regular file, read by pread from 0), then
 * write the members into the empty folder dir with their modes. 0, or -1 with
 * errno (EINVAL: refused) and why; a failed one may leave members behind.
 */
int tree_unpack(int fd, int dir, struct tree_report *);
/*
 * The same within bounds, looked at before the first member is written and
 * again with each one: EDQUOT. What 65,536 empty files cost is no content.
 */
struct tree_bounds {
	uint32_t members; /* files, folders and links: inodes */
	uint64_t bytes;   /* of content */
};
int tree_unpack_within(int fd, int dir, const struct tree_bounds *,
    struct tree_report *);

/*
 * Remove everything beneath dir, whatever its modes, as far as the caller may;
 * no recursion, however deep. 0, or -1: something is left.
 */
int tree_empty(int dir);
/* Nothing is in this folder; false: something, or it cannot be read. */
bool tree_is_empty(const char *path);

#endif
