/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/image/gone.h"

#include <sys/random.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

static int
open_meta(int dir)
{
	return openat(dir, "meta", O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
}

/* Where a sweep looks; no import has this folder, so nobody holds its lock. */
static int
new_place(int dir, char name[32])
{
	uint8_t random[8];
	char hex[17];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -1;
	hex_encode(hex, random, sizeof(random));
	(void)snprintf(name, 32, "tmp-%s", hex);
	return mkdirat(dir, name, 0700);
}

/*
 * One rename, so that a root is whole or not there: a job that starts
 * meanwhile finds all of it or nothing.
 */
static int
move_away(int dir, const char *root)
{
	char tmp[32], to[48];
	struct stat st;

	if (fstatat(dir, root, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	/* a folder without a write bit moves only within its parent */
	if (new_place(dir, tmp) < 0 || fchmodat(dir, root, 0755, 0) < 0)
		return -1;
	(void)snprintf(to, sizeof(to), "%s/root", tmp);
	return renameat(dir, root, dir, to);
}

static int
unlink_if(int meta, const char *hex, const char *suffix)
{
	char name[80];

	(void)snprintf(name, sizeof(name), "%s%s", hex, suffix);
	return unlinkat(meta, name, 0) < 0 && errno != ENOENT ? -1 : 0;
}

int
store_bury(int dir, const struct id32 *digest, const char *why)
{
	_cleanup_fd_ int meta = open_meta(dir);
	char hex[65], name[80], line[GONE_WHY + 1];
	int n;

	if (meta < 0)
		return -1;
	hex_encode(hex, HASH_BYTES(*digest));
	/* the tombstone first: a fall in between leaves no way back in */
	if (why != NULL) {
		n = snprintf(line, sizeof(line), "%.*s\n", GONE_WHY - 2, why);
		(void)snprintf(name, sizeof(name), "%s.gone", hex);
		if (file_replace(meta, name, line, (size_t)n, 0644) < 0)
			return -1;
	}
	/* then the record: no node takes it for one that is here any more */
	if (unlink_if(meta, hex, "") < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "roots/%s", hex);
	if (move_away(dir, name) < 0)
		return -1;
	return unlink_if(meta, hex, ".files") < 0 ||
	    unlink_if(meta, hex, ".parts") < 0 ||
	    unlink_if(meta, hex, ".about") < 0 ? -1 : 0;
}

bool
store_buried(int dir, const struct id32 *digest, char why[GONE_WHY])
{
	_cleanup_fd_ int meta = open_meta(dir);
	_cleanup_free_ char *text = NULL;
	char hex[65], name[80];
	size_t len;

	if (meta < 0)
		return false;
	hex_encode(hex, HASH_BYTES(*digest));
	(void)snprintf(name, sizeof(name), "%s.gone", hex);
	text = file_load(meta, name, 4096, &len);
	if (text == NULL) {
		/* one that cannot be read stands all the same */
		(void)snprintf(why, GONE_WHY, "its tombstone cannot be read");
		return errno != ENOENT;
	}
	text[strcspn(text, "\n")] = '\0';
	(void)text_printable(why, GONE_WHY, text, strlen(text));
	return true;
}

int
store_each_root(int dir, bool (*fn)(void *, const struct id32 *), void *ctx)
{
	DIR *d = dir_take(openat(dir, "roots", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW));
	struct dirent *de;
	struct id32 id;

	if (d == NULL)
		return errno == ENOENT ? 0 : -1;
	while ((de = readdir(d)) != NULL)
		if (hex_decode(HASH_BYTES(id), de->d_name,
			strlen(de->d_name)) && !fn(ctx, &id))
			break;
	(void)closedir(d);
	return 0;
}
