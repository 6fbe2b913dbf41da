/* SPDX-License-Identifier: BSD-2-Clause */
/* Layers: tar members of strangers become files beneath one folder. */
#include "sandbox/hand/hand_layer.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/tree.h"
#include "common/util.h"

#define BLOCK 65536
#define RESERVE_STEP (16ull << 20) /* how often the disk is looked at */
#define RESERVE_LEAST (64ull << 20)
#define OPAQUE ".wh..wh..opq"
#define WHITEOUT ".wh."

int
import_fail(struct import *im, const char *fmt, ...)
{
	char text[IMPORT_WHY_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (im->why[0] == '\0')
		(void)text_escape(im->why, sizeof(im->why), text,
		    strlen(text));
	return -1;
}

bool
import_path(const char *in, char out[IMPORT_PATH_MAX + 1])
{
	unsigned depth = 0;
	size_t len = 0, n;

	if (in[0] == '/')
		return false;
	for (const char *p = in; *p != '\0'; p += n) {
		n = strcspn(p, "/");
		if (n == 0) {
			n = 1;
			continue;
		}
		if (n == 1 && p[0] == '.')
			continue;
		if ((n == 2 && p[0] == '.' && p[1] == '.') || n > 255 ||
		    ++depth > IMPORT_DEPTH_MAX ||
		    len + n + 1 > IMPORT_PATH_MAX)
			return false;
		for (size_t i = 0; i < n; i++)
			if ((uint8_t)p[i] < 0x20 || p[i] == 0x7f)
				return false;
		if (len > 0)
			out[len++] = '/';
		memcpy(out + len, p, n);
		len += n;
	}
	out[len] = '\0';
	return true;
}

int
import_folder(int root, const char *path, bool make)
{
	char part[IMPORT_PATH_MAX + 1];
	int fd = sys_openat2(root, path[0] == '\0' ? "." : path, O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC, SYS_SAME_MOUNT);

	if (fd != -1 || errno != ENOENT || !make)
		return fd;
	for (size_t i = 0; i <= strlen(path); i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		_cleanup_fd_ int there = sys_openat2(root, part, O_PATH |
		    O_CLOEXEC | O_NOFOLLOW, SYS_SAME_MOUNT);
		if (there == -1 && errno == ENOENT) {
			char *slash = strrchr(part, '/');
			_cleanup_fd_ int up = -1;

			if (slash != NULL)
				*slash = '\0';
			up = sys_openat2(root, slash == NULL ? "." : part,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC, SYS_SAME_MOUNT);
			if (up == -1 || mkdirat(up, slash == NULL ? part :
			    slash + 1, 0755) == -1)
				return -1;
		}
	}
	return sys_openat2(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	    SYS_SAME_MOUNT);
}

int
import_remove(int folder, const char *name)
{
	_cleanup_fd_ int fd = -1;

	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -1;
	fd = sys_openat2(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW, SYS_SAME_MOUNT);
	if (fd == -1 || tree_empty(fd) == -1)
		return -1;
	return unlinkat(folder, name, AT_REMOVEDIR);
}

/* Splits a path into its folder (opened) and its last component. */
static int
open_parent(struct import *im, int root, char *path, char **name, bool make)
{
	char *slash = strrchr(path, '/');
	int fd;

	*name = slash == NULL ? path : slash + 1;
	if (slash == NULL)
		return import_folder(root, "", false);
	*slash = '\0';
	fd = import_folder(root, path, make);
	if (fd == -1 && (errno == ELOOP || errno == ENOTDIR))
		(void)import_fail(im, "%s/%s: its folder is a link or a file",
		    path, *name);
	*slash = '/';
	return fd;
}

/* ---- reading archives ---- */

struct reader {
	struct archive *a;
	int fd;
	off_t off;
	uint8_t buf[BLOCK];
};

static la_ssize_t
reader_read(struct archive *a, void *ctx, const void **buf)
{
	struct reader *r = ctx;
	ssize_t n;

	(void)a;
	while ((n = pread(r->fd, r->buf, sizeof(r->buf), r->off)) == -1 &&
	    errno == EINTR)
		;
	if (n > 0)
		r->off += n;
	*buf = r->buf;
	return n;
}

/* tar, as it is or in gzip or zstd: nothing else that libarchive knows. */
static struct archive *
open_archive(struct import *im, struct reader *r, int fd)
{
	struct archive *a = archive_read_new();

	r->fd = fd;
	r->off = 0;
	if (a == NULL || archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
	    archive_read_support_format_tar(a) != ARCHIVE_OK ||
	    archive_read_support_format_empty(a) != ARCHIVE_OK ||
	    archive_read_open(a, r, NULL, reader_read, NULL) != ARCHIVE_OK) {
		(void)import_fail(im, "not an archive: %s",
		    a == NULL ? "memory" : archive_error_string(a));
		if (a != NULL)
			(void)archive_read_free(a);
		return NULL;
	}
	return a;
}

/* 1: a member, 0: the end, -1 */
static int
next_member(struct import *im, struct archive *a, struct archive_entry **e)
{
	int rv = archive_read_next_header(a, e);

	if (rv == ARCHIVE_EOF)
		return 0;
	if (rv != ARCHIVE_OK && rv != ARCHIVE_WARN)
		return import_fail(im, "archive: %s", archive_error_string(a));
	if (archive_entry_pathname(*e) == NULL)
		return import_fail(im, "archive: a name that cannot be read");
	return 1;
}

static int
count_member(struct import *im)
{
	if (++im->members > IMPORT_MEMBERS_MAX)
		return import_fail(im, "more than %u members",
		    IMPORT_MEMBERS_MAX);
	return 0;
}

/* The disk is others' too: stop above the reserve (THREATS.md 4.6). */
int
import_count(struct import *im, uint64_t n)
{
	uint64_t before = im->bytes / RESERVE_STEP;
	struct statvfs v;

	im->bytes += n;
	if (im->bytes > IMPORT_BYTES_MAX)
		return import_fail(im, "more than %llu bytes",
		    (unsigned long long)IMPORT_BYTES_MAX);
	if (im->bytes / RESERVE_STEP != before && fstatvfs(im->v, &v) == 0 &&
	    ((uint64_t)v.f_bavail < (uint64_t)v.f_blocks / 20 ||
	    (uint64_t)v.f_bavail * v.f_frsize < RESERVE_LEAST))
		return import_fail(im, "the disk is nearly full");
	return 0;
}

static int
copy_data(struct import *im, struct archive *a, int fd)
{
	const void *p;
	uint64_t end = 0, to;
	size_t n;
	la_int64_t off;
	int rv;

	while ((rv = archive_read_data_block(a, &p, &n, &off)) == ARCHIVE_OK) {
		if (off < 0 || (uint64_t)off > IMPORT_BYTES_MAX)
			return import_fail(im, "a file that is too large");
		/* a hole counts as well: a sparse terabyte is one */
		to = (uint64_t)off + n;
		if (import_count(im, to > end ? to - end : n) == -1)
			return -1;
		end = MAX_OF(end, to);
		for (size_t k = 0; k < n;) {
			ssize_t w = pwrite(fd, (const uint8_t *)p + k, n - k,
			    (off_t)off + (off_t)k);

			if (w == -1 && errno == EINTR)
				continue;
			if (w <= 0)
				return import_fail(im, "write: %s",
				    strerror(errno));
			k += (size_t)w;
		}
	}
	if (rv != ARCHIVE_EOF)
		return import_fail(im, "archive: %s", archive_error_string(a));
	return 0;
}

/* ---- whiteouts: what a layer removes of those beneath ---- */

static int
empty_folder(int root, const char *path)
{
	_cleanup_fd_ int fd = import_folder(root, path, false);

	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ?
		    0 : -1;
	return tree_empty(fd);
}

static int
white_out(struct import *im, char *path)
{
	char *name;
	_cleanup_fd_ int up = open_parent(im, im->root, path, &name, false);

	if (strcmp(name, OPAQUE) == 0) {
		*(name > path ? name - 1 : name) = '\0';
		return empty_folder(im->root, path) == 0 ? 0 :
		    import_fail(im, "%s: %s", path, strerror(errno));
	}
	name += strlen(WHITEOUT);
	if (name[0] == '\0' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return import_fail(im, "%s: not a whiteout", path);
	if (up == -1) /* nothing of it is there */
		return im->why[0] == '\0' ? 0 : -1;
	return import_remove(up, name) == 0 ? 0 :
	    import_fail(im, "%s: %s", path, strerror(errno));
}

static bool
is_whiteout(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strncmp(slash == NULL ? path : slash + 1, WHITEOUT,
	    strlen(WHITEOUT)) == 0;
}

/* ---- members ---- */

static mode_t
mode_for_all(mode_t m)
{
	return (m & 0400 ? 0444 : 0) | (m & 0100 ? 0111 : 0);
}

static int
make_folder(int up, const char *name)
{
	struct stat st;

	if (mkdirat(up, name, 0755) == 0)
		return 0;
	if (errno != EEXIST || fstatat(up, name, &st, AT_SYMLINK_NOFOLLOW) ==
	    -1)
		return -1;
	if (S_ISDIR(st.st_mode))
		return 0;
	if (import_remove(up, name) == -1)
		return -1;
	return mkdirat(up, name, 0755);
}

static int
make_file(struct import *im, struct archive *a, int up, const char *name,
    mode_t mode)
{
	_cleanup_fd_ int fd = -1;

	if (import_remove(up, name) == -1)
		return -1;
	fd = openat(up, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (copy_data(im, a, fd) == -1)
		return -1;
	return fchmod(fd, mode_for_all(mode));
}

static int
make_hard_link(struct import *im, int up, const char *name,
    const char *target)
{
	char path[IMPORT_PATH_MAX + 1], *tname;
	_cleanup_fd_ int tup = -1;
	struct stat st;

	if (!import_path(target, path) || path[0] == '\0')
		return import_fail(im, "%s: a hard link that leads out", name);
	tup = open_parent(im, im->root, path, &tname, false);
	if (tup == -1 || fstatat(tup, tname, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return import_fail(im, "%s: hard link to %s, which is not "
		    "there", name, path);
	if (!S_ISREG(st.st_mode))
		return import_fail(im, "%s: a hard link to no file", name);
	if (import_remove(up, name) == -1 && errno != ENOENT)
		return -1;
	/* a link to itself was removed just now */
	return linkat(tup, tname, up, name, 0);
}

static int
make_member(struct import *im, struct archive *a, struct archive_entry *e)
{
	char path[IMPORT_PATH_MAX + 1], *name;
	const char *given = archive_entry_pathname(e), *link;
	_cleanup_fd_ int up = -1;
	int rv = -1;

	if (!import_path(given, path))
		return import_fail(im, "%s: a path that is not allowed",
		    given);
	if (path[0] == '\0' || is_whiteout(path))
		return 0;
	up = open_parent(im, im->root, path, &name, true);
	if (up == -1)
		return import_fail(im, "%s: %s", path, strerror(errno));
	if ((link = archive_entry_hardlink(e)) != NULL) {
		rv = make_hard_link(im, up, name, link);
	} else {
		switch (archive_entry_filetype(e)) {
		case AE_IFDIR:
			rv = make_folder(up, name);
			break;
		case AE_IFREG:
			rv = make_file(im, a, up, name, archive_entry_mode(e));
			break;
		case AE_IFLNK:
			link = archive_entry_symlink(e);
			if (link == NULL || link[0] == '\0' ||
			    import_remove(up, name) == -1)
				break;
			rv = symlinkat(link, up, name);
			break;
		default:
			im->dropped++;
			return 0;
		}
	}
	return rv == 0 ? 0 : import_fail(im, "%s: %s", path, strerror(errno));
}

static int
each_member(struct import *im, int fd, bool whiteouts)
{
	static struct reader r;
	char path[IMPORT_PATH_MAX + 1];
	struct archive_entry *e;
	struct archive *a = open_archive(im, &r, fd);
	int rv;

	if (a == NULL)
		return -1;
	while ((rv = next_member(im, a, &e)) == 1) {
		if (whiteouts) {
			if (count_member(im) == -1 ||
			    (import_path(archive_entry_pathname(e), path) &&
			    is_whiteout(path) && white_out(im, path) == -1))
				rv = -1;
		} else {
			rv = make_member(im, a, e);
		}
		if (rv == -1)
			break;
	}
	(void)archive_read_free(a);
	return rv;
}

int
import_layer(struct import *im, int fd)
{
	/* twice: whiteouts concern what lies beneath, never the layer itself */
	if (each_member(im, fd, true) == -1)
		return -1;
	return each_member(im, fd, false);
}

int
import_archive(struct import *im, int fd)
{
	static struct reader r;
	char path[IMPORT_PATH_MAX + 1], *name;
	struct archive_entry *e;
	struct archive *a = open_archive(im, &r, fd);
	int rv;

	if (a == NULL)
		return -1;
	while ((rv = next_member(im, a, &e)) == 1) {
		_cleanup_fd_ int up = -1;

		if (count_member(im) == -1) {
			rv = -1;
			break;
		}
		/* a layout has folders and files; links of an old `save` name
		 * a layer that is there as a file as well */
		if (archive_entry_filetype(e) != AE_IFREG ||
		    archive_entry_hardlink(e) != NULL)
			continue;
		if (!import_path(archive_entry_pathname(e), path) ||
		    path[0] == '\0') {
			rv = import_fail(im, "%s: a path that is not allowed",
			    archive_entry_pathname(e));
			break;
		}
		up = open_parent(im, im->src, path, &name, true);
		if (up == -1 || make_file(im, a, up, name, 0400) == -1) {
			rv = import_fail(im, "%s: %s", path, strerror(errno));
			break;
		}
	}
	(void)archive_read_free(a);
	return rv;
}

/* ---- the end ---- */

/* Folder by folder, each found again by its path: no recursion. */
int
import_seal(struct import *im)
{
	char **list = NULL;
	size_t n = 0, cap = 0;
	int rv = 0;

	for (size_t at = 0; at <= n && rv == 0; at++) {
		const char *folder = at == 0 ? "" : list[at - 1];
		int fd = import_folder(im->root, folder, false);
		DIR *d = dir_take(fd);
		struct dirent *de;

		if (d == NULL) {
			rv = import_fail(im, "%s: %s", folder,
			    strerror(errno));
			break;
		}
		while (rv == 0 && (de = readdir(d)) != NULL) {
			char path[IMPORT_PATH_MAX + 300];
			struct stat st;

			if (strcmp(de->d_name, ".") == 0 ||
			    strcmp(de->d_name, "..") == 0 ||
			    fstatat(fd, de->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) == -1 || !S_ISDIR(st.st_mode))
				continue;
			(void)snprintf(path, sizeof(path), "%s%s%s", folder,
			    folder[0] != '\0' ? "/" : "", de->d_name);
			if (n == cap) {
				char **l = realloc(list, (cap = cap * 2 + 64) *
				    sizeof(*list));

				if (l == NULL) {
					rv = import_fail(im, "memory");
					break;
				}
				list = l;
			}
			if ((list[n] = strdup(path)) == NULL)
				rv = import_fail(im, "memory");
			else
				n++;
		}
		(void)closedir(d);
	}
	/* deepest first: without w a folder's own cannot be reached no more */
	for (size_t at = n; at > 0; at--) {
		_cleanup_fd_ int fd = rv != 0 ? -1 : import_folder(im->root,
		    list[at - 1], false);

		if (fd != -1 && fchmod(fd, 0555) == -1)
			rv = import_fail(im, "%s: %s", list[at - 1],
			    strerror(errno));
		free(list[at - 1]);
	}
	free(list);
	return rv;
}
