/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/image/gc.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/share.h"
#include "sandbox/image/store.h"

static bool
is_there(int dir, const char *folder, const char *hex)
{
	char path[96];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, hex);
	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

struct look {
	int dir;
	bool dry;
	int rv;
	struct store_gc *gc;
};

static bool
orphan_root(void *ctx, const struct id32 *digest)
{
	struct look *k = ctx;
	char hex[65];

	hex_encode(hex, HASH_BYTES(*digest));
	if (is_there(k->dir, "meta", hex))
		return true;
	k->gc->orphans++;
	if (!k->dry && store_bury(k->dir, digest, NULL) < 0)
		k->rv = -1;
	return true;
}

/* file_replace() was killed: .NAME.PID.tmp */
static bool
is_scrap(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && name[0] == '.' && strcmp(name + n - 4, ".tmp") == 0;
}

/* Of an image that has no root; its tombstone stays. */
static bool
is_orphan(int dir, const char *name)
{
	static const char *const suffixes[] = {"", ".files", ".about",
	    ".parts"};
	struct id32 id;
	char hex[65];
	size_t n = strlen(name);

	if (n < 64 || !hex_decode(HASH_BYTES(id), name, 64))
		return false;
	(void)snprintf(hex, sizeof(hex), "%.64s", name);
	for (size_t i = 0; i < NELEM(suffixes); i++)
		if (strcmp(name + 64, suffixes[i]) == 0)
			return !is_there(dir, "roots", hex);
	return false;
}

/* Where names are written: by who holds the lock alone. */
static void
scraps(struct look *k)
{
	DIR *d = dir_take(openat(k->dir, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC));
	struct dirent *de;

	while (d != NULL && (de = readdir(d)) != NULL)
		if (is_scrap(de->d_name) && !k->dry &&
		    unlinkat(k->dir, de->d_name, 0) < 0)
			k->rv = -1;
	if (d != NULL)
		(void)closedir(d);
}

static void
metas(struct look *k)
{
	DIR *d = dir_take(openat(k->dir, "meta", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW));
	struct dirent *de;

	while (d != NULL && (de = readdir(d)) != NULL) {
		bool scrap = is_scrap(de->d_name);

		if (!scrap && !is_orphan(k->dir, de->d_name))
			continue;
		if (strlen(de->d_name) == 64)
			k->gc->orphans++;
		if (!k->dry && unlinkat(dirfd(d), de->d_name, 0) < 0)
			k->rv = -1;
	}
	if (d != NULL)
		(void)closedir(d);
}

int
store_gc(int dir, bool dry, struct store_gc *gc)
{
	_cleanup_fd_ int lock = store_lock(dir);
	struct look k = {.dir = dir, .dry = dry, .gc = gc};

	memset(gc, 0, sizeof(*gc));
	if (lock < 0)
		return -1;
	gc->halves = store_leftovers(dir, dry);
	if (store_each_root(dir, orphan_root, &k) < 0)
		k.rv = -1;
	metas(&k);
	scraps(&k);
	gc->halves += store_sweep(dir, dry);
	if (share_drop(dir, dry, &gc->files, &gc->bytes) < 0)
		k.rv = -1;
	return k.rv;
}

struct named {
	const struct id32 *digest;
	bool yes;
};

static bool
has_name(void *ctx, const char *name, const struct id32 *digest)
{
	struct named *n = ctx;

	(void)name;
	n->yes = id32_eq(digest, n->digest);
	return !n->yes;
}

bool
store_unnamed(int dir, const struct id32 *digest)
{
	struct named n = {.digest = digest};

	return store_each(dir, has_name, &n) == 0 && !n.yes;
}
