/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/siblings.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/ipc.h"
#include "common/program.h"
#include "common/runner.h"

/*
 * A copy that nothing on disk can change, for jail and hand (THREATS.md 2.13).
 */
static int
sealed_copy(const char *name, int fd)
{
	struct stat st;
	_cleanup_free_ char *bytes = NULL;
	size_t done = 0;

	if (fstat(fd, &st) < 0 || st.st_size <= 0)
		return -1;
	bytes = malloc((size_t)st.st_size);
	if (bytes == NULL)
		return -1;
	while (done < (size_t)st.st_size) {
		ssize_t n = pread(fd, bytes + done, (size_t)st.st_size - done,
		    (off_t)done);

		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return memfd_sealed(name, bytes, done);
}

const char *
siblings_file(enum program who, unsigned runner)
{
	return who == PROGRAM_JAIL && runner != RUNNER_NATIVE ?
	    "warren-runner" : program_row(who)->exe;
}

int
siblings_sealed(int at, const char *name)
{
	_cleanup_fd_ int fd = openat(at, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : sealed_copy(name, fd);
}

int
siblings_open(char path[4096])
{
	ssize_t n = readlink("/proc/self/exe", path, 4095);
	char *slash;
	_cleanup_fd_ int at = -1;

	path[n < 0 ? 0 : n] = '\0';
	slash = strrchr(path, '/');
	if (slash != NULL) {
		*slash = '\0';
		at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (at >= 0 &&
		    faccessat(at, "warren-transport", X_OK, 0) == 0)
			return steal_fd(&at);
	}
	(void)snprintf(path, 4096, "%s", PKGLIBEXECDIR);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}
