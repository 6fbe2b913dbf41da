/* SPDX-License-Identifier: BSD-2-Clause */
/* An image comes into the store: store.h. */
#define _GNU_SOURCE
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/filelist.h"
#include "audit/integrity_walk.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/image/share.h"
#include "sandbox/image/store.h"
#include "sandbox/plan/about.h"
#include "trust/doc/digest.h"

#include "common/libc.h"

struct adopt {
	const uint8_t *record;
	const char *list, *about;
	size_t record_len, list_len, about_len;
};

static bool
differs(void *ctx, const char *path, enum walk_diff what)
{
	(void)path;
	(void)what;
	*(bool *)ctx = true;
	return false;
}

/* Are the files of roots/DIGEST those of the list? */
static bool
as_listed(int dir, const char *root, const char *list, size_t len)
{
	bool other = false;
	struct walk w = {.ctx = &other, .differs = differs,
	    .now = clock_wall_us() / 1000000};
	_cleanup_fd_ int fd = openat(dir, root, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && walk_check(&w, fd, (const uint8_t *)list, len) == 0 &&
	    !other;
}

/* The list that hand has written; free it. */
static char *
new_list(int dir, const char *tmp, size_t *len)
{
	_cleanup_fd_ int at = openat(dir, tmp, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW);
	char *list = at < 0 ? NULL : file_load(at, "files",
	    FILELIST_BYTES_MAX, len);
	uint32_t entries;

	if (list == NULL || filelist_check((const uint8_t *)list, *len,
	    &entries))
		return list;
	free(list);
	errno = EINVAL;
	return NULL;
}

/* What hand says of it beside its files, if it can be read; free it. */
static char *
new_about(int work, const struct image_record *r, size_t *len)
{
	char *text = file_load(work, "about", IMAGE_ABOUT_MAX, len);
	static struct image_about a;

	if (text == NULL || (image_about_parse((const uint8_t *)text, *len,
	    &a) && id32_eq(&a.digest, &r->digest)))
		return text;
	free(text);
	errno = EINVAL;
	return NULL;
}

/* What is kept of an image beside its files. */
#define METAS 3
static void
metas_of(const struct adopt *a, const char *suffix[METAS],
    const void *data[METAS], size_t len[METAS])
{
	/* the record last: with it the image is here */
	suffix[0] = ".files";
	data[0] = a->list;
	len[0] = a->list_len;
	suffix[1] = ".about";
	data[1] = a->about;
	len[1] = a->about_len;
	suffix[2] = "";
	data[2] = a->record;
	len[2] = a->record_len;
}

static bool
is_same(int meta, const char *name, const void *data, size_t len)
{
	size_t n;
	_cleanup_free_ char *text = file_load(meta, name, FILELIST_BYTES_MAX,
	    &n);

	return text != NULL && n == len && memcmp(text, data, len) == 0;
}

/* Are they there as they are to be? */
static bool
has_meta(int meta, const char *hex, const struct adopt *a)
{
	const char *suffix[METAS];
	const void *data[METAS];
	size_t len[METAS];
	char name[80];

	metas_of(a, suffix, data, len);
	for (size_t i = 0; i < METAS; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", hex, suffix[i]);
		if (!is_same(meta, name, data[i], len[i]))
			return false;
	}
	return true;
}

/* In the import's own folder, for one sync of all that it has. */
static int
write_meta(int work, const struct adopt *a)
{
	const char *suffix[METAS];
	const void *data[METAS];
	size_t len[METAS];
	char name[16];

	metas_of(a, suffix, data, len);
	for (size_t i = 0; i < METAS; i++) {
		_cleanup_fd_ int fd = -1;

		(void)snprintf(name, sizeof(name), "meta%s", suffix[i]);
		if (unlinkat(work, name, 0) < 0 && errno != ENOENT)
			return -1;
		fd = openat(work, name, O_WRONLY | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 || write_full(fd, data[i], len[i]) < 0 ||
		    fchmod(fd, 0644) < 0)
			return -1;
	}
	return 0;
}

static int
put_meta(int work, int meta, const char *hex, const struct adopt *a)
{
	const char *suffix[METAS];
	const void *data[METAS];
	size_t len[METAS];
	char from[16], to[80];

	metas_of(a, suffix, data, len);
	for (size_t i = 0; i < METAS; i++) {
		(void)snprintf(from, sizeof(from), "meta%s", suffix[i]);
		(void)snprintf(to, sizeof(to), "%s%s", hex, suffix[i]);
		if (renameat(work, from, meta, to) < 0)
			return -1;
	}
	(void)fsync(meta); /* some file systems cannot, and that is no loss */
	return 0;
}

/*
 * Beside the others first, without its write bit, then by one rename: a root
 * that has its name is whole. One that lay there goes where work is.
 */
static int
put_root(int dir, const char *tmp, const char *to, bool here)
{
	char from[48], beside[48], old[48];

	(void)snprintf(from, sizeof(from), "%s/root", tmp);
	(void)snprintf(beside, sizeof(beside), "roots/" STORE_BESIDE "%s",
	    tmp + strcspn(tmp, "-") + 1);
	/* a folder without a write bit moves only within its parent */
	if (fchmodat(dir, from, 0755, 0) < 0 ||
	    renameat(dir, from, dir, beside) < 0 ||
	    fchmodat(dir, beside, 0555, 0) < 0)
		return -1;
	if (!here)
		return renameat(dir, beside, dir, to);
	if (renameat2(dir, beside, dir, to, RENAME_EXCHANGE) < 0)
		return -1;
	(void)snprintf(old, sizeof(old), "%s/old", tmp);
	return fchmodat(dir, beside, 0755, 0) < 0 ? -1 :
	    renameat(dir, beside, dir, old);
}

/*
 * What others need of it, when hand was to keep it: of hand's until here. One
 * that was there is of the same bytes.
 */
static int
put_parts(int work, int meta, const char *hex)
{
	_cleanup_fd_ int fd = openat(work, "parts", O_RDONLY | O_NOFOLLOW |
	    O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char to[80];

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	(void)snprintf(to, sizeof(to), "%s.parts", hex);
	if (fchown(fd, geteuid(), getegid()) < 0 || fchmod(fd, 0444) < 0 ||
	    fsync(fd) < 0)
		return -1;
	return renameat(work, "parts", meta, to);
}

int
store_adopt(int dir, const char *tmp, const uint8_t *record, size_t len,
    struct store_adopted *out)
{
	_cleanup_fd_ int work = openat(dir, tmp, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW);
	_cleanup_fd_ int root = work < 0 ? -1 : openat(work, "root", O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_fd_ int meta = openat(dir, "meta", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ char *list = NULL, *about = NULL;
	struct adopt a = {.record = record, .record_len = len};
	char to[80], hex[65];
	struct image_record r;
	struct stat st;
	bool put;

	memset(out, 0, sizeof(*out));
	if (root < 0 || meta < 0)
		return -1;
	if (!image_record_parse(record, len, &r)) {
		errno = EINVAL;
		return -1;
	}
	if ((a.list = list = new_list(dir, tmp, &a.list_len)) == NULL ||
	    (a.about = about = new_about(work, &r, &a.about_len)) == NULL)
		return -1;
	digest_of(&out->list, list, a.list_len);
	hex_encode(hex, HASH_BYTES(r.digest));
	(void)snprintf(to, sizeof(to), "roots/%s", hex);
	out->here = fstatat(dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0;
	out->mended = out->here && !as_listed(dir, to, list, a.list_len);
	(void)store_leftovers(dir, false);
	put = !out->here || out->mended;
	if (!put && has_meta(meta, hex, &a))
		return put_parts(work, meta, hex);
	if (put && share_root(dir, work, root, (const uint8_t *)list,
	    a.list_len, &out->shared) < 0)
		return -1;
	/* a name names whole files only, also after a power cut */
	if (write_meta(work, &a) < 0 || syncfs(work) < 0 ||
	    put_meta(work, meta, hex, &a) < 0)
		return -1;
	if (put && put_root(dir, tmp, to, out->here) < 0)
		return -1;
	return put_parts(work, meta, hex);
}
