/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/check/tool.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/runner.h"
#include "common/util.h"

static int
find(const char *program)
{
	static const char *const places[] = {"/usr/local/sbin",
	    "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"};
	char path[128];

	for (size_t i = 0; i < NELEM(places); i++) {
		int fd;

		(void)snprintf(path, sizeof(path), "%s/%s", places[i], program);
		if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0)
			return fd;
	}
	errno = ENOENT;
	return -1;
}

/* NULL: as it is to be. */
static const char *
bad_program(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is no file";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to another user";
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "may be written by others";
	return (st->st_mode & S_IXOTH) == 0 ?
	    "may not be executed by everybody" : NULL;
}

static const char *
bad_socket(const struct stat *st)
{
	if (!S_ISSOCK(st->st_mode))
		return "is no socket";
	if (st->st_uid != 0)
		return "does not belong to root";
	return (st->st_mode & S_IWOTH) != 0 ? "may be asked by everybody" :
	    geteuid() != 0 ? "is asked by a node that root has started" : NULL;
}

int
tool_open(unsigned runner, const char *path, char why[TOOL_WHY])
{
	const char *name = runner_name(runner), *bad = NULL;
	const char *program = runner_program(runner);
	const bool socket = runner == RUNNER_DOCKER;
	const char *what = socket ? "the socket" : "the program";
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (path == NULL && socket)
		path = TOOL_SOCKET;
	fd = path == NULL ? find(program) : open(path, socket ?
	    O_PATH | O_CLOEXEC : O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int error = errno;

		(void)snprintf(why, TOOL_WHY, "%s of %s, %.100s: %s", what,
		    name, path == NULL ? program : path, strerror(error));
		errno = error;
		return -1;
	}
	bad = socket ? bad_socket(&st) : bad_program(&st);
	if (bad == NULL)
		return steal_fd(&fd);
	(void)snprintf(why, TOOL_WHY, "%s of %s, %.100s, %s", what, name,
	    path == NULL ? program : path, bad);
	errno = EPERM;
	return -1;
}
