/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "sandbox/image/share.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "audit/filesum_read.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/image/listed.h"

#include "common/libc.h"

#define FILES "files"
#define COPIES_MAX 64 /* equal files of one image that are shared */
#define SHELVES 256   /* folders of FILES, by the first byte of a key */
#define LINK "link"   /* in the import's own folder */
#define XATTRS_MAX 256

/* How often a key was met in this image. */
struct seen {
	RB_ENTRY(seen) by_key;
	struct id32 key;
	uint32_t times;
};
/* A file of several names: what became of the first one. */
struct twin {
	RB_ENTRY(twin) by_ino;
	ino_t ino;
	char place[96]; /* beneath FILES; "": it is not shared */
};

static int
key_order(const struct seen *a, const struct seen *b)
{
	return memcmp(a->key.b, b->key.b, sizeof(a->key.b));
}

static int
ino_order(const struct twin *a, const struct twin *b)
{
	return a->ino < b->ino ? -1 : a->ino > b->ino;
}

RB_HEAD(seen_tree, seen);
TREE_PROTOTYPE(seen_tree, seen, by_key, key_order)
TREE_GENERATE(seen_tree, seen, by_key, key_order)
RB_HEAD(twin_tree, twin);
TREE_PROTOTYPE(twin_tree, twin, by_ino, ino_order)
TREE_GENERATE(twin_tree, twin, by_ino, ino_order)

struct share {
	int files, work;
	int shelf[SHELVES]; /* opened as they are needed, else -1 */
	bool open; /* the folder at hand may be changed */
	struct seen_tree seen;
	struct twin_tree twins;
	uint64_t here;
};

/* ---- one file ---- */

static struct id32
key_of(const struct filelist_entry *e, const struct stat *st)
{
	uint8_t more[12];
	struct sha256_ctx c;
	struct id32 key;

	put_u32(more, e->mode);
	put_u32(more + 4, (uint32_t)((uint64_t)st->st_mtim.tv_sec >> 32));
	put_u32(more + 8, (uint32_t)st->st_mtim.tv_sec);
	sha256_init(&c);
	sha256_update(&c, sizeof(e->sum.b), e->sum.b);
	sha256_update(&c, sizeof(more), more);
	sha256_digest(&c, sizeof(key.b), key.b);
	return key;
}

/* Its bytes are read, or asked for of fs-verity; nobody writes to it. */
static bool
is_content(int fd, const struct filelist_entry *e)
{
	struct id32 sum;

	if (!filesum_kept(fd, &sum) &&
	    filesum_read(fd, e->size, NULL, NULL, &sum) != 0)
		return false;
	return id32_eq(&sum, &e->sum);
}

/* Attributes would go along to other images; a label is the system's. */
static bool
is_bare(int fd)
{
	char names[XATTRS_MAX];
	ssize_t n = flistxattr(fd, names, sizeof(names));

	if (n < 0)
		return errno == ENOTSUP;
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1)
		if (strcmp(names + i, "security.selinux") != 0)
			return false;
	return true;
}

/* What is to be shared: content that anybody may read and nobody change. */
static bool
is_worth(const struct filelist_entry *e)
{
	return e->size > 0 && (e->mode & 0444) != 0 && (e->mode & ~0555) == 0;
}

static int
open_file(int dir, const char *name, struct stat *st)
{
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, st) < 0)
		return -1;
	return steal_fd(&fd);
}

static bool
alike(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_uid == b->st_uid &&
	    a->st_gid == b->st_gid && a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_dev == b->st_dev;
}

/* ---- where shared ones lie ---- */

static int
shelf_of(struct share *s, uint8_t first)
{
	char name[3];

	if (s->shelf[first] < 0) {
		hex_encode(name, &first, 1);
		s->shelf[first] = dir_open(s->files, name, true, 0700);
	}
	return s->shelf[first];
}

/* The how manieth file of this content and kind is it, in this image? */
static int
times(struct share *s, const struct id32 *key, uint32_t *n)
{
	struct seen *a = calloc(1, sizeof(*a)), *b;

	if (a == NULL)
		return -1;
	a->key = *key;
	if ((b = RB_INSERT(seen_tree, &s->seen, a)) != NULL) {
		free(a);
		a = b;
	}
	*n = a->times++;
	return 0;
}

/* A folder without a write bit is given one while it is changed. */
static int
open_folder(struct share *s, int dir)
{
	if (!s->open && fchmod(dir, 0755) < 0)
		return -1;
	s->open = true;
	return 0;
}

static int
close_folder(void *ctx, int dir)
{
	struct share *s = ctx;

	if (s->open && fchmod(dir, 0555) < 0)
		return -1;
	s->open = false;
	return 0;
}

/*
 * dir/name becomes a name of the shared file. 1: it keeps its own, since that
 * one has as many as there can be, or has just gone.
 */
static int
become(struct share *s, int shelf, const char *place, int dir,
    const char *name)
{
	(void)unlinkat(s->work, LINK, 0);
	if (linkat(shelf, place, s->work, LINK, 0) < 0)
		return errno == EMLINK || errno == ENOENT ? 1 : -1;
	if (open_folder(s, dir) < 0 ||
	    renameat(s->work, LINK, dir, name) < 0)
		return -1;
	return 0;
}

/* Of content that is as the list has it, and new here. */
static int
add(int shelf, const char *place, int dir, const char *name, int fd,
    const struct filelist_entry *e)
{
	if (!is_content(fd, e)) {
		errno = EINVAL;
		return -1;
	}
	if (!is_bare(fd))
		return 1;
	/* a file system without hard links has each image by itself */
	if (linkat(dir, name, shelf, place, 0) < 0)
		return errno == EPERM || errno == EOPNOTSUPP ||
		    errno == EMLINK ? 1 : -1;
	return 0;
}

/* 0: it is shared, by this name; 1: it is not; -1. */
static int
put_on_shelf(struct share *s, int shelf, const char *place, int dir,
    const char *name, int fd, const struct stat *st,
    const struct filelist_entry *e)
{
	struct stat is;
	_cleanup_fd_ int there = open_file(shelf, place, &is);
	int rv;

	if (there < 0)
		return errno == ENOENT ? add(shelf, place, dir, name, fd,
		    e) : -1;
	if (is.st_ino == st->st_ino && is.st_dev == st->st_dev)
		return 0;
	if (is.st_uid != st->st_uid || is.st_gid != st->st_gid)
		return 1; /* of a store that was filled as somebody else */
	if (!alike(&is, st) || !is_content(there, e)) {
		/* of those who have it an import makes new files */
		if (unlinkat(shelf, place, 0) < 0)
			return -1;
		return add(shelf, place, dir, name, fd, e);
	}
	if ((rv = become(s, shelf, place, dir, name)) == 0)
		s->here += e->size;
	return rv;
}

/* ---- a root ---- */

static int
share_first(struct share *s, int dir, const char *name, int fd,
    const struct stat *st, const struct filelist_entry *e, char place[96])
{
	struct id32 key = key_of(e, st);
	char hex[65];
	uint32_t n;
	int shelf, rv;

	place[0] = '\0';
	if (times(s, &key, &n) < 0)
		return -1;
	if (n >= COPIES_MAX)
		return 0;
	if ((shelf = shelf_of(s, key.b[0])) < 0)
		return -1;
	hex_encode(hex, HASH_BYTES(key));
	if (n == 0)
		(void)snprintf(place, 96, "%s", hex);
	else
		(void)snprintf(place, 96, "%s-%u", hex, n);
	rv = put_on_shelf(s, shelf, place, dir, name, fd, st, e);
	if (rv != 0)
		place[0] = '\0';
	return rv < 0 ? -1 : 0;
}

/* Another name of a file that had its turn. */
static int
share_again(struct share *s, int dir, const char *name, const struct twin *t)
{
	uint8_t first;

	if (t->place[0] == '\0' || !hex_decode(&first, 1, t->place, 2))
		return 0;
	if (shelf_of(s, first) < 0)
		return -1;
	/* EMLINK: one name more than the shared file can have */
	return become(s, s->shelf[first], t->place, dir, name) < 0 ? -1 : 0;
}

static int
share_file(void *ctx, int dir, const char *name,
    const struct filelist_entry *e)
{
	struct share *s = ctx;
	struct twin *t, want;
	struct stat st;
	_cleanup_fd_ int fd = -1;
	char place[96];

	if (!is_worth(e))
		return 0;
	fd = open_file(dir, name, &st);
	if (fd < 0)
		return -1;
	want.ino = st.st_ino;
	if (e->links > 1 && (t = RB_FIND(twin_tree, &s->twins, &want)) != NULL)
		return share_again(s, dir, name, t);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 07777) != e->mode ||
	    (uint64_t)st.st_size != e->size || st.st_nlink != e->links) {
		errno = EINVAL;
		return -1;
	}
	if (share_first(s, dir, name, fd, &st, e, place) < 0)
		return -1;
	if (e->links == 1)
		return 0;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return -1;
	t->ino = st.st_ino;
	memcpy(t->place, place, sizeof(t->place));
	(void)RB_INSERT(twin_tree, &s->twins, t);
	return 0;
}

static void
clear(struct share *s)
{
	struct seen *a;
	struct twin *t;

	while ((a = RB_ROOT(&s->seen)) != NULL) {
		(void)RB_REMOVE(seen_tree, &s->seen, a);
		free(a);
	}
	while ((t = RB_ROOT(&s->twins)) != NULL) {
		(void)RB_REMOVE(twin_tree, &s->twins, t);
		free(t);
	}
	for (unsigned i = 0; i < SHELVES; i++)
		if (s->shelf[i] >= 0)
			(void)close(s->shelf[i]);
}

int
share_root(int dir, int work, int root, const uint8_t *list, size_t len,
    uint64_t *here)
{
	_cleanup_fd_ int files = dir_open(dir, FILES, true, 0700);
	struct share s = {.files = files, .work = work};
	int rv, err;

	if (files < 0)
		return -1;
	memset(s.shelf, -1, sizeof(s.shelf));
	rv = listed_each(root, list, len, share_file, close_folder, &s);
	err = errno;
	clear(&s);
	*here = s.here;
	errno = err;
	return rv;
}

/* ---- what nobody has any more ---- */

static int
drop_in(int shelf, bool dry, uint32_t *files, uint64_t *bytes)
{
	DIR *d = dir_take(fcntl(shelf, F_DUPFD_CLOEXEC, 3));
	struct dirent *de;
	struct stat st;
	int rv = 0;

	if (d == NULL)
		return -1;
	while ((de = readdir(d)) != NULL) {
		if (fstatat(shelf, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode) || st.st_nlink != 1)
			continue;
		if (!dry && unlinkat(shelf, de->d_name, 0) < 0) {
			rv = -1;
			continue;
		}
		++*files;
		*bytes += (uint64_t)st.st_size;
	}
	(void)closedir(d);
	return rv;
}

int
share_drop(int dir, bool dry, uint32_t *files, uint64_t *bytes)
{
	_cleanup_fd_ int at = dir_open(dir, FILES, false, 0);
	char name[3];
	int rv = 0;

	if (at < 0)
		return errno == ENOENT ? 0 : -1;
	for (unsigned i = 0; i < SHELVES; i++) {
		_cleanup_fd_ int shelf = -1;

		hex_encode(name, &(uint8_t){(uint8_t)i}, 1);
		shelf = dir_open(at, name, false, 0);
		if (shelf < 0)
			continue;
		if (drop_in(shelf, dry, files, bytes) < 0)
			rv = -1;
		if (!dry) /* an empty one goes */
			(void)unlinkat(at, name, AT_REMOVEDIR);
	}
	return rv;
}

/* ---- how much is whose ---- */

struct weigh {
	struct twin_tree twins;
	uint64_t alone, shared;
};

static int
weigh_file(void *ctx, int dir, const char *name,
    const struct filelist_entry *e)
{
	struct weigh *w = ctx;
	struct stat st;
	struct twin *t;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (e->links > 1) {
		if ((t = calloc(1, sizeof(*t))) == NULL)
			return -1;
		t->ino = st.st_ino;
		if (RB_INSERT(twin_tree, &w->twins, t) != NULL) {
			free(t);
			return 0;
		}
	}
	/* its names here, and the one of FILES */
	if (st.st_nlink <= (nlink_t)e->links + 1)
		w->alone += e->size;
	else
		w->shared += e->size;
	return 0;
}

int
share_weigh(int root, const uint8_t *list, size_t len, uint64_t *alone,
    uint64_t *shared)
{
	struct weigh w = {.alone = 0};
	int rv = listed_each(root, list, len, weigh_file, NULL, &w);
	struct twin *t;

	while ((t = RB_ROOT(&w.twins)) != NULL) {
		(void)RB_REMOVE(twin_tree, &w.twins, t);
		free(t);
	}
	*alone = w.alone;
	*shared = w.shared;
	return rv;
}
