/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/image/source.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/sys.h"

#define DIR_VERSION "Directory Transport Version" /* skopeo's dir: */

static bool
has(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
is_dir_transport(int dir)
{
	char text[128];
	ssize_t n = file_read(dir, "version", text, sizeof(text));

	return n >= (ssize_t)strlen(DIR_VERSION) &&
	    memcmp(text, DIR_VERSION, strlen(DIR_VERSION)) == 0;
}

/* What this folder holds, when that is one thing. */
static bool
only_folder(int dir, char name[NAME_MAX + 1])
{
	DIR *d = dir_take(openat(dir, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC));
	struct dirent *de;
	unsigned n = 0;

	while (d != NULL && (de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0 && n++ == 0)
			(void)snprintf(name, NAME_MAX + 1, "%s", de->d_name);
	if (d != NULL)
		(void)closedir(d);
	return n == 1;
}

static int open_for(const struct source *s, const char *path);

/* A document that lies there, and cannot be had from inside the folder. */
static int
look_within(const struct source *s, char *why, size_t cap)
{
	static const char *const docs[] = {"index.json", "manifest.json"};

	for (size_t i = 0; i < NELEM(docs); i++) {
		_cleanup_fd_ int fd = open_for(s, docs[i]);

		if (fd >= 0 || !has(s->fd, docs[i]) || errno != ENOENT)
			continue;
		(void)snprintf(why, cap, "its %s is a link that leads nowhere "
		    "within the folder", docs[i]);
		return -1;
	}
	return 0;
}

/* A folder that is something else than it seems: no root to run jobs in. */
static int
look_at(struct source *s, char *why, size_t cap)
{
	char name[NAME_MAX + 1], path[NAME_MAX + 16];

	s->kind = SOURCE_DOCS;
	if (has(s->fd, "manifest.json") || has(s->fd, "oci-layout") ||
	    (has(s->fd, "index.json") && has(s->fd, "blobs")) ||
	    has(s->fd, "repositories") || is_dir_transport(s->fd))
		return look_within(s, why, cap);
	s->kind = SOURCE_PLAIN;
	errno = EINVAL;
	if (has(s->fd, "config.json") && has(s->fd, "rootfs")) {
		(void)snprintf(why, cap, "a bundle to run, not an image: "
		    "import its folder rootfs");
		return -1;
	}
	if (!only_folder(s->fd, name))
		return 0;
	if (strcmp(name, "index.json") == 0) {
		(void)snprintf(why, cap, "an OCI layout's index.json without "
		    "its folder blobs");
		return -1;
	}
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", name,
		    i == 0 ? "oci-layout" : "manifest.json");
		if (!has(s->fd, path))
			continue;
		(void)snprintf(why, cap, "its image lies one folder down: "
		    "import its folder %.100s", name);
		return -1;
	}
	return 0;
}

int
source_open(struct source *s, const char *path, char *why, size_t cap)
{
	struct stat st;

	s->kind = SOURCE_FILE;
	s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (s->fd < 0 || fstat(s->fd, &st) < 0) {
		(void)snprintf(why, cap, "%s", strerror(errno));
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return look_at(s, why, cap);
	if (S_ISREG(st.st_mode))
		return 0;
	(void)snprintf(why, cap, "neither a folder nor a file");
	errno = EINVAL;
	return -1;
}

static bool
is_file(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	return S_ISREG(st.st_mode);
}

/*
 * Whatever hand asks for, it gets no more than a file of the folder to read:
 * beneath it, and looked at first, since the mere opening of a device may do
 * something.
 */
static int
open_for(const struct source *s, const char *path)
{
	uint64_t how = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	_cleanup_fd_ int look = sys_openat2(s->fd, path, O_PATH | O_CLOEXEC,
	    how);
	_cleanup_fd_ int fd = !is_file(look) ? -1 : sys_openat2(s->fd, path,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, how);

	return is_file(fd) ? steal_fd(&fd) : -1;
}

int
source_answer(const struct source *s, int sock)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	char path[PATH_MAX];
	ssize_t n = recv(sock, path, sizeof(path) - 1, MSG_DONTWAIT);
	_cleanup_fd_ int fd = -1;
	int32_t err = 0;
	struct iovec v = {&err, sizeof(err)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	if (n <= 0)
		return -1;
	path[n] = '\0';
	if ((fd = open_for(s, path)) < 0) {
		err = errno;
	} else {
		struct cmsghdr *c;

		memset(&ctl, 0, sizeof(ctl));
		m.msg_control = ctl.buf;
		m.msg_controllen = sizeof(ctl.buf);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    sizeof(err) ? 0 : -1;
}
