/* SPDX-License-Identifier: BSD-2-Clause */
/* Layers: tar members of strangers become files beneath one folder. */
#include "sandbox/hand/hand_layer.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "sandbox/hand/hand_archive.h"
#include "sandbox/hand/hand_share.h"

#define OPAQUE ".wh..wh..opq"
#define WHITEOUT ".wh."

/* ---- lists of folders ---- */

struct names {
	char **v;
	size_t n, cap;
};

static int
names_add(struct names *l, const char *folder, const char *name)
{
	size_t len = strlen(folder) + strlen(name) + 2;

	if (l->n == l->cap) {
		size_t cap = l->cap * 2 + 64;
		char **v = realloc(l->v, cap * sizeof(*v));

		if (v == NULL)
			return -1;
		l->v = v;
		l->cap = cap;
	}
	if ((l->v[l->n] = malloc(len)) == NULL)
		return -1;
	(void)snprintf(l->v[l->n++], len, "%s%s%s", folder,
	    folder[0] != '\0' && name[0] != '\0' ? "/" : "", name);
	return 0;
}

static void
names_clear(struct names *l)
{
	while (l->n > 0)
		free(l->v[--l->n]);
	free(l->v);
}

static bool
dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* ---- whiteouts: what a layer removes of those beneath ---- */

/* In one folder of this layer; folders of it therein go onto the list. */
static int
remove_in(struct import *im, struct names *todo, const char *folder)
{
	char real[IMPORT_PATH_MAX + 1], path[IMPORT_PATH_MAX + NAME_MAX + 2];
	int fd = import_folder(im->root, folder, false, real), rv = 0;
	struct dirent *de;
	DIR *d;

	if (fd < 0) /* a file, a link, or nothing: of this layer */
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ?
		    0 : -1;
	if (strcmp(real, folder) != 0) { /* by a link: another folder */
		(void)close(fd);
		return 0;
	}
	if ((d = dir_take(fd)) == NULL)
		return -1;
	while (rv == 0 && (de = readdir(d)) != NULL) {
		if (dots(de->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "%s%s%s", folder,
		    folder[0] != '\0' ? "/" : "", de->d_name);
		if (!path_in(&im->written, path))
			rv = import_remove(dirfd(d), de->d_name);
		else
			rv = names_add(todo, path, "");
	}
	(void)closedir(d);
	return rv;
}

/*
 * Has this layer done so before, with the folder or one above it? What came
 * since is its own then; to look at all of it again, at each whiteout of many,
 * takes hours.
 */
static bool
is_cleared(struct import *im, const char *folder)
{
	char at[IMPORT_PATH_MAX + 2];
	bool found = path_in(&im->cleared, "/");

	(void)snprintf(at, sizeof(at), "%s/", folder);
	for (size_t i = 1; at[i] != '\0' && !found; i++) {
		char was = at[i + 1];

		if (at[i] != '/')
			continue;
		at[i + 1] = '\0';
		found = path_in(&im->cleared, at);
		at[i + 1] = was;
	}
	return found;
}

static int
remove_beneath(struct import *im, const char *folder)
{
	char mark[IMPORT_PATH_MAX + 2];
	struct names todo = {NULL, 0, 0};
	int rv;

	if (is_cleared(im, folder))
		return 0;
	(void)snprintf(mark, sizeof(mark), "%s/", folder);
	rv = names_add(&todo, folder, "");
	while (rv == 0 && todo.n > 0) {
		char *at = todo.v[--todo.n];

		rv = remove_in(im, &todo, at);
		free(at);
	}
	names_clear(&todo);
	return rv == 0 ? path_add(&im->cleared, mark) : rv;
}

/* real: where the whiteout itself would lie. */
static int
white_out(struct import *im, int up, const char *path, const char *name,
    char *real)
{
	char *last = real + strlen(real) - strlen(name);
	int rv;

	if (strcmp(name, OPAQUE) == 0) {
		*(last > real ? last - 1 : last) = '\0';
		rv = remove_beneath(im, real);
	} else {
		name += strlen(WHITEOUT);
		if (name[0] == '\0' || dots(name))
			return import_fail(im, "%.120s: a whiteout of nothing",
			    path);
		memmove(last, name, strlen(name) + 1);
		rv = path_in(&im->written, real) ? remove_beneath(im, real) :
		    import_remove(up, name);
	}
	return rv == 0 ? 0 : import_fail(im, "%.120s: %s", path,
	    strerror(errno));
}

static bool
is_whiteout(const char *name)
{
	return strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0;
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
	if (errno != EEXIST || fstatat(up, name, &st, AT_SYMLINK_NOFOLLOW) <
	    0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return 0;
	if (import_remove(up, name) < 0)
		return -1;
	return mkdirat(up, name, 0755);
}

static int
make_link(struct import *im, int up, const char *name, const char *target)
{
	if (target == NULL || target[0] == '\0')
		return import_fail(im, "%.120s: a link to nothing", name);
	if (import_remove(up, name) < 0)
		return -1;
	return symlinkat(target, up, name);
}

/* Devices, pipes and sockets: a job has its own, or none. */
static int
leave_out(struct import *im, int up, const char *name, const char *real)
{
	size_t n = strlen(im->names);

	im->dropped++;
	if (n + strlen(real) + 3 < sizeof(im->names))
		(void)snprintf(im->names + n, sizeof(im->names) - n, "%s%s",
		    n > 0 ? ", " : "", real);
	if (import_remove(up, name) < 0)
		return -1;
	return path_add(&im->left_out, real);
}

static int
make_hard_link(struct import *im, int up, const char *path, const char *name,
    const char *real, const char *target)
{
	char tpath[IMPORT_PATH_MAX + 1], treal[IMPORT_PATH_MAX + 1], *tname;
	_cleanup_fd_ int tup = -1;
	const char *why;
	struct stat st;

	if (!import_path(target, tpath, &why))
		return import_fail(im, "%.80s: a hard link to %.60s: %s", path,
		    target, why);
	tup = import_parent(im->root, tpath, false, &tname, treal);
	if (tpath[0] == '\0' || tup < 0 || fstatat(tup, tname, &st,
	    AT_SYMLINK_NOFOLLOW) < 0) {
		if (tup >= 0 && path_in(&im->left_out, treal))
			return leave_out(im, up, name, real);
		return import_fail(im, "%.80s: a hard link to %.60s, which is "
		    "not there", path, target);
	}
	if (S_ISDIR(st.st_mode))
		return import_fail(im, "%.80s: a hard link to the folder "
		    "%.60s", path, target);
	if (strcmp(real, treal) == 0) /* to itself */
		return 0;
	if (import_remove(up, name) < 0)
		return -1;
	return linkat(tup, tname, up, name, 0);
}

/* What name in the folder up is to be; real: where that lies. */
static int
make_one(struct import *im, struct reader *r, struct archive *a,
    struct archive_entry *e, int up, const char *path, const char *name,
    const char *real)
{
	const char *hard = archive_entry_hardlink(e);

	if (hard != NULL)
		return make_hard_link(im, up, path, name, real, hard);
	switch (archive_entry_filetype(e)) {
	case AE_IFDIR:
		return make_folder(up, name);
	case AE_IFREG:
		return reader_file(im, r, a, e, up, name,
		    mode_for_all(archive_entry_mode(e)));
	case AE_IFLNK:
		return make_link(im, up, name, archive_entry_symlink(e));
	case AE_IFCHR:
	case AE_IFBLK:
	case AE_IFIFO:
	case AE_IFSOCK:
		return leave_out(im, up, name, real);
	default:
		return import_fail(im, "%.120s: a hard link to nothing, or "
		    "the rest of a file of another archive", path);
	}
}

static const char *
reason(void)
{
	return errno == ELOOP ? "links on its way lead round and round" :
	    strerror(errno);
}

static int
make_member(struct import *im, struct reader *r, struct archive *a,
    struct archive_entry *e)
{
	char path[IMPORT_PATH_MAX + 1], real[IMPORT_PATH_MAX + 1], *name;
	const char *given = archive_entry_pathname(e), *why;
	_cleanup_fd_ int up = -1;
	bool white;

	if (!import_path(given, path, &why))
		return import_fail(im, "%.120s: %s", given, why);
	if (path[0] == '\0') {
		if (archive_entry_hardlink(e) == NULL &&
		    archive_entry_filetype(e) == AE_IFDIR)
			return 0;
		return import_fail(im, "%.120s: the root is no folder", given);
	}
	name = strrchr(path, '/');
	white = is_whiteout(name == NULL ? path : name + 1);
	up = import_parent(im->root, path, !white, &name, real);
	if (up < 0 && white && (errno == ENOENT || errno == ENOTDIR))
		return 0; /* nothing of it is there */
	if (up < 0)
		return import_fail(im, "%.120s: %s", path, reason());
	if (white)
		return white_out(im, up, path, name, real);
	if (make_one(im, r, a, e, up, path, name, real) < 0)
		return import_fail(im, "%.120s: %s", path, reason());
	return path_add(&im->written, real) == 0 ? 0 :
	    import_fail(im, "memory");
}

int
import_layer(struct import *im, int fd, const struct id32 *want,
    struct reader_sums *sums)
{
	int rv = share_begin(im);

	if (rv == 0)
		rv = reader_each(im, fd, want, sums, make_member);
	if (rv == 0)
		rv = share_layer(im, sums == NULL ? NULL : &sums->diff);
	path_clear(&im->written);
	path_clear(&im->cleared);
	return rv;
}

/* ---- the end ---- */

/* Folder by folder, each found again by its path: no recursion. */
static int
list_folders(struct import *im, struct names *list, const char *folder)
{
	char real[IMPORT_PATH_MAX + 1];
	int rv = 0;
	DIR *d = dir_take(import_folder(im->root, folder, false, real));
	struct dirent *de;

	if (d == NULL)
		return -1;
	while (rv == 0 && (de = readdir(d)) != NULL) {
		struct stat st;

		if (!dots(de->d_name) && fstatat(dirfd(d), de->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
			rv = names_add(list, folder, de->d_name);
	}
	(void)closedir(d);
	return rv;
}

int
import_seal(struct import *im)
{
	struct names list = {NULL, 0, 0};
	char real[IMPORT_PATH_MAX + 1];
	int rv = list_folders(im, &list, "");

	im->layer[0] = '\0';
	for (size_t at = 0; rv == 0 && at < list.n; at++)
		rv = list_folders(im, &list, list.v[at]);
	/* deepest first: without w a folder's own cannot be reached no more */
	for (size_t at = list.n; rv == 0 && at > 0; at--) {
		_cleanup_fd_ int fd = import_folder(im->root, list.v[at - 1],
		    false, real);

		if (fd < 0 || fchmod(fd, 0555) < 0)
			rv = -1;
	}
	if (rv < 0)
		(void)import_fail(im, "the files cannot be sealed: %s",
		    strerror(errno));
	names_clear(&list);
	path_clear(&im->left_out);
	return rv;
}
