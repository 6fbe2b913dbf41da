/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/tree.h"

#include <sys/stat.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/tar.h"
#include "common/util.h"

#define READ_CHUNK 65536
#define EMPTY_ROUNDS 1000000

static int
open_beneath(int dir, const char *path, int flags)
{
	flags |= O_CLOEXEC | O_NOFOLLOW;
	if ((flags & O_PATH) == 0)
		flags |= O_NONBLOCK;
	return sys_openat2(dir, path[0] == '\0' ? "." : path, flags,
	    SYS_SAME_MOUNT);
}

static int
fail(struct tree_report *rep, int err, const char *path, const char *why)
{
	char name[160];

	(void)text_escape(name, sizeof(name), path, strlen(path));
	(void)snprintf(rep->why, sizeof(rep->why), "%s%s%.80s", name,
	    name[0] != '\0' ? ": " : "", why);
	errno = err;
	return -1;
}

/* ---- packing ---- */

struct entry {
	char *path;
	char type;
	uint16_t mode;
	uint64_t size;
};

struct pack {
	int dir;
	enum tree_mode mode;
	tree_sink *sink;
	void *arg;
	struct tree_report *rep;
	struct entry *list;
	size_t count, cap;
};

/* Leave it out and go on, or stop here: as the mode says. */
static int
cannot(struct pack *p, int err, enum left_reason reason, const char *path,
    const char *why)
{
	if (p->mode != TREE_DROP)
		return fail(p->rep, err, path, why);
	left_add(&p->rep->left, 0, reason, path, strlen(path));
	return 0;
}

static int
cannot_read(struct pack *p, const char *path)
{
	return cannot(p, errno, LEFT_READ, path, strerror(errno));
}

static enum left_reason
reason_of(enum tar_err err, const char *path)
{
	switch (err) {
	case TAR_ELINK:
		return LEFT_LINK;
	case TAR_ESIZE:
		return LEFT_SIZE;
	case TAR_ENAME:
		for (const char *c = path; *c != '\0'; c++)
			if ((unsigned char)*c < 0x20 || *c == 0x7f)
				return LEFT_NAME;
		return utf8_valid(path, strlen(path)) ? LEFT_PATH : LEFT_NAME;
	default:
		return LEFT_PATH;
	}
}

/* A folder is named with a slash: what is in it is left out with it. */
static int
cannot_pack(struct pack *p, enum tar_err err, char *path,
    const struct stat *st)
{
	enum left_reason reason = reason_of(err, path);
	size_t len = strlen(path);

	if (p->mode == TREE_DROP && S_ISDIR(st->st_mode)) {
		path[len] = '/'; /* look_at() has kept room */
		path[len + 1] = '\0';
	}
	return cannot(p, EINVAL, reason, path, tar_strerror(err));
}

static int
add_entry(struct pack *p, const char *path, const struct stat *st)
{
	struct entry *e;

	if (p->count == TAR_MEMBERS_MAX)
		return fail(p->rep, E2BIG, "", tar_strerror(TAR_EMEMBERS));
	if (p->count == p->cap) {
		size_t cap = p->cap * 2 + 64;

		if ((e = realloc(p->list, cap * sizeof(*e))) == NULL)
			return fail(p->rep, ENOMEM, "", strerror(ENOMEM));
		p->list = e;
		p->cap = cap;
	}
	e = &p->list[p->count];
	e->type = S_ISDIR(st->st_mode) ? TAR_DIR :
	    S_ISLNK(st->st_mode) ? TAR_LINK : TAR_FILE;
	e->mode = st->st_mode & 0777;
	e->size = e->type == TAR_FILE ? (uint64_t)st->st_size : 0;
	if ((e->path = strdup(path)) == NULL)
		return fail(p->rep, ENOMEM, "", strerror(ENOMEM));
	p->count++;
	return 0;
}

static int
look_at(struct pack *p, int fd, const char *folder, const char *name)
{
	char path[TAR_PATH_MAX + 1 + NAME_MAX + 2];
	struct tar_member m;
	uint8_t header[TAR_BLOCK];
	struct stat st;
	enum tar_err err;

	(void)snprintf(path, sizeof(path), "%s%s%s", folder,
	    folder[0] != '\0' ? "/" : "", name);
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot_read(p, path);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) &&
	    !S_ISLNK(st.st_mode) && p->mode == TREE_ROOT) {
		p->rep->dropped++;
		return 0;
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) &&
	    !S_ISLNK(st.st_mode))
		return cannot(p, EINVAL, LEFT_TYPE, path,
		    tar_strerror(TAR_ETYPE));
	if ((err = tar_check_path(path)) != TAR_OK)
		return cannot_pack(p, err, path, &st);
	memset(&m, 0, sizeof(m));
	memcpy(m.path, path, strlen(path) + 1);
	m.any_link = p->mode == TREE_ROOT;
	m.type = S_ISDIR(st.st_mode) ? TAR_DIR : TAR_FILE;
	m.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlinkat(fd, name, m.link, sizeof(m.link));

		if (n < 0)
			return cannot_read(p, path);
		if ((size_t)n == sizeof(m.link))
			return cannot_pack(p, TAR_ELINK, path, &st);
		m.link[n] = '\0';
		m.type = TAR_LINK;
	}
	if ((err = tar_header(header, &m)) != TAR_OK)
		return cannot_pack(p, err, path, &st);
	/* nobody is handed a set-id file (compute.md 2.2): the bit goes */
	if (p->mode == TREE_DROP && S_ISREG(st.st_mode) &&
	    (st.st_mode & (S_ISUID | S_ISGID)) != 0)
		left_add(&p->rep->left, 0, LEFT_SETID, path, strlen(path));
	return add_entry(p, path, &st);
}

/* What is found in a folder goes behind the list, and is looked at in turn. */
static int
list_folder(struct pack *p, const char *folder)
{
	int fd = open_beneath(p->dir, folder, O_RDONLY | O_DIRECTORY), rv = 0;
	struct dirent *de;
	DIR *d;

	if ((d = dir_take(fd)) == NULL)
		return cannot_read(p, folder);
	while (rv == 0 && (errno = 0, de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			rv = look_at(p, dirfd(d), folder, de->d_name);
	if (rv == 0 && errno != 0)
		rv = fail(p->rep, errno, folder, strerror(errno));
	(void)closedir(d);
	return rv;
}

static int
put(struct pack *p, const void *buf, size_t n)
{
	p->rep->bytes += n;
	if (p->sink(p->arg, buf, n) == 0)
		return 0;
	return fail(p->rep, errno, "", strerror(errno));
}

static int
put_content(struct pack *p, int fd, const struct entry *e)
{
	static uint8_t buf[READ_CHUNK];
	uint64_t left = e->size;
	ssize_t n;

	while (left > 0) {
		n = read(fd, buf, (size_t)MIN_OF(left, (uint64_t)sizeof(buf)));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(p->rep, n == 0 ? ESTALE : errno, e->path,
			    n == 0 ? "shrank while it was read" :
			    strerror(errno));
		if (put(p, buf, (size_t)n) < 0)
			return -1;
		left -= (uint64_t)n;
	}
	memset(buf, 0, TAR_BLOCK);
	return put(p, buf, tar_padding(e->size));
}

static int
put_entry(struct pack *p, const struct entry *e)
{
	_cleanup_fd_ int fd = -1;
	uint8_t header[TAR_BLOCK];
	struct tar_member m;
	struct stat st;
	enum tar_err err;

	memset(&m, 0, sizeof(m));
	memcpy(m.path, e->path, strlen(e->path) + 1);
	m.type = e->type;
	m.mode = e->mode;
	m.size = e->size;
	m.any_link = p->mode == TREE_ROOT;
	if (e->type == TAR_FILE) {
		fd = open_beneath(p->dir, e->path, O_RDONLY);
		if (fd < 0)
			return cannot_read(p, e->path);
		if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		    (uint64_t)st.st_size != e->size)
			return fail(p->rep, ESTALE, e->path,
			    "changed while it was packed");
	}
	if (e->type == TAR_LINK) {
		_cleanup_fd_ int link = open_beneath(p->dir, e->path, O_PATH);
		ssize_t n = link < 0 ? -1 :
		    readlinkat(link, "", m.link, sizeof(m.link));

		if (n <= 0 || (size_t)n == sizeof(m.link))
			return fail(p->rep, ESTALE, e->path,
			    "changed while it was packed");
		m.link[n] = '\0';
	}
	if ((err = tar_header(header, &m)) != TAR_OK)
		return fail(p->rep, EINVAL, e->path, tar_strerror(err));
	if (put(p, header, sizeof(header)) < 0)
		return -1;
	p->rep->members++;
	return e->type == TAR_FILE ? put_content(p, fd, e) : 0;
}

static int
by_path(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

int
tree_pack(int dir, enum tree_mode mode, tree_sink *sink, void *arg,
    struct tree_report *rep)
{
	static const uint8_t end[2 * TAR_BLOCK];
	struct pack p = {.dir = dir, .mode = mode, .sink = sink, .arg = arg,
	    .rep = rep};
	int rv;

	memset(rep, 0, sizeof(*rep));
	rv = list_folder(&p, "");
	for (size_t i = 0; rv == 0 && i < p.count; i++)
		if (p.list[i].type == TAR_DIR)
			rv = list_folder(&p, p.list[i].path);
	if (p.count > 0)
		qsort(p.list, p.count, sizeof(*p.list), by_path);
	for (size_t i = 0; rv == 0 && i < p.count; i++)
		rv = put_entry(&p, &p.list[i]);
	if (rv == 0)
		rv = put(&p, end, sizeof(end));
	for (size_t i = 0; i < p.count; i++)
		free(p.list[i].path);
	free(p.list);
	return rv;
}

/* ---- unpacking ---- */

struct unpack {
	int dir; /* -1: only check */
	int parent;
	char parent_path[TAR_PATH_MAX + 1];
	int file;
	const struct tree_bounds *bounds; /* NULL: none but the form's */
	struct tree_report *rep;
};

static int
open_parent(struct unpack *u, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);

	*name = slash == NULL ? path : slash + 1;
	if (u->parent >= 0 && strlen(u->parent_path) == len &&
	    strncmp(u->parent_path, path, len) == 0)
		return 0;
	if (u->parent >= 0)
		(void)close(u->parent);
	memcpy(u->parent_path, path, len);
	u->parent_path[len] = '\0';
	u->parent = open_beneath(u->dir, u->parent_path,
	    O_RDONLY | O_DIRECTORY);
	return u->parent < 0 ? -1 : 0;
}

static int
close_file(struct unpack *u)
{
	int rv = u->file < 0 ? 0 : close(u->file);

	u->file = -1;
	return rv;
}

static int
make_member(struct unpack *u, const struct tar_member *m)
{
	const char *name;

	u->rep->members++;
	u->rep->bytes += m->size;
	if (u->bounds != NULL && u->rep->members > u->bounds->members)
		return fail(u->rep, EDQUOT, "", "more files, folders and links "
		    "than a job's volumes may have together");
	if (u->bounds != NULL && u->rep->bytes > u->bounds->bytes)
		return fail(u->rep, EDQUOT, "", "more content than its size");
	if (u->dir < 0)
		return 0;
	if (close_file(u) < 0 || open_parent(u, m->path, &name) < 0)
		return fail(u->rep, errno, m->path, strerror(errno));
	switch (m->type) {
	case TAR_DIR:
		if (mkdirat(u->parent, name, 0700) < 0)
			return fail(u->rep, errno, m->path, strerror(errno));
		break;
	case TAR_LINK:
		if (symlinkat(m->link, u->parent, name) < 0)
			return fail(u->rep, errno, m->path, strerror(errno));
		break;
	default:
		u->file = openat(u->parent, name, O_WRONLY | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
		if (u->file < 0 || fchmod(u->file, m->mode) < 0)
			return fail(u->rep, errno, m->path, strerror(errno));
		break;
	}
	return 0;
}

static int
take_bytes(struct unpack *u, struct tar_reader *r, const uint8_t *in,
    size_t len)
{
	const struct tar_member *m = NULL;
	const uint8_t *data;
	size_t n;

	for (;;) {
		switch (tar_read(r, &m, &data, &n, &in, &len)) {
		case TAR_MORE:
			return 0;
		case TAR_MEMBER:
			if (make_member(u, m) < 0)
				return -1;
			break;
		case TAR_DATA:
			if (u->file >= 0 && write_full(u->file, data, n) < 0)
				return fail(u->rep, errno, "",
				    strerror(errno));
			break;
		case TAR_BAD:
			return fail(u->rep, EINVAL, "",
			    tar_strerror(tar_reader_error(r)));
		}
	}
}

/* Folders get their modes last and from the deepest: one may lack w or x. */
static int
set_modes(struct unpack *u, const struct tar_reader *r)
{
	for (unsigned i = tar_reader_folders(r); i > 0; i--) {
		uint16_t mode;
		const char *path = tar_reader_folder(r, i - 1, &mode);
		_cleanup_fd_ int fd = open_beneath(u->dir, path,
		    O_RDONLY | O_DIRECTORY);

		if (fd < 0 || fchmod(fd, mode) < 0)
			return fail(u->rep, errno, path, strerror(errno));
	}
	return 0;
}

static int
read_archive(int fd, int dir, const struct tree_bounds *b,
    struct tree_report *rep)
{
	struct unpack u = {.dir = dir, .parent = -1, .file = -1, .bounds = b,
	    .rep = rep};
	struct tar_reader *r = tar_reader_new();
	static uint8_t buf[READ_CHUNK];
	off_t off = 0;
	ssize_t n = 0;
	int rv = 0;

	memset(rep, 0, sizeof(*rep));
	if (r == NULL)
		return fail(rep, ENOMEM, "", strerror(ENOMEM));
	while (rv == 0) {
		n = pread(fd, buf, sizeof(buf), off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		off += n;
		rv = take_bytes(&u, r, buf, (size_t)n);
	}
	if (rv == 0 && n < 0)
		rv = fail(rep, errno, "", strerror(errno));
	if (rv == 0 && tar_reader_end(r) != TAR_OK)
		rv = fail(rep, EINVAL, "", tar_strerror(tar_reader_error(r)));
	if (close_file(&u) < 0 && rv == 0)
		rv = fail(rep, errno, "", strerror(errno));
	if (rv == 0 && dir >= 0)
		rv = set_modes(&u, r);
	if (u.parent >= 0)
		(void)close(u.parent);
	tar_reader_free(r);
	return rv;
}

int
tree_unpack_within(int fd, int dir, const struct tree_bounds *b,
    struct tree_report *rep)
{
	if (read_archive(fd, -1, b, rep) < 0)
		return -1;
	return read_archive(fd, dir, b, rep);
}

int
tree_unpack(int fd, int dir, struct tree_report *rep)
{
	return tree_unpack_within(fd, dir, NULL, rep);
}

/* ---- emptying ---- */

/*
 * One entry of a folder that lies in the top: removed, or, when it is a folder
 * with content, moved up to the top, so that no depth needs a stack.
 */
static void
empty_child(int top, int fd, const char *name, unsigned *serial)
{
	char up[32];

	if (unlinkat(fd, name, 0) == 0 || errno != EISDIR)
		return;
	if (unlinkat(fd, name, AT_REMOVEDIR) == 0)
		return;
	/* to be moved, a folder needs w: its `..` changes */
	if (fchmodat(fd, name, 0700, 0) < 0)
		return;
	do {
		(void)snprintf(up, sizeof(up), ".w%u", (*serial)++);
	} while (faccessat(top, up, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	(void)renameat(fd, name, top, up);
}

/* One pass over the top: each entry is gone, or became others. -1: no pass. */
static int
empty_round(int top, unsigned *serial, bool *any)
{
	int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	struct dirent *de, *sub;

	*any = false;
	if (d == NULL)
		return -1;
	while ((de = readdir(d)) != NULL) {
		DIR *sd;
		int sfd;

		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		*any = true;
		if (unlinkat(top, de->d_name, 0) == 0 || errno != EISDIR ||
		    unlinkat(top, de->d_name, AT_REMOVEDIR) == 0)
			continue;
		/* open of a folder without r would fail */
		if (fchmodat(top, de->d_name, 0700, 0) < 0)
			continue;
		sfd = open_beneath(top, de->d_name, O_RDONLY | O_DIRECTORY);
		if ((sd = dir_take(sfd)) == NULL)
			continue;
		while ((sub = readdir(sd)) != NULL)
			if (strcmp(sub->d_name, ".") != 0 &&
			    strcmp(sub->d_name, "..") != 0)
				empty_child(top, sfd, sub->d_name, serial);
		(void)closedir(sd);
		(void)unlinkat(top, de->d_name, AT_REMOVEDIR);
	}
	(void)closedir(d);
	return 0;
}

int
tree_empty(int dir)
{
	unsigned serial = 0;
	unsigned stuck = 0;
	bool any = true;

	for (unsigned i = 0; any && i < EMPTY_ROUNDS && stuck < 64; i++) {
		unsigned before = serial;

		if (empty_round(dir, &serial, &any) < 0)
			return -1;
		stuck = serial == before ? stuck + 1 : 0;
	}
	if (any)
		errno = ENOTEMPTY;
	return any ? -1 : 0;
}

bool
tree_is_empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *de;
	bool empty = d != NULL;

	while (d != NULL && (de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			empty = false;
	if (d != NULL)
		(void)closedir(d);
	return empty;
}
