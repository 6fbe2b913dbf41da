/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/whose.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#define DEPTH_MAX 32	 /* folders that are looked into */
#define UIDS_OF_OURS 512 /* numbers of programs and slots */

struct whose {
	const char *path;
	uint32_t base;
	whose_fn *fn;
	void *ctx;
};

static int
refuse(const struct whose *w, const char *path, const char *what)
{
	w->fn(w->ctx, path, what);
	return -1;
}

const char *
whose_ill(const struct stat *st, uint32_t base, bool ours, bool parent)
{
	if (st->st_uid != 0 && !(ours && st->st_uid - base < UIDS_OF_OURS))
		return "belongs to another user";
	if (S_ISLNK(st->st_mode))
		return NULL; /* its mode says nothing; see follow.h */
	/* of a socket (metrics of node.yaml) that is who may connect */
	if (S_ISSOCK(st->st_mode))
		return NULL;
	if ((st->st_mode & 022) != 0 && !(parent && st->st_mode & S_ISVTX))
		return "can be written by other users";
	return NULL;
}

/*
 * Our own folders whose files have the modes that images and jobs gave them, by
 * their places: a folder of that name elsewhere is as any other.
 */
static bool
not_looked_into(const struct whose *w, const char *path)
{
	const char *rel = path + strlen(w->path);

	rel += strspn(rel, "/");
	return strcmp(rel, "warren/images/roots") == 0 ||
	    strcmp(rel, "warren/images/files") == 0 ||
	    strcmp(rel, "warren/stage") == 0;
}

static int
check_tree(const struct whose *w, int at, const char *name, const char *path,
    bool ours, int depth)
{
	struct stat st;
	const char *why;
	struct dirent *e;
	DIR *d;
	int fd, r = 0;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : refuse(w, path, strerror(errno));
	why = whose_ill(&st, w->base, ours, false);
	if (why != NULL)
		return refuse(w, path, why);
	if (!S_ISDIR(st.st_mode) || not_looked_into(w, path))
		return 0;
	if (depth == 0)
		return refuse(w, path, "lies too deep to be looked at");
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	d = dir_take(fd);
	if (d == NULL)
		return refuse(w, path, strerror(errno));
	while (r == 0 && (e = readdir(d)) != NULL) {
		char sub[4400];
		/* hub.dir may lie here: node writes there, root reads nothing */
		bool below = ours || strcmp(e->d_name, "warren-events") == 0 ||
		    (depth == DEPTH_MAX &&
		    (strcmp(e->d_name, "storage") == 0 ||
			strcmp(e->d_name, "warren") == 0));

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		(void)snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		r = check_tree(w, dirfd(d), e->d_name, sub, below, depth - 1);
	}
	(void)closedir(d);
	return r;
}

static int
check_parents(const struct whose *w)
{
	char path[4096];
	struct stat st;
	char *slash;

	(void)snprintf(path, sizeof(path), "%s", w->path);
	while ((slash = strrchr(path, '/')) != NULL) {
		const char *why;

		slash[slash == path] = '\0';
		if (stat(path, &st) < 0)
			return refuse(w, path, strerror(errno));
		why = whose_ill(&st, w->base, false, true);
		if (why != NULL)
			return refuse(w, path, why);
		if (slash == path)
			break;
	}
	return 0;
}

int
whose_check(int dir, const char *path, uint32_t base, whose_fn *fn, void *ctx)
{
	const struct whose w = {path, base, fn, ctx};

	if (check_parents(&w) < 0)
		return -1;
	return check_tree(&w, dir, ".", path, false, DEPTH_MAX);
}

/* Nothing is in it, or something that Reticulum puts there. */
static bool
looks_like_storage(int dir)
{
	static const char *const names[] = {"transport_identity", "cache",
	    "known_destinations", "destination_table", "resources",
	    "identities", "ratchets"};
	DIR *d = dir_take(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	bool empty = true, found = false;

	while (d != NULL && (e = readdir(d)) != NULL && !found) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		empty = false;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			found = found || strcmp(e->d_name, names[i]) == 0;
	}
	if (d != NULL)
		(void)closedir(d);
	return empty || found;
}

int
whose_check_storage(int dir, const char *path, uint32_t base, whose_fn *fn,
    void *ctx)
{
	const struct whose w = {path, base, fn, ctx};

	if (!looks_like_storage(dir))
		return refuse(&w, path, "is a link to a folder with other "
		    "things in it, all of which transport would own");
	return check_tree(&w, dir, ".", path, true, DEPTH_MAX);
}

void
whose_remedy(char out[WHOSE_REMEDY], const char *path)
{
	(void)snprintf(out, WHOSE_REMEDY, "Either: chown -R root: '%.400s' && "
	    "chmod -R go-w '%.400s'. Or: start warrend as that user", path,
	    path);
}
