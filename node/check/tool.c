/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/tool.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
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

int
tool_open(unsigned runner, const char *path, char why[TOOL_WHY])
{
	const char *name = runner_name(runner), *bad = NULL;
	const char *program = runner_program(runner);
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (program == NULL) {
		(void)snprintf(why, TOOL_WHY, "jobs cannot be contained by %s "
		    "in this version", name);
		return -1;
	}
	fd = path == NULL ? find(program) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		(void)snprintf(why, TOOL_WHY, "the program of %s, %.100s: %s",
		    name, path == NULL ? program : path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode))
		bad = "is no file";
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		bad = "belongs to another user";
	else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		bad = "may be written by others";
	else if ((st.st_mode & S_IXOTH) == 0)
		bad = "may not be executed by everybody";
	if (bad == NULL)
		return steal_fd(&fd);
	(void)snprintf(why, TOOL_WHY, "the program of %s, %.100s, %s", name,
	    path == NULL ? program : path, bad);
	return -1;
}
