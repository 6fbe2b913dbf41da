/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* O_PATH */
#include "node/check/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "node/check/whose.h"

#define LINKS_MAX 16 /* ours: on the way to one file */
#define PATH_BYTES 4096

struct walk {
	int at; /* the folder that rest is in */
	char rest[PATH_BYTES];
	char name[256]; /* the next of it */
	bool last;
	unsigned links;
	uint32_t base;
	bool ours;
	char *why;
};

static int
refuse(const struct walk *w, const char *what)
{
	char shown[200];

	(void)text_escape(shown, sizeof(shown), w->name, strlen(w->name));
	(void)snprintf(w->why, FOLLOW_WHY, "is a link that root does not "
	    "follow: on its way \"%s\" %s", shown, what);
	errno = ELOOP;
	return -1;
}

/* The next component into name. */
static int
take(struct walk *w)
{
	size_t n;
	char *rest = w->rest;

	if (*rest == '/') {
		(void)close(w->at);
		w->at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (w->at < 0)
			return -1;
		rest += strspn(rest, "/");
	}
	n = strcspn(rest, "/");
	if (n >= sizeof(w->name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)snprintf(w->name, sizeof(w->name), "%.*s", n == 0 ? 1 : (int)n,
	    n == 0 ? "." : rest);
	rest += n;
	rest += strspn(rest, "/");
	memmove(w->rest, rest, strlen(rest) + 1);
	w->last = w->rest[0] == '\0';
	return 0;
}

/* The text of a link, before what is still to go. */
static int
go_along(struct walk *w, int link, const struct stat *st)
{
	char to[PATH_BYTES];
	ssize_t n;

	if (st->st_uid != 0)
		return refuse(w, "belongs to another user");
	if (++w->links > LINKS_MAX)
		return refuse(w, "is one link too many");
	n = readlinkat(link, "", to, sizeof(to));
	if (n < 0)
		return -1;
	if ((size_t)n + 1 + strlen(w->rest) >= sizeof(w->rest)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!w->last)
		to[n++] = '/';
	memmove(w->rest + n, w->rest, strlen(w->rest) + 1);
	memcpy(w->rest, to, (size_t)n);
	return 0;
}

/* What was looked at, and not what came into its place. */
static int
open_same(const struct walk *w, int flags, const struct stat *seen)
{
	_cleanup_fd_ int fd = openat(w->at, w->name,
	    flags | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (st.st_dev != seen->st_dev || st.st_ino != seen->st_ino) {
		errno = EAGAIN;
		return -1;
	}
	return steal_fd(&fd);
}

/* One component. 1: go on; 0: *out is the end of the way; -1: none. */
static int
step(struct walk *w, int flags, int *out)
{
	_cleanup_fd_ int fd = -1;
	const char *ill = NULL;
	struct stat st;

	if (take(w) < 0)
		return -1;
	fd = openat(w->at, w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (S_ISLNK(st.st_mode))
		return go_along(w, fd, &st) < 0 ? -1 : 1;
	if (w->links > 0) /* what lies in DIR itself whose_check() has seen */
		ill = whose_ill(&st, w->base, w->ours && w->last, !w->last);
	if (ill != NULL)
		return refuse(w, ill);
	if (w->last) {
		*out = open_same(w, flags, &st);
		return *out < 0 ? -1 : 0;
	}
	(void)close(w->at);
	w->at = steal_fd(&fd);
	return 1;
}

int
follow_open(int dir, const char *name, int flags, uint32_t base,
    char why[FOLLOW_WHY])
{
	struct walk w = {.base = base, .why = why,
	    .ours = (flags & O_DIRECTORY) != 0};
	int fd = -1, more, error;

	if (strlen(name) >= sizeof(w.rest)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)snprintf(w.rest, sizeof(w.rest), "%s", name);
	w.at = openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w.at < 0)
		return -1;
	while ((more = step(&w, flags, &fd)) > 0)
		;
	error = errno;
	if (w.at >= 0)
		(void)close(w.at);
	errno = error;
	return more < 0 ? -1 : fd;
}
