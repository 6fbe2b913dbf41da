/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/image/store.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/filelist.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/plan/lsm.h"

#define NAMES "names"
#define LOCK "names.lock"
#define STORE_LOCK "store.lock"
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

/* Of "NAME[:TAG]", the NAME; a registry in front of it may have a port. */
static size_t
name_len(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash == NULL ? name : slash;

	return (size_t)(last - name) + strcspn(last, ":");
}

static bool
name_chars_ok(const char *name, size_t n)
{
	const char *colon = memchr(name, ':', n);
	size_t port = colon == NULL ? n : (size_t)(colon - name), digits = 0;

	/* HOST:PORT/ stands in front alone */
	if (colon != NULL) {
		digits = strspn(colon + 1, "0123456789");
		if (digits < 1 || digits > 5 || colon[1 + digits] != '/' ||
		    memchr(name, '/', port) != NULL)
			return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (i >= port && i <= port + digits)
			continue;
		if (!name_char(name[i], i == 0) ||
		    (i > 0 && name[i] == '/' && name[i - 1] == '/'))
			return false;
	}
	return n > 0 && name[n - 1] != '/' && (colon == NULL || port > 0);
}

bool
store_name_ok(const char *name, char out[STORE_NAME_MAX + 1])
{
	size_t len = strnlen(name, STORE_NAME_MAX + 1), n;
	const char *tag;

	if (len == 0 || len > STORE_NAME_MAX)
		return false;
	n = name_len(name);
	tag = name[n] == ':' ? name + n + 1 : "latest";
	if (n + 1 + strlen(tag) > STORE_NAME_MAX || tag[0] == '\0' ||
	    strlen(tag) > TAG_MAX || !name_chars_ok(name, n))
		return false;
	for (size_t i = 0; tag[i] != '\0'; i++)
		if (!tag_char(tag[i], i == 0))
			return false;
	(void)snprintf(out, STORE_NAME_MAX + 1, "%.*s:%s", (int)n, name, tag);
	return true;
}

/*
 * One line of the names file, the last one maybe without its end; advances *p.
 * false: malformed.
 */
static bool
next_name(char **p, char **name, struct id32 *digest)
{
	char *line = *p, *end = line + strcspn(line, "\n"), *space;

	*p = *end == '\0' ? end : end + 1;
	*end = '\0';
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
	if (text != NULL && strlen(text) != len) {
		free(text);
		errno = EBADMSG;
		return NULL;
	}
	return text;
}

const char *
store_why(int err)
{
	return err == EBADMSG ? "a line of the file " NAMES " is not NAME:TAG "
	    "and 64 digits" : strerror(err);
}

int
store_each(int dir, bool (*fn)(void *, const char *, const struct id32 *),
    void *ctx)
{
	char *text = load_names(dir), *p = text, *name;
	struct id32 digest;
	int rv = 0;

	if (text == NULL)
		return -1;
	for (bool on = true; on && rv == 0 && *p != '\0';) {
		if (next_name(&p, &name, &digest))
			on = fn(ctx, name, &digest);
		else
			rv = -1;
	}
	free(text);
	if (rv < 0)
		errno = EBADMSG;
	return rv;
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

/* "sha256:HEX", or a name with "@sha256:HEX" behind it: then that counts. */
static bool
is_digest(const char *name, struct id32 *digest, bool *ok)
{
	char left[STORE_NAME_MAX + 1], full[STORE_NAME_MAX + 1];
	const char *at = strchr(name, '@');
	const char *hex = at == NULL ? name : at + 1;

	if (strncmp(hex, "sha256:", 7) != 0)
		return false;
	*ok = hex_decode(HASH_BYTES(*digest), hex + 7, strlen(hex + 7));
	if (at != NULL && *ok) {
		(void)snprintf(left, sizeof(left), "%.*s", (int)MIN_OF(at -
		    name, STORE_NAME_MAX), name);
		*ok = store_name_ok(left, full);
	}
	return true;
}

int
store_resolve(int dir, const char *name, struct id32 *digest)
{
	char full[STORE_NAME_MAX + 1], path[80];
	struct lookup l = {.name = full};
	struct stat st;
	bool ok = false;

	if (!is_digest(name, &l.digest, &ok))
		ok = store_name_ok(name, full);
	else
		l.found = true;
	if (!ok) {
		errno = EINVAL;
		return -1;
	}
	if (!l.found) {
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
store_label(int dir)
{
	char path[32];

	if (access("/sys/fs/selinux/enforce", F_OK) < 0)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	return setxattr(path, "security.selinux", SELINUX_IMAGE,
	    sizeof(SELINUX_IMAGE), 0);
}

int
store_make(int dir)
{
	static const char *const folders[] = {"roots", "meta"};

	/* where it is refused no job may read its image: warrend says so */
	(void)store_label(dir);
	for (size_t i = 0; i < NELEM(folders); i++) {
		if (mkdirat(dir, folders[i], 0755) < 0 && errno != EEXIST)
			return -1;
		/* jobs' ids walk through it, whatever the umask */
		if (fchmodat(dir, folders[i], 0755, 0) < 0)
			return -1;
	}
	return 0;
}

int
store_lock(int dir)
{
	_cleanup_fd_ int fd = openat(dir, STORE_LOCK, O_CREAT | O_RDWR |
	    O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -1;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -1;
	return steal_fd(&fd);
}

struct rewrite {
	FILE *f;
	const char *skip;
	struct id32 was; /* what it meant */
	bool had;
	unsigned left; /* other names of that */
};

static bool
copy_name(void *ctx, const char *name, const struct id32 *digest)
{
	struct rewrite *w = ctx;
	char hex[65];

	hex_encode(hex, HASH_BYTES(*digest));
	if (strcmp(name, w->skip) == 0) {
		w->was = *digest;
		w->had = true;
	} else {
		(void)fprintf(w->f, "%s %s\n", name, hex);
	}
	return true;
}

static bool
count_name(void *ctx, const char *name, const struct id32 *digest)
{
	struct rewrite *w = ctx;

	if (strcmp(name, w->skip) != 0 && id32_eq(digest, &w->was))
		w->left++;
	return true;
}

/* All names but this one, and this one as what it is to mean, if anything. */
static int
rewrite_names(int dir, const char *full, const struct id32 *digest,
    struct rewrite *w)
{
	_cleanup_fd_ int lock = openat(dir, LOCK, O_CREAT | O_RDWR | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	char hex[65], *text = NULL;
	size_t len = 0;
	int rv;

	w->skip = full;
	if (lock < 0 || flock(lock, LOCK_EX) < 0 ||
	    (w->f = open_memstream(&text, &len)) == NULL)
		return -1;
	rv = store_each(dir, copy_name, w);
	if (rv == 0 && w->had)
		rv = store_each(dir, count_name, w);
	if (digest != NULL) {
		hex_encode(hex, HASH_BYTES(*digest));
		(void)fprintf(w->f, "%s %s\n", full, hex);
	}
	if (fclose(w->f) != 0)
		rv = -1;
	if (rv == 0 && (digest != NULL || w->had))
		rv = file_replace(dir, NAMES, text, len, 0644);
	free(text);
	return rv;
}

int
store_set_name(int dir, const char *name, const struct id32 *digest)
{
	char full[STORE_NAME_MAX + 1];
	struct rewrite w = {.left = 0};

	if (!store_name_ok(name, full)) {
		errno = EINVAL;
		return -1;
	}
	return rewrite_names(dir, full, digest, &w);
}

int
store_drop_name(int dir, const char *name, struct id32 *was, unsigned *left)
{
	char full[STORE_NAME_MAX + 1];
	struct rewrite w = {.left = 0};

	if (!store_name_ok(name, full)) {
		errno = EINVAL;
		return -1;
	}
	if (rewrite_names(dir, full, NULL, &w) < 0)
		return -1;
	if (!w.had) {
		errno = ENOENT;
		return -1;
	}
	*was = w.was;
	*left = w.left;
	return 0;
}

/* ---- what is in it ---- */

char *
store_list(int dir, const struct id32 *digest, size_t *len)
{
	_cleanup_fd_ int meta = openat(dir, "meta", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW);
	char hex[65], name[80], *list;
	uint32_t entries;

	hex_encode(hex, HASH_BYTES(*digest));
	(void)snprintf(name, sizeof(name), "%s.files", hex);
	list = meta < 0 ? NULL : file_load(meta, name, FILELIST_BYTES_MAX,
	    len);
	if (list == NULL || filelist_check((const uint8_t *)list, *len,
	    &entries))
		return list;
	free(list);
	errno = EINVAL;
	return NULL;
}
