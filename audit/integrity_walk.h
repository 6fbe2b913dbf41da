/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_INTEGRITY_WALK_H
#define WARREN_AUDIT_INTEGRITY_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A folder beside its list (filelist.h): by descriptor, beneath it only, over
 * no link; of what is there only regular files are opened, O_NONBLOCK. What is
 * not as the list has it is told, entry by entry, and nothing is read twice.
 *
 * seen: a number for each entry of the list, and one before them for the
 * folder itself; zeros at first. It stands for inode, size, mode, owner, links
 * and times of a file that was found to be good: one that is the same still is
 * not read again. (What changes bytes changes the ctime, which nobody sets;
 * the raw device excepted.)
 */
enum walk_diff {
	WALK_BYTES = 1,
	WALK_SIZE,
	WALK_MODE,
	WALK_OWNER,
	WALK_LINKS, /* it has lost a name; others may have it as well */
	WALK_TYPE,
	WALK_TARGET,
	WALK_MISSING,
	WALK_ADDED,
	WALK_UNREADABLE,
	WALK_RESTLESS, /* it changes while it is looked at */
};
const char *walk_text(enum walk_diff); /* "its bytes have changed", ... */

struct walk {
	void *ctx;
	/* path: beneath the folder, bytes of strangers. false: enough */
	bool (*differs)(void *ctx, const char *path, enum walk_diff);
	/* so much was read, or 0: so many files looked at. false: stop */
	bool (*slice)(void *ctx, uint64_t bytes);
	uint64_t *seen; /* or NULL: everything is read */
	uint8_t key[16]; /* of seen: random, the same for it always */
	int64_t now;	 /* wall clock, seconds; 0: each name of a file is read */
	/* what it did */
	uint64_t bytes;
	uint32_t entries, looked; /* looked: files that were read */
	uint32_t kept; /* good files whose digest fs-verity keeps */
	bool stopped;
};

/*
 * list must have passed filelist_check(). 0: what was not told is good, unless
 * stopped; -1 with errno: the folder cannot be read, or no memory.
 */
int walk_check(struct walk *, int root, const uint8_t *list, size_t len);

#endif
