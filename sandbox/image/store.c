/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "sandbox/image/store.h"

#include <sys/file.h>
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
#include "common/file.h"
#include "common/util.h"
#include "trust/doc/digest.h"

#include "common/libc.h"

#define NAMES "names"
#define LOCK "names.lock"
#define TAG_MAX 128

static bool
name_char(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return true;
	return !first && (c == '.' || c == '_' || c == '-' || c == '/');
}

static bool
tag_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' ||
	    (!first && (c == '.' || c == '-'));
}

bool
store_name_ok(const char *name, char out[STORE_NAME_MAX + 1])
{
	size_t len = strnlen(name, STORE_NAME_MAX + 1), n;
	const char *tag;

	n = strcspn(name, ":");
	tag = name[n] == ':' ? name + n + 1 : "latest";
	if (len == 0 || n == 0 || n + 1 + strlen(tag) > STORE_NAME_MAX ||
	    tag[0] == '\0' || strlen(tag) > TAG_MAX || name[n - 1] == '/')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!name_char(name[i], i == 0) ||
		    (i > 0 && name[i] == '/' && name[i - 1] == '/'))
			return false;
	for (size_t i = 0; tag[i] != '\0'; i++)
		if (!tag_char(tag[i], i == 0))
			return false;
	(void)snprintf(out, STORE_NAME_MAX + 1, "%.*s:%s", (int)n, name, tag);
	return true;
}

/* One line of the names file; advances *p. false: the end, or malformed. */
static bool
next_name(char **p, char **name, struct id32 *digest)
{
	char *line = *p, *end = strchr(line, '\n'), *space;

	if (end == NULL)
		return false;
	*end = '\0';
	*p = end + 1;
	space = strchr(line, ' ');
	if (space == NULL ||
	    !hex_decode(HASH_BYTES(*digest), space + 1, strlen(space + 1)))
		return false;
	*space = '\0';
	*name = line;
	return true;
}

static char *
load_names(int dir)
{
	size_t len;
	char *text = file_load(dir, NAMES, STORE_NAMES_MAX, &len);

	if (text == NULL && errno == ENOENT)
		return strdup("");
	return text;
}

int
store_each(int dir, bool (*fn)(void *, const char *, const struct id32 *),
    void *ctx)
{
	char *text = load_names(dir), *p = text, *name;
	struct id32 digest;

	if (text == NULL)
		return -1;
	while (next_name(&p, &name, &digest))
		if (!fn(ctx, name, &digest))
			break;
	free(text);
	return 0;
}

struct lookup {
	const char *name;
	struct id32 digest;
	bool found;
};

static bool
look(void *ctx, const char *name, const struct id32 *digest)
{
	struct lookup *l = ctx;

	if (strcmp(name, l->name) != 0)
		return true;
	l->digest = *digest;
	l->found = true;
	return false;
}

static void
place(char *out, size_t cap, const char *folder, const struct id32 *digest)
{
	char hex[65];

	hex_encode(hex, HASH_BYTES(*digest));
	(void)snprintf(out, cap, "%s/%s", folder, hex);
}

int
store_resolve(int dir, const char *name, struct id32 *digest)
{
	char full[STORE_NAME_MAX + 1], path[80];
	struct lookup l = {.name = full};
	struct stat st;

	if (strncmp(name, "sha256:", 7) == 0) {
		if (!hex_decode(HASH_BYTES(l.digest), name + 7,
		    strlen(name + 7))) {
			errno = EINVAL;
			return -1;
		}
	} else {
		if (!store_name_ok(name, full)) {
			errno = EINVAL;
			return -1;
		}
		if (store_each(dir, look, &l) < 0)
			return -1;
		if (!l.found) {
			errno = ENOENT;
			return -1;
		}
	}
	*digest = l.digest;
	place(path, sizeof(path), "roots", &l.digest);
	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -1 : 0;
}

int
store_record(int dir, const struct id32 *digest, uint8_t *buf,
    struct image_record *r)
{
	_cleanup_fd_ int meta = openat(dir, "meta", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW);
	char hex[65];
	ssize_t n;

	hex_encode(hex, HASH_BYTES(*digest));
	n = meta < 0 ? -1 : file_read(meta, hex, buf, IMAGE_RECORD_MAX);
	if (n < 0)
		return -1;
	if (!image_record_parse(buf, (size_t)n, r) ||
	    !id32_eq(&r->digest, digest)) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

int
store_make(int dir)
{
	static const char *const folders[] = {"roots", "meta"};

	for (size_t i = 0; i < NELEM(folders); i++) {
		if (mkdirat(dir, folders[i], 0755) < 0 && errno != EEXIST)
			return -1;
		/* jobs' ids walk through it, whatever the umask */
		if (fchmodat(dir, folders[i], 0755, 0) < 0)
			return -1;
	}
	return 0;
}

struct rewrite {
	FILE *f;
	const char *skip;
};

static bool
copy_name(void *ctx, const char *name, const struct id32 *digest)
{
	struct rewrite *w = ctx;
	char hex[65];

	hex_encode(hex, HASH_BYTES(*digest));
	if (strcmp(name, w->skip) != 0)
		(void)fprintf(w->f, "%s %s\n", name, hex);
	return true;
}

int
store_set_name(int dir, const char *name, const struct id32 *digest)
{
	_cleanup_fd_ int lock = openat(dir, LOCK, O_CREAT | O_RDWR | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	char full[STORE_NAME_MAX + 1], hex[65], *text = NULL;
	struct rewrite w = {.skip = full};
	size_t len = 0;
	int rv;

	if (!store_name_ok(name, full)) {
		errno = EINVAL;
		return -1;
	}
	if (lock < 0 || flock(lock, LOCK_EX) < 0 ||
	    (w.f = open_memstream(&text, &len)) == NULL)
		return -1;
	rv = store_each(dir, copy_name, &w);
	hex_encode(hex, HASH_BYTES(*digest));
	(void)fprintf(w.f, "%s %s\n", full, hex);
	if (fclose(w.f) != 0)
		rv = -1;
	if (rv == 0)
		rv = file_replace(dir, NAMES, text, len, 0644);
	free(text);
	return rv;
}

/* ---- what is in it ---- */

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
	struct walk w = {.ctx = &other, .differs = differs};
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

/* In the place of files that are not what they should be. */
static int
exchange(int dir, const char *from, const char *to)
{
	/* a folder without a write bit moves only within its parent */
	if (fchmodat(dir, to, 0755, 0) < 0 ||
	    renameat2(dir, from, dir, to, RENAME_EXCHANGE) < 0)
		return -1;
	return 0;
}

int
store_adopt(int dir, const char *tmp, const uint8_t *record, size_t len,
    bool *mended, struct id32 *sum)
{
	_cleanup_fd_ int meta = openat(dir, "meta", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ char *list = NULL;
	char from[80], to[80], hex[65], files[80];
	struct image_record r;
	struct stat st;
	bool here;
	size_t n;

	*mended = false;
	if (meta < 0)
		return -1;
	if (!image_record_parse(record, len, &r)) {
		errno = EINVAL;
		return -1;
	}
	if ((list = new_list(dir, tmp, &n)) == NULL)
		return -1;
	digest_of(sum, list, n);
	(void)snprintf(from, sizeof(from), "%s/root", tmp);
	place(to, sizeof(to), "roots", &r.digest);
	hex_encode(hex, HASH_BYTES(r.digest));
	(void)snprintf(files, sizeof(files), "%s.files", hex);
	here = fstatat(dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0;
	*mended = here && !as_listed(dir, to, list, n);
	if (file_replace(meta, files, list, n, 0644) < 0 ||
	    file_replace(meta, hex, record, len, 0644) < 0)
		return -1;
	if (here)
		return *mended ? exchange(dir, from, to) : 0;
	return renameat(dir, from, dir, to);
}
