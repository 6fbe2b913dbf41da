/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/hand/snap_files.h"

#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/beneath.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/upper.h"

struct walk {
	struct snap_store *s;
	struct snap_text *list;
	uint64_t left; /* bytes of contents */
	unsigned n;
	char path[SNAPSHOT_NAME_MAX];
	size_t len;
	ino_t before; /* folders with a smaller number are the image's */
};

/* 'w': by an overlay, in place of what the image has there */
static char
kind_of(const struct stat *st)
{
	mode_t m = st->st_mode;

	return S_ISCHR(m) && st->st_rdev == 0 ? 'w' : S_ISREG(m) ? 'f' : S_ISDIR(m) ? 'd' : S_ISLNK(m) ? 'l' :
	    S_ISFIFO(m) ? 'p' : S_ISSOCK(m) ? 's' : 'c';
}

/* How much of it is here now; the job stands still. */
static const char *
contents(struct walk *w, int dir, const char *name, const struct stat *st)
{
	_cleanup_fd_ int fd = -1;
	uint64_t off, got = 0, size = (uint64_t)st->st_size;

	if (size > w->left)
		return "over the quota";
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return "cannot be read";
	if (!snap_store_room(w->s, size, &off))
		return "no room";
	while (got < size) {
		ssize_t n = pread(fd, w->s->map + off + got, size - got,
		    (off_t)got);

		if (n <= 0)
			break;
		got += (uint64_t)n;
	}
	w->left -= size;
	if (!snap_member(w->s, SNAPSHOT_FILE, w->path, w->len))
		return "too many";
	snap_member_extent(w->s, off, got);
	return got == size ? "here" : "in part";
}

static void
entry(struct walk *w, int dir, const char *name, const struct stat *st)
{
	const char *what = "-";

	if (S_ISDIR(st->st_mode) && st->st_ino < w->before)
		return;
	if (S_ISREG(st->st_mode))
		what = contents(w, dir, name, st);
	snap_text_add(w->list, "%c %04o %llu %lld.%09ld \"", kind_of(st),
	    (unsigned)st->st_mode & 07777, (unsigned long long)st->st_size,
	    (long long)st->st_mtim.tv_sec, (long)st->st_mtim.tv_nsec);
	snap_text_escaped(w->list, w->path, w->len);
	snap_text_add(w->list, "\" %s\n", what);
}

static bool
push(struct walk *w, const char *name)
{
	size_t n = strlen(name);

	if (w->len + 1 + n > sizeof(w->path))
		return false;
	w->path[w->len++] = '/';
	memcpy(w->path + w->len, name, n);
	w->len += n;
	return true;
}

static void
folder(struct walk *w, int fd, dev_t dev, int depth)
{
	DIR *d = dir_take(fd);
	struct dirent *e;
	size_t len = w->len;

	while (d != NULL && (e = readdir(d)) != NULL) {
		struct stat st;
		int sub;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (w->n++ >= SNAP_FILES_MAX) {
			w->list->cut = true;
			break;
		}
		w->len = len;
		if (!push(w, e->d_name) || fstatat(dirfd(d), e->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) < 0) {
			w->list->cut = true;
			continue;
		}
		if (st.st_dev != dev &&
		    !beneath_same_mount(dirfd(d), e->d_name))
			continue; /* another mount has a turn of its own */
		entry(w, dirfd(d), e->d_name, &st);
		if (!S_ISDIR(st.st_mode) || depth == 0)
			continue;
		sub = sys_openat2(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY |
		    O_CLOEXEC | O_NOFOLLOW, SYS_SAME_MOUNT);
		if (sub >= 0)
			folder(w, sub, dev, depth - 1);
	}
	w->len = len;
	if (d != NULL)
		(void)closedir(d);
}

/* "1 2 0:3 / /tmp rw,nosuid ... - tmpfs tmpfs rw,size=..." */
static bool
written_to(char *line, char **point)
{
	char *save = NULL, *f, *opts = NULL;
	int i = 0;

	*point = NULL;
	for (f = strtok_r(line, " \n", &save); f != NULL;
	     f = strtok_r(NULL, " \n", &save), i++) {
		if (i == 4)
			*point = f;
		if (i == 5)
			opts = f;
		if (i > 5 && strcmp(f, "-") == 0)
			break;
	}
	f = strtok_r(NULL, " \n", &save);
	return f != NULL && strcmp(f, "tmpfs") == 0 && opts != NULL &&
	    strncmp(opts, "rw", 2) == 0 && (opts[2] == ',' || opts[2] == '\0');
}

static void
mount_point(struct walk *w, int root, char *point)
{
	struct stat st;
	int fd;

	octal_unescape(point);
	fd = sys_openat2(root, point, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	    RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (fd < 0 || fstat(fd, &st) < 0) {
		snap_text_add(w->list, "? - - - \"");
		snap_text_escaped(w->list, point, strlen(point));
		snap_text_add(w->list, "\" cannot be read\n");
		close_fd(&fd);
		return;
	}
	w->len = strcmp(point, "/") == 0 ? 0 : MIN_OF(strlen(point),
	    sizeof(w->path));
	memcpy(w->path, point, w->len);
	folder(w, fd, st.st_dev, SNAP_DEPTH_MAX);
}

/* What differs from the image: the upper layer of the root's overlay. */
static void
of_root(struct walk *w)
{
	int fd = open("/u/" UPPER_FILES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return; /* read-only: nothing does */
	w->len = 0;
	if (stat("/u/" UPPER_MARK, &st) == 0)
		w->before = st.st_ino;
	if (fstat(fd, &st) == 0)
		folder(w, fd, st.st_dev, SNAP_DEPTH_MAX);
	else
		(void)close(fd);
	w->before = 0;
}

void
snap_files(struct snap_store *s, int proc, pid_t pid, uint64_t most,
    struct snap_text *list)
{
	static struct walk w;
	struct snap_text mounts = {0};
	char path[40], *line, *next, *point;
	_cleanup_fd_ int root = -1;

	w = (struct walk){.s = s, .list = list, .left = most};
	(void)snprintf(path, sizeof(path), "%d/root", (int)pid);
	root = openat(proc, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "%d/mountinfo", (int)pid);
	if (root < 0 || !snap_text_file(&mounts, proc, path)) {
		snap_text_add(list, "# the mounts cannot be read\n");
	} else {
		snap_text_add(&mounts, "%c", '\0');
		for (line = mounts.p; line != NULL && *line != '\0';
		     line = next) {
			next = strchr(line, '\n');
			if (next != NULL)
				*next++ = '\0';
			if (written_to(line, &point))
				mount_point(&w, root, point);
		}
	}
	of_root(&w);
	if (list->cut)
		snap_text_add(list, "# there is more than fits here\n");
	snap_text_free(&mounts);
}
