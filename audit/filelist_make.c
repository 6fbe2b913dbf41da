/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "audit/filelist_make.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/filelist.h"
#include "audit/filesum_read.h"
#include "common/beneath.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

/* Texts, owned. */
struct names {
	char **v;
	size_t n, cap;
};

/* A file of several names, which is read once. */
struct twin {
	RB_ENTRY(twin) by_ino;
	dev_t dev;
	ino_t ino;
	uint32_t left; /* names that were not met yet */
	struct id32 sum;
};

static int
ino_order(const struct twin *a, const struct twin *b)
{
	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	return a->ino < b->ino ? -1 : a->ino > b->ino;
}

RB_HEAD(twin_tree, twin);
TREE_PROTOTYPE(twin_tree, twin, by_ino, ino_order)
TREE_GENERATE(twin_tree, twin, by_ino, ino_order)

struct maker {
	int root, out;
	struct twin_tree twins;
	bool plain; /* this file system keeps no digests */
	struct names folders; /* in the order of their blocks */
	uint8_t buf[65536];
	struct wr w;
	uint64_t written;
};

static int
names_add(struct names *s, char *text)
{
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
		char **v = reallocarray(s->v, cap, sizeof(*v));

		if (v == NULL) {
			free(text);
			return -1;
		}
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = text;
	return text == NULL ? -1 : 0;
}

static void
names_clear(struct names *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct names){0};
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What a folder names, sorted; fd is taken. */
static int
read_names(struct names *s, int fd)
{
	DIR *d = dir_take(fd);
	struct dirent *de;

	if (d == NULL)
		return -1;
	while (errno = 0, (de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0 &&
		    names_add(s, strdup(de->d_name)) < 0)
			break;
	if (errno != 0 || de != NULL) {
		(void)closedir(d);
		return -1;
	}
	(void)closedir(d);
	if (s->n > 0)
		qsort(s->v, s->n, sizeof(*s->v), by_bytes);
	return 0;
}

static int
flush(struct maker *m)
{
	m->written += m->w.len;
	if (m->written > FILELIST_BYTES_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (write_full(m->out, m->buf, m->w.len) < 0)
		return -1;
	m->w = wr_make(m->buf, sizeof(m->buf));
	return 0;
}

/* By fs-verity, where it is; to switch it on its owner must be let write. */
static bool
keep(struct maker *m, int fd, const struct stat *st, struct id32 *out)
{
	const mode_t mode = st->st_mode & 07777;

	if (m->plain || fchmod(fd, mode | S_IWUSR) < 0)
		return false;
	/* no room for it, say: the others are kept no more either */
	if (filesum_keep(fd) < 0)
		m->plain = true;
	return fchmod(fd, mode) == 0 && !m->plain && filesum_kept(fd, out);
}

static int
sum(struct maker *m, int dir, const char *name, const struct stat *st,
    struct id32 *out)
{
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat is;

	if (fd < 0 || fstat(fd, &is) < 0)
		return -1;
	if (is.st_ino != st->st_ino || is.st_dev != st->st_dev) {
		errno = ESTALE;
		return -1;
	}
	if (keep(m, fd, &is, out))
		return 0;
	return filesum_read(fd, (uint64_t)is.st_size, NULL, NULL, out);
}

static void
forget(struct maker *m, struct twin *t)
{
	(void)RB_REMOVE(twin_tree, &m->twins, t);
	free(t);
}

/* A gigabyte with a thousand names in an image is one to read, no thousand. */
static int
sum_once(struct maker *m, int dir, const char *name, const struct stat *st,
    struct id32 *out)
{
	struct twin *t, want = {.dev = st->st_dev, .ino = st->st_ino};

	if (st->st_nlink < 2)
		return sum(m, dir, name, st, out);
	t = RB_FIND(twin_tree, &m->twins, &want);
	if (t == NULL) {
		if (sum(m, dir, name, st, out) < 0 ||
		    (t = malloc(sizeof(*t))) == NULL)
			return -1;
		*t = want;
		t->left = (uint32_t)st->st_nlink;
		t->sum = *out;
		(void)RB_INSERT(twin_tree, &m->twins, t);
	}
	*out = t->sum;
	if (--t->left == 0)
		forget(m, t);
	return 0;
}

static int
entry(struct maker *m, int dir, const char *name, const char *path)
{
	static char link[FILELIST_LINK + 1];
	struct filelist_entry e = {.name = (const uint8_t *)name,
	    .name_len = (uint8_t)strlen(name)};
	struct stat st;
	ssize_t n;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	e.mode = st.st_mode & 07777;
	if (S_ISDIR(st.st_mode)) {
		e.type = 'd';
		if (names_add(&m->folders, strdup(path)) < 0)
			return -1;
	} else if (S_ISREG(st.st_mode)) {
		e.type = 'f';
		e.links = (uint32_t)st.st_nlink;
		e.size = (uint64_t)st.st_size;
		/* what nobody may read has no digest */
		if ((st.st_mode & 0444) != 0 &&
		    sum_once(m, dir, name, &st, &e.sum) < 0)
			return -1;
	} else if (S_ISLNK(st.st_mode)) {
		n = readlinkat(dir, name, link, sizeof(link));
		if (n < 0 || (size_t)n == sizeof(link))
			return -1;
		e.type = 'l';
		e.mode = FILELIST_LINK_MODE;
		e.link = (const uint8_t *)link;
		e.link_len = (uint16_t)n;
	} else {
		errno = EINVAL;
		return -1;
	}
	if (m->w.cap - m->w.len < FILELIST_ENTRY_MAX && flush(m) < 0)
		return -1;
	filelist_put(&m->w, &e);
	return 0;
}

static int
block(struct maker *m, const char *folder, char *path, size_t cap)
{
	struct names in = {0};
	_cleanup_fd_ int dir = beneath_open(m->root, folder, O_RDONLY |
	    O_DIRECTORY);
	int copy = dir < 0 ? -1 : fcntl(dir, F_DUPFD_CLOEXEC, 3);
	int rv = copy < 0 ? -1 : read_names(&in, copy);

	(void)snprintf(path, cap, "%s", folder);
	if (rv == 0 && m->w.cap - m->w.len < FILELIST_ENTRY_MAX)
		rv = flush(m);
	if (rv == 0)
		wr_u32(&m->w, (uint32_t)in.n);
	for (size_t i = 0; rv == 0 && i < in.n; i++) {
		int n = snprintf(path, cap, "%s%s%s", folder,
		    folder[0] == '\0' ? "" : "/", in.v[i]);

		if (n < 0 || (size_t)n >= cap) {
			errno = ENAMETOOLONG;
			rv = -1;
		} else {
			rv = entry(m, dir, in.v[i], path);
		}
	}
	names_clear(&in);
	return rv;
}

int
filelist_make(int root, int out, char *path, size_t cap)
{
	static struct maker m;
	int rv, err;

	m = (struct maker){.root = root, .out = out};
	m.w = wr_make(m.buf, sizeof(m.buf));
	wr_bytes(&m.w, FILELIST_MAGIC, 4);
	rv = names_add(&m.folders, strdup(""));
	for (size_t i = 0; rv == 0 && i < m.folders.n; i++)
		rv = block(&m, m.folders.v[i], path, cap);
	if (rv == 0)
		rv = flush(&m);
	err = errno;
	while (!RB_EMPTY(&m.twins))
		forget(&m, RB_ROOT(&m.twins));
	names_clear(&m.folders);
	errno = err;
	return rv;
}
