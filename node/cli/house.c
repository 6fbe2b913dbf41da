/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/house.h"

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

int
house_open(const char *name)
{
	char path[4096 + 32];
	ssize_t n = readlink("/proc/self/exe", path, 4095);
	char *slash;
	int fd = -1;

	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		(void)snprintf(slash, sizeof(path) - (size_t)(slash - path),
		    "/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd >= 0)
		return fd;
	(void)snprintf(path, sizeof(path), "%s/%s", PKGLIBEXECDIR, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int
house_copy(int from, int to)
{
	char buf[65536];
	ssize_t n;

	if (lseek(from, 0, SEEK_SET) < 0)
		return -1;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write_full(to, buf, (size_t)n) < 0)
			return -1;
	return n < 0 ? -1 : 0;
}

int
house_sealed(const char *name)
{
	_cleanup_fd_ int in = house_open(name);
	_cleanup_fd_ int out = memfd_create(name, MFD_ALLOW_SEALING |
	    MFD_CLOEXEC);

	if (in < 0 || out < 0 || house_copy(in, out) < 0 ||
	    fcntl(out, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE) < 0)
		return -1;
	return steal_fd(&out);
}
