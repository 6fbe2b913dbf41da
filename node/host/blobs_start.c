/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/blobs_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

/* The spool's start and end: what the ledger and the files both know stays. */

static int
subdir(int dir, const char *name)
{
	if (mkdirat(dir, name, 0700) != 0 && errno != EEXIST)
		return -1;
	return openat(dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A claim of the ledger counts when the file is there with its size. */
static void
restore_own(void *ctx, const struct fp *fp, const struct id32 *sha,
    uint64_t size, uint32_t used)
{
	struct blobs *b = ctx;
	char name[65];
	struct stat st;

	whole_name(name, sha);
	if (fstatat(b->whole, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size) {
		(void)ledger_disown(b->ledger, fp, sha);
		return;
	}
	(void)own_add(b, fp, sha, size, used);
}

typedef void entry_fn(struct blobs *, const char *name);

static void
each_entry(struct blobs *b, int dir, entry_fn *fn)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	struct dirent *de;

	if (d == NULL)
		return;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] != '.')
			fn(b, de->d_name);
	}
	(void)closedir(d);
}

static void
sweep_whole(struct blobs *b, const char *name)
{
	struct id32 sha;

	if (!hex_decode(HASH_BYTES(sha), name, strlen(name)) ||
	    !owned_by_any(b, &sha))
		(void)unlinkat(b->whole, name, 0);
}

/*
 * The rest of the fingerprint is not in a part's name: it is found again when
 * its peer goes on, by the first 16 bytes, which are all that is compared then.
 */
static void
restore_part(struct blobs *b, const char *name)
{
	struct blob_part *p = calloc(1, sizeof(*p));
	struct stat st;

	if (p == NULL)
		return;
	if (strlen(name) != PART_NAME - 1 || name[32] != '-' ||
	    !hex_decode(p->fp.b, 16, name, 32) ||
	    !hex_decode(HASH_BYTES(p->sha), name + 33, 64) ||
	    fstatat(b->partial, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode)) {
		(void)unlinkat(b->partial, name, 0);
		free(p);
		return;
	}
	p->fd = -1;
	p->old = true;
	p->have = p->size = (uint64_t)st.st_size;
	p->used = (uint32_t)st.st_mtime;
	sha256_init(&p->hash);
	part_insert(b, p);
}

void
blobs_limit(struct blobs *b, const struct blobs_limits *limits)
{
	b->limits = *limits;
}

struct blobs *
blobs_open(int dir, struct ledger *l, const struct blobs_limits *limits,
    blobs_needed_fn *needed, void *ctx)
{
	struct blobs *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->dir = dir;
	b->ledger = l;
	b->limits = *limits;
	b->needed = needed;
	b->ctx = ctx;
	RB_INIT(&b->owns);
	RB_INIT(&b->parts);
	RB_INIT(&b->holders);
	LIST_INIT(&b->claims);
	b->whole = subdir(dir, "blobs");
	b->partial = subdir(dir, "parts");
	b->lists = subdir(dir, "lists");
	if (b->whole < 0 || b->partial < 0 || b->lists < 0 ||
	    fsync(dir) != 0 ||
	    ledger_owned(l, restore_own, b) != 0) {
		blobs_close(b);
		return NULL;
	}
	each_entry(b, b->whole, sweep_whole);
	each_entry(b, b->partial, restore_part);
	return b;
}

void
blobs_close(struct blobs *b)
{
	struct blob_part *p;

	if (b == NULL)
		return;
	owns_free(b);
	while ((p = part_first(b)) != NULL)
		part_remove(b, p, false);
	if (b->lists >= 0)
		(void)close(b->lists);
	if (b->whole >= 0)
		(void)close(b->whole);
	if (b->partial >= 0)
		(void)close(b->partial);
	free(b);
}
