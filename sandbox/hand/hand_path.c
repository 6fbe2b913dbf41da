/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/hand/hand_path.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/tree.h"

int
import_fail(struct import *im, const char *fmt, ...)
{
	int n = 0;
	va_list ap;

	if (im->why[0] != '\0')
		return -1;
	if (im->layer[0] != '\0')
		n = snprintf(im->why, sizeof(im->why), "%s: ", im->layer);
	va_start(ap, fmt);
	(void)vsnprintf(im->why + n, sizeof(im->why) - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- names ---- */

bool
import_path(const char *in, char out[IMPORT_PATH_MAX + 1], const char **why)
{
	unsigned depth = 0;
	size_t len = 0, n;

	for (const char *p = in; *p != '\0'; p += n) {
		n = strcspn(p, "/");
		if (n == 0) {
			n = 1;
			continue;
		}
		if (n == 1 && p[0] == '.')
			continue;
		*why = "its name leads up by `..'";
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return false;
		*why = "its name is too long";
		if (n > 255 || len + n + 1 > IMPORT_PATH_MAX)
			return false;
		*why = "it lies more than 64 folders deep";
		if (++depth > IMPORT_DEPTH_MAX)
			return false;
		*why = "its name holds control characters";
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

/* ---- where they lead ---- */

/* Onto the end of a path without links; ".." takes the last one off. */
static int
append(char real[IMPORT_PATH_MAX + 1], const char *name, size_t n)
{
	size_t len = strlen(real);

	if (n == 0 || (n == 1 && name[0] == '.'))
		return 0;
	if (n == 2 && name[0] == '.' && name[1] == '.') {
		char *slash = strrchr(real, '/');

		*(slash == NULL ? real : slash) = '\0';
		return 0;
	}
	if (len + 1 + n > IMPORT_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (len > 0)
		real[len++] = '/';
	memcpy(real + len, name, n);
	real[len + n] = '\0';
	return 0;
}

/* A link's target in front of what is still to go. */
static int
follow(int link, char rest[IMPORT_PATH_MAX + 1])
{
	char target[IMPORT_PATH_MAX + 1];
	ssize_t n = readlinkat(link, "", target, sizeof(target));
	size_t left = strlen(rest);

	if (n <= 0)
		return -1;
	if ((size_t)n + 1 + left > IMPORT_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memmove(rest + n + 1, rest, left + 1);
	memcpy(rest, target, (size_t)n);
	rest[n] = '/';
	return 0;
}

/*
 * By hand, since the kernel's RESOLVE_IN_ROOT does not tell where it arrived,
 * and says nothing of folders that are still to be made. It decides nothing:
 * real is opened without following any link.
 */
int
import_resolve(int root, const char *path, char real[IMPORT_PATH_MAX + 1])
{
	char rest[IMPORT_PATH_MAX + 1];
	unsigned links = 0, depth = 0;

	if (strlen(path) > IMPORT_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(rest, path, strlen(path) + 1);
	real[0] = '\0';
	for (;;) {
		size_t skip = strspn(rest, "/"), n = strcspn(rest + skip, "/");
		struct stat st;

		if (n == 0)
			break;
		size_t was = strlen(real);
		if (append(real, rest + skip, n) < 0)
			return -1;
		memmove(rest, rest + skip + n, strlen(rest + skip + n) + 1);
		if (strlen(real) <= was) /* no new component */
			continue;
		_cleanup_fd_ int fd = sys_openat2(root, real, O_PATH |
		    O_CLOEXEC | O_NOFOLLOW, SYS_SAME_MOUNT);
		if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
			return -1;
		if (fd < 0 || fstat(fd, &st) < 0 || !S_ISLNK(st.st_mode))
			continue;
		if (++links > IMPORT_LINKS_MAX) {
			errno = ELOOP;
			return -1;
		}
		if (follow(fd, rest) < 0)
			return -1;
		real[rest[0] == '/' ? 0 : was] = '\0';
	}
	for (const char *p = real; *p != '\0'; p++)
		depth += *p == '/';
	if (depth < IMPORT_DEPTH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static int
open_folder(int dir, const char *path)
{
	return sys_openat2(dir, path[0] == '\0' ? "." : path, O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC, SYS_SAME_MOUNT);
}

/* Each folder of a path without links; a file on the way gives way to one. */
static int
make_folders(int root, const char *real)
{
	int at = open_folder(root, "");

	for (const char *p = real; at >= 0 && *p != '\0';) {
		_cleanup_fd_ int up = at;
		char name[NAME_MAX + 1];
		size_t n = strcspn(p, "/");

		if (n > NAME_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, p, n);
		name[n] = '\0';
		p += p[n] == '/' ? n + 1 : n;
		at = open_folder(up, name);
		if (at < 0 && errno == ENOTDIR && import_remove(up, name) ==
		    0)
			errno = ENOENT;
		if (at < 0 && errno == ENOENT && mkdirat(up, name, 0755) ==
		    0)
			at = open_folder(up, name);
	}
	return at;
}

int
import_folder(int root, const char *path, bool make,
    char real[IMPORT_PATH_MAX + 1])
{
	int fd = open_folder(root, path);

	if (fd >= 0) { /* by far the most: no link on the way */
		memcpy(real, path, strlen(path) + 1);
		return fd;
	}
	if (import_resolve(root, path, real) < 0)
		return -1;
	return make ? make_folders(root, real) : open_folder(root, real);
}

int
import_parent(int root, char *path, bool make, char **name,
    char real[IMPORT_PATH_MAX + 1])
{
	char *slash = strrchr(path, '/');
	int fd;

	*name = slash == NULL ? path : slash + 1;
	if (slash != NULL)
		*slash = '\0';
	fd = import_folder(root, slash == NULL ? "" : path, make, real);
	if (slash != NULL)
		*slash = '/';
	if (fd >= 0 && append(real, *name, strlen(*name)) < 0) {
		close_fd(&fd);
		errno = ENAMETOOLONG;
	}
	return fd;
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
	if (fd < 0 || tree_empty(fd) < 0)
		return -1;
	return unlinkat(folder, name, AT_REMOVEDIR);
}

/* ---- sets of them ---- */

struct path_node {
	RB_ENTRY(path_node) by_path;
	char path[];
};

static int
compare(const struct path_node *a, const struct path_node *b)
{
	return strcmp(a->path, b->path);
}

TREE_PROTOTYPE(path_tree, path_node, by_path, compare)
TREE_GENERATE(path_tree, path_node, by_path, compare)

/* The name lies behind a node's head, as a node of the tree has it. */
static struct path_node *
make_node(const char *path, size_t len)
{
	struct path_node *n = calloc(1, sizeof(*n) + len + 1);

	if (n != NULL)
		memcpy(n->path, path, len);
	return n;
}

int
path_add(struct path_tree *t, const char *path)
{
	/* the folders of one that is there are there too */
	for (size_t len = strlen(path); len > 0;) {
		struct path_node *n = make_node(path, len);

		if (n == NULL)
			return -1;
		if (RB_INSERT(path_tree, t, n) != NULL) {
			free(n);
			return 0;
		}
		while (len > 0 && path[--len] != '/')
			;
	}
	return 0;
}

bool
path_in(struct path_tree *t, const char *path)
{
	struct path_node *n = RB_ROOT(t);

	while (n != NULL) {
		int order = strcmp(path, n->path);

		if (order == 0)
			return true;
		n = order < 0 ? RB_LEFT(n, by_path) : RB_RIGHT(n, by_path);
	}
	return false;
}

void
path_clear(struct path_tree *t)
{
	struct path_node *n;

	while ((n = RB_ROOT(t)) != NULL) {
		(void)RB_REMOVE(path_tree, t, n);
		free(n);
	}
}
